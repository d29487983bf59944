import PluginCommon
public import TandemSDK

/// A mail of a list, for programs.
public struct MailSummary: Object, Hashable {
    public var id: String
    public var thread: String
    public var from: String
    public var fromAddress: String
    public var subject: String
    public var preview: String
    public var date: Instant
    public var unread: Bool
    /// Or flagged.
    public var starred: Bool

    public init(_ head: MailHead) {
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
    /// How old it is, when the service did not answer.
    public var note: String?

    public init(_ heads: [MailHead], more: Bool = false, note: String? = nil) {
        mails = heads.map(MailSummary.init)
        self.more = more
        self.note = note
    }

    /// `2 unread: 1 Pat Sample: Leaking tap (14:05), 2 …`, and how to read one.
    ///
    /// - Parameters:
    ///   - type: the entity of the mails.
    ///   - select: the tool that reads one.
    public static func reply(
        _ lead: String, nothing: String, _ heads: [MailHead], more: Bool = false, note: String?, type: String,
        select: String, _ clock: PersonClock
    ) -> Reply<MailList> {
        let value = MailList(heads, more: more, note: note)
        guard !heads.isEmpty else {
            return Reply(note.map { "\(nothing) (\($0))" } ?? nothing, value: value, trust: .untrusted)
        }
        let parts = heads.enumerated().map { index, head in
            "\(index + 1) \(head.isUnread ? "*" : "")\(head.line) (\(MailWords.when(head.date, clock)))"
        }
        var text = MessageText.flow(lead, parts)
        if let note { text = note.capitalizedFirst + ".\n" + text }
        return Reply(
            text + "\nSend a number to read one.", value: value,
            shown: .mails(heads, type: type, select: select), trust: .untrusted)
    }
}
