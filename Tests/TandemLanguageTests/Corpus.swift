import TandemJSON

/// One wording and what it asks for.
struct Phrase: Sendable {
    var text: String
    /// Acceptable tools of each call, in order; empty when nothing may be planned.
    var tools: [[String]]
    /// Arguments of the first call that must be there with these values.
    var arguments: JSONObject?

    /// Lines of `tools | text | arguments`; several calls joined by `+`, alternatives by `/`, none is `-`. `\n` in the
    /// text is a new line.
    static func parse(_ lines: String) -> [Phrase] {
        lines.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false).map {
                $0.trimmingBlanks
            }
            guard parts.count >= 2 else { return nil }
            let tools =
                parts[0] == "-" ? [] : parts[0].split(separator: "+").map { $0.split(separator: "/").map(String.init) }
            let arguments = parts.count > 2 ? (try? JSON(parsing: parts[2]))?.objectValue : nil
            let text = parts[1].split(separator: "\\n", omittingEmptySubsequences: false).joined(separator: "\n")
            return Phrase(text: text, tools: tools, arguments: arguments)
        }
    }

    /// The half that was looked at while tuning, and the half that was not.
    static func tuned(_ phrases: [Phrase]) -> [Phrase] { half(phrases, 0) }
    static func untouched(_ phrases: [Phrase]) -> [Phrase] { half(phrases, 1) }

    private static func half(_ phrases: [Phrase], _ rest: Int) -> [Phrase] {
        phrases.enumerated().filter { $0.offset % 2 == rest }.map(\.element)
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String {
        var slice = self
        while slice.first == " " { slice = slice.dropFirst() }
        while slice.last == " " { slice = slice.dropLast() }
        return String(slice)
    }
}
