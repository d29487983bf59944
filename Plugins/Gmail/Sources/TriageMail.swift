import MailCommon
import PluginCommon
public import TandemSDK

public struct TriageMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.triage", "Sort out the mail", effect: .read,
        "Says which mails need the person's answer, where the person waits for others, and what is noise.",
        trust: .untrusted,
        utterances: [
            "what (mail|mails|email|emails) (need|needs) (an answer|a reply|me)",
            "which (mails|emails) (need|needs) (an answer|a reply|answering)",
            "what needs (an answer|a reply) in my (inbox|mail|email)",
            "who do I (need|have) to (answer|reply to|write back to)",
            "who is waiting for (my answer|a reply from me|me to reply)", "triage my (inbox|mail|email|emails)",
            "sort [out] my (inbox|mail|email|emails)", "go through my (inbox|mail|email|emails)",
            "which (mails|emails) should I answer [first]", "what is important in my (inbox|mail|email)",
            Utterance(
                "who (has not|hasn't|did not|didn't) (answered|replied|answer|reply) [to] me",
                arguments: ["kind": "waiting"]),
            Utterance("what (mail|mails|email|emails) am I waiting for", arguments: ["kind": "waiting"]),
            Utterance("who owes me (an answer|a reply)", arguments: ["kind": "waiting"]),
            Utterance("what is (noise|junk|unimportant) in my (inbox|mail|email)", arguments: ["kind": "noise"]),
        ], timeoutMilliseconds: 30_000)

    @Argument("Only this kind") var kind: MailTriage.Kind?

    public init() {}

    public struct Sorted: Object {
        public var answer: [TriagedMail]
        public var waiting: [TriagedMail]
        public var other: [TriagedMail]
        public var noise: Int
        public var note: String?
    }

    public struct TriagedMail: Object {
        public var mail: MailSummary
        public var reason: String
    }

    public func run(_ context: Context) async throws -> Reply<Sorted> {
        var note: String?
        var mails: [MailHead]
        var own: Set<String> = []
        do {
            let service = GmailService(context)
            own = [try await service.ownAddress().lowercased()]
            let inbox = try await service.list("newer_than:21d", labels: ["INBOX"], limit: 25)
            let sent = try await service.list("newer_than:21d", labels: ["SENT"], limit: 20)
            var ids = inbox.ids
            ids += sent.ids.filter { !ids.contains($0) }
            let found = try await service.heads(ids)
            (mails, note) = (found.heads, inbox.note ?? found.note)
        } catch let error as ToolError where error.isRetryable {
            guard let kept = try await MailIndex(context).everything() else { throw error }
            (mails, note) = (kept.heads, kept.note)
            own.formUnion(kept.own)
        }
        let verdicts = MailTriage.judge(mails, own: own, now: context.clock.now)
        // An answer may have been archived: the threads that seem to wait are looked at.
        let waiting = note == nil ? try await stillWaiting(verdicts, context) : verdicts.filter { $0.kind == .waiting }
        return reply(verdicts, waiting, note, context)
    }

    private func stillWaiting(
        _ verdicts: [MailTriage.Verdict], _ context: Context
    ) async throws -> [MailTriage.Verdict] {
        let service = GmailService(context)
        var waiting: [MailTriage.Verdict] = []
        for verdict in verdicts where verdict.kind == .waiting && waiting.count < 8 {
            let path = "threads/" + HTTPRequest.percentEncoded(verdict.mail.thread)
            guard let thread = try? await service.get(path, [("format", "minimal")]).json,
                let newest = thread["messages"]?.arrayValue?.last
            else { continue }
            let labels = (newest["labelIds"]?.arrayValue ?? []).compactMap(\.stringValue)
            if labels.contains("SENT") { waiting.append(verdict) }
        }
        return waiting
    }

    private func reply(
        _ verdicts: [MailTriage.Verdict], _ waiting: [MailTriage.Verdict], _ note: String?, _ context: Context
    ) -> Reply<Sorted> {
        func of(_ kind: MailTriage.Kind) -> [MailTriage.Verdict] { verdicts.filter { $0.kind == kind } }
        let answer = of(.answer)
        let noise = of(.noise)
        let other = of(.other)
        let shown: [MailTriage.Verdict]
        var lead: String
        switch kind {
        case nil, .answer: (shown, lead) = (Array(answer.prefix(7)), "To answer:")
        case .waiting: (shown, lead) = (Array(waiting.prefix(7)), "You wait for:")
        case .noise: (shown, lead) = (Array(noise.prefix(7)), "Noise:")
        case .other: (shown, lead) = (Array(other.prefix(7)), "Nothing asked:")
        }
        var text: String
        if shown.isEmpty {
            lead = ""
            switch kind {
            case nil, .answer: text = "Nothing needs an answer."
            case .waiting: text = "You wait for nobody's answer."
            case .noise: text = "No noise in your inbox."
            case .other: text = "Nothing else there."
            }
        } else {
            text = MessageText.flow(
                lead, shown.enumerated().map { "\($0.offset + 1) \($0.element.mail.line) (\($0.element.reason))" })
        }
        if kind == nil {
            var rest: [String] = []
            if !waiting.isEmpty {
                rest.append(
                    "You wait for \(MessageText.enumeration(waiting.map { $0.mail.party.shortName.cut(to: 24) }))")
            }
            if !noise.isEmpty {
                rest.append("\(noise.count) \(noise.count == 1 ? "is" : "are") noise: say archive newsletters")
            }
            if !rest.isEmpty { text += "\n" + rest.joined(separator: ". ") + "." }
        }
        if let note { text = note.capitalizedFirst + ".\n" + text }
        func triaged(_ verdicts: [MailTriage.Verdict]) -> [TriagedMail] {
            verdicts.prefix(20).map { TriagedMail(mail: MailSummary($0.mail), reason: $0.reason) }
        }
        return Reply(
            text,
            value: Sorted(
                answer: triaged(answer), waiting: triaged(waiting), other: triaged(other), noise: noise.count,
                note: note),
            shown: .mails(shown.map(\.mail), type: Gmail.Mail.entity, select: "gmail.read"), trust: .untrusted)
    }
}
