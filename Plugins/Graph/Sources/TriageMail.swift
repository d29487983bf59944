public import MailCommon
import PluginCommon
public import TandemSDK

public struct TriageMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.triage", "Sort out the Outlook mail", effect: .read,
        "Says which Outlook mails need the person's answer, where the person waits for others, and what is noise.",
        trust: .untrusted,
        utterances: [
            "what outlook (mail|mails|email|emails) (need|needs) (an answer|a reply|me)",
            "which outlook (mails|emails) (need|needs) (an answer|a reply|answering)",
            "what needs (an answer|a reply) in (my outlook|outlook|my outlook inbox)",
            "triage my outlook [inbox|mail|email|emails]", "sort [out] my outlook [inbox|mail|email|emails]",
            "go through my outlook [inbox|mail|email|emails]",
            Utterance(
                "who (has not|hasn't|did not|didn't) (answered|replied|answer|reply) [to] me (in|on) outlook",
                arguments: ["kind": "waiting"]),
            Utterance("what is (noise|junk|unimportant) in [my] outlook", arguments: ["kind": "noise"]),
        ], timeoutMilliseconds: 30_000)

    @Argument("Only this kind") var kind: MailTriage.Kind?

    public init() {}

    private static let days: Int64 = 21

    public func run(_ context: Context) async throws -> Reply<SortedMail> {
        let mails = GraphMail(context)
        var note: String?
        var heads: [MailHead]
        var own = ""
        do {
            own = try await mails.service.profile().address.lowercased()
            let since = GraphTime.parameter(
                Instant(milliseconds: context.clock.now.milliseconds - Self.days * 86_400_000))
            let window = [
                ("$filter", "receivedDateTime ge " + since), ("$orderby", "receivedDateTime desc"),
            ]
            let inbox = try await mails.list("/mailFolders/inbox/messages", window, limit: 25)
            let sent = try await mails.list("/mailFolders/sentitems/messages", window, limit: 20)
            heads =
                inbox.heads
                + sent.heads.map { head in
                    var head = head
                    head.isOwn = true
                    return head
                }
            note = inbox.note ?? sent.note
        } catch let error as ToolError where error.isRetryable {
            guard let kept = try await KeptCalendar(context).mails(.inbox, limit: 200) else { throw error }
            (heads, note) = (kept.mails, kept.note)
        }
        let verdicts = MailTriage.judge(heads, own: [own], now: context.clock.now)
        return SortedMail.reply(
            verdicts, waiting: verdicts.filter { $0.kind == .waiting }, only: kind, note: note,
            type: Graph.Mail.entity, select: "graph.read", advice: "")
    }
}
