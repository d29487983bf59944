/// Text from a plugin on its way to a person: line feeds stay, everything invisible that could deceive goes.
///
/// Removed are the C0 and C1 controls (Unicode general category Cc), the bidirectional embeddings, overrides and
/// isolates (UAX #9; "Trojan Source", CVE-2021-42574), the byte order mark, line and paragraph separators and tag
/// characters. A tab becomes a space.
enum PlainText {
    static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A: false
        case 0x00...0x1F, 0x7F...0x9F: true
        case 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C: true
        case 0xFEFF, 0x2028, 0x2029, 0xE0000...0xE007F: true
        default: false
        }
    }

    /// The text of valid UTF-8 bytes without what `isRemoved` names, or nil when the bytes are not UTF-8 (RFC 3629).
    static func sanitized(_ bytes: UnsafeRawBufferPointer) -> String? {
        var isPlain = true
        for byte in bytes where byte < 0x20 || byte >= 0x7F {
            if byte != 0x0A {
                isPlain = false
                break
            }
        }
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        guard let text = String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self) else { return nil }
        return sanitized(text)
    }

    static func sanitized(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isRemoved) else { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\t" {
                clean.append(" ")
            } else if !isRemoved(scalar) {
                clean.append(scalar)
            }
        }
        return String(clean)
    }

    /// A stranger's words as part of a sentence of the host's: on one line, without quotation marks, brackets and what
    /// ends a sentence, and without characters that nobody sees. Never empty.
    static func phrase(_ text: String, atMost limit: Int) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in sanitized(text).unicodeScalars {
            switch scalar.value {
            // Soft hyphen, zero widths, joiners, variation selectors.
            case 0xAD, 0x180E, 0x200B...0x200D, 0x2060...0x2064, 0xFE00...0xFE0F: continue
            default: break
            }
            switch scalar {
            case "\"", "\u{201C}", "\u{201D}", "(", ")", "[", "]", "{", "}", "<", ">", ":", ";", "?", "!", "\n":
                if clean.last != " " { clean.append(" ") }
            case ".":
                // Within a number or a host it may stay.
                clean.append(scalar)
            default:
                if scalar == " ", clean.last == " " || clean.last == nil { continue }
                clean.append(scalar)
            }
        }
        while let last = clean.last, last == " " || last == "." { clean.removeLast() }
        let phrase = String(clean).replacing(". ", with: " ")
        if phrase.isEmpty { return "?" }
        return phrase.count <= limit ? phrase : String(phrase.prefix(limit - 3)) + "..."
    }
}
