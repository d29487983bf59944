import TandemCore
import TandemJSON
public import TandemLanguage

/// Makes a long conversation short before it is sent: what is recent stays as it is, what is old is folded.
///
/// Folds in steps of several exchanges, so that the beginning of requests stays the same from turn to turn and the service's
/// cache hits. Works without a model; a rolling summary, where there is one, is a message of its own before what is kept.
public struct ConversationFolder: Sendable {
    /// Tokens that the conversation may have, by estimate.
    public var budget: Int
    /// So many of the person's latest messages are never folded, with all that follows each.
    public var kept = 4
    /// Exchanges that are folded together.
    public var step = 4

    public init(budget: Int = 6000) { self.budget = budget }

    /// A result longer than this is cut in old exchanges; in the newest nothing is.
    private static let longestOldResult = 160
    private static let longestOldText = 240

    public func fold(_ messages: [LanguageMessage]) -> [LanguageMessage] {
        guard TokenEstimate.tokens(of: messages) > budget else { return messages }
        let starts = messages.indices.filter { index in
            if case .person = messages[index] { return true }
            return false
        }
        // Whole steps only: the border moves rarely.
        let foldable = max(0, starts.count - kept) / max(1, step) * max(1, step)
        guard foldable > 0, foldable < starts.count else { return messages }
        let border = starts[foldable]
        let recent = messages[border...]
        // Two steps of what is folded are kept, all of it left out when even that is far too much.
        for left in [max(0, foldable - 2 * step), foldable] {
            let old = messages[starts[left]..<border].reduce(into: [LanguageMessage]()) { fold($1, into: &$0) }
            // What stands before the first word of the person is a summary already.
            var head = Array(messages[..<starts[0]])
            if left > 0 { head.append(.person("[\(left) earlier messages left out]")) }
            let result = head + old + recent
            if left == foldable || TokenEstimate.tokens(of: result) <= 2 * budget { return result }
        }
        return messages
    }

    private func fold(_ message: LanguageMessage, into folded: inout [LanguageMessage]) {
        switch message {
        case .person(let text): folded.append(.person(Self.cut(text, Self.longestOldText)))
        case .assistant(let text, let calls):
            // Calls and results become one line: signatures and arguments of old turns serve nobody.
            var words = text.map { [Self.cut($0, Self.longestOldText)] } ?? []
            if !calls.isEmpty { words.append("[called " + calls.map(\.tool).joined(separator: ", ") + "]") }
            if !words.isEmpty { folded.append(.assistant(text: words.joined(separator: " "), calls: [])) }
        case .result(_, let tool, let value, let trust, let isError):
            // Foreign text does not outlive its turn: what was made of it stands in the answer.
            let text =
                trust >= .contact
                ? "[\(tool): data from outside, left out]"
                : "[\(tool)\(isError ? " failed" : ""): \(Self.cut(value.text, Self.longestOldResult))]"
            if case .assistant(let before, let calls)? = folded.last, calls.isEmpty {
                folded[folded.count - 1] = .assistant(text: (before.map { $0 + " " } ?? "") + text, calls: [])
            } else {
                folded.append(.assistant(text: text, calls: []))
            }
        }
    }

    private static func cut(_ text: String, _ length: Int) -> String {
        guard text.utf8.count > length else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: length - 3)
        while end > text.startIndex, end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end]) + "..."
    }
}
