import PluginCommon
public import TandemSDK

/// One mail as it is read: what the sender wrote, without what they quoted.
public struct MailText: Object {
    public var id: String
    public var from: String
    public var fromAddress: String
    public var to: [String]
    public var subject: String
    public var date: Instant
    /// Of long ones the beginning.
    public var text: String
    public var cut: Bool
    /// Quoted history was left out.
    public var hasHistory: Bool
    public var attachments: [MailFile]
    public var link: String?
    /// The task that was made of it.
    public var task: String?

    static let longest = 6000

    public init(
        _ head: MailHead, _ body: MailBody, attachments: [MailFile] = [], link: String? = nil, task: String? = nil
    ) {
        let isCut = body.text.count > Self.longest
        self.init(
            head, text: isCut ? body.text.cut(to: Self.longest) : body.text, isCut: isCut, hasHistory: body.hasHistory,
            attachments: attachments, link: link, task: task)
    }

    /// What is kept of a mail: how it begins.
    public init(kept head: MailHead, link: String? = nil) {
        self.init(
            head, text: head.preview, isCut: true, hasHistory: false, attachments: [], link: link, task: nil)
    }

    private init(
        _ head: MailHead, text: String, isCut: Bool, hasHistory: Bool, attachments: [MailFile], link: String?,
        task: String?
    ) {
        id = head.id
        from = head.from.shortName
        fromAddress = head.from.address
        to = head.to.prefix(20).map(\.address)
        subject = head.subject
        date = head.date
        self.text = text
        cut = isCut
        self.hasHistory = hasHistory
        self.attachments = attachments
        self.link = link
        self.task = task
    }

    /// For the person: sender and subject, the text, what was left out, what is attached.
    public func message(_ head: MailHead, note: String?, _ clock: PersonClock) -> String {
        var lines =
            "\(head.from.shortName.cut(to: 40)), \(MailWords.when(head.date, clock)): \(head.title.cut(to: 80))"
        if let note { lines = note.capitalizedFirst + ".\n" + lines }
        lines += "\n" + (text.isEmpty ? "(no text)" : MailWords.wrapped(text))
        if hasHistory { lines += "\n[older mails in it left out]" }
        if !attachments.isEmpty {
            let files = attachments.map { "\($0.name.cut(to: 40)) (\(MailWords.size($0.size)))" }
            lines += "\n" + MessageText.flow("Attached:", files)
        }
        if let task { lines += "\nOn your tasks: \(task.cut(to: 100))" }
        return lines
    }
}

/// A file that is attached to a mail.
public struct MailFile: Object, Hashable {
    public var name: String
    public var type: String
    /// Bytes.
    public var size: Int

    public init(name: String, type: String, size: Int) {
        self.name = name
        self.type = type
        self.size = size
    }
}
