/// Text of header fields outside of ASCII: `=?utf-8?B?w6k=?=` (RFC 2047).
public enum EncodedWords {
    /// Resolves encoded words; other text stays as it is. Space between two of them goes, and a character may be split
    /// over several of the same set, as some programs do.
    public static func decode(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "=")), text.contains("=?") else { return text }
        var output = ""
        var pending: (charset: String, bytes: [UInt8])?
        var gap = ""
        var rest = text[...]
        func flush() {
            if let word = pending { output += Charset.decode(word.bytes, word.charset) }
            pending = nil
        }
        while let start = rest.firstRange(of: "=?") {
            let before = rest[..<start.lowerBound]
            guard let word = word(rest[start.upperBound...]) else {
                flush()
                output += gap + before + "=?"
                gap = ""
                rest = rest[start.upperBound...]
                continue
            }
            if pending == nil || !before.allSatisfy(\.isWhitespace) {
                flush()
                output += gap + before
            }
            gap = ""
            if let held = pending, Charset.key(held.charset) == Charset.key(word.charset) {
                pending = (held.charset, held.bytes + word.bytes)
            } else {
                flush()
                pending = (word.charset, word.bytes)
            }
            rest = word.rest
        }
        flush()
        return output + gap + rest
    }

    private static func word(_ text: Substring) -> (charset: String, bytes: [UInt8], rest: Substring)? {
        guard let first = text.firstIndex(of: "?"), first < text.endIndex else { return nil }
        let charset = text[..<first]
        let afterCharset = text[text.index(after: first)...]
        guard let second = afterCharset.firstIndex(of: "?") else { return nil }
        let encoding = afterCharset[..<second]
        let afterEncoding = afterCharset[afterCharset.index(after: second)...]
        guard let end = afterEncoding.firstRange(of: "?="), (1...60).contains(charset.utf8.count),
            charset.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        let content = afterEncoding[..<end.lowerBound].utf8
        let bytes: [UInt8]
        switch encoding {
        case "B", "b": bytes = TransferEncoding.base64(content)
        case "Q", "q": bytes = TransferEncoding.quotedPrintable(content, isHeader: true)
        default: return nil
        }
        return (String(charset), bytes, afterEncoding[end.upperBound...])
    }

    /// Text as a header field may hold it: ASCII as it is, anything else as words of at most 75 characters, folded.
    public static func encode(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.contains("=?")
        if isPlain { return text }
        var words: [String] = []
        var chunk: [UInt8] = []
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            // 45 bytes are 60 characters of base64; no character is split.
            if chunk.count + bytes.count > 45 {
                words.append("=?UTF-8?B?\(TransferEncoding.base64Encoded(chunk))?=")
                chunk = []
            }
            chunk += bytes
        }
        if !chunk.isEmpty { words.append("=?UTF-8?B?\(TransferEncoding.base64Encoded(chunk))?=") }
        return words.joined(separator: "\r\n ")
    }
}
