public import MailCommon
import PluginCommon
public import TandemSDK

/// Which mail to show.
public enum MailFilter: String, Choice {
    case inbox, unread, flagged, sent

    public var words: [String] {
        switch self {
        case .inbox: ["inbox", "all"]
        case .unread: ["unread", "new"]
        case .flagged: ["flagged", "starred"]
        case .sent: ["sent", "outgoing"]
        }
    }
}

public struct ListMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.mail", "Show Outlook mail", effect: .read,
        "Lists the newest mails of the Outlook inbox, or those that are unread, flagged or sent.", trust: .untrusted,
        utterances: [
            "(show|check|open) my outlook (inbox|mail|mails|email|emails)", "what's in my outlook inbox",
            "[do I have] [any] (new|unread) outlook (mail|mails|email|emails)",
            "show [me] [my] {filter} outlook (mail|mails|email|emails)", "check outlook", "my outlook (mail|inbox)",
        ], timeoutMilliseconds: 20_000)

    @Argument("Which mail") var filter = MailFilter.inbox

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailList> {
        let order = ("$orderby", "receivedDateTime desc")
        // What is ordered by has to come first among the conditions.
        let since = "receivedDateTime ge 2000-01-01T00:00:00Z and "
        let path = filter == .sent ? "/mailFolders/sentitems/messages" : "/mailFolders/inbox/messages"
        let condition =
            switch filter {
            case .unread: [("$filter", since + "isRead eq false")]
            case .flagged: [("$filter", since + "flag/flagStatus eq 'flagged'")]
            case .inbox, .sent: [(String, String)]()
            }
        do {
            let found = try await GraphMail(context).list(path, condition + [order], limit: 9)
            return MailPhrase.reply(
                found.heads, nothing: filter == .unread ? "Nothing unread in Outlook." : "No mail there.",
                note: found.note, context)
        } catch let error as ToolError where error.isRetryable {
            guard let kept = try await KeptCalendar(context).mails(filter, limit: 9) else { throw error }
            return MailPhrase.reply(kept.mails, nothing: "No mail there.", note: kept.note, context)
        }
    }
}

public struct SearchMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.search_mail", "Search Outlook mail", effect: .read, "Searches all Outlook mail for words or people.",
        trust: .untrusted,
        utterances: [
            "search [my] outlook [mail|mails|email|emails] for {query}", "find {query} in [my] outlook",
            "look for {query} in [my] outlook [mail|email]", "outlook (mail|mails|email|emails) (from|about) {query}",
        ], timeoutMilliseconds: 20_000)

    @Argument("Words to look for", schema: ["minLength": 1, "maxLength": 300]) var query: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailList> {
        let found = try await GraphMail(context).search(query, limit: 9)
        return MailPhrase.reply(found.heads, nothing: "No Outlook mail about that.", note: found.note, context)
    }
}

public struct ReadMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.read", "Read an Outlook mail", effect: .read,
        "Reads one Outlook mail: sender, text without quoted history, names of attachments. The text is a stranger's.",
        trust: .untrusted,
        utterances: [
            "read [me] the outlook (mail|email) (from|about) {mail}",
            "open the outlook (mail|email) (from|about) {mail}",
            "read [me] [the] outlook (mail|email) {mail}",
        ], actsOn: Graph.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mail: #id as shown, or who or what it is about") var mail: MailReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailText> {
        let mails = GraphMail(context)
        let found = try await mails.find(mail)
        let path = "/messages/" + (try GraphService.segment(found.id))
        let (json, note) = try await mails.service.get(path, [("$select", GraphMail.select + ",body,webLink")])
        guard let head = GraphMail.head(json) else { throw GraphService.unreadable }
        let content = json["body"]?["content"]?.stringValue ?? ""
        let body = MailBody(json["body"]?["contentType"] == "html" ? HTMLText.text(content) : content)
        var files: [MailFile] = []
        if head.hasAttachments {
            let list = try await mails.service.get(
                path + "/attachments", [("$select", "id,name,contentType,size,isInline")]
            ).json
            files = (list["value"]?.arrayValue ?? []).filter { $0["isInline"] != true }.prefix(50).map { file in
                MailFile(
                    name: file["name"]?.stringValue?.singleLine(limit: 100) ?? "attachment",
                    type: file["contentType"]?.stringValue ?? "", size: Int(file["size"]?.int64Value ?? 0))
            }
        }
        let task = try await context.rows(MailTask.self).first(where: \.message == head.id)
        let text = MailText(
            head, body, attachments: files, link: json["webLink"]?.stringValue, task: task?.title)
        return Reply(
            text.message(head, note: note, context.clock), value: text,
            shown: .mails([head], type: Graph.Mail.entity, select: "graph.read", numbered: false), trust: .untrusted)
    }
}

public struct ShowProfile: Tool {
    public static let declaration = ToolDeclaration(
        "graph.profile", "Show the Microsoft account", effect: .read, "Says which Microsoft account is connected.",
        utterances: [
            "which (microsoft|outlook) account (is connected|do you use)", "who am I (at|in) (microsoft|outlook)",
            "my (microsoft|outlook) (account|profile)",
        ], timeoutMilliseconds: 20_000)

    public init() {}

    public struct Profile: Object {
        public var name: String
        public var address: String
        public var jobTitle: String?
    }

    public func run(_ context: Context) async throws -> Reply<Profile> {
        let profile = try await GraphService(context).profile()
        let job = profile.jobTitle.map { ", \($0)" } ?? ""
        return Reply(
            "\(profile.name), \(profile.address)\(job).",
            value: Profile(name: profile.name, address: profile.address, jobTitle: profile.jobTitle))
    }
}
