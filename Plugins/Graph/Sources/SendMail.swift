public import MailCommon
import PluginCommon
public import TandemSDK

public struct SentMail: Object {
    public var sent: Bool
    public var to: [String]
    public var subject: String

    public init(sent: Bool, to: [String], subject: String) {
        self.sent = sent
        self.to = to
        self.subject = subject
    }

    /// A mail that went, as the service has it.
    init(_ json: JSON) {
        let people = ["toRecipients", "ccRecipients"].flatMap { json[$0]?.arrayValue ?? [] }
        self.init(
            sent: true, to: people.compactMap(GraphPeople.one).map(\.address),
            subject: json["subject"]?.stringValue?.singleLine(limit: 200) ?? "")
    }
}

public struct SendMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.send", "Send a mail with Outlook", effect: .send, "Writes a mail with Outlook and sends it.",
        undo: .none,
        utterances: [
            "(send|write) [an|a] outlook (mail|email) to {to}: {text}",
            "(send|write) [an|a] outlook (mail|email) to {to} saying {text}",
        ], timeoutMilliseconds: 30_000, lookup: FindSent.declaration.id)

    @Argument(
        "Who gets it: mail addresses, or names of people who wrote before", schema: ["minItems": 1, "maxItems": 50])
    var to: [String]
    @Argument("What it says", schema: ["minLength": 1, "maxLength": 20000]) var text: String
    @Argument("What it is about; made of the text unless given", planned: false, schema: ["maxLength": 200])
    var subject: String?
    @Argument("Who gets a copy", planned: false, schema: ["maxItems": 50]) var cc: [String]?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SentMail> {
        let sender = GraphSender(context)
        var people = try await sender.recipients(to)
        let about = OutgoingMail.subject(subject, text)
        var copies: [MailAddress] = []
        if let cc, !cc.isEmpty {
            let found = try await sender.recipients(cc)
            copies = found.all
            people.isGuess = people.isGuess || found.isGuess
        }
        let names = people.all.map(\.address)
        let whole = MailRecipients(all: people.all + copies, isGuess: people.isGuess)
        guard try whole.approved(about: about, text: text, context) else {
            return Reply("Not sent.", value: SentMail(sent: false, to: names, subject: about))
        }
        let message = GraphSender.message(people.all, cc: copies, subject: about, text: text)
        let id = try await sender.draft { try await sender.service.send(.post, "/messages", message) }
        try await sender.send(id)
        return Reply(
            "Sent to \(MessageText.enumeration(names)).", value: SentMail(sent: true, to: names, subject: about))
    }
}

public struct ReplyToMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.reply", "Answer an Outlook mail", effect: .send, "Answers an Outlook mail in its conversation.",
        undo: .none,
        utterances: [
            "(reply|answer) to the outlook (mail|email) (from|about) {to}: {text}",
            "(reply|answer) to [the] outlook (mail|email) {to}: {text}",
        ], actsOn: Graph.Mail.entity, timeoutMilliseconds: 30_000, lookup: FindSent.declaration.id)

    // Named so that the host's confirmation says it first and whole: the label of a mail begins with the address.
    @Argument("The mail that is answered: #id as shown, or who or what it is about") var to: MailReference
    @Argument("What the answer says", schema: ["minLength": 1, "maxLength": 20000]) var text: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SentMail> {
        let sender = GraphSender(context)
        let head = try await GraphMail(context).find(to)
        let person = head.answerAddress
        guard MailAddress.isAddress(person.address) else {
            throw ToolError.invalid("That mail has no address to answer to.", code: "no_address")
        }
        let subject = OutgoingMail.replySubject(head.subject)
        var isShown = false
        if case .id = to { isShown = person.address.count <= 36 }
        guard try MailRecipients(all: [person], isGuess: !isShown).approved(about: subject, text: text, context) else {
            return Reply("Not sent.", value: SentMail(sent: false, to: [person.address], subject: subject))
        }
        let path = "/messages/" + (try GraphService.segment(head.id))
        let id = try await sender.draft {
            // The recipients are said: whatever the service would take from the mail, it goes to whom the person saw.
            try await sender.service.send(
                .post, path + "/createReply",
                [
                    "message": ["toRecipients": [GraphPeople.recipient(person)]], "comment": .string(text),
                ])
        }
        try await sender.send(id)
        return Reply(
            "Answered \(person.address).", value: SentMail(sent: true, to: [person.address], subject: subject),
            shown: .mails([head], type: Graph.Mail.entity, select: "graph.read", numbered: false))
    }
}

