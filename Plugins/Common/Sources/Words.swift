/// Text reduced to what two people mean alike: words without case, accents, plural endings and fillers.
///
/// `The Tomatoes` and `tomato` have the same key. A stem is for comparing only and is never shown.
public struct Words: Sendable, Hashable {
    /// Folded words in their order, as written: `oat`, `milks`.
    public let plain: [String]
    /// Their stems: `oat`, `milk`.
    public let stems: [String]

    /// The words that carry no meaning in the name of a thing to buy.
    private static let fillers: Set<String> = [
        "the", "a", "an", "some", "my", "our", "of", "any", "more", "please", "those", "these", "that", "this", "bit",
        "few", "lot", "lots", "also", "and",
    ]

    /// Reads at most the first 64 words, so that a hostile text costs no more than a long one.
    public init(_ text: String) {
        let all = Words.split(text)
        let meaningful = all.filter { !Words.fillers.contains($0) }
        plain = meaningful.isEmpty ? all : meaningful
        stems = plain.map(Words.stem)
    }

    /// The key under which equal names are found; never empty for a text with a visible character.
    public static func key(_ text: String) -> String {
        let words = Words(text)
        if !words.stems.isEmpty { return words.stems.joined(separator: " ") }
        return text.lowercased().singleLine(limit: 200)
    }

    /// Folded words: letters, digits and `%` kept, everything else separates.
    public static func split(_ text: String) -> [String] {
        var words: [String] = []
        var current = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isWordScalar(scalar) {
                fold(scalar, into: &current)
                if current.count >= 64 { flush(&current, into: &words) }
            } else if scalar == "'" || scalar == "\u{2019}" || scalar.properties.generalCategory == .nonspacingMark {
                continue
            } else {
                flush(&current, into: &words)
            }
            if words.count >= 64 { return words }
        }
        flush(&current, into: &words)
        return words
    }

    private static func flush(_ current: inout String.UnicodeScalarView, into words: inout [String]) {
        guard !current.isEmpty else { return }
        words.append(String(current))
        current = String.UnicodeScalarView()
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 128 {
            return (scalar >= "a" && scalar <= "z") || (scalar >= "A" && scalar <= "Z")
                || (scalar >= "0" && scalar <= "9") || scalar == "%"
        }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    /// Base letters of U+00C0 to U+017F, in order; `.` keeps the letter's lower case.
    private static let latin: [UInt8] = Array(
        ("aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y"
            + "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkklllllll"
            + "lllnnnnnnnnnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs").utf8)

    private static func fold(_ scalar: Unicode.Scalar, into view: inout String.UnicodeScalarView) {
        let value = scalar.value
        if value < 128 {
            view.append(scalar >= "A" && scalar <= "Z" ? Unicode.Scalar(UInt8(value + 32)) : scalar)
            return
        }
        switch value {
        case 0xDF: view.append(contentsOf: "ss".unicodeScalars)
        case 0xC6, 0xE6: view.append(contentsOf: "ae".unicodeScalars)
        case 0x152, 0x153: view.append(contentsOf: "oe".unicodeScalars)
        case 0xC0..<0x180:
            let index = Int(value - 0xC0)
            if index < latin.count, latin[index] != UInt8(ascii: ".") {
                view.append(Unicode.Scalar(latin[index]))
            } else {
                view.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        default: view.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
    }

    /// Takes off English plural endings, the same way from singular and plural: `loaf` and `loaves` give `loav`,
    /// `berry` and `berries` give `berri`, `tomato` and `tomatoes` give `tomato`.
    public static func stem(_ word: String) -> String {
        var bytes = Array(word.utf8)
        guard bytes.count > 2, bytes.allSatisfy({ $0 < 128 }) else { return word }
        if bytes.last == UInt8(ascii: "s"), bytes.count > 3 {
            if bytes[bytes.count - 2] != UInt8(ascii: "s") { bytes.removeLast() }
        }
        if bytes.last == UInt8(ascii: "e"), bytes.count > 3 { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "y"), bytes.count > 2 { bytes[bytes.count - 1] = UInt8(ascii: "i") }
        if bytes.last == UInt8(ascii: "f"), bytes.count > 2 { bytes[bytes.count - 1] = UInt8(ascii: "v") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
