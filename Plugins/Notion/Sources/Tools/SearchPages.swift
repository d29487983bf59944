import PluginCommon
public import TandemSDK

public struct SearchPages: Tool {
    public static let declaration = ToolDeclaration(
        "notion.search", "Find Notion pages", effect: .read,
        "Finds pages in the person's Notion by words of their titles; without words, those edited last.",
        trust: .untrusted,
        utterances: [
            "search [in|my] notion for {query}", "(find|look for|search) {query} in [my] notion",
            "find [my|the] notion page[s] (about|on|for|called) {query}",
            "what do I have in notion (about|on) {query}", "look in notion for {query}",
            "[show] [my] [recent|latest] notion pages", "what did I (edit|change) in notion [lately|recently]",
            "which notion pages do I have",
        ], timeoutMilliseconds: 20_000)

    @Argument("Words of the title", schema: ["maxLength": 200]) var query: String?
    @Argument("How many at most", planned: false, schema: ["minimum": 1, "maximum": 50]) var limit = 9

    public init() {}

    public func run(_ context: Context) async throws -> Reply<FoundPages> {
        let words = (query ?? "").singleLine(limit: 200)
        let client = NotionClient(context)
        let (found, hasMore) = try await client.search(words, .page, limit: limit)
        let pages = found.compactMap { NotionPage($0) }
        guard !pages.isEmpty else {
            return Reply(
                words.isEmpty
                    ? "I see no pages in Notion yet. Share some with Tandem there: ... > Connections."
                    : "Nothing in Notion about that. Only pages shared with Tandem are found.",
                value: FoundPages([], more: false))
        }
        return Reply(
            MessageText.flow(
                words.isEmpty ? "Last edited:" : "In Notion:",
                pages.enumerated().map { "\($0.offset + 1) \($0.element.title.cut(to: 60))" })
                + "\nSend a number to read one.",
            value: FoundPages(pages, more: hasMore),
            shown: Shown(pages.map(\.shown), select: "notion.read"), trust: .untrusted)
    }
}

/// Pages, for programs.
public struct FoundPages: Object {
    public var pages: [FoundPage]
    public var more: Bool

    init(_ pages: [NotionPage], more: Bool) {
        self.pages = pages.map { FoundPage($0) }
        self.more = more
    }
}

public struct FoundPage: Object {
    public var id: String
    public var title: String
    public var url: String
    public var edited: Instant?
    /// Those with a value, as text.
    public var properties: [String: String]

    init(_ page: NotionPage) {
        id = page.id.description
        title = page.title
        url = page.url
        edited = page.edited
        properties = [:]
        for (name, value) in page.properties where value["type"] != "title" {
            if let text = PropertyValue.text(value) { properties[name] = text }
        }
    }
}
