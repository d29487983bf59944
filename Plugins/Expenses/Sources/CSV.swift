/// Comma-separated values after RFC 4180, with lines ending in CR LF.
enum CSV {
    /// One line with its end. Fields are quoted where they hold a comma, a quote or a line break.
    ///
    /// A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, "CSV Injection").
    static func line(_ fields: [Field]) -> String {
        fields.map(\.encoded).joined(separator: ",") + "\r\n"
    }

    enum Field {
        /// Words of a person or of anybody else.
        case text(String)
        /// Made by this program from a number or a date; never quoted, never altered.
        case plain(String)

        var encoded: String {
            switch self {
            case .plain(let value): return value
            case .text(let value):
                let safe = CSV.looksLikeFormula(value) ? "'" + value : value
                let needsQuotes = safe.utf8.contains { byte in
                    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\r")
                        || byte == UInt8(ascii: "\n")
                }
                return needsQuotes || safe != value ? "\"" + safe.replacing("\"", with: "\"\"") + "\"" : safe
            }
        }
    }

    /// Whether the first visible character, in its ASCII or full-width form, begins a formula.
    private static func looksLikeFormula(_ text: String) -> Bool {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}":
                return true
            case " ", "\u{A0}", "\u{200B}", "\u{FEFF}": continue
            default: return false
            }
        }
        return false
    }
}
