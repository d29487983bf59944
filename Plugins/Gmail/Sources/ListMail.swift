public import MailCommon
import PluginCommon
public import TandemSDK

/// Which mail to show.
public enum MailFilter: String, Choice {
    case inbox, unread, starred, important, sent, snoozed, spam, trash

    public var words: [String] {
        switch self {
        case .unread: ["unread", "new", "not read"]
        case .inbox: ["inbox", "all"]
        case .starred: ["starred", "flagged", "favourite"]
        case .important: ["important", "priority"]
        case .sent: ["sent", "outgoing"]
        case .spam: ["spam", "junk"]
        case .trash: ["deleted", "trashed", "binned"]
        case .snoozed: ["snoozed"]
        }
    }

    var labels: [String] {
        switch self {
        case .inbox: ["INBOX"]
        case .unread: ["INBOX", "UNREAD"]
        case .starred: ["STARRED"]
        case .important: ["INBOX", "IMPORTANT"]
        case .sent: ["SENT"]
        case .spam: ["SPAM"]
        case .trash: ["TRASH"]
        case .snoozed: []
        }
    }
}

public struct ListMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.list", "Show mail", effect: .read,
        "Lists the newest mails of the inbox, or those that are unread, starred, sent or from somebody.",
        trust: .untrusted,
        utterances: [
            "(show|check|open) my [gmail] inbox", "(show|check) [me] my [gmail] (mail|mails|email|emails)",
            "what's in my [gmail] inbox", "do I have [any] [new|unread] (mail|mails|email|emails)",
            "any new (mail|mails|email|emails)", "[did I get] any (mail|mails|email|emails) from {from}",
            "show [me] [my] {filter} (mail|mails|email|emails)", "my {filter} (mail|mails|email|emails)",
            "(mail|mails|email|emails) from {from} [from {period}]",
            "show [me] [the] (mail|mails|email|emails) from {from}",
            "what (mail|mails|email|emails) (came|arrived|did I get) {period}",
            Utterance("how many unread (mails|emails) do I have", arguments: ["filter": "unread"]),
        ], timeoutMilliseconds: 20_000)

    @Argument("Which mail") var filter = MailFilter.inbox
    @Argument("Only from this person: name or address", schema: ["maxLength": 100]) var from: String?
    @Argument("Only what came in these days") var period: Period?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailList> {
        let service = GmailService(context)
        let sender = from.map(MailQuery.words)?.nonEmpty
        let query = MailQuery.joined(
            sender.map { "from:(\($0))" } ?? "", MailQuery.period(period, context.clock),
            filter == .snoozed ? "in:snoozed" : "")
        // Somebody's mail may be archived by now.
        let labels = filter == .inbox && (sender != nil || period != nil) ? [] : filter.labels
        let nothing = sender.map { "No mail from \($0)." } ?? (filter == .unread ? "Nothing unread." : "No mail there.")
        do {
            let page = try await service.list(query, labels: labels, limit: 9)
            let found = try await service.heads(page.ids)
            return MailPhrase.reply(
                lead(found.heads), nothing: nothing, found.heads, more: page.next != nil, note: page.note ?? found.note,
                context)
        } catch let error as ToolError where error.isRetryable {
            guard
                let kept = try await MailIndex(context).recent(
                    filter, from: sender, period: period.map { context.clock.range($0.ordered) }, limit: 9)
            else { throw error }
            return MailPhrase.reply(
                lead(kept.heads), nothing: nothing, kept.heads, more: false, note: kept.note, context)
        }
    }

    private func lead(_ heads: [MailHead]) -> String {
        let unread = heads.count(where: \.isUnread)
        return filter == .inbox && unread > 0 ? "\(unread) unread:" : ""
    }
}

public struct SearchMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.search", "Search mail", effect: .read,
        "Searches all mail for words, people or files; Gmail's search operators work, too.", trust: .untrusted,
        utterances: [
            "search [my|the] [gmail] (mail|mails|email|emails|inbox) for {query} [from {period}]",
            "search gmail for {query}",
            "find [the|an|my] (mail|mails|email|emails) (about|on|regarding|with|mentioning) {query}",
            "find {query} in my (mail|mails|email|emails|inbox)",
            "look for {query} in my (mail|mails|email|emails|inbox)",
            "look through my (mail|mails|email|emails) for {query}",
        ], timeoutMilliseconds: 20_000)

    @Argument("Words to look for", schema: ["minLength": 1, "maxLength": 500]) var query: String
    @Argument("Only what came in these days") var period: Period?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailList> {
        let words = query.singleLine(limit: 300)
        guard !words.isEmpty else { throw ToolError.invalid("What should I look for?") }
        let service = GmailService(context)
        do {
            let page = try await service.list(
                MailQuery.joined(words, MailQuery.period(period, context.clock)), limit: 9)
            let found = try await service.heads(page.ids)
            return MailPhrase.reply(
                "", nothing: "No mail about that.", found.heads, more: page.next != nil, note: page.note ?? found.note,
                context)
        } catch let error as ToolError where error.isRetryable {
            guard let kept = try await MailIndex(context).containing(words, limit: 9) else { throw error }
            return MailPhrase.reply(
                "", nothing: "Nothing about that in what I have kept.", kept.heads, more: false, note: kept.note,
                context)
        }
    }
}
