import PluginCommon
public import TandemSDK

public struct AppendToPage: Tool {
    public static let declaration = ToolDeclaration(
        "notion.append", "Add to a Notion page", effect: .write,
        "Adds text to the end of a Notion page, or right below one of its headings.", undo: .tool("notion.undo"),
        trust: .untrusted,
        utterances: [
            "add {text} to [the|my] notion page {page}", "add {text} to [the|my] {page} page in notion",
            "(append|write) {text} (to|on|in) [the|my] notion page {page}", "add {text} to {page} in notion",
            "put {text} (on|in|into) [the|my] notion page {page}", "add to [the|my] notion page {page}: {text}",
        ], actsOn: NotionPage.entity, timeoutMilliseconds: 60_000)

    @Argument("Which page: #id as shown, its address, or its title") var page: PageReference
    @Argument("What to add", schema: ["minLength": 1, "maxLength": 60000]) var text: String
    @Argument("The heading that it goes under; the end by default", planned: false, schema: ["maxLength": 500])
    var under: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NotionChange> {
        let blocks = BlockWriter.blocks(text)
        guard !blocks.isEmpty else { throw ToolError.invalid("What should I add?") }
        guard blocks.count <= BlockWriter.blocksLimit else {
            throw ToolError.invalid("That is too long to add at once. Send it in parts.", code: "too_long")
        }
        let client = NotionClient(context)
        let found = try await Finder(client: client).page(page)
        let place = try await heading(found.id, client)
        let added = try await client.append(blocks, to: found.id, after: place)
        let change = NotionChange(found, .blocks, blocks: added.ids, missing: blocks.count - added.written)
        return NotionChange.reply("Added to \(found.title.cut(to: 80)) in Notion.", found, change)
    }

    /// The block of the heading, among the page's own.
    private func heading(_ id: NotionID, _ client: NotionClient) async throws -> NotionID? {
        guard let under = under?.trimmed, !under.isEmpty else { return nil }
        var cursor: String?
        for _ in 0..<5 {
            var query = [("page_size", "\(NotionClient.pageSize)")]
            if let cursor { query.append(("start_cursor", cursor)) }
            let answer = try await client.get("blocks/\(id)/children", query)
            for block in answer["results"]?.arrayValue ?? [] {
                guard let type = block["type"]?.stringValue, type.hasPrefix("heading_") else { continue }
                if DataSource.folded(RichText.plain(block[type]?["rich_text"])) == DataSource.folded(under) {
                    return NotionID(block["id"]?.stringValue ?? "")
                }
            }
            cursor = answer["next_cursor"]?.stringValue
            if cursor == nil { break }
        }
        throw ToolError.notFound("That page has no heading \"\(under.singleLine(limit: 60))\".")
    }
}
