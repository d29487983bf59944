/// Master keys that never come here: a service wraps and unwraps the people's keys, such as Vault's transit engine
/// (https://developer.hashicorp.com/vault/api-docs/secret/transit).
///
/// All functions block, for a bounded time; they are called on threads of the storage's own. They throw `StorageError`:
/// `unavailable` for what may be gone soon, `master_key` for what needs somebody's hand.
public protocol RemoteMasterKeys: Sendable {
    /// The key's name and place, for messages: no credential.
    var name: String { get }

    /// `vault:v1:…`: the version of the master key, then what only the service opens.
    func encrypt(_ plain: [UInt8]) throws -> String

    /// In the order of the request; all or none.
    func decrypt(_ sealed: [String]) throws -> [[UInt8]]

    /// Wraps with the newest version what an older one wrapped; in the order of the request, all or none.
    func rewrap(_ sealed: [String]) throws -> [String]

    /// The newest version of the key.
    func latestVersion() throws -> Int

    /// Makes a new version of the key; returns it.
    func rotate() throws -> Int
}

/// The text form of what a transit engine wrapped.
enum TransitText {
    /// The version within `vault:v3:…`; nil for anything else.
    static func version(_ text: String) -> Int? {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "vault", parts[1].first == "v", !parts[2].isEmpty,
            let version = Int(parts[1].dropFirst()), (1...1_000_000).contains(version)
        else { return nil }
        return version
    }
}
