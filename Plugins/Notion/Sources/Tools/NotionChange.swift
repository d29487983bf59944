import PluginCommon
public import TandemSDK

/// What a tool changed in Notion: shown to programs, and all that `notion.undo` needs to take it back.
public struct NotionChange: Object {
    public var page: String
    public var title: String
    public var url: String
    /// What takes it back.
    public var revert: Revert
    /// Blocks that were added.
    public var blocks: [String]?
    /// What changed properties held before, in Notion's form.
    public var before: JSON?
    /// How many blocks Notion did not take any more.
    public var missing: Int?

    public enum Revert: String, Choice {
        /// The page goes to the trash.
        case trash
        /// The page comes back from the trash.
        case restore
        /// The blocks go.
        case blocks
        /// The properties are as before.
        case properties
    }

    init(_ page: NotionPage, _ revert: Revert, blocks: [NotionID]? = nil, before: JSON? = nil, missing: Int = 0) {
        self.page = page.id.description
        title = page.title
        url = page.url
        self.revert = revert
        self.blocks = blocks?.map(\.description)
        self.before = before
        self.missing = missing > 0 ? missing : nil
    }

    /// `reply("Added to", "Dentist notes")`.
    static func reply(_ message: String, _ page: NotionPage, _ change: NotionChange) -> Reply<NotionChange> {
        var text = message
        if let missing = change.missing {
            text += " Notion did not take the last \(missing) \(missing == 1 ? "line" : "lines"). Add them again later."
        }
        return Reply(text + "\n" + page.url, value: change, shown: Shown([page.shown], numbered: false))
    }
}

/// Takes back what another tool did in Notion. The host calls it with that tool's value.
public struct UndoChange: Tool {
    public static let declaration = ToolDeclaration(
        "notion.undo", "Take back a change in Notion", effect: .write,
        "Takes back one change in Notion, given what the changing tool returned.", undo: .none,
        timeoutMilliseconds: 20_000)

    @Argument("The page", planned: false) var page: String
    @Argument("Its title", planned: false) var title: String
    @Argument("Its address", planned: false) var url: String
    @Argument("What takes it back", planned: false) var revert: NotionChange.Revert
    @Argument("Blocks to remove", planned: false, schema: ["maxItems": 1000]) var blocks: [String]?
    @Argument("Earlier properties", planned: false) var before: JSON?
    @Argument("Not written", planned: false) var missing: Int?

    public init() {}

    public func run(_ context: Context) async throws -> String {
        guard let id = NotionID(page) else { throw ToolError.invalid("I no longer know which page that was.") }
        let client = NotionClient(context)
        let name = title.singleLine(limit: 80)
        switch revert {
        case .trash:
            _ = try await client.trash(id, true)
            return "\(name) is in Notion's trash."
        case .restore:
            _ = try await client.trash(id, false)
            return "\(name) is back in Notion."
        case .blocks:
            for block in (blocks ?? []).compactMap({ NotionID($0) }) { try await client.deleteBlock(block) }
            return "Taken out of \(name) again."
        case .properties:
            guard let before, before.objectValue != nil else {
                throw ToolError.invalid("I no longer know what it was before.")
            }
            try await client.update(id, ["properties": before])
            return "\(name) is as it was."
        }
    }
}
