import MailCommon
import PluginCommon
public import TandemSDK

/// A mail of a list, for programs.
public struct MailSummary: Object {
    public var id: String
    public var thread: String
    public var from: String
    public var fromAddress: String
    public var subject: String
    public var preview: String
    public var date: Instant
    public var unread: Bool
    public var starred: Bool

    init(_ head: MailHead) {
        id = head.id
        thread = head.thread
        from = head.from.shortName
        fromAddress = head.from.address
        subject = head.subject
        preview = head.preview
        date = head.date
        unread = head.isUnread
        starred = head.isStarred
    }
}

public struct MailList: Object {
    public var mails: [MailSummary]
    /// There are further ones.
    public var more: Bool
    /// How old it is, when Gmail did not answer.
    public var note: String?
}

enum MailPhrase {
    /// `2 unread: 1 Pat Sample: Leaking tap (14:05), 2 …`, and how to read one.
    static func list(_ lead: String, _ heads: [MailHead], note: String?, _ clock: PersonClock) -> String {
        let parts = heads.enumerated().map { index, head in
            "\(index + 1) \(head.isUnread ? "*" : "")\(head.line) (\(MailWords.when(head.date, clock)))"
        }
        var text = MessageText.flow(lead, parts)
        if let note { text = note.capitalizedFirst + ".\n" + text }
        return text + "\nSend a number to read one."
    }

    static func reply(
        _ lead: String, nothing: String, _ heads: [MailHead], more: Bool, note: String?, _ context: Context
    ) -> Reply<MailList> {
        let value = MailList(mails: heads.map(MailSummary.init), more: more, note: note)
        guard !heads.isEmpty else {
            return Reply(note.map { "\(nothing) (\($0))" } ?? nothing, value: value, trust: .untrusted)
        }
        return Reply(
            list(lead, heads, note: note, context.clock), value: value,
            shown: .mails(heads, type: Gmail.Mail.entity, select: "gmail.read"), trust: .untrusted)
    }
}
