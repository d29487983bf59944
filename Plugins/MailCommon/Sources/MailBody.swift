/// What somebody wrote in a mail, apart from what they quoted and what stands under every mail of theirs.
public struct MailBody: Sendable, Hashable {
    /// The new text.
    public var text: String
    /// Quoted history was left out.
    public var hasHistory: Bool

    /// - Parameter text: plain text with lines, `>` before quoted ones.
    public init(_ text: String) {
        var lines = HTMLText.tidy(text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
        var hasHistory = false
        if let cut = lines.indices.first(where: { Self.beginsHistory(lines, at: $0) }) {
            // An answer below the quotation is the new text; what is above is an introduction at best.
            let after = Self.answerBelow(lines[cut...])
            if let after, lines[..<cut].allSatisfy({ $0.isEmpty }) {
                lines = after
            } else {
                lines = Array(lines[..<cut])
            }
            hasHistory = true
        }
        let quoted = lines.count { $0.hasPrefix(">") }
        if quoted > 0 {
            lines = Self.withoutQuotes(lines)
            hasHistory = true
        }
        if let signature = lines.firstIndex(where: { $0 == "--" || $0 == "-- " }), signature > 0 {
            lines = Array(lines[..<signature])
        }
        self.text = HTMLText.tidy(lines.joined(separator: "\n"))
        self.hasHistory = hasHistory
    }

    private static let marks = [
        "-----original message-----", "----- original message -----", "-------- original message --------",
        "---------- forwarded message", "begin forwarded message:", "-------- forwarded message --------",
        "-----urspr\u{FC}ngliche nachricht-----", "-----message d'origine-----", "________________________________",
    ]

    private static let wroteWords = [
        " wrote:", " schrieb:", " a \u{E9}crit :", " a \u{E9}crit:", " escribi\u{F3}:", " ha scritto:",
    ]

    private static func beginsHistory(_ lines: [String], at index: Int) -> Bool {
        let line = lines[index].lowercased()
        if marks.contains(where: { line.hasPrefix($0) }) {
            // A forwarded mail without a word of its own is the text.
            let isForwarded = line.contains("forwarded")
            return !isForwarded || lines[..<index].contains { !$0.isEmpty }
        }
        // "On Fri, 20 Nov 2026 at 10:15, Pat <pat@example.com>\nwrote:", on one line or two.
        let both = index + 1 < lines.count ? line + " " + lines[index + 1].lowercased() : line
        if wroteWords.contains(where: { line.hasSuffix($0.hasPrefix(" ") ? $0 : " " + $0) }),
            line.contains("@") || line.contains(where: \.isNumber)
        {
            return true
        }
        let starters = ["on ", "am ", "le ", "el ", "il "]
        if starters.contains(where: { line.hasPrefix($0) }), wroteWords.contains(where: { both.hasSuffix($0) }),
            both.contains("@") || both.contains(where: \.isNumber), both.utf8.count < 300
        {
            return true
        }
        // Outlook's block: From:, Sent:, To:, Subject:.
        if line.hasPrefix("from:") || line.hasPrefix("von:") || line.hasPrefix("de :") || line.hasPrefix("de:") {
            let next = lines[(index + 1)...].prefix(4).map { $0.lowercased() }
            return next.contains { $0.hasPrefix("sent:") || $0.hasPrefix("gesendet:") || $0.hasPrefix("envoy") }
                && next.contains { $0.hasPrefix("to:") || $0.hasPrefix("an:") || $0.hasPrefix("\u{E0}") }
        }
        return false
    }

    private static func answerBelow(_ lines: ArraySlice<String>) -> [String]? {
        guard let last = lines.lastIndex(where: { $0.hasPrefix(">") }), last + 1 < lines.endIndex else { return nil }
        let rest = Array(lines[(last + 1)...])
        return rest.contains { !$0.isEmpty } ? rest : nil
    }

    /// Quoted lines go; where answers stand between them, one line of each quotation stays.
    private static func withoutQuotes(_ lines: [String]) -> [String] {
        guard let first = lines.firstIndex(where: { $0.hasPrefix(">") }),
            let last = lines.lastIndex(where: { $0.hasPrefix(">") })
        else { return lines }
        let isInterleaved = lines[first...last].contains { !$0.isEmpty && !$0.hasPrefix(">") }
        guard isInterleaved else { return lines.filter { !$0.hasPrefix(">") } }
        var kept: [String] = []
        var quotation: String?
        for line in lines {
            if line.hasPrefix(">") {
                let text = line.drop { $0 == ">" || $0 == " " }
                if !text.isEmpty { quotation = "> " + text }
                continue
            }
            if !line.isEmpty, let held = quotation {
                kept.append(held)
                quotation = nil
            }
            kept.append(line)
        }
        return kept
    }
}
