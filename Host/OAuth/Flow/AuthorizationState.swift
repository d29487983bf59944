import TandemCore
import TandemStorage

/// The `state` of an authorization request: random, with an end, signed, so that what is not ours costs no look-up.
///
/// 16 random bytes, the end in milliseconds (8 bytes, big endian), 16 bytes of a keyed hash over both and the provider;
/// base64url.
struct AuthorizationState {
    static let count = 40
    let random: [UInt8]
    let expiresAt: Timestamp

    private static func signed(
        _ random: [UInt8], _ expiresAt: Timestamp, _ provider: String, _ keyring: Keyring
    ) throws -> [UInt8] {
        let text = "\(TokenText.base64URL(random)).\(expiresAt.millisecondsSinceEpoch).\(provider)"
        return try keyring.lookupHash(text, purpose: "oauth signature")
    }

    static func make(expiresAt: Timestamp, provider: String, keyring: Keyring) throws -> String {
        let random = TokenText.random(16)
        let time = UInt64(bitPattern: expiresAt.millisecondsSinceEpoch)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: time >> (56 - 8 * UInt64($0))) }
        return TokenText.base64URL(random + bytes + (try signed(random, expiresAt, provider, keyring)))
    }

    /// Nil for what was not made here, or for another provider.
    init?(_ text: String, provider: String, keyring: Keyring) throws {
        guard let bytes = TokenText.bytes(base64URL: text, count: Self.count) else { return nil }
        random = Array(bytes[0..<16])
        let time = bytes[16..<24].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        expiresAt = Timestamp(millisecondsSinceEpoch: Int64(bitPattern: time))
        let expected = try Self.signed(random, expiresAt, provider, keyring)
        // Every byte is looked at, whatever the others are.
        guard zip(expected, bytes[24...]).reduce(UInt8(0), { $0 | ($1.0 ^ $1.1) }) == 0 else { return nil }
    }
}
