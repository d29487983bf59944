/// Cuts a text into words and stems for search and comparison.
///
/// A word is a run of letters and digits, lower-cased, Latin diacritics folded (`café` → `cafe`), with inner apostrophes
/// (`don't`; a possessive `'s` is cut off), and with inner `.` `:` between digits (`3.20`, `22:00`). A hyphenated word
/// gives its parts and the whole without hyphens (`wi-fi` → `wi`, `fi`, `wifi`). Chinese and Japanese characters are words
/// of their own. Pure and safe from any thread; linear in the text.
public enum TextAnalyzer {
    /// At most this many bytes of one word are looked at; the rest is cut off.
    static let longestWord = 64

    /// The words in order, stop words included.
    public static func words(_ text: some StringProtocol) -> [String] {
        var splitter = Splitter()
        splitter.words.reserveCapacity(text.utf8.count / 5 + 1)
        for scalar in text.unicodeScalars { splitter.take(scalar) }
        splitter.finish()
        return splitter.words
    }

    /// The stems of the words that are not stop words, in order; of a text of stop words alone all stems.
    public static func stems(_ text: some StringProtocol) -> [String] {
        let words = words(text)
        let meaningful = words.filter { !EnglishWords.stopWords.contains($0) }
        return (meaningful.isEmpty ? words : meaningful).map(EnglishStemmer.stem)
    }

    private struct Splitter {
        var words: [String] = []
        private var current: [UInt8] = []
        /// A sign between two characters of one word: apostrophe, or point and colon between digits.
        private var pending: UInt8?
        private var hyphenParts: [String] = []

        mutating func take(_ scalar: Unicode.Scalar) {
            let value = scalar.value
            if value < 0x80 {
                let byte = UInt8(truncatingIfNeeded: value)
                switch byte {
                case 97...122, 48...57: append(byte)
                case 65...90: append(byte | 0x20)
                case UInt8(ascii: "'"): if current.isEmpty { flush() } else { pending = byte }
                case UInt8(ascii: "."), UInt8(ascii: ":"):
                    if let last = current.last, (48...57).contains(last), pending == nil {
                        pending = byte
                    } else {
                        flush()
                    }
                case UInt8(ascii: "-"): hyphen()
                default: flush()
                }
                return
            }
            switch value {
            case 0x2019, 0x02BC: if !current.isEmpty { pending = UInt8(ascii: "'") }
            case 0x2010, 0x2011: hyphen()
            case 0x0300...0x036F, 0x200D, 0xFE00...0xFE0F: break
            case 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7AF:
                flush()
                words.append(String(Character(scalar)))
            default:
                if let folded = LatinFolding.fold(value) {
                    for byte in folded.utf8 { append(byte) }
                } else if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
                    for byte in scalar.properties.lowercaseMapping.utf8 { append(byte) }
                } else {
                    flush()
                }
            }
        }

        private mutating func append(_ byte: UInt8) {
            if let sign = pending {
                pending = nil
                if sign == UInt8(ascii: "'") {
                    current.append(sign)
                } else if (48...57).contains(byte) {
                    current.append(sign)
                } else {
                    flush()
                }
            }
            if current.count < TextAnalyzer.longestWord { current.append(byte) }
        }

        private mutating func hyphen() {
            if current.isEmpty {
                flush()
            } else {
                flush(keepingParts: true)
            }
        }

        mutating func finish() { flush() }

        private mutating func flush(keepingParts: Bool = false) {
            pending = nil
            if !current.isEmpty {
                if current.count > 2, current[current.count - 2] == UInt8(ascii: "'"), current.last == UInt8(ascii: "s")
                {
                    current.removeLast(2)
                }
                // A cut in the middle of a character is repaired, not trapped.
                let word = String(decoding: current, as: UTF8.self)
                current.removeAll(keepingCapacity: true)
                words.append(word)
                if keepingParts || !hyphenParts.isEmpty { hyphenParts.append(word) }
            }
            if !keepingParts, !hyphenParts.isEmpty {
                if hyphenParts.count > 1 { words.append(hyphenParts.joined()) }
                hyphenParts.removeAll()
            }
        }
    }
}

/// Latin letters with marks as plain letters.
enum LatinFolding {
    /// The lower-case ASCII letters that stand for a scalar of Latin-1 Supplement or Latin Extended-A; nil for others.
    static func fold(_ value: UInt32) -> String? {
        guard value >= 0xC0, value <= 0x17F else { return nil }
        return table[Int(value - 0xC0)]
    }

    private static let table: [String?] = {
        let groups: [(String, String)] = [
            ("a", "àáâãäåÀÁÂÃÄÅāăąĀĂĄ"), ("ae", "æÆ"), ("c", "çÇćĉċčĆĈĊČ"), ("d", "ðÐďđĎĐ"),
            ("e", "èéêëÈÉÊËēĕėęěĒĔĖĘĚ"), ("g", "ĝğġģĜĞĠĢ"), ("h", "ĥħĤĦ"), ("i", "ìíîïÌÍÎÏĩīĭįıĨĪĬĮİ"), ("j", "ĵĴ"),
            ("k", "ķĶĸ"), ("l", "ĺļľŀłĹĻĽĿŁ"), ("n", "ñÑńņňŉŋŃŅŇŊ"), ("o", "òóôõöøÒÓÔÕÖØōŏőŌŎŐ"), ("oe", "œŒ"),
            ("r", "ŕŗřŔŖŘ"), ("s", "śŝşšŚŜŞŠſ"), ("ss", "ß"), ("t", "ţťŧŢŤŦ"), ("th", "þÞ"),
            ("u", "ùúûüÙÚÛÜũūŭůűųŨŪŬŮŰŲ"), ("w", "ŵŴ"), ("y", "ýÿÝŷŶŸ"), ("z", "źżžŹŻŽ"), ("ij", "ĳĲ"),
        ]
        var result = [String?](repeating: nil, count: 0x17F - 0xC0 + 1)
        for (plain, letters) in groups {
            for scalar in letters.unicodeScalars where (0xC0...0x17F).contains(scalar.value) {
                result[Int(scalar.value - 0xC0)] = plain
            }
        }
        return result
    }()
}
