import PluginCommon
public import TandemSDK

/// What is known of a mail without its text: enough for lists, triage and answers, whatever the service.
public struct MailHead: Object, Hashable {
    /// The service's.
    public var id: String
    public var thread: String
    public var from: MailAddress
    /// Whom an answer goes to, where that is not `from`.
    public var replyTo: MailAddress?
    public var to: [MailAddress]
    public var cc: [MailAddress]
    public var subject: String
    /// How it begins.
    public var preview: String
    public var date: Instant
    public var isUnread: Bool
    public var isStarred: Bool
    public var isInInbox: Bool
    /// The person wrote it.
    public var isOwn: Bool
    public var isDraft: Bool
    public var hasAttachments: Bool
    /// Sent to many by a program: a newsletter, a list, a notice.
    public var isBulk: Bool
    /// An automatic answer or a report about delivery.
    public var isAutomatic: Bool
    public var isImportant: Bool

    public init(
        id: String, thread: String, from: MailAddress, replyTo: MailAddress? = nil, to: [MailAddress] = [],
        cc: [MailAddress] = [], subject: String, preview: String, date: Instant, isUnread: Bool = false,
        isStarred: Bool = false, isInInbox: Bool = false, isOwn: Bool = false, isDraft: Bool = false,
        hasAttachments: Bool = false, isBulk: Bool = false, isAutomatic: Bool = false, isImportant: Bool = false
    ) {
        self.id = id
        self.thread = thread
        self.from = from
        self.replyTo = replyTo
        self.to = to
        self.cc = cc
        self.subject = subject
        self.preview = preview
        self.date = date
        self.isUnread = isUnread
        self.isStarred = isStarred
        self.isInInbox = isInInbox
        self.isOwn = isOwn
        self.isDraft = isDraft
        self.hasAttachments = hasAttachments
        self.isBulk = isBulk
        self.isAutomatic = isAutomatic
        self.isImportant = isImportant
    }

    /// Whom an answer goes to.
    public var answerAddress: MailAddress { replyTo ?? from }

    /// Who it is with: the sender, or of the person's own the first recipient.
    public var party: MailAddress { isOwn ? to.first ?? from : from }

    public var title: String { subject.isEmpty ? "(no subject)" : subject }

    /// What the person is shown and asked by: the address that an answer goes to before all else, since a name is
    /// whatever the sender says.
    public var label: String {
        let party = isOwn ? self.party : answerAddress
        let name = party.name.isEmpty ? "" : " (\(party.name.cut(to: 30)))"
        return "\(party.address)\(name): \(title.cut(to: 60))".cut(to: 120)
    }

    /// `Pat Sample: Leaking tap`.
    public var line: String {
        let who = isOwn ? "to \(party.shortName.cut(to: 24))" : from.shortName.cut(to: 24)
        return "\(who): \(title.cut(to: 40))"
    }
}

extension Shown {
    /// Mails that a list numbers; a digit then reads one.
    public static func mails(_ heads: [MailHead], type: String, select: String, numbered: Bool = true) -> Shown {
        Shown(heads.map { Item(type: type, id: $0.id, label: $0.label) }, select: select, numbered: numbered)
    }
}
