public import MailCommon
import PluginCommon
public import TandemSDK

public struct SentMail: Object {
    /// Absent when it was not sent.
    public var id: String?
    public var to: [String]
    public var subject: String
}

public struct SendMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.send", "Send a mail", effect: .send,
        "Writes a mail to people and sends it. Use reply for an answer to a mail.", undo: .none,
        utterances: [
            "(send|write) [an|a] (mail|email) to {to}: {text}",
            "(send|write) [an|a] (mail|email) to {to} (saying|that says) {text}",
            "(send|write) [an|a] (mail|email) to {to}",
            "(email|mail) {to}: {text}", "(email|mail) {to} (saying|that) {text}",
            "send {to} (an email|a mail) (saying|that says) {text}", "tell {to} by (email|mail) that {text}",
            "(send|write) [an|a] (mail|email) to {to} about {subject}: {text}",
        ], timeoutMilliseconds: 30_000, lookup: FindSent.declaration.id)

    @Argument(
        "Who gets it: mail addresses, or names of people who wrote before", schema: ["minItems": 1, "maxItems": 50])
    var to: [String]
    @Argument("What it says", schema: ["minLength": 1, "maxLength": 20000]) var text: String
    @Argument("What it is about; made of the text unless given", schema: ["maxLength": 200]) var subject: String?
    @Argument("Who gets a copy", planned: false, schema: ["maxItems": 50]) var cc: [String]?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SentMail> {
        let sender = MailSender(context)
        let people = try await sender.recipients(to)
        var copies: [MailAddress] = []
        var whole = people
        if let cc, !cc.isEmpty {
            let found = try await sender.recipients(cc)
            copies = found.all
            whole = MailRecipients(all: people.all + copies, isGuess: people.isGuess || found.isGuess)
        }
        let about = OutgoingMail.subject(subject, text)
        // The host has shown the words that the person said; an address found for a name is shown as well.
        guard try whole.approved(about: about, text: text, context) else {
            return Reply("Not sent.", value: SentMail(to: people.all.map(\.address), subject: about))
        }
        let mail = OutgoingMail(
            from: try await sender.ownAddress(), to: people.all, cc: copies, subject: about, text: text,
            date: context.clock.now)
        let id = try await sender.send(sender.draft(mail))
        return Reply(
            "Sent to \(MessageText.enumeration(people.all.map(\.address))).",
            value: SentMail(id: id, to: people.all.map(\.address), subject: about))
    }
}

public struct ReplyToMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.reply", "Answer a mail", effect: .send,
        "Answers a mail in its thread. The answer goes to whoever wrote it, or with all to everybody on it.",
        undo: .none,
        utterances: [
            "(reply|answer|respond) to {to}: {text}",
            "(reply|answer|respond) to the (mail|email) (from|about) {to}: {text}",
            "(reply|answer|respond) to {to} (saying|that|with) {text}", "(reply|answer) {to}: {text}",
            "write back to {to}: {text}",
            Utterance("(reply|answer) (to all|all) on {to}: {text}", arguments: ["all": true]),
            Utterance("(reply|answer) to everybody on {to}: {text}", arguments: ["all": true]),
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 30_000, lookup: FindSent.declaration.id)

    // Named so that the host's confirmation says it first and whole: the label of a mail begins with the address.
    @Argument("The mail that is answered: #id as shown, or who or what it is about") var to: MailReference
    @Argument("What the answer says", schema: ["minLength": 1, "maxLength": 20000]) var text: String
    @Argument("To everybody on the mail") var all = false

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SentMail> {
        let sender = MailSender(context)
        let head = try await MailFinder(context).find(to, in: "in:inbox")
        let (message, _) = try await sender.service.message(head.id)
        let own = try await sender.ownAddress()
        let (people, copied) = try ReplyAddresses.of(message.head, own: own, all: all)
        let subject = OutgoingMail.replySubject(message.head.subject)
        // A label that was too long to be shown whole, words, or several people: the addresses are said before it goes.
        var isShown = false
        if case .id = to {
            isShown = !all && message.head.label.count <= 40 || people.first.map { $0.address.count <= 36 } ?? false
        }
        let whole = MailRecipients(all: people + copied, isGuess: !isShown || all)
        guard try whole.approved(about: subject, text: text, context) else {
            return Reply("Not sent.", value: SentMail(to: people.map(\.address), subject: subject))
        }
        let mail = OutgoingMail(
            from: own, to: people, cc: copied, subject: subject, text: text, inReplyTo: message.messageID,
            references: message.references, date: context.clock.now)
        let id = try await sender.send(sender.draft(mail, thread: message.head.thread))
        return Reply(
            "Answered \(MessageText.enumeration(people.map(\.address))).",
            value: SentMail(id: id, to: (people + copied).map(\.address), subject: subject),
            shown: .mails([message.head], type: Gmail.Mail.entity, select: "gmail.read", numbered: false))
    }
}

enum ReplyAddresses {
    /// Whom an answer goes to: to an own mail those it went to.
    static func of(
        _ head: MailHead, own: MailAddress, all: Bool
    ) throws -> (to: [MailAddress], cc: [MailAddress]) {
        let first = head.isOwn ? head.to : [head.answerAddress]
        let people = first.filter { MailAddress.isAddress($0.address) }
        guard !people.isEmpty else {
            throw ToolError.invalid("That mail has no address to answer to.", code: "no_address")
        }
        guard all else { return (people, []) }
        var others: [MailAddress] = []
        for person in head.to + head.cc where !person.isSame(as: own) {
            let isThere = (people + others).contains { $0.isSame(as: person) }
            if !isThere { others.append(person) }
        }
        return (people, others)
    }
}

/// Asked by the host alone, when it does not know whether a mail went.
public struct FindSent: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.find_sent", "Find out whether a mail went", effect: .read,
        "Tells whether the mail of an earlier call was sent, by the draft that it was and by its Message-ID.",
        timeoutMilliseconds: 20_000)

    @Argument("The key of the call in doubt", planned: false, schema: ["maxLength": 255]) var idempotencyKey: String
    @Argument("Its arguments", planned: false) var arguments: JSON?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SendingFound<SentMail>> {
        let found = try await MailSender(context).sent(by: idempotencyKey)
        let words = found.map { "Sent to \(MessageText.enumeration($0.to))." } ?? "It was not sent."
        return Reply(words, value: SendingFound(found))
    }
}
