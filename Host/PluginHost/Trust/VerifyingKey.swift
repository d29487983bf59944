import Crypto

/// The public half of a key pair: Ed25519 (RFC 8032).
public struct VerifyingKey: Sendable, Hashable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Nil when these are not 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Reads Base64 with padding (44 characters).
    public init?(base64 text: String) {
        guard let bytes = Base64.bytes(text, count: 32) else { return nil }
        self.bytes = bytes
    }

    public var base64: String { Base64.text(bytes) }

    /// `ed25519:` and the first 32 hexadecimal digits of the SHA-256 of the 32 bytes.
    public var id: String { VerifyingKey.idPrefix + Checksum.of(bytes).dropFirst(7).prefix(32) }

    static let idPrefix = "ed25519:"

    /// Whether `text` has the form of an id.
    static func isID(_ text: String) -> Bool {
        guard text.utf8.count == 40, text.utf8.starts(with: idPrefix.utf8) else { return false }
        return text.utf8.dropFirst(8).allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// Whether `signature` (64 bytes) is this key's over exactly `message`.
    func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard signature.count == 64, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else {
            return false
        }
        return key.isValidSignature(signature, for: message)
    }
}