public struct ForwardMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.forward", "Forward an Outlook mail", effect: .send, "Forwards an Outlook mail to people.", undo: .none,
        utterances: [
            "forward [the] outlook (mail|email) [from|about] {mail} to {to}",
            "forward the (mail|email) {mail} to {to} (with|in) outlook",
        ], actsOn: Graph.Mail.entity, timeoutMilliseconds: 30_000, lookup: FindSent.declaration.id)

    @Argument(
        "Who gets it: mail addresses, or names of people who wrote before", schema: ["minItems": 1, "maxItems": 50])
    var to: [String]
    @Argument("Which mail: #id as shown, or who or what it is about") var mail: MailReference
    @Argument("What to write above it", planned: false, schema: ["maxLength": 5000]) var text: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SentMail> {
        let sender = GraphSender(context)
        let head = try await GraphMail(context).find(mail)
        var people = try await sender.recipients(to)
        if case .words = mail { people.isGuess = true }
        let names = people.all.map(\.address)
        let subject = "Fw: " + head.subject
        guard try people.approved(about: subject, text: text ?? "", context) else {
            return Reply("Not sent.", value: SentMail(sent: false, to: names, subject: subject))
        }
        try await sender.forward(head, to: people.all, text: text ?? "", subject: subject)
        return Reply(
            "Forwarded to \(MessageText.enumeration(names)).", value: SentMail(sent: true, to: names, subject: subject))
    }
}

public struct DraftMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.draft", "Draft an Outlook mail", effect: .write,
        "Writes a mail and keeps it in Outlook's drafts, unsent.",
        undo: .rows,
        utterances: [
            "draft [an|a] outlook (mail|email) to {recipient}: {text}",
            "draft [an|a] outlook (mail|email) to {recipient} saying {text}",
        ], timeoutMilliseconds: 30_000)

    @Argument(
        "Who should get it: a mail address, or the name of somebody who wrote before", schema: ["maxLength": 1000])
    var recipient: String
    @Argument("What it says", schema: ["minLength": 1, "maxLength": 20000]) var text: String
    @Argument("What it is about; made of the text unless given", planned: false, schema: ["maxLength": 200])
    var subject: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SentMail> {
        let sender = GraphSender(context)
        let people = try await sender.recipients([recipient]).all
        let about = OutgoingMail.subject(subject, text)
        let message = GraphSender.message(people, subject: about, text: text)
        let id = try await sender.draft { try await sender.service.send(.post, "/messages", message) }
        let names = people.map(\.address)
        return Reply(
            "Draft to \(MessageText.enumeration(names)): \(about.cut(to: 60)). It is in Outlook, unsent.",
            value: SentMail(sent: false, to: names, subject: about),
            shown: Shown(
                [
                    .init(
                        type: Graph.Mail.entity, id: id,
                        label: "\(names.joined(separator: ", ")): \(about)".cut(to: 120))
                ],
                select: "graph.send_draft", numbered: false))
    }
}

public struct SendDraft: Tool {
    public static let declaration = ToolDeclaration(
        "graph.send_draft", "Send an Outlook draft", effect: .send, "Sends a draft that is in Outlook.", undo: .none,
        utterances: ["send the outlook draft {to}", "send the outlook draft to {to}"],
        actsOn: Graph.Mail.entity, timeoutMilliseconds: 30_000, lookup: FindSent.declaration.id)

    // Named so that the host's confirmation says it first: the label of a draft begins with whom it is to.
    @Argument("Which draft: #id as shown, or whom it is to") var to: MailReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SentMail> {
        let mails = GraphMail(context)
        let head: MailHead
        switch to {
        case .id(let id): head = try await mails.head(id)
        case .words(let words):
            let drafts = try await mails.list("/mailFolders/drafts/messages", [], limit: 20).heads
            let wanted = Words.split(words)
            let found = drafts.first { draft in
                let text = Words.split(
                    "\(draft.to.map { "\($0.name) \($0.address)" }.joined(separator: " ")) \(draft.subject)"
                        .replacing("@", with: " ").replacing(".", with: " "))
                return wanted.allSatisfy(text.contains)
            }
            guard let found else { throw ToolError.notFound("I find no such draft in Outlook.") }
            head = found
        }
        guard head.isDraft || context.answer("send") != nil else {
            throw ToolError.invalid("That is no draft.", code: "no_draft")
        }
        let all = head.to + head.cc
        guard !all.isEmpty else {
            throw ToolError.invalid("That draft names nobody to send it to.", code: "no_recipient")
        }
        var isShown = false
        if case .id = to { isShown = all.count == 1 && all[0].address.count <= 36 }
        let names = all.map(\.address)
        guard try MailRecipients(all: all, isGuess: !isShown).approved(about: head.subject, text: head.preview, context)
        else {
            return Reply("Not sent.", value: SentMail(sent: false, to: names, subject: head.subject))
        }
        try await GraphSender(context).send(head.id)
        return Reply(
            "Sent to \(MessageText.enumeration(names)).", value: SentMail(sent: true, to: names, subject: head.subject))
    }
}

/// Asked by the host alone, when it does not know whether a mail went.
public struct FindSent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.find_sent", "Find out whether an Outlook mail went", effect: .read,
        "Tells whether the mail of an earlier call was sent: by the draft that it was, by its Message-ID, or among the "
            + "sent mails.", timeoutMilliseconds: 20_000)

    @Argument("The key of the call in doubt", planned: false, schema: ["maxLength": 255]) var idempotencyKey: String
    @Argument("Its arguments", planned: false) var arguments: JSON?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SendingFound<SentMail>> {
        let sender = GraphSender(context)
        var found = try await sender.sent(by: idempotencyKey)
        if found == nil { found = try await sender.forwarded(by: idempotencyKey) }
        let words = found.map { "Sent to \(MessageText.enumeration($0.to))." } ?? "It was not sent."
        return Reply(words, value: SendingFound(found))
    }
}
