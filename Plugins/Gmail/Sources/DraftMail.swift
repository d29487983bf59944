import MailCommon
import PluginCommon
public import TandemSDK

public struct DraftMade: Object, Hashable {
    public var draft: String
    public var to: [String]
    public var subject: String
}

typealias DraftReference = ServiceReference<Gmail.Draft>

public struct DraftMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.draft", "Draft a mail", effect: .write,
        "Writes a mail or an answer and keeps it as a draft in Gmail, unsent.", undo: .tool("gmail.discard_draft"),
        utterances: [
            "draft [an|a] (mail|email) to {recipient}: {text}",
            "draft [an|a] (mail|email) to {recipient} (saying|about) {text}",
            "draft [an|a] (reply|answer) to {mail}: {text}",
            "draft [an|a] (reply|answer) to {mail} (saying|that) {text}",
            "prepare [an|a] (mail|email) to {recipient}: {text}",
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 30_000)

    @Argument(
        "Who should get it: a mail address, or the name of somebody who wrote before", schema: ["maxLength": 1000])
    var recipient: String?
    @Argument("The mail that it answers: #id as shown, or who or what it is about") var mail: MailReference?
    @Argument("What it says", schema: ["minLength": 1, "maxLength": 20000]) var text: String
    @Argument("What it is about; made of the text unless given", planned: false, schema: ["maxLength": 200])
    var subject: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<DraftMade> {
        let sender = MailSender(context)
        let own = try await sender.ownAddress()
        let outgoing: OutgoingMail
        var thread: String?
        if let mail {
            let head = try await MailFinder(context).find(mail)
            let (message, _) = try await sender.service.message(head.id)
            let (people, _) = try ReplyAddresses.of(message.head, own: own, all: false)
            thread = message.head.thread
            outgoing = OutgoingMail(
                from: own, to: people, subject: OutgoingMail.replySubject(message.head.subject), text: text,
                inReplyTo: message.messageID, references: message.references, date: context.clock.now)
        } else {
            guard let recipient = recipient?.nonEmpty else {
                throw ToolError.invalid("Who should get it?", code: "no_recipient")
            }
            let people = try await sender.recipients([recipient]).all
            outgoing = OutgoingMail(
                from: own, to: people, subject: OutgoingMail.subject(subject, text), text: text, date: context.clock.now
            )
        }
        let draft = try await sender.draft(outgoing, thread: thread)
        let people = outgoing.to.map(\.address)
        return Reply(
            "Draft to \(MessageText.enumeration(people)): \(outgoing.subject.cut(to: 60)). It is in Gmail, unsent.",
            value: DraftMade(draft: draft.id, to: people, subject: outgoing.subject),
            shown: Shown(
                [
                    .init(
                        type: Gmail.Draft.entity, id: draft.id,
                        label: "\(people.joined(separator: ", ")): \(outgoing.subject)".cut(to: 120))
                ],
                select: "gmail.send_draft", numbered: false))
    }
}

public struct DiscardDraft: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.discard_draft", "Discard a draft", effect: .delete, "Deletes a draft for good.", undo: .none,
        utterances: [
            "(discard|delete|throw away) the draft {draft}", "(discard|delete|throw away) the draft to {draft}",
        ], actsOn: Gmail.Draft.entity, timeoutMilliseconds: 20_000)

    @Argument("Which draft: #id as shown, or whom it is to") var draft: DraftReference
    @Argument("Whom it is to, as the draft tool gave it back", planned: false) var to: [String]?
    @Argument("Its subject, as the draft tool gave it back", planned: false) var subject: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<Nothing> {
        let found = try await DraftFinder(context).find(draft)
        try await GmailService(context).delete("drafts/" + HTTPRequest.percentEncoded(found.id))
        return Reply("The draft is gone.")
    }
}

public struct DraftList: Object {
    public var drafts: [DraftSummary]
}

public struct DraftSummary: Object, Hashable {
    public var id: String
    public var to: [String]
    public var subject: String
    public var preview: String
}

public struct ListDrafts: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.drafts", "Show the drafts", effect: .read, "Lists unsent drafts.",
        utterances: [
            "(show|list) my [gmail|mail|email] drafts", "what drafts do I have", "my [mail|email] drafts",
            "which (mails|emails) did I not send yet",
        ], timeoutMilliseconds: 20_000)

    public init() {}

    public func run(_ context: Context) async throws -> Reply<DraftList> {
        let drafts = try await DraftFinder(context).all()
        guard !drafts.isEmpty else { return Reply("No drafts.", value: DraftList(drafts: [])) }
        return Reply(
            MessageText.flow(
                "", drafts.enumerated().map { "\($0.offset + 1) \(DraftFinder.label($0.element).cut(to: 70))" })
                + "\nSend a number to send one.",
            value: DraftList(drafts: drafts),
            shown: Shown(
                drafts.map { .init(type: Gmail.Draft.entity, id: $0.id, label: DraftFinder.label($0)) },
                select: "gmail.send_draft"))
    }
}

