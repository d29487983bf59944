import PluginCommon
public import TandemSDK

public struct AnswerQuestion: Tool {
    public static let declaration = ToolDeclaration(
        "duckduckgo.answer", "Answer a short question", effect: .read,
        """
        Answers who or what somebody or something is, with a short text and its source; where there is none, with what \
        the web has.
        """, trust: .untrusted,
        utterances: [
            "who (is|was|are|were) {query}", "what (is|are) the meaning of {query}", "define {query}",
            "who (invented|wrote|discovered|painted|composed|directed) {query}",
            "what is the (capital|population|currency|height|area|language) of {query}",
            "how (tall|high|old|deep|heavy|long) is {query}",
            "how many calories (are|does) [in] {query} [have]",
            "when was {query} (born|invented|published)",
            "what does {query} mean", "[the] definition of {query}", "tell me about {query}",
            "what is {query} according to (wikipedia|the web|the internet)", "(wikipedia|wiki) {query}",
            "what is known about {query}", "[a] summary of {query} from (wikipedia|the web)",
        ], timeoutMilliseconds: 20_000)

    @Argument("Who or what", schema: ["minLength": 1, "maxLength": 500]) var query: String

    public init() {}

    public struct Answer: Object {
        public var query: String
        /// Absent when there is no short answer.
        public var text: String?
        public var source: String?
        public var url: String?
        /// What it may mean, or what the web has.
        public var results: [SearchResult]
    }

    public func run(_ context: Context) async throws -> Reply<Answer> {
        let query = try SearchService.query(query)
        let service = SearchService(context)
        let (found, note) = try await service.instant(query)
        if let answer = found, !answer.text.isEmpty { return reply(query, answer, note) }
        if let answer = found, answer.isAmbiguous, answer.topics.count > 1 {
            let topics = Array(answer.topics.prefix(SearchService.pageSize))
            let labels = topics.enumerated().map { "\($0.offset + 1) \($0.element.title.cut(to: 50))" }
            return Reply(
                MessageText.flow("Which one?", labels),
                value: Answer(query: query, results: topics.map { SearchResult(.topic, query, $0) }),
                shown: .results(.topic, query, topics), trust: .untrusted)
        }
        // Most questions have no instant answer.
        let web = try await service.search(.web, query)
        guard !web.results.isEmpty else {
            return Reply("I found nothing about that. Try other words.", value: Answer(query: query, results: []))
        }
        return Reply(
            Phrase.list("No short answer, but:", Array(web.results.prefix(5)), note: web.note) { $0.source },
            value: Answer(query: query, results: web.results.prefix(5).map { SearchResult(.web, query, $0) }),
            shown: .results(.web, query, Array(web.results.prefix(5))), trust: .untrusted)
    }

    private func reply(_ query: String, _ answer: InstantAnswer, _ note: String?) -> Reply<Answer> {
        var text = answer.text
        if !answer.source.isEmpty { text += " (\(answer.source))" }
        var lines = MessageText.wrapped(text)
        if let note { lines = "(\(note)) " + lines }
        if !answer.url.isEmpty { lines += "\n" + answer.url }
        let topics = answer.topics.prefix(SearchService.pageSize).map { SearchResult(.topic, query, $0) }
        return Reply(
            lines,
            value: Answer(
                query: query, text: answer.text, source: answer.source.nonEmpty, url: answer.url.nonEmpty,
                results: Array(topics)), trust: .untrusted)
    }
}

public struct ShowResult: Tool {
    public static let declaration = ToolDeclaration(
        "duckduckgo.show", "Show a search result", effect: .read,
        "Shows more about one of the results of a search: what it says and its address.", trust: .untrusted,
        utterances: [
            "[tell me] more about {result}", "[show|open|read] [me] [the] result {result}", "[show|open|read] {result}",
            "(show|open|read) [me] the {result} result",
            "details (of|on|about) {result}", "[the] link (to|of|for) {result}", "what does {result} say",
        ], actsOn: ResultID.entity, timeoutMilliseconds: 20_000)

    @Argument("Which result: #id as shown") var result: ResultReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SearchResult> {
        guard let id = result.id else {
            throw ToolError.notFound("I do not know which result you mean. Search again, then send its number.")
        }
        guard let (found, note) = try await SearchService(context).result(id) else {
            throw ToolError.notFound("That result is no longer there. Search again.")
        }
        return reply(found, id, note: note, context)
    }

    private func reply(_ found: Found, _ id: ResultID, note: String?, _ context: Context) -> Reply<SearchResult> {
        var text = found.title
        if let published = found.published {
            text += " (\(found.source), \(Phrase.age(of: published, now: context.clock.now)) ago)"
        }
        if !found.snippet.isEmpty, found.snippet != found.title {
            text += (text.hasSuffix(".") ? " " : ". ") + found.snippet
        }
        var lines = MessageText.wrapped(text) + "\n" + (found.image ?? found.url)
        if found.image != nil { lines += "\n" + found.url }
        if let note { lines = note + "\n" + lines }
        return Reply(
            lines, value: SearchResult(id.kind, id.query, found),
            shown: .results(id.kind, id.query, [found], numbered: false),
            trust: .untrusted)
    }
}
