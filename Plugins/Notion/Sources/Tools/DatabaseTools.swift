import PluginCommon
public import TandemSDK

public struct ListDatabases: Tool {
    public static let declaration = ToolDeclaration(
        "notion.databases", "List Notion databases", effect: .read,
        "Lists the databases in the person's Notion, with their properties and types.", trust: .untrusted,
        utterances: [
            "[show|list] [me] my notion databases", "which databases do I have in notion",
            "find [the|my] notion database {query}", "what databases are in [my] notion",
        ], timeoutMilliseconds: 20_000)

    @Argument("Words of the name", schema: ["maxLength": 200]) var query: String?

    public init() {}

    public struct Databases: Object {
        public var databases: [FoundDatabase]
    }

    public func run(_ context: Context) async throws -> Reply<Databases> {
        let found = try await NotionClient(context).search(
            (query ?? "").singleLine(limit: 200), .dataSource, limit: 20
        ).found
        let sources = found.compactMap { DataSource($0) }
        let value = Databases(databases: sources.map { FoundDatabase($0) })
        guard !sources.isEmpty else {
            return Reply("I see no database in Notion. Share one with Tandem there: ... > Connections.", value: value)
        }
        return Reply(
            MessageText.flow(
                "In Notion:", sources.enumerated().map { "\($0.offset + 1) \($0.element.title.cut(to: 60))" })
                + "\nSend a number to see what is in it.",
            value: value, shown: Shown(sources.map(\.shown), select: "notion.query"), trust: .untrusted)
    }
}

public struct FoundDatabase: Object {
    public var id: String
    public var title: String
    public var url: String
    /// `Due: date`, `Status: status (Open, Done)`.
    public var properties: [String: String]

    init(_ source: DataSource) {
        id = source.id.description
        title = source.title
        url = source.url
        properties = [:]
        for property in source.properties {
            let options = property.options.isEmpty ? "" : " (\(MessageText.list(property.options, limit: 20)))"
            properties[property.name] = property.type + options
        }
    }
}

public struct QueryDatabase: Tool {
    public static let declaration = ToolDeclaration(
        "notion.query", "Look into a Notion database", effect: .read,
        """
        Lists entries of a Notion database, also only those for which conditions hold: "status is Done and due before \
        2026-12-01". Comparisons: is, is not, contains, does not contain, before, after, on or before, on or after, more \
        than, less than, at least, at most, is empty, is not empty; joined by and, or.
        """, trust: .untrusted,
        utterances: [
            "[show|list] [me] [what is in] [the|my] notion database {database}",
            "what is in [the|my] {database} database [in notion]",
            "[show|list] [me] [the] entries (of|in) [the|my] notion database {database}",
            "[show|list] [me] [the|my] notion database {database} where {condition}",
            "[show|list] [me] [the] entries (of|in) [the|my] notion database {database} where {condition}",
            "[show|list] [me] [the|my] {database} database [in notion] where {condition}",
        ], actsOn: DataSource.entity, timeoutMilliseconds: 30_000)

    @Argument("Which database: #id as shown, its address, or its name") var database: DatabaseReference
    @Argument(
        "Conditions, such as: status is Open and due before 2026-12-01", hints: ["where", "whose"],
        schema: ["maxLength": 1000]) var condition: String?
    @Argument("What to sort by: a property, with descending after it if so; or newest, or edited", planned: false)
    var sort: String?
    @Argument("How many at most", planned: false, schema: ["minimum": 1, "maximum": 200]) var limit = 20

    public init() {}

    public struct Entries: Object {
        public var database: FoundDatabase
        public var entries: [FoundPage]
        public var more: Bool
    }

    public func run(_ context: Context) async throws -> Reply<Entries> {
        let client = NotionClient(context)
        let (database, condition) = said
        let source = try await Finder(client: client).dataSource(database)
        let filters = EntryFilter(source: source, clock: context.clock)
        let filter = try condition?.trimmed.nonEmpty.map(filters.filter)
        let sorts = try sort?.trimmed.nonEmpty.map { [try filters.sort($0)] } ?? []
        let (found, hasMore) = try await client.query(source.id, filter: filter, sorts: sorts, limit: limit)
        let pages = found.compactMap { NotionPage($0) }.filter { !$0.isInTrash }
        let value = Entries(
            database: FoundDatabase(source), entries: pages.map { FoundPage($0) }, more: hasMore)
        guard !pages.isEmpty else {
            return Reply(
                filter == nil
                    ? "\(source.title.cut(to: 80)) is empty." : "Nothing in \(source.title.cut(to: 80)) fits that.",
                value: value, shown: Shown([source.shown], numbered: false))
        }
        let parts = pages.enumerated().map { index, page in
            "\(index + 1) \(page.title.cut(to: 50))\(detail(page, source))"
        }
        return Reply(
            MessageText.flow("\(source.title.cut(to: 50)):", parts) + (hasMore ? "\nThere are more." : ""),
            value: value, shown: Shown(pages.map(\.shown), select: "notion.read"), trust: .untrusted)
    }

    /// A planner may take the condition for a part of the name: `tasks where status is Open`.
    private var said: (DatabaseReference, String?) {
        guard condition == nil, case .words(let words) = database.meaning, let mark = words.firstRange(of: " where "),
            mark.lowerBound > words.startIndex
        else { return (database, condition) }
        var reference = database
        reference.meaning = .words(String(words[..<mark.lowerBound]))
        return (reference, String(words[mark.upperBound...]))
    }

