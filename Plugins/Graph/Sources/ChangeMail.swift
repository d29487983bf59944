import MailCommon
import PluginCommon
public import TandemSDK

/// What mails were before a change.
public struct MailsBefore: Object, Hashable {
    public var before: [MailBefore]
}

public struct MailBefore: Object, Hashable {
    public var id: String
    /// Set where it was changed.
    public var read: Bool?
    public var flagged: Bool?
    public var folder: String?
}

public enum MailMark: String, Choice {
    case flag, unflag, read, unread

    public var words: [String] {
        switch self {
        case .flag: ["flag", "star"]
        case .unflag: ["unflag", "unstar"]
        case .read: ["read"]
        case .unread: ["unread"]
        }
    }
}

public struct ChangeMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.mark", "Flag or mark an Outlook mail", effect: .write,
        "Flags Outlook mails, or marks them as read or unread.", undo: .tool("graph.restore_mail"),
        utterances: [
            Utterance("flag [the] outlook (mail|email) [from|about] {mails}", arguments: ["mark": "flag"]),
            Utterance("unflag [the] outlook (mail|email) [from|about] {mails}", arguments: ["mark": "unflag"]),
            Utterance("mark [the] outlook (mail|email) [from|about] {mails} [as] read", arguments: ["mark": "read"]),
            Utterance(
                "mark [the] outlook (mail|email) [from|about] {mails} [as] unread", arguments: ["mark": "unread"]),
        ], actsOn: Graph.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mails: #id as shown, or who or what they are about") var mails: MailReferences
    @Argument("What to do") var mark: MailMark

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailsBefore> {
        let finder = GraphMail(context)
        let found = try await finder.find(mails)
        var before: [MailBefore] = []
        for head in found {
            let wanted = mark == .flag || mark == .unread
            let isFlag = mark == .flag || mark == .unflag
            guard (isFlag ? head.isStarred : head.isUnread) != wanted else { continue }
            let body: JSON =
                isFlag ? ["flag": ["flagStatus": wanted ? "flagged" : "notFlagged"]] : ["isRead": .bool(!wanted)]
            try await finder.service.send(
                .patch, "/messages/" + (try GraphService.segment(head.id)), body, isIdempotent: true)
            before.append(
                MailBefore(id: head.id, read: isFlag ? nil : !head.isUnread, flagged: isFlag ? head.isStarred : nil))
        }
        let word =
            switch mark {
            case .flag: "Flagged"
            case .unflag: "Flag taken off"
            case .read: "Marked as read"
            case .unread: "Unread again"
            }
        let what = found.count == 1 ? found[0].line : MailWords.count(found.count)
        return Reply(
            before.isEmpty ? "It was that already." : "\(word): \(what).", value: MailsBefore(before: before),
            shown: .mails(found, type: Graph.Mail.entity, select: "graph.read", numbered: false), trust: .untrusted)
    }
}

public struct MoveMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.move", "Move an Outlook mail", effect: .write,
        "Moves Outlook mails to another folder: archive, inbox, junk, deleted, or one of the person's own.",
        undo: .tool("graph.restore_mail"),
        utterances: [
            Utterance("archive [the] outlook (mail|email) [from|about] {mails}", arguments: ["folder": "archive"]),
            Utterance(
                "(delete|trash) [the] outlook (mail|email) [from|about] {mails}", arguments: ["folder": "deleted"]),
            "move [the] outlook (mail|email) [from|about] {mails} to {folder}",
        ], actsOn: Graph.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mails: #id as shown, or who or what they are about") var mails: MailReferences
    @Argument("Where to", schema: ["minLength": 1, "maxLength": 100]) var folder: String

    public init() {}

    private static let known = [
        "archive": "archive", "inbox": "inbox", "junk": "junkemail", "spam": "junkemail", "deleted": "deleteditems",
        "trash": "deleteditems", "deleted items": "deleteditems", "drafts": "drafts", "junk email": "junkemail",
    ]

    public func run(_ context: Context) async throws -> Reply<MailsBefore> {
        let finder = GraphMail(context)
        let name = folder.singleLine(limit: 100)
        let destination: String
        if let known = Self.known[Words.key(name)] {
            destination = known
        } else {
            let folders = try await finder.service.all(
                "/mailFolders", [("$select", "id,displayName"), ("$top", "100")], limit: 500)
            let found = folders.values.first { Words.key($0["displayName"]?.stringValue ?? "") == Words.key(name) }
            guard let id = found?["id"]?.stringValue else {
                throw ToolError.notFound("There is no folder \(name.cut(to: 40)) in Outlook.")
            }
            destination = id
        }
        let found = try await finder.find(mails)
        var before: [MailBefore] = []
        for head in found {
            let path = "/messages/" + (try GraphService.segment(head.id))
            let place = try await finder.service.get(path, [("$select", "id,parentFolderId")], cache: .none).json
            let moved = try await finder.service.send(
                .post, path + "/move", ["destinationId": .string(destination)], isIdempotent: true)
            // The id stays with ImmutableId, and is looked at all the same.
            before.append(
                MailBefore(id: moved["id"]?.stringValue ?? head.id, folder: place["parentFolderId"]?.stringValue))
        }
        let what = found.count == 1 ? found[0].line : MailWords.count(found.count)
        return Reply("Moved to \(name): \(what).", value: MailsBefore(before: before), trust: .untrusted)
    }
}

public struct RestoreMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.restore_mail", "Take back a change of Outlook mails", effect: .write,
        "Puts Outlook mails back to how and where they were.",
        utterances: ["restore the last change of my outlook mails"], timeoutMilliseconds: 30_000)

    @Argument(
        "The mails as they were, as the tool that changed them gave them back", planned: false,
        schema: ["maxItems": 200])
    var before: [MailBefore]

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailsBefore> {
        guard !before.isEmpty else { throw ToolError.invalid("There is nothing to take back.") }
        let service = GraphService(context)
        for mail in before {
            let path = "/messages/" + (try GraphService.segment(mail.id))
            var body: JSONObject = [:]
            if let read = mail.read { body["isRead"] = .bool(read) }
            if let flagged = mail.flagged { body["flag"] = ["flagStatus": flagged ? "flagged" : "notFlagged"] }
            if !body.isEmpty { try await service.send(.patch, path, .object(body), isIdempotent: true) }
            if let folder = mail.folder {
                try await service.send(.post, path + "/move", ["destinationId": .string(folder)], isIdempotent: true)
            }
        }
        return Reply("\(MailWords.count(before.count).capitalizedFirst) as before.", value: MailsBefore(before: []))
    }
}
