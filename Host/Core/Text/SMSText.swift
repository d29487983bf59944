/// How a text travels as SMS: its encoding, its length in segments, and its preparation for sending.
///
/// GSM-7 (3GPP TS 23.038 §6.2.1) holds 160 septets in one message, 153 in each of several; an extension character counts
/// two. One character outside it turns the whole text to UCS-2: 70 UTF-16 units, or 67 in each of several. Costs are per
/// segment. All functions are linear in the text and safe from any thread.
public enum SMSText {
    public enum Encoding: String, Sendable {
        case gsm7, ucs2
    }

    /// Septets in one message, and in each of several.
    public static let gsm7Limits = (single: 160, part: 153)
    /// UTF-16 units in one message, and in each of several.
    public static let ucs2Limits = (single: 70, part: 67)

    public static func encoding(of text: String) -> Encoding { septets(of: text) == nil ? .ucs2 : .gsm7 }

    /// The length in GSM-7; nil when a character is outside it.
    public static func septets(of text: String) -> Int? {
        var total = 0
        for scalar in text.unicodeScalars {
            let length = septets(of: scalar)
            if length == 0 { return nil }
            total += length
        }
        return total
    }

    /// How many segments the text is sent, and paid, as; an empty text counts one.
    public static func segments(of text: String) -> Int {
        if let septets = septets(of: text) {
            if septets <= gsm7Limits.single { return 1 }
            return parts(lengths: text.unicodeScalars.lazy.map(septets(of:)), limit: gsm7Limits.part)
        }
        if text.utf16.count <= ucs2Limits.single { return 1 }
        return parts(lengths: text.unicodeScalars.lazy.map { UTF16.width($0) }, limit: ucs2Limits.part)
    }

    /// Neither an escape and its character nor the halves of a surrogate pair are parted.
    private static func parts(lengths: some Sequence<Int>, limit: Int) -> Int {
        var count = 1
        var used = 0
        for length in lengths {
            if used + length > limit {
                count += 1
                used = 0
            }
            used += length
        }
        return count
    }

    /// The text as it should be sent: the same words in as few segments as they allow.
    ///
    /// Typographic marks become their GSM-7 counterparts. If that does not make the whole text GSM-7, accents outside
    /// GSM-7 are dropped when this saves a segment; if characters remain that have no counterpart (emoji, other
    /// scripts), the text stays as it is in UCS-2. Line ends become LF, other control characters vanish.
    public static func prepared(_ text: String) -> String {
        if isPlain(text) { return text }
        let marks = replaced(text, letters: false)
        if septets(of: marks) != nil { return marks }
        if marks.utf16.count <= ucs2Limits.single { return cleaned(text) }
        let letters = replaced(text, letters: true)
        if septets(of: letters) != nil { return letters }
        return cleaned(text)
    }

