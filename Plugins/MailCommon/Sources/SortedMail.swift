import PluginCommon
public import TandemSDK

/// What needs an answer, what the person waits for, and what is noise.
public struct SortedMail: Object {
    public struct Entry: Object {
        public var mail: MailSummary
        public var reason: String
    }

    public var answer: [Entry]
    public var waiting: [Entry]
    public var other: [Entry]
    /// How many.
    public var noise: Int
    /// How old it is, when the service did not answer.
    public var note: String?

    /// - Parameters:
    ///   - verdicts: of all mails, the weightiest first.
    ///   - waiting: those of them that really wait, where the service was asked.
    ///   - kind: only these are said.
    ///   - advice: what to do with noise.
    public static func reply(
        _ verdicts: [MailTriage.Verdict], waiting: [MailTriage.Verdict], only kind: MailTriage.Kind?, note: String?,
        type: String, select: String, advice: String
    ) -> Reply<SortedMail> {
        func of(_ kind: MailTriage.Kind) -> [MailTriage.Verdict] { verdicts.filter { $0.kind == kind } }
        let (answer, noise, other) = (of(.answer), of(.noise), of(.other))
        let (found, lead, nothing): ([MailTriage.Verdict], String, String) =
            switch kind {
            case nil, .answer: (answer, "To answer:", "Nothing needs an answer.")
            case .waiting: (waiting, "You wait for:", "You wait for nobody's answer.")
            case .noise: (noise, "Noise:", "No noise in your inbox.")
            case .other: (other, "Nothing asked:", "Nothing else there.")
            }
        let shown = Array(found.prefix(7))
        var text =
            shown.isEmpty
            ? nothing
            : MessageText.flow(
                lead, shown.enumerated().map { "\($0.offset + 1) \($0.element.mail.line) (\($0.element.reason))" })
        if kind == nil {
            var rest: [String] = []
            if !waiting.isEmpty {
                rest.append(
                    "You wait for \(MessageText.enumeration(waiting.map { $0.mail.party.shortName.cut(to: 24) }))")
            }
            if !noise.isEmpty {
                rest.append(
                    "\(noise.count) \(noise.count == 1 ? "is" : "are") noise\(advice.isEmpty ? "" : ": \(advice)")")
            }
            if !rest.isEmpty { text += "\n" + rest.joined(separator: ". ") + "." }
        }
        if let note { text = note.capitalizedFirst + ".\n" + text }
        func entries(_ verdicts: [MailTriage.Verdict]) -> [Entry] {
            verdicts.prefix(20).map { Entry(mail: MailSummary($0.mail), reason: $0.reason) }
        }
        return Reply(
            text,
            value: SortedMail(
                answer: entries(answer), waiting: entries(waiting), other: entries(other), noise: noise.count,
                note: note),
            shown: .mails(shown.map(\.mail), type: type, select: select), trust: .untrusted)
    }
}
