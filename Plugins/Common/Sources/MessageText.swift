/// Puts short parts into lines that each fit a text message; the first one stands alone.
///
/// The host cuts a message to one SMS segment and keeps the rest for `more`, so nothing may be split within a part.
public enum MessageText {
    /// Room for an answer in one segment of 160 GSM-7 characters, with some left for the host.
    public static let lineLimit = 150

    /// `lead` and the parts, separated, broken at parts: the first line holds as many as fit.
    public static func flow(_ lead: String, _ parts: [String], separator: String = ", ", close: String = ".") -> String
    {
        var lines: [String] = []
        var line = lead
        var isFresh = true
        var last = ""
        for part in parts {
            let isFirstOfAll = lines.isEmpty && isFresh
            let glue = isFresh ? (isFirstOfAll && !lead.isEmpty ? " " : "") : last
            if !isFresh,
                line.unicodeScalars.count + glue.unicodeScalars.count + part.unicodeScalars.count + 1 > lineLimit
            {
                lines.append(line)
                line = part
            } else {
                line += glue + part
            }
            isFresh = false
            last = separator
        }
        lines.append(line + close)
        return lines.joined(separator: "\n")
    }

    /// A text in lines that each fit a message, broken between words; its own lines stay lines.
    public static func wrapped(_ text: String) -> String {
        var lines: [String] = []
        for paragraph in text.split(whereSeparator: \.isNewline) {
            var line = ""
            for word in paragraph.split(separator: " ") {
                if !line.isEmpty, line.unicodeScalars.count + word.unicodeScalars.count + 1 > lineLimit {
                    lines.append(line)
                    line = ""
                }
                line += line.isEmpty ? String(word) : " " + word
            }
            if !line.isEmpty { lines.append(line) }
        }
        return lines.joined(separator: "\n")
    }

    /// `milk`, `milk and eggs`, `milk, eggs and bread`; after `limit` names `and 3 more`.
    public static func enumeration(_ names: [String], limit: Int = 4) -> String {
        guard names.count > 1 else { return names.first ?? "" }
        let shown = names.prefix(limit)
        let rest = names.count - shown.count
        if rest > 0 { return shown.joined(separator: ", ") + " and \(rest) more" }
        return shown.dropLast().joined(separator: ", ") + " and " + (shown.last ?? "")
    }
}

extension MessageText {
    /// `milk, eggs, bread`; after `limit` parts `and 3 more`.
    public static func list(_ parts: [String], limit: Int) -> String {
        guard parts.count > limit else { return parts.joined(separator: ", ") }
        return parts.prefix(limit).joined(separator: ", ") + " and \(parts.count - limit) more"
    }

    /// The text with as many parts in each list as fit the first line, at least one.
    public static func fitting(_ build: (_ limit: Int) -> String) -> String {
        for limit in [100, 12, 9, 7, 5, 4, 3, 2] {
            let text = build(limit)
            if text.prefix(while: { $0 != "\n" }).unicodeScalars.count <= lineLimit { return text }
        }
        return build(1)
    }
}

extension String {
    /// Nil when there is nothing in it.
    public var nonEmpty: String? { isEmpty ? nil : self }
}
