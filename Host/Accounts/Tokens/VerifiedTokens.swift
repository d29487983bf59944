import CSodium
import Synchronization
import TandemCore

/// Access tokens whose signature was found to be right, with what they say: the same token comes with every request.
///
/// A token is known by a hash under a key of this process, so that none can be read out of its memory later. What may
/// change is asked anew each time: whether the signing key still counts, whether the token is in time, and, elsewhere,
/// whether its session is still open.
final class VerifiedTokens: Sendable {
    private struct Name: Hashable {
        var words: (UInt64, UInt64, UInt64, UInt64)

        static func == (left: Name, right: Name) -> Bool { left.words == right.words }

        // The hash is a hash already.
        func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
    }

    struct Entry: Sendable {
        let claims: AccessClaims
        /// The id of the key that signed it.
        let key: String
    }

    private static let mostEntries = 50_000
    private let secret = SecureRandom.bytes(32)
    private let entries = Mutex<[Name: Entry]>([:])

    func find(_ token: String) -> Entry? {
        let name = name(token)
        return entries.withLock { $0[name] }
    }

    func remember(_ token: String, _ claims: AccessClaims, key: String) {
        let name = name(token)
        entries.withLock { entries in
            if entries.count >= VerifiedTokens.mostEntries { entries.removeAll(keepingCapacity: true) }
            entries[name] = Entry(claims: claims, key: key)
        }
    }

    func forget(_ token: String) {
        let name = name(token)
        entries.withLock { $0[name] = nil }
    }

    private func name(_ token: String) -> Name {
        var token = token
        var name = Name(words: (0, 0, 0, 0))
        token.withUTF8 { bytes in
            withUnsafeMutableBytes(of: &name.words) { words in
                guard let start = words.bindMemory(to: UInt8.self).baseAddress else { return }
                _ = crypto_generichash(
                    start, words.count, bytes.baseAddress, UInt64(bytes.count), secret, secret.count)
            }
        }
        return name
    }
}
