import PluginCommon
public import TandemSDK

public struct RenamePage: Tool {
    public static let declaration = ToolDeclaration(
        "notion.rename", "Rename a Notion page", effect: .write, "Gives a Notion page another title.",
        undo: .tool("notion.undo"), trust: .untrusted,
        utterances: [
            "rename [the|my] notion page {page} to {title}", "rename [the|my] {page} page in notion to {title}",
            "change the title of [the|my] notion page {page} to {title}",
        ], actsOn: NotionPage.entity, timeoutMilliseconds: 20_000)

    @Argument("Which page: #id as shown, its address, or its title") var page: PageReference
    @Argument("The new title", schema: ["minLength": 1, "maxLength": 2000]) var title: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NotionChange> {
        guard let title = title.singleLine(limit: RichText.itemLimit).nonEmpty else {
            throw ToolError.invalid("What should it be called?")
        }
        let client = NotionClient(context)
        let found = try await Finder(client: client).page(page)
        let name = found.titleProperty
        let before = found.properties[name].flatMap(PropertyValue.written)
        let changed = try await client.update(
            found.id, ["properties": [name: ["title": .array(RichText.items(title))]]])
        try await NoteLinks(client).renamed(changed)
        return NotionChange.reply(
            "\(found.title.cut(to: 60)) is now \(title.cut(to: 60)).", changed,
            NotionChange(changed, .properties, before: [name: before ?? .null]))
    }
}

public struct ArchivePage: Tool {
    public static let declaration = ToolDeclaration(
        "notion.archive", "Move a Notion page to the trash", effect: .delete,
        "Moves a Notion page to Notion's trash, from which it can be restored.", undo: .tool("notion.undo"),
        trust: .untrusted,
        utterances: [
            "(archive|delete|remove|trash) [the|my] notion page {page}",
            "(archive|delete|remove|trash) [the|my] {page} page (in|from) notion",
            "(archive|delete|remove) {page} (in|from) [my] notion",
            "move [the|my] notion page {page} to the trash",
        ], actsOn: NotionPage.entity, timeoutMilliseconds: 20_000)

    @Argument("Which page: #id as shown, its address, or its title") var page: PageReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NotionChange> {
        let client = NotionClient(context)
        let found = try await Finder(client: client).page(page)
        guard !found.isInTrash else { throw ToolError.conflict("That page is in the trash already.") }
        let changed = try await client.trash(found.id, true)
        try await NoteLinks(client).trashed(changed)
        return NotionChange.reply(
            "\(found.title.cut(to: 80)) is in Notion's trash.", changed, NotionChange(changed, .restore))
    }
}

public struct RestorePage: Tool {
    public static let declaration = ToolDeclaration(
        "notion.restore", "Restore a Notion page", effect: .write, "Takes a page out of Notion's trash.",
        undo: .tool("notion.undo"), trust: .untrusted,
        utterances: [
            "restore [the|my] notion page {page}", "(bring|get|take) [the|my] notion page {page} back",
            "take [the|my] notion page {page} out of the trash",
        ], actsOn: NotionPage.entity, timeoutMilliseconds: 20_000)

    @Argument("Which page: #id as shown, its address, or its title") var page: PageReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NotionChange> {
        let client = NotionClient(context)
        let changed = try await client.trash(try await found(client), false)
        return NotionChange.reply(
            "\(changed.title.cut(to: 80)) is back in Notion.", changed, NotionChange(changed, .trash))
    }

    /// Notion finds nothing in its trash by words unless asked to look there.
    private func found(_ client: NotionClient) async throws -> NotionID {
        switch page.meaning {
        case .id(let id): return id
        case .words(let words):
            if let answer = client.context.answer("page")?.stringValue, let id = NotionID(answer.dropFirst()) {
                return id
            }
            let found = try await client.searchTrash(try Finder.words(words)).compactMap { NotionPage($0) }
            switch NameMatcher(found.map(\.title)).match(words) {
            case .exact(let places) where places.count == 1, .close(let places) where places.count == 1:
                return found[places[0]].id
            case .none: throw ToolError.notFound("I see no such page in Notion's trash.")
            case .exact(let places), .close(let places):
                throw Ask(
                    "Which page?", field: "page",
                    options: places.prefix(5).map {
                        Ask.Option(found[$0].title.singleLine(limit: 60), value: .string("#\(found[$0].id)"))
                    })
            }
        }
    }
}