    /// Cuts a prepared text to one segment at a word boundary.
    ///
    /// - Parameter suffix: Put after the first part when something remains, e.g. ` ...`; it counts. It is ignored when it
    ///   would fill a segment by itself.
    /// - Returns: What fits, with the suffix; and the rest without leading white space, empty when all fitted.
    public static func split(_ text: String, suffix: String = "") -> (head: String, rest: String) {
        if segments(of: text) == 1 { return (text, "") }
        let end = septets(of: suffix) ?? gsm7Limits.single
        let suffix = end < gsm7Limits.single / 2 ? suffix : ""
        let reservedSeptets = septets(of: suffix) ?? 0
        let reservedUnits = suffix.utf16.count

        var septetCount = 0
        var unitCount = 0
        var isGSM7 = true
        var fitting = text.startIndex
        var boundary: String.Index?
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            let next = text.index(after: index)
            if character.isWhitespace, index > text.startIndex, fits() { boundary = index }
            for scalar in character.unicodeScalars {
                let length = septets(of: scalar)
                if length == 0 { isGSM7 = false }
                septetCount += length
                unitCount += UTF16.width(scalar)
            }
            if fits() { fitting = next }
            // Longer can only fit again by becoming shorter, which it never does.
            if unitCount > gsm7Limits.single { break }
            index = next
        }
        func fits() -> Bool {
            isGSM7
                ? septetCount + reservedSeptets <= gsm7Limits.single
                : unitCount + reservedUnits <= ucs2Limits.single
        }
        // One grapheme of more than 70 units: cut between scalars rather than not at all.
        if fitting == text.startIndex {
            fitting =
                text.unicodeScalars.index(text.startIndex, offsetBy: 30, limitedBy: text.endIndex) ?? text.endIndex
        }
        if fitting < text.endIndex, text[fitting].isWhitespace { boundary = fitting }
        // A boundary in the first third would waste the segment for the sake of one long word.
        let third = text.index(text.startIndex, offsetBy: text.distance(from: text.startIndex, to: fitting) / 3)
        let cut = boundary.flatMap { $0 > third && $0 <= fitting ? $0 : nil } ?? fitting
        var head = text[..<cut]
        while let last = head.last, last.isWhitespace { head.removeLast() }
        let rest = text[cut...].drop { $0.isWhitespace }
        return rest.isEmpty ? (String(head), "") : (head + suffix, String(rest))
    }

    // MARK: - Characters

    /// 1 or 2 in GSM-7's basic and extension table, 0 outside both.
    static func septets(of scalar: Unicode.Scalar) -> Int {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", " ", "\n", "\r", "!", "\"", "#", "$", "%", "&", "'", "(", ")", "*", "+",
            ",", "-", ".", "/", ":", ";", "<", "=", ">", "?", "@", "_":
            1
        case "£", "¥", "è", "é", "ù", "ì", "ò", "Ç", "Ø", "ø", "Å", "å", "Δ", "Φ", "Γ", "Λ", "Ω", "Π", "Ψ", "Σ", "Θ",
            "Ξ", "Æ", "æ", "ß", "É", "¤", "¡", "Ä", "Ö", "Ñ", "Ü", "§", "¿", "ä", "ö", "ñ", "ü", "à":
            1
        case "[", "\\", "]", "^", "{", "|", "}", "~", "€", "\u{0C}": 2
        default: 0
        }
    }

    /// Printable ASCII of the basic or extension table and LF: nothing to prepare.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "`")) || $0 == UInt8(ascii: "\n") }
    }

    private static func replaced(_ text: String, letters: Bool) -> String {
        var output = String.UnicodeScalarView()
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            if scalar == "\n", previous == "\r" { continue }
            if let last = output.last, let composed = composed(last, scalar) {
                output.removeLast()
                output.append(composed)
            } else if septets(of: scalar) > 0, scalar != "\r", scalar != "\u{0C}" {
                output.append(scalar)
            } else if let mark = mark(for: scalar) {
                output.append(contentsOf: mark.unicodeScalars)
            } else if letters, let letter = letter(for: scalar) {
                output.append(contentsOf: letter.unicodeScalars)
            } else if (0xFF01...0xFF5E).contains(scalar.value), let ascii = Unicode.Scalar(scalar.value - 0xFEE0) {
                output.append(ascii)
            } else if scalar.value >= 0x20, !(0x7F...0x9F).contains(scalar.value) {
                output.append(scalar)
            }
        }
        return String(output)
    }

    /// The text without control characters, line ends as LF.
    private static func cleaned(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            switch scalar {
            case "\n": if previous != "\r" { output.append(scalar) }
            case "\r", "\u{2028}", "\u{2029}", "\u{0B}", "\u{0C}": output.append("\n")
            case "\t": output.append(" ")
            default:
                if scalar.value >= 0x20, !(0x7F...0x9F).contains(scalar.value) { output.append(scalar) }
            }
        }
        return String(output)
    }

    /// The GSM-7 counterpart of a mark, space or sign.
    private static func mark(for scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\u{2018}", "\u{2019}", "\u{201A}", "\u{201B}", "\u{2032}", "\u{02BC}", "\u{00B4}", "`", "\u{2039}",
            "\u{203A}":
            "'"
        case "\u{201C}", "\u{201D}", "\u{201E}", "\u{201F}", "\u{2033}", "\u{00AB}", "\u{00BB}": "\""
        case "\u{2010}"..."\u{2015}", "\u{2212}", "\u{2043}", "\u{2022}", "\u{00B7}", "\u{2027}": "-"
        case "\u{2026}": "..."
        case "\u{00A0}", "\u{2000}"..."\u{200A}", "\u{202F}", "\u{205F}", "\u{3000}", "\t": " "
        case "\r", "\u{0B}", "\u{0C}", "\u{2028}", "\u{2029}": "\n"
        case "\u{200B}"..."\u{200F}", "\u{202A}"..."\u{202E}", "\u{2060}"..."\u{2064}", "\u{FEFF}", "\u{00AD}",
            "\u{FE00}"..."\u{FE0F}":
            ""
        case "\u{00D7}": "x"
        case "\u{00F7}": "/"
        case "\u{2044}", "\u{2215}": "/"
        case "\u{00BC}": "1/4"
        case "\u{00BD}": "1/2"
        case "\u{00BE}": "3/4"
        case "\u{2153}": "1/3"
        case "\u{2154}": "2/3"
        case "\u{00B9}": "1"
        case "\u{00B2}": "2"
        case "\u{00B3}": "3"
        case "\u{00B0}", "\u{00BA}": " deg"
        case "\u{2192}": "->"
        case "\u{2190}": "<-"
        case "\u{2264}": "<="
        case "\u{2265}": ">="
        case "\u{2260}": "!="
        case "\u{2248}": "~"
        case "\u{2116}": "No."
        case "\u{2122}": "(TM)"
        case "\u{00A9}": "(c)"
        case "\u{00AE}": "(R)"
        case "\u{FB00}": "ff"
        case "\u{FB01}": "fi"
        case "\u{FB02}": "fl"
        default: nil
        }
    }

    /// The GSM-7 letter that a letter and a combining accent (NFD) make.
    private static func composed(_ letter: Unicode.Scalar, _ accent: Unicode.Scalar) -> Unicode.Scalar? {
        guard (0x0300...0x0327).contains(accent.value) else { return nil }
        switch (letter, accent) {
        case ("e", "\u{0300}"): return "è"
        case ("e", "\u{0301}"): return "é"
        case ("E", "\u{0301}"): return "É"
        case ("u", "\u{0300}"): return "ù"
        case ("i", "\u{0300}"): return "ì"
        case ("o", "\u{0300}"): return "ò"
        case ("a", "\u{0300}"): return "à"
        case ("C", "\u{0327}"): return "Ç"
        case ("A", "\u{030A}"): return "Å"
        case ("a", "\u{030A}"): return "å"
        case ("A", "\u{0308}"): return "Ä"
        case ("O", "\u{0308}"): return "Ö"
        case ("U", "\u{0308}"): return "Ü"
        case ("a", "\u{0308}"): return "ä"
        case ("o", "\u{0308}"): return "ö"
        case ("u", "\u{0308}"): return "ü"
        case ("N", "\u{0303}"): return "Ñ"
        case ("n", "\u{0303}"): return "ñ"
        default: return nil
        }
    }

    /// The letter without the accent that GSM-7 lacks.
    private static func letter(for scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "á", "â", "ã", "ā", "ă", "ą", "ª": "a"
        case "À", "Á", "Â", "Ã", "Ā", "Ă", "Ą": "A"
        case "ç", "ć", "č", "ĉ", "ċ": "c"
        case "Ć", "Č", "Ĉ", "Ċ": "C"
        case "ď", "đ", "ð": "d"
        case "Ď", "Đ", "Ð": "D"
        case "ê", "ë", "ē", "ĕ", "ė", "ę", "ě": "e"
        case "È", "Ê", "Ë", "Ē", "Ĕ", "Ė", "Ę", "Ě": "E"
        case "ğ", "ĝ", "ġ", "ģ": "g"
        case "Ğ", "Ĝ", "Ġ", "Ģ": "G"
        case "í", "î", "ï", "ī", "ĭ", "į", "ı": "i"
        case "Ì", "Í", "Î", "Ï", "Ī", "Ĭ", "Į", "İ": "I"
        case "ķ": "k"
        case "Ķ": "K"
        case "ł", "ĺ", "ļ", "ľ": "l"
        case "Ł", "Ĺ", "Ļ", "Ľ": "L"
        case "ń", "ņ", "ň": "n"
        case "Ń", "Ņ", "Ň": "N"
        case "ó", "ô", "õ", "ō", "ŏ", "ő": "o"
        case "Ò", "Ó", "Ô", "Õ", "Ō", "Ŏ", "Ő": "O"
        case "œ": "oe"
        case "Œ": "OE"
        case "ŕ", "ř": "r"
        case "Ŕ", "Ř": "R"
        case "ś", "š", "ş", "ș": "s"
        case "Ś", "Š", "Ş", "Ș": "S"
        case "ť", "ţ", "ț": "t"
        case "Ť", "Ţ", "Ț": "T"
        case "þ": "th"
        case "Þ": "Th"
        case "ú", "û", "ū", "ŭ", "ů", "ű", "ų": "u"
        case "Ù", "Ú", "Û", "Ū", "Ŭ", "Ů", "Ű", "Ų": "U"
        case "ý", "ÿ": "y"
        case "Ý", "Ÿ": "Y"
        case "ź", "ż", "ž": "z"
        case "Ź", "Ż", "Ž": "Z"
        // Combining accents, which NFD text carries apart from their letters.
        case "\u{0300}"..."\u{036F}": ""
        default: nil
        }
    }
}
