import MailCommon
import PluginCommon
public import TandemSDK

public struct ArchiveMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.archive", "Archive mail", effect: .write,
        "Takes mails out of the inbox; they stay in all mail. Can be undone.", undo: .tool("gmail.restore"),
        utterances: [
            "archive {mails}", "archive the (mail|email|message) (from|about) {mails}",
            "archive the {mails} (mail|email)",
            "clear {mails} from my inbox",
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mails: #id as shown, or who or what they are about") var mails: MailReferences

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailChanges> {
        let found = try await MailFinder(context).find(mails)
        let changes = try await LabelChanger(context).change(found, add: [], remove: ["INBOX"])
        return ChangePhrase.reply("Archived", found, changes, already: "That was not in the inbox any more.")
    }
}

public struct StarMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.star", "Star a mail", effect: .write, "Stars mails, or takes the star away.",
        undo: .tool("gmail.restore"),
        utterances: [
            "star {mails}", "star the (mail|email|message) (from|about) {mails}", "flag the (mail|email) {mails}",
            "put a star on {mails}",
            Utterance("unstar {mails}", arguments: ["off": true]),
            Utterance("(remove|take) the star (from|off) {mails}", arguments: ["off": true]),
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mails: #id as shown, or who or what they are about") var mails: MailReferences
    @Argument("Take the star away instead") var off = false

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailChanges> {
        let found = try await MailFinder(context).find(mails)
        let changes = try await LabelChanger(context).change(
            found, add: off ? [] : ["STARRED"], remove: off ? ["STARRED"] : [])
        return ChangePhrase.reply(
            off ? "Star taken off" : "Starred", found, changes,
            already: off ? "There was no star." : "It has a star already.")
    }
}

public struct MarkMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.mark", "Mark mail as read", effect: .write, "Marks mails as read, or as unread.",
        undo: .tool("gmail.restore"),
        utterances: [
            "mark {mails} [as] read", "mark the (mail|email|message) (from|about) {mails} [as] read",
            Utterance("mark {mails} [as] unread", arguments: ["unread": true]),
            Utterance("mark the (mail|email|message) (from|about) {mails} [as] unread", arguments: ["unread": true]),
            Utterance("keep the (mail|email) {mails} [as] (new|unread)", arguments: ["unread": true]),
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mails: #id as shown, or who or what they are about") var mails: MailReferences
    @Argument("As unread instead") var unread = false

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailChanges> {
        let found = try await MailFinder(context).find(mails)
        let changes = try await LabelChanger(context).change(
            found, add: unread ? ["UNREAD"] : [], remove: unread ? [] : ["UNREAD"])
        return ChangePhrase.reply(
            unread ? "Unread again" : "Marked as read", found, changes, already: "It was that already.")
    }
}

public struct LabelMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.label", "Label a mail", effect: .write,
        "Puts a label on mails, or takes it off; a label that does not exist is made.", undo: .tool("gmail.restore"),
        utterances: [
            "label {mails} [as|with] {label}", "put the label {label} on {mails}", "add the label {label} to {mails}",
            "file the (mail|email) (from|about) {mails} under {label}", "label the (mail|email) {mails} as {label}",
            Utterance("remove the label {label} from {mails}", arguments: ["off": true]),
            Utterance("take the label {label} off {mails}", arguments: ["off": true]),
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mails: #id as shown, or who or what they are about") var mails: MailReferences
    @Argument("The label's name", schema: ["minLength": 1, "maxLength": 100]) var label: String
    @Argument("Take it off instead") var off = false

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailChanges> {
        let service = GmailService(context)
        let name = label.singleLine(limit: 100)
        guard !name.isEmpty else { throw ToolError.invalid("Which label?") }
        let found = try await MailFinder(context).find(mails)
        let labels = try await service.labels()
        let known = labels.first { Words.key($0.name) == Words.key(name) }
        if let known, ["SENT", "DRAFT", "CHAT"].contains(known.id) {
            throw ToolError.invalid("Gmail sets the label \(known.name) itself.", code: "fixed_label")
        }
        let id: String
        if let known {
            id = known.id
        } else {
            guard !off else { throw ToolError.notFound("There is no label \(name). To see them: show my labels.") }
            let made = try await service.post(
                "labels",
                ["name": .string(name), "labelListVisibility": "labelShow", "messageListVisibility": "show"])
            guard let new = made["id"]?.stringValue else { throw GmailService.unreadable }
            id = new
        }
        let changes = try await LabelChanger(context).change(found, add: off ? [] : [id], remove: off ? [id] : [])
        let verb = off ? "No longer \(name)" : known == nil ? "New label \(name)" : "Labelled \(name)"
        return ChangePhrase.reply(verb, found, changes, already: "It was that already.")
    }
}

public struct TrashMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.trash", "Delete mail", effect: .delete,
        "Moves mails to the trash, where Gmail keeps them for 30 days. Can be undone.", undo: .tool("gmail.restore"),
        utterances: [
            "(delete|trash|bin) the (mail|email|message) {mails}",
            "(delete|trash) the (mail|email|message) (from|about) {mails}",
            "(delete|trash) the {mails} (mail|email)", "move the (mail|email) {mails} to the trash", "trash {mails}",
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mails: #id as shown, or who or what they are about") var mails: MailReferences

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailChanges> {
        let found = try await MailFinder(context).find(mails)
        let service = GmailService(context)
        var changes: [MailChange] = []
        for mail in found {
            try await service.post(try GmailService.path(mail.id) + "/trash", isIdempotent: true)
            let removed = mail.isInInbox ? ["INBOX"] : []
            if let index = changes.firstIndex(where: { $0.removed == removed }) {
                changes[index].mails.append(mail.id)
            } else {
                changes.append(MailChange(mails: [mail.id], added: ["TRASH"], removed: removed))
            }
        }
        return ChangePhrase.reply(
            "In the trash", found, MailChanges(changes: changes), already: "There was nothing to delete.")
    }
}

public struct ListLabels: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.labels", "Show the labels", effect: .read, "Lists the person's own labels at Gmail.",
        trust: .untrusted,
        utterances: [
            "(show|list) my [gmail] labels", "what labels do I have [in gmail]", "my [gmail|mail] labels",
            "which labels are there in gmail",
        ], timeoutMilliseconds: 20_000)

    public init() {}

    public struct Labels: Object {
        public var labels: [String]
    }

    public func run(_ context: Context) async throws -> Reply<Labels> {
        let names = try await GmailService(context).labels().filter(\.isOwn).map(\.name)
            .sorted { $0.lowercased() < $1.lowercased() }
        guard !names.isEmpty else { return Reply("No labels of your own yet.", value: Labels(labels: [])) }
        return Reply(
            MessageText.flow("\(MailWords.count(names.count, "label")):", names), value: Labels(labels: names),
            trust: .untrusted)
    }
}
