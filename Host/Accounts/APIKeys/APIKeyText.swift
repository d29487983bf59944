/// The form of an API key: `tdm_`, the key's id (11 characters), 43 characters of secret, 6 characters of checksum; all in
/// base 62, so that a double click selects it whole.
///
/// The checksum (CRC-32 of what comes before) lets scanners and the program tell a key from a mistyped one without the
/// database, as in https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/.
struct APIKeyText: Sendable, Hashable {
    static let prefix = "tdm_"
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let idCount = 11
    private static let secretCount = 43
    private static let checksumCount = 6

    /// Names the key, also to people; no secret.
    let id: String
    let text: String

    /// 11 characters have 65 random bits, 43 have 256.
    static func random() -> APIKeyText {
        let id = random(idCount)
        let body = prefix + id + random(secretCount)
        return APIKeyText(id: id, text: body + checksum(body))
    }

    /// Nil for whatever is no whole key.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let count = APIKeyText.prefix.utf8.count + APIKeyText.idCount + APIKeyText.secretCount
        guard bytes.count == count + APIKeyText.checksumCount, text.hasPrefix(APIKeyText.prefix) else { return nil }
        let body = String(decoding: bytes[..<count], as: UTF8.self)
        guard APIKeyText.checksum(body).utf8.elementsEqual(bytes[count...]) else { return nil }
        let start = APIKeyText.prefix.utf8.count
        self.init(
            id: String(decoding: bytes[start..<(start + APIKeyText.idCount)], as: UTF8.self), text: text)
    }

    private init(id: String, text: String) {
        self.id = id
        self.text = text
    }

    private static func random(_ count: Int) -> String {
        var text: [UInt8] = []
        while text.count < count {
            // Above 247 the digits would not be equally likely.
            for byte in SecureRandom.bytes(count) where byte < 248 && text.count < count {
                text.append(digits[Int(byte) % 62])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// CRC-32 as in ISO 3309, in six digits.
    static func checksum(_ text: String) -> String {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in text.utf8 {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        var rest = ~crc
        var text = [UInt8](repeating: digits[0], count: checksumCount)
        for place in text.indices.reversed() {
            text[place] = digits[Int(rest % 62)]
            rest /= 62
        }
        return String(decoding: text, as: UTF8.self)
    }
}
