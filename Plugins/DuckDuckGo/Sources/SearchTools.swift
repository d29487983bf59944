import PluginCommon
public import TandemSDK

public struct SearchWeb: Tool {
    public static let declaration = ToolDeclaration(
        "duckduckgo.search", "Search the web", effect: .read,
        "Searches the web. Use it when the person asks to search, or for what only the web can tell.",
        trust: .untrusted,
        utterances: [
            "search [the] (web|internet|net) for {query}", "search online for {query}", "web search [for] {query}",
            "look up {query}",
            "search for {query}",
            "look {query} up",
            "find out {query} (online|on the web)",
            "(google|duckduckgo) {query}", "look up {query} (online|on the web|on the internet)",
            "look {query} up (online|on the web|on the internet)", "find {query} (online|on the web|on the internet)",
            "search {query} (online|on the web|on the internet)", "what does the (web|internet) say about {query}",
            "search duckduckgo for {query}", "do a web search (for|on|about) {query}",
            "find (websites|web pages|pages|sites) (about|on|for) {query}",
            "search the (web|internet) for {query} from the {age}",
        ], timeoutMilliseconds: 20_000)

    @Argument("What to look for", schema: ["minLength": 1, "maxLength": 500]) var query: String
    @Argument("Only what is not older than this") var age: Age?
    @Argument("DuckDuckGo's name of a region, such as us-en, instead of the person's", planned: false)
    var region: String?
    @Argument("Which ten results: 1 is the first ten", planned: false, schema: ["minimum": 1, "maximum": 5]) var page =
        1

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SearchResults> {
        let query = try SearchService.query(query)
        let answer = try await SearchService(context, region: region).search(.web, query, age: age, page: page)
        return Searching.reply(.web, query, answer, nothing: "Nothing found on the web.", page: page) { $0.source }
    }
}

public struct SearchNews: Tool {
    public static let declaration = ToolDeclaration(
        "duckduckgo.news", "Search the news", effect: .read,
        "Searches what newspapers write about something.", trust: .untrusted,
        utterances: [
            "[the] [latest|recent] news (about|on|regarding) {query}", "[any|what is the|show me] news about {query}",
            "any news (on|of) {query}",
            "what is in the news [about {query}]",
            "what is [the] [latest] [in the] news (about|on) {query}", "search [the] news (for|about) {query}",
            "[the] [latest] headlines (about|on|for) {query}", "what is happening (with|in) {query}",
            "what do the (papers|newspapers) say about {query}", "[latest] {query} news",
            "news about {query} from the {age}", "[the] news about {query} {age}",
        ], timeoutMilliseconds: 20_000)

    @Argument("What the news should be about", schema: ["minLength": 1, "maxLength": 500]) var query: String
    @Argument("Only what is not older than this") var age: Age?
    @Argument("DuckDuckGo's name of a region, such as us-en, instead of the person's", planned: false)
    var region: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SearchResults> {
        let query = try SearchService.query(query)
        let now = context.clock.now
        let answer = try await SearchService(context, region: region).search(.news, query, age: age)
        return Searching.reply(.news, query, answer, nothing: "No news about that.") { found in
            found.published.map { "\(found.source), \(Phrase.age(of: $0, now: now))" } ?? found.source
        }
    }
}

public struct FindImages: Tool {
    public static let declaration = ToolDeclaration(
        "duckduckgo.images", "Find pictures", effect: .read,
        "Finds pictures of something and gives their addresses.", trust: .untrusted,
        utterances: [
            "(pictures|images|photos|pics) of {query}",
            "[show|find|get] [me] [some] (pictures|images|photos|pics) of {query}",
            "[show|find] [me] a (picture|image|photo) of {query}", "what does {query} look like",
            "search [for] (images|pictures|photos) of {query}", "{query} (pictures|images|photos)",
        ], timeoutMilliseconds: 20_000)

    @Argument("What the pictures should show", schema: ["minLength": 1, "maxLength": 500]) var query: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SearchResults> {
        let query = try SearchService.query(query)
        let answer = try await SearchService(context).search(.image, query)
        return Searching.reply(.image, query, answer, nothing: "No pictures of that.") { $0.source }
    }
}

enum Searching {
    static func reply(
        _ kind: ResultID.Kind, _ query: String, _ answer: SearchService.Answer, nothing: String, page: Int = 1,
        detail: (Found) -> String
    ) -> Reply<SearchResults> {
        let value = SearchResults(kind, query, answer.results, more: answer.hasMore)
        guard !answer.results.isEmpty else {
            return Reply(page > 1 ? "There are no further results." : "\(nothing) Try other words.", value: value)
        }
        return Reply(
            Phrase.list("", answer.results, note: answer.note, detail: detail), value: value,
            shown: .results(kind, query, answer.results), trust: .untrusted)
    }
}
