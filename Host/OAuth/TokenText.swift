/// The forms of text that OAuth puts values into.
enum TokenText {
    private static let urlDigits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let standardDigits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// RFC 4648 §5 without padding.
    static func base64URL(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: encoded(bytes, urlDigits), as: UTF8.self)
    }

    /// RFC 4648 §4 with padding.
    static func base64(_ bytes: some Collection<UInt8>) -> String {
        var text = encoded(bytes, standardDigits)
        while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func encoded(_ bytes: some Collection<UInt8>, _ digits: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var pool: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            pool = pool << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(digits[Int(pool >> bits & 63)])
            }
        }
        if bits > 0 { text.append(digits[Int(pool << (6 - bits) & 63)]) }
        return text
    }

    /// Exactly `count` bytes in their one spelling; nil otherwise.
    static func bytes(base64URL text: String, count: Int) -> [UInt8]? {
        guard text.utf8.count == (count * 4 + 2) / 3 else { return nil }
        var bytes: [UInt8] = []
        var pool: UInt32 = 0
        var bits: UInt32 = 0
        for byte in text.utf8 {
            guard let digit = urlDigits.firstIndex(of: byte) else { return nil }
            pool = pool << 6 | UInt32(digit)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pool >> bits))
        }
        return bytes.count == count && base64URL(bytes) == text ? bytes : nil
    }

    /// `name=value&…` with all but RFC 3986's unreserved characters escaped: right in a query and in a form alike.
    static func form(_ fields: [(name: String, value: String)]) -> String {
        fields.map { escaped($0.name) + "=" + escaped($0.value) }.joined(separator: "&")
    }

    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            if byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || "-._~".utf8.contains(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The fields of a query, decoded; nil when it is malformed, too long, or names one twice (RFC 6749 §3.1).
    static func fields(query: String) -> [String: String]? {
        guard query.utf8.count <= 16_384 else { return nil }
        var fields: [String: String] = [:]
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = unescaped(parts[0]), let value = parts.count == 2 ? unescaped(parts[1]) : "",
                fields.updateValue(value, forKey: name) == nil, fields.count <= 64
            else { return nil }
        }
        return fields
    }

    private static func unescaped(_ text: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    /// `[a-z][a-z0-9_]{0,39}`.
    static func isName(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count) && (text.utf8.first.map { $0 &- 97 < 26 } ?? false)
            && text.utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 48 < 10 || $0 == 95 }
    }

    /// What may stand in an `Authorization` header as a token (RFC 6750 §2.1, with what services use besides), 1 byte to
    /// 16 KiB.
    static func isToken(_ text: String) -> Bool {
        (1...16_384).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// RFC 6749 §3.3, without the space.
    static func isScope(_ text: some StringProtocol) -> Bool {
        (1...512).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 == 0x21 || (0x23...0x5B).contains($0) || (0x5D...0x7E).contains($0) }
    }

    /// Random bytes of the system's generator.
    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
    }
}
