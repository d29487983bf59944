import Synchronization
public import TandemJSON

/// What the workspace holds, put there by a test, and how Notion shows it.
extension NotionSimulator {
    @discardableResult
    public func addPage(
        _ title: String, under parent: String? = nil, blocks: [(type: String, text: String)] = []
    ) -> String {
        state.withLock { state in
            tick(&state)
            let place: JSON =
                parent.map { ["type": "page_id", "page_id": .string($0)] } ?? ["type": "workspace", "workspace": true]
            let id = Self.insert(&state, parent: place, properties: ["title": Self.title(title)])
            for (type, text) in blocks {
                var content: JSONObject = ["rich_text": Self.rich(text), "color": "default"]
                if type == "to_do" { content["checked"] = false }
                if type.hasPrefix("heading_") { content["is_toggleable"] = false }
                if type == "paragraph" { content["icon"] = .null }
                Self.insert(&state, block: type, content, in: id, isInPage: true)
            }
            return id
        }
    }

    /// - Parameter properties: types by name, without the title: `"number"`, or `"select:Open,Done"` with options.
    /// - Returns: the ids of the data source and of its database.
    @discardableResult
    public func addDatabase(_ title: String, _ properties: [(String, String)]) -> (source: String, database: String) {
        state.withLock { state in
            let source = Self.makeID(&state)
            let database = Self.makeID(&state)
            var shape: JSONObject = [
                "Name": ["id": "title", "name": "Name", "description": .null, "type": "title", "title": [:]]
            ]
            for (place, (name, kind)) in properties.enumerated() {
                let parts = kind.split(separator: ":", maxSplits: 1).map(String.init)
                let options = (parts.count == 2 ? parts[1].split(separator: ",") : []).enumerated().map {
                    index, option -> JSON in
                    [
                        "id": .string("o\(index)"), "name": .string(String(option)), "color": "default",
                        "description": .null,
                    ]
                }
                var content: JSONObject = [:]
                switch parts[0] {
                case "select", "multi_select": content["options"] = .array(options)
                case "status":
                    content["options"] = .array(options)
                    content["groups"] = []
                case "number": content["format"] = "number"
                case "formula": content["expression"] = "1"
                default: break
                }
                shape[name] = [
                    "id": .string("p\(place)"), "name": .string(name), "description": .null, "type": .string(parts[0]),
                    parts[0]: .object(content),
                ]
            }
            state.sources[source] = Source(
                id: source, database: database, title: title, properties: shape, edited: state.clock)
            return (source, database)
        }
    }

    /// An entry with the values that a request would hold: `["Done": ["checkbox": true]]`.
    @discardableResult
    public func addEntry(_ title: String, in source: String, _ values: JSONObject = [:]) -> String {
        state.withLock { state in
            guard let known = state.sources[source] else { return "" }
            tick(&state)
            var given = values
            given["Name"] = ["title": [["text": ["content": .string(title)]]]]
            let properties = (try? Self.values(given, by: known)) ?? [:]
            return Self.insert(
                &state,
                parent: [
                    "type": "data_source_id", "data_source_id": .string(source), "database_id": .string(known.database),
                ], properties: properties)
        }
    }

    private func tick(_ state: inout State, _ step: Int64 = 0) {
        state.clock = now.map { max($0(), state.clock + 1) } ?? state.clock + step
    }

    /// Somebody takes the page out of what is shared with the connection.
    public func unshare(_ id: String) { state.withLock { $0.pages[id]?.isShared = false } }

    /// Somebody edits in Notion itself.
    public func rename(_ id: String, _ title: String) {
        state.withLock { state in
            tick(&state, 60_000)
            state.pages[id]?.properties["title"] = Self.title(title)
            state.pages[id]?.edited = state.clock
        }
    }

    public func write(_ text: String, on page: String) {
        state.withLock { state in
            tick(&state, 60_000)
            Self.insert(
                &state, block: "paragraph", ["rich_text": Self.rich(text), "color": "default", "icon": .null], in: page,
                isInPage: true)
            state.pages[page]?.edited = state.clock
        }
    }

    public func trash(_ id: String) { state.withLock { $0.pages[id]?.isInTrash = true } }

    /// The texts of a page's blocks, with their types, as `paragraph: Bring the card`.
    public func lines(of page: String) -> [String] {
        state.withLock { state in
            (state.children[page] ?? []).compactMap { state.blocks[$0] }.filter { !$0.isInTrash }.map {
                "\($0.type): \(Self.plain($0.content["rich_text"]))"
            }
        }
    }

    public func title(of page: String) -> String? {
        state.withLock { state in
            state.pages[page]?.properties.first { $0.value["type"] == "title" }.map { Self.plain($0.value["title"]) }
        }
    }

    public func property(_ name: String, of page: String) -> JSON? {
        state.withLock { state in
            state.pages[page]?.properties[name].flatMap { value in value[value["type"]?.stringValue ?? ""] }
        }
    }

    /// Of all pages, in no order.
    public var pageIDs: [String] { state.withLock { Array($0.pages.keys) } }

    public func isInTrash(_ page: String) -> Bool { state.withLock { $0.pages[page]?.isInTrash ?? false } }

    /// The pages that are there, oldest first.
    public var pages: [String] {
        state.withLock { state in state.pages.values.filter { !$0.isInTrash }.map(\.id).sorted() }
    }

    // MARK: Making