    /// ` (Open, 2026-11-30)`: what says most in few words.
    private func detail(_ page: NotionPage, _ source: DataSource) -> String {
        let telling: Set<String> = ["status", "select", "date", "checkbox", "number"]
        let values = source.properties.filter { telling.contains($0.type) }.prefix(3).compactMap {
            property -> String? in
            guard let value = page.properties[property.name], let text = PropertyValue.text(value) else { return nil }
            if property.type == "checkbox" { return text == "yes" ? property.name.cut(to: 20) : nil }
            return text.cut(to: 25)
        }
        return values.isEmpty ? "" : " (\(values.joined(separator: ", ")))"
    }
}

public struct AddEntry: Tool {
    public static let declaration = ToolDeclaration(
        "notion.add_entry", "Add to a Notion database", effect: .write,
        "Adds an entry to a Notion database, with values for its properties.", undo: .tool("notion.undo"),
        trust: .untrusted,
        utterances: [
            "add {title} to [the|my] notion database {database}",
            "add {title} to [the|my] {database} database [in notion]",
            "(create|make|add) [a] [new] entry {title} in [the|my] notion database {database}",
            "new entry {title} in [the|my] {database} database",
        ], actsOn: DataSource.entity, timeoutMilliseconds: 30_000)

    @Argument("Which database: #id as shown, its address, or its name") var database: DatabaseReference
    @Argument("What the entry is called", schema: ["minLength": 1, "maxLength": 2000]) var title: String
    @Argument(
        "Values by the name of the property, as text: {\"Due\": \"2026-11-30\", \"Done\": \"no\"}", planned: false,
        schema: ["maxProperties": 50]) var properties: [String: String] = [:]
    @Argument("What the page of the entry says", planned: false, schema: ["maxLength": 60000]) var text: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NotionChange> {
        let client = NotionClient(context)
        let source = try await Finder(client: client).dataSource(database)
        guard let title = title.singleLine(limit: RichText.itemLimit).nonEmpty else {
            throw ToolError.invalid("What should it be called?")
        }
        var values: JSONObject = [source.titleProperty: ["title": .array(RichText.items(title))]]
        for (name, text) in properties.sorted(by: { $0.key < $1.key }) {
            guard let property = source.property(named: name) else {
                throw ToolError.invalid(
                    "\(source.title.cut(to: 60)) has no property \(name.singleLine(limit: 40)).",
                    code: "no_such_property")
            }
            values[property.name] = try PropertyValue.value(text, for: property, context.clock)
        }
        let blocks = BlockWriter.blocks(text ?? "")
        guard blocks.count <= BlockWriter.blocksLimit else {
            throw ToolError.invalid("That is too long for one entry. Send it in parts.", code: "too_long")
        }
        let made = try await client.create(
            in: ["type": "data_source_id", "data_source_id": source.id.json], properties: .object(values),
            blocks: blocks)
        return NotionChange.reply(
            "Added \(title.cut(to: 60)) to \(source.title.cut(to: 50)) in Notion.", made.page,
            NotionChange(made.page, .trash, missing: made.missing))
    }
}

public struct SetProperty: Tool {
    public static let declaration = ToolDeclaration(
        "notion.set", "Set a property in Notion", effect: .write,
        "Sets a property of a page or database entry in Notion: a text, number, date, option, or a tick.",
        undo: .tool("notion.undo"), trust: .untrusted,
        utterances: [
            "set [the] {property} of [the|my] notion page {page} to {value}",
            "set [the] {property} of {page} in notion to {value}",
            "change [the] {property} of [the|my] notion page {page} to {value}",
        ], actsOn: NotionPage.entity, timeoutMilliseconds: 30_000)

    @Argument("Which page or entry: #id as shown, its address, or its title") var page: PageReference
    @Argument("The name of the property", schema: ["minLength": 1, "maxLength": 200]) var property: String
    @Argument("The new value; nothing, to clear it", schema: ["maxLength": 20000]) var value: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NotionChange> {
        let client = NotionClient(context)
        let found = try await Finder(client: client).page(page)
        let known: DataSource.Property
        if let source = found.dataSource {
            guard let property = try await client.dataSource(source).property(named: property) else {
                throw missing(found)
            }
            known = property
        } else {
            guard
                let (name, value) = found.properties.first(where: {
                    DataSource.folded($0.key) == DataSource.folded(property)
                }), let type = value["type"]?.stringValue
            else { throw missing(found) }
            known = DataSource.Property(name: name, type: type, options: [])
        }
        let new = try PropertyValue.value(value, for: known, context.clock)
        let before = found.properties[known.name].flatMap(PropertyValue.written)
        let changed = try await client.update(found.id, ["properties": [known.name: new]])
        let shown = changed.properties[known.name].flatMap(PropertyValue.text) ?? "empty"
        return NotionChange.reply(
            "\(known.name.cut(to: 40)) of \(changed.title.cut(to: 50)) is now \(shown.cut(to: 40)).", changed,
            NotionChange(changed, .properties, before: before.map { [known.name: $0] }))
    }

    private func missing(_ page: NotionPage) -> ToolError {
        let names = page.properties.keys.map { $0.singleLine(limit: 30) }
        return ToolError.invalid(
            "\(page.title.cut(to: 40)) has \(MessageText.enumeration(names, limit: 6)), but no such property.",
            code: "no_such_property")
    }
}
