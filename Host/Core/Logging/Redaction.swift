import Synchronization

/// Masks what must not be written to logs, metrics and error pages: phone numbers, e-mail addresses, tokens, long hex and
/// base64, and the values after names like `password=`.
///
/// It looks at text byte by byte, in one pass, and knows nothing of where the text came from; it is the net below the
/// rule that such values are not logged at all. Digits joined by spaces, dots, dashes and brackets count as a phone number
/// from 9 to 16 digits (ITU-T E.164 allows 15), from 7 after a `+`; 17 digits and more are record ids and stay.
public enum Redaction {
    public static let hidden = "[redacted]"
    static let phone = Array("[phone]".utf8)
    static let email = Array("[email]".utf8)
    static let token = Array("[token]".utf8)
    static let value = Array(hidden.utf8)

    /// The text with everything masked that looks like a secret or an address of a person.
    public static func masked(_ text: String) -> String {
        var text = text
        var masked: [UInt8]?
        text.withUTF8 { bytes in
            guard mayHoldSecret(bytes) else { return }
            var output = [UInt8]()
            output.reserveCapacity(bytes.count)
            append(bytes, to: &output)
            masked = output
        }
        return masked.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// Whether the values under this key are never written: `sms.body`, `authToken`, `TWILIO_AUTH_TOKEN`, `db.password`.
    ///
    /// The key's last word decides; a few words count anywhere in it.
    public static func isSensitive(key: String) -> Bool {
        var key = key
        return key.withUTF8 { bytes in
            var end = bytes.count
            while end > 0, !isAlphanumeric(bytes[end - 1]) { end -= 1 }
            var start = end
            while start > 0, isAlphanumeric(bytes[start - 1]) {
                start -= 1
                if isUpper(bytes[start]), start > 0, isLower(bytes[start - 1]) { break }
            }
            let word = UnsafeBufferPointer(rebasing: bytes[start..<end])
            for name in sensitiveLastWords where equalsIgnoringCase(word, name) { return true }
            for name in sensitiveAnywhere where containsIgnoringCase(bytes, name) { return true }
            return namedElsewhere.withLock { names in
                !names.isEmpty && names.contains(String(decoding: bytes[lastPart(bytes)...], as: UTF8.self))
            }
        }
    }

    /// Adds names under which no value is written: those of columns that hold what is secret or sealed.
    public static func mask(names: Set<String>) { namedElsewhere.withLock { $0.formUnion(names) } }

    private static let namedElsewhere = Mutex<Set<String>>([])

    /// Where the last part of `sms.sealed_to` begins.
    private static func lastPart(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        (bytes.lastIndex(of: UInt8(ascii: ".")) ?? -1) + 1
    }

    private static let sensitiveLastWords: [StaticString] = [
        "text", "body", "token", "key", "content", "prompt", "reply", "phone", "msisdn", "email", "mail", "address",
        "signature", "query", "arguments", "args", "answer", "answers", "utterance", "otp", "pin", "bearer", "session",
        "jwt", "form", "payload", "headers", "header",
    ]

    private static let sensitiveAnywhere: [StaticString] = [
        "password", "passwd", "passphrase", "secret", "authorization", "cookie", "credential", "apikey",
    ]

    // MARK: - Bytes

    /// False means that `append` would change nothing: the shortest phone number has 7 digits.
    static func mayHoldSecret(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.count >= 7
    }

    /// Appends the masked form of the text.
    static func append(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        var index = 0
        var previous: UInt8 = 0
        // Where the last search for an `@` ended without one: a search from any byte before it ends there, too.
        var noAddressBefore = 0
        while index < bytes.count {
            let byte = bytes[index]
            // Words begin where the previous byte is no part of one, so a token is judged whole.
            let isWordStart = !isTokenByte(previous)
            if byte == UInt8(ascii: "+"), !isWordStart, let end = numberEnd(bytes, from: index) {
                output.append(contentsOf: phone)
                (index, previous) = (end, bytes[end - 1])
                continue
            }
            if isWordStart {
                if index >= noAddressBefore {
                    let address = addressEnd(bytes, from: index)
                    if address.isFound {
                        output.append(contentsOf: email)
                        (index, previous) = (address.end, bytes[address.end - 1])
                        continue
                    }
                    noAddressBefore = address.end
                }
                if let end = numberEnd(bytes, from: index) {
                    output.append(contentsOf: phone)
                    (index, previous) = (end, bytes[end - 1])
                    continue
                }
                if let end = tokenEnd(bytes, from: index) {
                    output.append(contentsOf: token)
                    (index, previous) = (end, bytes[end - 1])
                    continue
                }
                if let span = namedValue(bytes, from: index) {
                    output.append(contentsOf: bytes[index..<span.lowerBound])
                    output.append(contentsOf: value)
                    (index, previous) = (span.upperBound, bytes[span.upperBound - 1])
                    continue
                }
            }
            output.append(byte)
            previous = byte
            index += 1
        }
    }

    /// The end of `user@host`, or of the `user:password@host` of a URL, which begins here.
    private static func addressEnd(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> (end: Int, isFound: Bool) {
        var index = start
        while index < bytes.count, isLocalPart(bytes[index]) { index += 1 }
        guard index > start, index < bytes.count, bytes[index] == UInt8(ascii: "@") else { return (index, false) }
        let at = index
        index += 1
        while index < bytes.count,
            isAlphanumeric(bytes[index]) || bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: "-")
                || bytes[index] >= 0x80
        { index += 1 }
        while index > at + 1, bytes[index - 1] == UInt8(ascii: ".") { index -= 1 }
        return index > at + 1 ? (index, true) : (at, false)
    }

    /// The end of the phone number that begins here.
    private static func numberEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        let isInternational = bytes[start] == UInt8(ascii: "+")
        if isInternational || bytes[start] == UInt8(ascii: "(") { index += 1 }
        guard index < bytes.count, isDigit(bytes[index]) else { return nil }
        var digits = 0
        var end = index
        var separators = 0
        while index < bytes.count {
            let byte = bytes[index]
            if isDigit(byte) {
                digits += 1
                separators = 0
                index += 1
                end = index
            } else if isPhoneSeparator(byte), separators < 2, digits < 16 {
                separators += 1
                index += 1
            } else {
                break
            }
        }
        // Part of a word such as `3f…` or of a longer token: that rule decides.
        if end < bytes.count, isLetter(bytes[end]) || bytes[end] == UInt8(ascii: "_") { return nil }
        return (isInternational ? 7 : 9)...16 ~= digits ? end : nil
    }

