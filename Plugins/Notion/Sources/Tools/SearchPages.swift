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
        let kept = KeptPages(context)
        var pages: [FoundPage]
        var hasMore = false
        var note: String?
        do {
            let answer = try await NotionClient(context).search(words, .page, limit: limit)
            pages = answer.found.compactMap { NotionPage($0).map { FoundPage($0) } }
            hasMore = answer.hasMore
            // Notion looks at titles only; what the pages say is known from the copy.
            if !words.isEmpty, pages.count < limit, try await kept.note() != nil {
                let known = Set(pages.map(\.id))
                pages += try await kept.pages(words, limit: limit).map(\.entry).filter { !known.contains($0.id) }
                pages = Array(pages.prefix(limit))
            }
        } catch let error as ToolError where error.isRetryable {
            guard let age = try await kept.note() else { throw error }
            note = age
            pages = try await kept.pages(words, limit: limit).map(\.entry)
        }
        let value = FoundPages(pages, more: hasMore, note: note)
        let old = note.map { $0.capitalizedFirst + ".\n" } ?? ""
        guard !pages.isEmpty else {
            return Reply(
                old
                    + (words.isEmpty
                        ? "I see no pages in Notion yet. Share some with Tandem there: ... > Connections."
                        : "Nothing in Notion about that. Only pages shared with Tandem are found."),
                value: value)
        }
        return Reply(
            old
                + MessageText.flow(
                    words.isEmpty ? "Last edited:" : "In Notion:",
                    pages.enumerated().map { "\($0.offset + 1) \($0.element.title.cut(to: 60))" })
                + "\nSend a number to read one.",
            value: value, shown: Shown(pages.map(\.shown), select: "notion.read"), trust: .untrusted)
    }
}

/// Pages, for programs.
public struct FoundPages: Object {
    public var pages: [FoundPage]
    public var more: Bool
    /// How old it is, when Notion did not answer.
    public var note: String?

    init(_ pages: [FoundPage], more: Bool, note: String?) {
        self.pages = pages
        self.more = more
        self.note = note
    }
}

public struct FoundPage: Object, Hashable {
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

    var shown: Shown.Item { Shown.Item(type: NotionPage.entity, id: id, label: title.cut(to: 100)) }
}
