import PluginCommon
public import TandemSDK

public struct CreatePage: Tool {
    public static let declaration = ToolDeclaration(
        "notion.create", "Create a Notion page", effect: .write,
        """
        Creates a page in Notion, under another page or at the top of the workspace. The text may use # for headings, - for \
        lists, [ ] for things to do.
        """, undo: .tool("notion.undo"),
        utterances: [
            "(create|make|start|add|new) [a] [new] notion page (called|titled|named) {title}",
            "(create|make|start) [a] [new] page (called|titled|named) {title} in [my] notion",
            "new notion page {title}",
            "(create|make|add) [a] [new] notion page (called|titled|named) {title} (saying|with [the] text) {text}",
            "(create|make|add) [a] [new] notion page {title} under {under}",
            "(save|write|put) {text} (in|into|to) [my] notion as {title}",
        ], timeoutMilliseconds: 60_000)

    @Argument(
        "Its title", hints: ["called", "titled", "named"], schema: ["minLength": 1, "maxLength": 2000]) var title:
        String
    @Argument("What it says", schema: ["maxLength": 60000]) var text: String?
    @Argument("The page that it goes under; the top of the workspace by default", hints: ["under"]) var under:
        PageReference?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NotionChange> {
        guard let title = title.singleLine(limit: RichText.itemLimit).nonEmpty else {
            throw ToolError.invalid("What should the page be called?")
        }
        let blocks = BlockWriter.blocks(text ?? "")
        guard blocks.count <= BlockWriter.blocksLimit else {
            throw ToolError.invalid("That is too long for one page. Send it in parts.", code: "too_long")
        }
        let client = NotionClient(context)
        let parent = try await parent(client)
        let made = try await client.create(
            in: parent.json, properties: ["title": ["title": .array(RichText.items(title))]], blocks: blocks)
        let change = NotionChange(made.page, .trash, missing: made.missing)
        let place = parent.title.map { " under \($0.cut(to: 50))" } ?? ""
        return NotionChange.reply("Created \(title.cut(to: 80))\(place) in Notion.", made.page, change)
    }

    private func parent(_ client: NotionClient) async throws -> (json: JSON, title: String?) {
        let home = client.context.config(Notion.Settings.self).home.singleLine(limit: 200)
        let reference = under ?? home.nonEmpty.map { PageReference(.words($0)) }
        guard let reference else { return (["type": "workspace", "workspace": true], nil) }
        let page = try await Finder(client: client).page(reference, field: "under")
        return (["type": "page_id", "page_id": page.id.json], page.title)
    }
}