    /// The end of the word that begins here, if it looks random or begins like a known key.
    private static func tokenEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var end = start
        var digits = 0
        var letters = 0
        var nonHex = 0
        var turns = 0
        var separators = 0
        while end < bytes.count, isTokenByte(bytes[end]) {
            let byte = bytes[end]
            if isDigit(byte) {
                digits += 1
                if end > start, isLetter(bytes[end - 1]) { turns += 1 }
            } else if isLetter(byte) {
                letters += 1
                if !isHexLetter(byte) { nonHex += 1 }
                if end > start {
                    let before = bytes[end - 1]
                    if isDigit(before) || (isUpper(byte) && isLower(before)) { turns += 1 }
                }
            } else {
                separators += 1
            }
            end += 1
        }
        let length = end - start
        guard length >= 16, letters + digits > 0 else { return nil }
        if isMessageSID(bytes, start, end) { return nil }
        for prefix in keyPrefixes where hasPrefix(bytes, start, end, prefix) { return paddingEnd(bytes, end) }
        if nonHex == 0, letters > 0, digits > 0, letters + digits >= 24 { return paddingEnd(bytes, end) }
        if length >= 20, letters > 0, turns * 5 >= length { return paddingEnd(bytes, end) }
        if length >= 40, separators == 0, letters > 0 { return paddingEnd(bytes, end) }
        return nil
    }

    private static let keyPrefixes: [StaticString] = [
        "eyJ", "sk-", "sk_", "AIza", "ghp_", "xox", "ntn_", "secret_", "ya29", "GOCSPX",
    ]

    /// The value after `password=`, `token: ` or `Bearer `, where such a name begins here.
    private static func namedValue(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Range<Int>? {
        var end = start
        while end < bytes.count, isAlphanumeric(bytes[end]) || bytes[end] == UInt8(ascii: "_") { end += 1 }
        guard end > start, end < bytes.count else { return nil }
        let word = UnsafeBufferPointer(rebasing: bytes[start..<end])
        var index = end
        if equalsIgnoringCase(word, "bearer") || equalsIgnoringCase(word, "basic") {
            guard bytes[index] == UInt8(ascii: " "), bytes.count - index > 8 else { return nil }
        } else {
            while index < bytes.count, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: " ") {
                index += 1
            }
            guard index < bytes.count, bytes[index] == UInt8(ascii: "=") || bytes[index] == UInt8(ascii: ":") else {
                return nil
            }
            guard isSensitive(key: String(decoding: word, as: UTF8.self)) else { return nil }
            index += 1
        }
        while index < bytes.count, bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\"") {
            index += 1
        }
        let first = index
        while index < bytes.count, !isValueEnd(bytes[index]) { index += 1 }
        return index > first ? first..<index : nil
    }

    /// `SM` or `MM` and 32 hex digits: Twilio's id of a message, which operators need and which opens nothing.
    private static func isMessageSID(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        guard end - start == 34, bytes[start] == UInt8(ascii: "S") || bytes[start] == UInt8(ascii: "M"),
            bytes[start + 1] == UInt8(ascii: "M")
        else { return false }
        for index in (start + 2)..<end where !isDigit(bytes[index]) && !isHexLetter(bytes[index]) { return false }
        return true
    }

    private static func paddingEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ end: Int) -> Int {
        var end = end
        while end < bytes.count, bytes[end] == UInt8(ascii: "=") || isTokenByte(bytes[end]) { end += 1 }
        return end
    }

    private static func hasPrefix(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, _ prefix: StaticString
    ) -> Bool {
        guard end - start >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount where bytes[start + index] != prefix.utf8Start[index] { return false }
        return true
    }

    private static func equalsIgnoringCase(_ bytes: UnsafeBufferPointer<UInt8>, _ name: StaticString) -> Bool {
        guard bytes.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count where lowered(bytes[index]) != name.utf8Start[index] { return false }
        return true
    }

    private static func containsIgnoringCase(_ bytes: UnsafeBufferPointer<UInt8>, _ name: StaticString) -> Bool {
        guard bytes.count >= name.utf8CodeUnitCount else { return false }
        for start in 0...(bytes.count - name.utf8CodeUnitCount) {
            let slice = bytes[start..<(start + name.utf8CodeUnitCount)]
            if equalsIgnoringCase(UnsafeBufferPointer(rebasing: slice), name) { return true }
        }
        return false
    }

    // MARK: - Classes of bytes

    private static func lowered(_ byte: UInt8) -> UInt8 { isUpper(byte) ? byte | 0x20 : byte }
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
    private static func isUpper(_ byte: UInt8) -> Bool { byte &- 65 < 26 }
    private static func isLower(_ byte: UInt8) -> Bool { byte &- 97 < 26 }
    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 }
    private static func isHexLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 6 }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "+")
    }

    private static func isPhoneSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
    }

    /// The unreserved bytes of an address's local part, and what the user information of a URL may hold.
    private static func isLocalPart(_ byte: UInt8) -> Bool {
        isTokenByte(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "%") || byte == UInt8(ascii: ":")
            || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "$") || byte == UInt8(ascii: "~")
            || byte == UInt8(ascii: "*") || byte >= 0x80
    }

    private static func isValueEnd(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
            || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: ")")
    }
}
