import MailCommon
import PluginCommon
public import TandemSDK

/// What to do with many mails at once.
public enum CleanAction: String, Choice {
    case archive
    case markRead = "mark_read"
    case star

    public var words: [String] {
        switch self {
        case .archive: ["archive", "clear", "sweep"]
        case .markRead: ["mark as read", "mark read"]
        case .star: ["star", "flag"]
        }
    }
}

/// Which mails go together.
public enum CleanGroup: String, Choice {
    case newsletters, promotions, social, updates, forums, everything

    public var words: [String] {
        switch self {
        case .newsletters: ["newsletter", "newsletters", "mailing lists", "bulk mail", "subscriptions", "noise"]
        case .promotions: ["promotion", "promotions", "offers", "advertising", "ads", "marketing"]
        case .social: ["social", "social mail"]
        case .updates: ["update", "updates", "notifications", "notices"]
        case .forums: ["forum", "forums"]
        case .everything: ["everything", "the lot"]
        }
    }

    var query: String {
        switch self {
        case .newsletters: "{category:promotions list:* unsubscribe}"
        case .promotions: "category:promotions"
        case .social: "category:social"
        case .updates: "category:updates"
        case .forums: "category:forums"
        case .everything: ""
        }
    }
}

public struct CleanMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.clean", "Sort many mails at once", effect: .write,
        "Archives, stars or marks as read all mails of a kind or from somebody, a thousand at most. Can be undone.",
        undo: .tool("gmail.restore"),
        utterances: [
            Utterance("archive [all] [my|the] {group}", arguments: ["action": "archive"]),
            Utterance(
                "archive (everything|all mail|all mails|all emails) from {from}", arguments: ["action": "archive"]),
            Utterance("clear [out] [all] [my|the] {group} from my inbox", arguments: ["action": "archive"]),
            Utterance("mark [all] [my|the] {group} [as] read", arguments: ["action": "mark_read"]),
            Utterance(
                "mark (everything|all mail|all mails|all emails) from {from} [as] read",
                arguments: ["action": "mark_read"]),
            Utterance(
                "mark [all] my (mail|mails|email|emails|inbox) [as] read",
                arguments: ["action": "mark_read", "group": "everything"]),
        ], timeoutMilliseconds: 60_000)

    @Argument("What to do") var action: CleanAction
    @Argument("Which kind of mail") var group: CleanGroup?
    @Argument("Only from this person or address", schema: ["maxLength": 100]) var from: String?
    @Argument("Only what is older than so many days", planned: false, schema: ["minimum": 1, "maximum": 3650])
    var olderThanDays: Int?

    public init() {}

    static let most = 1000

    public func run(_ context: Context) async throws -> Reply<MailChanges> {
        let sender = from.map(MailQuery.words)?.nonEmpty
        guard group != nil || sender != nil else {
            throw ToolError.invalid("Which mails? Newsletters, for example, or all from somebody.")
        }
        let service = GmailService(context)
        // Only what the change really changes: so taking it back is exact.
        let state: String
        let (add, remove): ([String], [String])
        switch action {
        case .archive: (state, add, remove) = ("in:inbox", [], ["INBOX"])
        case .markRead: (state, add, remove) = ("is:unread in:inbox", [], ["UNREAD"])
        case .star: (state, add, remove) = ("-is:starred in:inbox", ["STARRED"], [])
        }
        let query = MailQuery.joined(
            state, group?.query ?? "", sender.map { "from:(\($0))" } ?? "",
            olderThanDays.map { "older_than:\($0)d" } ?? "")
        var ids: [String] = []
        var page: String?
        repeat {
            let found = try await service.list(query, limit: 500, page: page)
            ids += found.ids
            page = found.next
        } while page != nil && ids.count < Self.most
        ids = Array(ids.prefix(Self.most))
        guard !ids.isEmpty else {
            return Reply("There is no such mail in your inbox.", value: MailChanges(changes: []))
        }
        // A whole inbox goes only when the person heard how much that is.
        if ids.count > 20, context.answer("sure") == nil {
            throw Ask(
                "That is \(ids.count)\(page == nil ? "" : " or more") mails. Go on?", field: "sure",
                options: [.init("go on", value: true), .init("leave it", value: false)], schema: ["type": "boolean"])
        }
        if context.answer("sure") == false { return Reply("Left as it is.", value: MailChanges(changes: [])) }
        try await service.modify(ids, add: add, remove: remove)
        let verb =
            switch action {
            case .archive: "Archived"
            case .markRead: "Marked as read:"
            case .star: "Starred"
            }
        let rest = page == nil ? "" : " There are more: say it again."
        return Reply(
            "\(verb) \(MailWords.count(ids.count)).\(rest)",
            value: MailChanges(changes: [MailChange(mails: ids, added: add, removed: remove)]))
    }
}
