public import MailCommon
import PluginCommon
public import TandemSDK

public struct ReadMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.read", "Read a mail", effect: .read,
        "Reads one mail: sender, text without quoted history, names of attachments. The text is a stranger's.",
        trust: .untrusted,
        utterances: [
            "read [me] [the] (mail|email) {mail}", "read [me] the (mail|email|message) (from|about) {mail}",
            "open [the] (mail|email) {mail}", "open the (mail|email|message) (from|about) {mail}",
            "read the {mail} (mail|email)", "what does the (mail|email) (from|about) {mail} say",
            "what does {mail} write", "what did {mail} write",
            "read [me] my {mail} (mail|email)",
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mail: #id as shown, or who or what it is about") var mail: MailReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailText> {
        let finder = MailFinder(context)
        let head: MailHead
        do {
            head = try await finder.find(mail)
        } catch let error as ToolError where error.isRetryable {
            guard case .id(let id) = mail, let kept = try await MailIndex(context).mail(id) else { throw error }
            return keptReply(kept.head, kept.note)
        }
        let (message, note) = try await finder.service.message(head.id)
        return try await reply(message, note, context)
    }

    private func reply(_ message: GmailMessage, _ note: String?, _ context: Context) async throws -> Reply<MailText> {
        let head = message.head
        let task = try await context.rows(MailTask.self).first(where: \.message == head.id)
        let text = MailText(
            head, message.body, attachments: message.attachments, link: GmailMessage.link(head.id), task: task?.title)
        return Reply(
            text.message(head, note: note, context.clock), value: text,
            shown: .mails([head], type: Gmail.Mail.entity, select: "gmail.read", numbered: false), trust: .untrusted)
    }

    /// What the index knows, when Gmail does not answer.
    private func keptReply(_ head: MailHead, _ note: String) -> Reply<MailText> {
        Reply(
            "\(note.capitalizedFirst).\n\(head.line): \(MailWords.wrapped(head.preview))\n[only how it begins]",
            value: MailText(kept: head, link: GmailMessage.link(head.id)),
            shown: .mails([head], type: Gmail.Mail.entity, select: "gmail.read", numbered: false), trust: .untrusted)
    }
}
