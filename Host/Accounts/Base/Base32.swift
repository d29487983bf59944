/// Base32 (RFC 4648 §6), as authenticator apps and people exchange keys: written without padding, read in any case, with
/// spaces, dashes and padding ignored.
enum Base32 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func text(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        var group: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(digits[Int(group >> bits & 31)])
            }
        }
        if bits > 0 { text.append(digits[Int(group << (5 - bits) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil when something else than digits of the alphabet remains.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var group: UInt32 = 0
        var bits: UInt32 = 0
        for digit in text.utf8 {
            let value: UInt8
            switch digit {
            case 65...90: value = digit - 65
            case 97...122: value = digit - 97
            case 50...55: value = digit - 24
            case 32, 45, 61: continue
            default: return nil
            }
            group = group << 5 | UInt32(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: group >> bits))
            }
        }
        return bytes
    }
}
