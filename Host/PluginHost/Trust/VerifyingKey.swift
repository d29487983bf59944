import Crypto

/// The public half of a key pair: Ed25519 (RFC 8032).
public struct VerifyingKey: Sendable, Hashable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Nil when these are not 32 bytes, or a point of small order: under such a key anybody can sign anything.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32, !VerifyingKey.hasSmallOrder(bytes) else { return nil }
        self.bytes = bytes
    }

    /// The y coordinates of the points whose order divides 8, also in their other encodings; the sign of x is the top bit.
    private static func hasSmallOrder(_ bytes: [UInt8]) -> Bool {
        var bytes = bytes
        bytes[31] &= 0x7F
        let first = bytes[0]
        let isNearZero = first <= 1 && bytes.dropFirst().allSatisfy { $0 == 0 }
        // p - 1, p and p + 1, with p = 2^255 - 19.
        let isNearPrime =
            (0xEC...0xEE).contains(first) && bytes[1..<31].allSatisfy { $0 == 0xFF } && bytes[31] == 0x7F
        return isNearZero || isNearPrime || orderEight.contains(bytes)
    }

    private static let orderEight: [[UInt8]] = [
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0, 0xD5, 0xDF,
            0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F, 0x2A, 0x20,
            0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
    ]

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