public struct SendDraft: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.send_draft", "Send a draft", effect: .send, "Sends a draft that is in Gmail.", undo: .none,
        utterances: [
            "send the draft {to}", "send the draft to {to}", "send my draft to {to}", "send the {to} draft",
        ], actsOn: Gmail.Draft.entity, timeoutMilliseconds: 30_000, lookup: FindSent.declaration.id)

    // Named so that the host's confirmation says it first: the label of a draft begins with whom it is to.
    @Argument("Which draft: #id as shown, or whom it is to") var to: DraftReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SentMail> {
        let draft = try await DraftFinder(context).find(to)
        let sender = MailSender(context)
        guard !draft.to.isEmpty else {
            throw ToolError.invalid("That draft names nobody to send it to.", code: "no_recipient")
        }
        // What stands in the draft now is what goes.
        let people = draft.to.flatMap { MailAddress.list($0) }
        var isShown = false
        if case .id = to { isShown = people.count == 1 && people[0].address.count <= 36 }
        let all = MailRecipients(all: people, isGuess: !isShown)
        guard try all.approved(about: draft.subject, text: draft.preview, context) else {
            return Reply("Not sent.", value: SentMail(to: draft.to, subject: draft.subject))
        }
        let id = try await sender.send(MailSender.Draft(id: draft.id, to: draft.to, subject: draft.subject))
        return Reply(
            "Sent to \(MessageText.enumeration(draft.to)).",
            value: SentMail(id: id, to: draft.to, subject: draft.subject))
    }
}

/// Finds drafts by id or by whom they are to.
struct DraftFinder {
    let service: GmailService

    init(_ context: Context) { service = GmailService(context) }

    static func label(_ draft: DraftSummary) -> String {
        "\(draft.to.first ?? "nobody yet")\(draft.to.count > 1 ? " + \(draft.to.count - 1)" : ""): "
            + (draft.subject.isEmpty ? draft.preview.cut(to: 40) : draft.subject.cut(to: 60))
    }

    func all() async throws -> [DraftSummary] {
        let list = try await service.get("drafts", [("maxResults", "9")]).json["drafts"]?.arrayValue ?? []
        var drafts: [DraftSummary] = []
        for entry in list {
            guard let id = entry["id"]?.stringValue else { continue }
            do {
                drafts.append(try await one(id))
            } catch let error as ToolError where error.code == GmailRefusal.gone {
                continue
            }
        }
        return drafts
    }

    private func one(_ id: String) async throws -> DraftSummary {
        let path = "drafts/" + HTTPRequest.percentEncoded(id)
        let json = try await service.get(path, [("format", "metadata")]).json
        guard let message = GmailMessage(json["message"] ?? [:]) else { throw GmailService.unreadable }
        return DraftSummary(
            id: id, to: (message.head.to + message.head.cc).map(\.address), subject: message.head.subject,
            preview: message.head.preview)
    }

    func find(_ reference: DraftReference) async throws -> DraftSummary {
        switch reference {
        case .id(let id):
            guard (1...64).contains(id.utf8.count) else { throw GmailRefusal.notThere }
            return try await one(id)
        case .words(let words):
            if let id = service.context.answer("which")?.stringValue, id.hasPrefix("#") {
                return try await one(String(id.dropFirst()))
            }
            // An undo gives the bare id.
            if !words.contains(" "), words.hasPrefix("r"), words.dropFirst().allSatisfy({ $0.isNumber || $0 == "-" }) {
                return try await one(words)
            }
            let drafts = try await all()
            let wanted = Words.split(words)
            let found = drafts.filter { draft in
                let text = Words.split(Self.label(draft).replacing("@", with: " ").replacing(".", with: " "))
                return wanted.allSatisfy(text.contains)
            }
            let newest = ["last", "latest", "draft", "it"].contains(words.lowercased())
            let fitting = newest ? Array(drafts.prefix(1)) : found
            guard let first = fitting.first else {
                throw ToolError.notFound("I find no such draft. To see them: show my drafts.")
            }
            guard fitting.count > 1 else { return first }
            throw Ask(
                "Which draft?", field: "which",
                options: fitting.prefix(5).map { Ask.Option(Self.label($0), value: .string("#" + $0.id)) })
        }
    }
}
