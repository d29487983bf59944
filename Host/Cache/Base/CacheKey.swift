import Crypto

/// What something is kept under: a space, which is a word of the program, and a name within it, which may be anything.
///
/// A shared store never sees the name: it gets a keyed hash of it, so that numbers, addresses and ids of people are not in
/// its memory, its files or its logs.
public struct CacheKey: Sendable, Hashable {
    enum Name: Sendable, Hashable {
        case ids(Int64, Int64)
        case text(String)
        case bytes([UInt8])
    }

    /// A word of the program: letters, digits and dots.
    public let space: String
    let name: Name

    public init(_ space: String, _ first: Int64, _ second: Int64 = 0) {
        self.space = space
        name = .ids(first, second)
    }

    /// - Parameter text: May be personal.
    public init(_ space: String, _ text: String) {
        self.space = space
        name = .text(text)
    }

    public init(_ space: String, _ bytes: [UInt8]) {
        self.space = space
        name = .bytes(bytes)
    }

    /// `SPACE:HASH`, the same wherever the secret is.
    public func hashed(with secret: [UInt8]) -> String {
        String(decoding: name(as: "", key: SymmetricKey(data: secret)), as: UTF8.self)
    }

    /// `SPACE:` and 32 hex digits of a keyed hash (HMAC-SHA-256) of the kind, the space and the name.
    func name(as kind: String, in shown: String? = nil, key: SymmetricKey) -> [UInt8] {
        var input = [UInt8]()
        input.reserveCapacity(64)
        input.append(contentsOf: kind.utf8)
        input.append(0)
        input.append(contentsOf: space.utf8)
        input.append(0)
        switch name {
        case .ids(let first, let second):
            input.append(1)
            withUnsafeBytes(of: (first.bigEndian, second.bigEndian)) { input.append(contentsOf: $0) }
        case .text(let text):
            input.append(2)
            input.append(contentsOf: text.utf8)
        case .bytes(let bytes):
            input.append(3)
            input.append(contentsOf: bytes)
        }
        var code = HMAC<SHA256>(key: key)
        code.update(data: input)
        let shown = shown ?? space
        var result = [UInt8]()
        result.reserveCapacity(shown.utf8.count + 33)
        result.append(contentsOf: shown.utf8)
        result.append(UInt8(ascii: ":"))
        code.finalize().withUnsafeBytes { hash in
            for byte in hash.prefix(16) {
                result.append(CacheKey.digit(byte >> 4))
                result.append(CacheKey.digit(byte & 15))
            }
        }
        return result
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
