import MailCommon
import PluginCommon
public import TandemSDK

public struct MailText: Object {
    public var id: String
    public var from: String
    public var fromAddress: String
    public var to: [String]
    public var subject: String
    public var date: Instant
    /// What the sender wrote, without what they quoted; of long ones the beginning.
    public var text: String
    public var cut: Bool
    /// Quoted history was left out.
    public var hasHistory: Bool
    public var attachments: [MailFile]
    public var link: String
    /// The task that was made of it.
    public var task: String?
}

public struct MailFile: Object {
    public var name: String
    public var type: String
    public var size: Int
}

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

    static let longest = 6000

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
        let body = message.body
        let isCut = body.text.count > Self.longest
        let text = isCut ? body.text.cut(to: Self.longest) : body.text
        let task = try await context.rows(MailTask.self).first(where: \.message == head.id)
        var lines =
            "\(head.from.shortName.cut(to: 40)), \(MailWords.when(head.date, context.clock)): "
            + head.title.cut(to: 80)
        if let note { lines = note.capitalizedFirst + ".\n" + lines }
        lines += "\n" + (text.isEmpty ? "(no text)" : MailWords.wrapped(text))
        if body.hasHistory { lines += "\n[older mails in it left out]" }
        if !message.attachments.isEmpty {
            let files = message.attachments.map { "\($0.name.cut(to: 40)) (\(MailWords.size($0.size)))" }
            lines += "\n" + MessageText.flow("Attached:", files)
        }
        if let task { lines += "\nOn your tasks: \(task.title.cut(to: 100))" }
        return Reply(
            lines,
            value: MailText(
                id: head.id, from: head.from.shortName, fromAddress: head.from.address,
                to: head.to.prefix(20).map(\.address), subject: head.subject, date: head.date, text: text, cut: isCut,
                hasHistory: body.hasHistory,
                attachments: message.attachments.map { MailFile(name: $0.name, type: $0.type, size: $0.size) },
                link: GmailMessage.link(head.id), task: task?.title),
            shown: .mails([head], type: Gmail.Mail.entity, select: "gmail.read", numbered: false), trust: .untrusted)
    }

    /// What the index knows, when Gmail does not answer.
    private func keptReply(_ head: MailHead, _ note: String) -> Reply<MailText> {
        Reply(
            "\(note.capitalizedFirst).\n\(head.line): \(MailWords.wrapped(head.preview))\n[only how it begins]",
            value: MailText(
                id: head.id, from: head.from.shortName, fromAddress: head.from.address,
                to: head.to.prefix(20).map(\.address), subject: head.subject, date: head.date, text: head.preview,
                cut: true, hasHistory: false, attachments: [], link: GmailMessage.link(head.id)),
            shown: .mails([head], type: Gmail.Mail.entity, select: "gmail.read", numbered: false), trust: .untrusted)
    }
}
