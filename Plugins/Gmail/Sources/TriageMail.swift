public import MailCommon
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

    public func run(_ context: Context) async throws -> Reply<SortedMail> {
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
        return SortedMail.reply(
            verdicts, waiting: waiting, only: kind, note: note, type: Gmail.Mail.entity, select: "gmail.read",
            advice: "say archive newsletters")
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
}