    static func makeID(_ state: inout State) -> String {
        state.serial += 1
        let digits = String(state.serial, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    @discardableResult
    static func insert(_ state: inout State, parent: JSON, properties: JSONObject) -> String {
        let id = makeID(&state)
        state.pages[id] = Page(
            id: id, parent: parent, properties: properties, created: state.clock, edited: state.clock)
        return id
    }

    @discardableResult
    static func insert(
        _ state: inout State, block type: String, _ content: JSONObject, in parent: String, isInPage: Bool,
        after place: String? = nil
    ) -> String {
        let id = makeID(&state)
        state.blocks[id] = Block(
            id: id, parent: parent, isInPage: isInPage, type: type, content: content, edited: state.clock)
        if let place, let index = state.children[parent]?.firstIndex(of: place) {
            state.children[parent]?.insert(id, at: index + 1)
        } else {
            state.children[parent, default: []].append(id)
        }
        return id
    }

    static func title(_ text: String) -> JSON { ["id": "title", "type": "title", "title": rich(text)] }

    static func rich(_ text: String) -> JSON { .array(text.isEmpty ? [] : [item(text, link: nil)]) }

    static func item(_ text: String, link: String?) -> JSON {
        [
            "type": "text",
            "text": ["content": .string(text), "link": link.map { ["url": .string($0)] } ?? .null],
            "annotations": [
                "bold": false, "italic": false, "strikethrough": false, "underline": false, "code": false,
                "color": "default",
            ],
            "plain_text": .string(text), "href": link.map { .string($0) } ?? .null,
        ]
    }

    static func plain(_ items: JSON?) -> String {
        (items?.arrayValue ?? []).map { $0["plain_text"]?.stringValue ?? "" }.joined()
    }

    // MARK: Showing

    private static func time(_ milliseconds: Int64) -> JSON {
        let days = milliseconds / 86_400_000
        // Howard Hinnant's "civil from days".
        let z = days + 719_468
        let era = z / 146_097
        let doe = z - era * 146_097
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
        let mp = (5 * doy + 2) / 153
        let day = doy - (153 * mp + 2) / 5 + 1
        let month = mp < 10 ? mp + 3 : mp - 9
        let year = yoe + era * 400 + (month <= 2 ? 1 : 0)
        let rest = milliseconds % 86_400_000 / 1000
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return .string(
            "\(year)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)).000Z")
    }

    private static let user: JSON = ["object": "user", "id": "00000000-0000-4000-8000-ffffffffffff"]

    static func shown(_ page: Page) -> JSON {
        [
            "object": "page", "id": .string(page.id), "created_time": time(page.created),
            "last_edited_time": time(page.edited), "created_by": user, "last_edited_by": user, "cover": .null,
            "icon": .null, "parent": page.parent, "archived": .bool(page.isInTrash), "in_trash": .bool(page.isInTrash),
            "is_archived": .bool(page.isInTrash), "is_locked": false, "properties": .object(page.properties),
            "url": .string("https://www.notion.so/" + page.id.filter { $0 != "-" }), "public_url": .null,
        ]
    }

    static func shown(_ block: Block, _ state: State) -> JSON {
        [
            "object": "block", "id": .string(block.id),
            "parent": block.isInPage
                ? ["type": "page_id", "page_id": .string(block.parent)]
                : ["type": "block_id", "block_id": .string(block.parent)],
            "created_time": time(block.edited), "last_edited_time": time(block.edited), "created_by": user,
            "last_edited_by": user, "has_children": .bool(!(state.children[block.id] ?? []).isEmpty),
            "archived": .bool(block.isInTrash), "in_trash": .bool(block.isInTrash), "type": .string(block.type),
            block.type: .object(block.content),
        ]
    }

    static func shown(_ source: Source) -> JSON {
        [
            "object": "data_source", "id": .string(source.id), "title": rich(source.title), "description": [],
            "parent": ["type": "database_id", "database_id": .string(source.database)],
            "database_parent": ["type": "workspace", "workspace": true], "is_inline": false, "in_trash": false,
            "archived": false, "created_time": time(source.edited), "last_edited_time": time(source.edited),
            "created_by": user, "last_edited_by": user, "properties": .object(source.properties), "icon": .null,
            "cover": .null, "url": .string("https://www.notion.so/" + source.database.filter { $0 != "-" }),
            "public_url": .null,
        ]
    }

    static func shownDatabase(_ id: String, _ sources: [Source]) -> JSON {
        [
            "object": "database", "id": .string(id), "title": rich(sources.first?.title ?? ""), "description": [],
            "parent": ["type": "workspace", "workspace": true], "is_inline": false, "archived": false,
            "in_trash": false, "is_locked": false, "created_time": time(sources.first?.edited ?? 0),
            "last_edited_time": time(sources.first?.edited ?? 0),
            "data_sources": .array(sources.map { ["id": .string($0.id), "name": .string($0.title)] }), "icon": .null,
            "cover": .null, "url": .string("https://www.notion.so/" + id.filter { $0 != "-" }), "public_url": .null,
        ]
    }
}

extension NotionSimulator {
    /// Something to look at, for somebody who tries the program.
    public func furnish() {
        let home = addPage("Home", blocks: [("heading_1", "Welcome"), ("paragraph", "This workspace is simulated.")])
        addPage(
            "Dentist notes", under: home,
            blocks: [("heading_2", "Before"), ("to_do", "Bring the card"), ("to_do", "Call back on Monday")])
        addPage(
            "Packing list", under: home, blocks: [("bulleted_list_item", "Socks"), ("bulleted_list_item", "Charger")])
        let tasks = addDatabase(
            "Projects", [("Status", "status:Open,Doing,Done"), ("Due", "date"), ("Cost", "number")])
        addEntry(
            "Paint the kitchen", in: tasks.source,
            ["Status": ["status": ["name": "Open"]], "Due": ["date": ["start": "2026-12-12"]], "Cost": ["number": 120]])
        addEntry("Fix the bike", in: tasks.source, ["Status": ["status": ["name": "Doing"]]])
    }
}
