/// Base64 with the alphabet for URLs and without padding (RFC 4648 §5, RFC 7515 §2), read strictly: one text per value.
enum Base64URL {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    static func text(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var group: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(digits[Int(group >> bits & 63)])
            }
        }
        if bits > 0 { text.append(digits[Int(group << (6 - bits) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for anything but the one encoding of some bytes.
    static func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
        let count = text.count
        guard count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 3 / 4)
        var group: UInt32 = 0
        var bits: UInt32 = 0
        let isRead = values.withUnsafeBufferPointer { values in
            for digit in text {
                let value = values[Int(digit)]
                guard value != 0xFF else { return false }
                group = group << 6 | UInt32(value)
                bits += 6
                if bits >= 8 {
                    bits -= 8
                    bytes.append(UInt8(truncatingIfNeeded: group >> bits))
                }
            }
            return true
        }
        // Bits beyond the last byte would be a second spelling of the same value.
        guard isRead, group & ((1 << bits) - 1) == 0 else { return nil }
        return bytes
    }
}
