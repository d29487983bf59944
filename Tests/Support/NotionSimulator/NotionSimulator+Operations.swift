import TandemJSON

/// The operations, as https://developers.notion.com/reference has them.
extension NotionSimulator {
    private func contract(_ body: JSONObject, _ name: String) throws {
        if let problem = checker?.problem(.object(body), name) { throw Refusal.validation(problem) }
    }

    private static func pageSize(_ value: JSON?) throws -> Int {
        guard let value else { return 100 }
        guard let size = value.int64Value, (1...100).contains(size) else {
            throw Refusal.validation("page_size should be at most 100")
        }
        return Int(size)
    }

    /// A page of a list, by a cursor that is the id of its first member.
    private static func list(
        _ items: [JSON], size: Int, cursor: String?, type: String
    ) throws -> JSON {
        var start = 0
        if let cursor {
            guard let place = items.firstIndex(where: { $0["id"]?.stringValue == cursor }) else {
                throw Refusal.validation("start_cursor is invalid")
            }
            start = place
        }
        let rest = items[start...]
        let next = rest.count > size ? rest[rest.startIndex + size]["id"] : nil
        return [
            "object": "list", "results": .array(Array(rest.prefix(size))), "next_cursor": next ?? .null,
            "has_more": .bool(next != nil), "type": .string(type), type: [:],
        ]
    }

    func search(_ call: Call, _ state: inout State) throws -> (body: JSON, schema: String) {
        try call.only(["query", "filter", "sort", "start_cursor", "page_size"])
        try contract(call.body, "SearchBodyParameters")
        if let filter = call.body["filter"]?.objectValue {
            for name in filter.keys where !["property", "value", "in_trash"].contains(name) {
                throw Refusal.validation("body.filter.\(name) should be not present")
            }
            if let value = filter["value"], value != "page", value != "data_source" {
                throw Refusal.validation("body.filter.value should be `\"page\"` or `\"data_source\"`")
            }
        }
        let words = (call.body["query"]?.stringValue ?? "").lowercased().split(separator: " ")
        let kind = call.body["filter"]?["value"]?.stringValue
        let isTrash = call.body["filter"]?["in_trash"] == true
        func fits(_ title: String) -> Bool { words.allSatisfy { title.lowercased().contains($0) } }
        var found: [(edited: Int64, json: JSON)] = []
        if kind != "data_source" {
            for page in state.pages.values where page.isShared && page.isInTrash == isTrash {
                let title = page.properties.first { $0.value["type"] == "title" }.map { Self.plain($0.value["title"]) }
                if fits(title ?? "") { found.append((page.edited, Self.shown(page))) }
            }
        }
        if kind != "page" {
            for source in state.sources.values where fits(source.title) {
                found.append((source.edited, Self.shown(source)))
            }
        }
        found.sort { ($0.edited, $0.json["id"]?.stringValue ?? "") > ($1.edited, $1.json["id"]?.stringValue ?? "") }
        if call.body["sort"]?["direction"] == "ascending" { found.reverse() }
        return (
            try Self.list(
                found.map(\.json), size: Self.pageSize(call.body["page_size"]),
                cursor: call.body["start_cursor"]?.stringValue, type: "page_or_data_source"), "SearchResponse"
        )
    }

    private func known(_ id: String, _ state: State) throws -> Page {
        guard let page = state.pages[id], page.isShared else { throw Self.missing("page", id) }
        return page
    }

    func page(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        try call.only([], query: ["filter_properties"])
        return (Self.shown(try known(id, state)), "GetPageResponse")
    }

    func createPage(_ call: Call, _ state: inout State) throws -> (body: JSON, schema: String) {
        try call.only(["parent", "properties", "children", "icon", "cover", "template", "position", "markdown"])
        try contract(call.body, "CreatePageBodyParameters")
        let given = call.body["properties"]?.objectValue ?? [:]
        var parent = call.body["parent"] ?? ["type": "workspace", "workspace": true]
        let properties: JSONObject
        if let id = parent["data_source_id"]?.stringValue {
            guard let source = state.sources[try Self.id(id)] else { throw Self.missing("data_source", id) }
            properties = try Self.values(given, by: source)
            parent = [
                "type": "data_source_id", "data_source_id": .string(source.id), "database_id": .string(source.database),
            ]
        } else {
            if let id = parent["page_id"]?.stringValue {
                _ = try known(try Self.id(id), state)
                parent = ["type": "page_id", "page_id": .string(try Self.id(id))]
            } else if parent["workspace"] == true {
                parent = ["type": "workspace", "workspace": true]
            } else {
                throw Refusal.validation("body.parent is not one that pages have")
            }
            guard given.keys == ["title"], let title = given["title"]?["title"] else {
                throw Refusal.validation("a page that is no entry has a title only")
            }
            properties = ["title": ["id": "title", "type": "title", "title": try Self.stored(title, "title")]]
        }
        let blocks = try checkedBlocks(call.body["children"])
        let id = Self.insert(&state, parent: parent, properties: properties)
        for (type, content) in blocks { Self.insert(&state, block: type, content, in: id, isInPage: true) }
        return (Self.shown(try known(id, state)), "CreatePageResponse")
    }

    func updatePage(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        var members: Set = ["properties", "icon", "cover", "in_trash", "is_locked", "erase_content", "template"]
        if call.version == "2025-09-03" { members.insert("archived") }
        try call.only(members)
        try contract(call.body, "UpdatePageBodyParameters")
        var page = try known(id, state)
        if let isInTrash = (call.body["in_trash"] ?? call.body["archived"])?.boolValue { page.isInTrash = isInTrash }
        if let given = call.body["properties"]?.objectValue {
            guard !page.isInTrash else { throw Refusal.validation("Can't edit block that is archived.") }
            if let source = page.parent["data_source_id"]?.stringValue.flatMap({ state.sources[$0] }) {
                for (name, value) in try Self.values(given, by: source, isWhole: false) {
                    page.properties[name] = value
                }
            } else {
                for (name, value) in given {
                    guard name == "title", let title = value["title"] ?? Optional(value) else {
                        throw Refusal.validation("\(name) is not a property that exists.")
                    }
                    page.properties["title"] = [
                        "id": "title", "type": "title", "title": try Self.stored(title, "title"),
                    ]
                }
            }
        }
        page.edited = state.clock
        state.pages[id] = page
        return (Self.shown(page), "UpdatePageResponse")
    }

    func database(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        try call.only([])
        let sources = state.sources.values.filter { $0.database == id }.sorted { $0.id < $1.id }
        guard !sources.isEmpty else { throw Self.missing("database", id) }
        return (Self.shownDatabase(id, sources), "GetDatabaseResponse")
    }

    func source(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        try call.only([])
        guard let source = state.sources[id] else { throw Self.missing("data_source", id) }
        return (Self.shown(source), "GetDataSourceResponse")
    }

    func query(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        try call.only(
            ["filter", "sorts", "start_cursor", "page_size", "in_trash", "result_type"], query: ["filter_properties"])
        try contract(call.body, "QueryDataSourceBodyParameters")
        guard let source = state.sources[id] else { throw Self.missing("data_source", id) }
        var entries = state.pages.values.filter { page in
            page.parent["data_source_id"]?.stringValue == id && !page.isInTrash
        }.sorted { $0.id < $1.id }
        if let filter = call.body["filter"] {
            try Self.check(filter, source)
            entries = entries.filter { Self.holds(filter, $0) }
        }
        for sort in (call.body["sorts"]?.arrayValue ?? []).reversed() {
            if let name = sort["property"]?.stringValue {
                guard source.properties.contains(name) else {
                    throw Refusal.validation("Could not find sort property with name or id: \(name)")
                }
                entries.sort { Self.text(name, $0) < Self.text(name, $1) }
            } else {
                entries.sort { $0.edited < $1.edited }
            }
            if sort["direction"] == "descending" { entries.reverse() }
        }
        return (
            try Self.list(
                entries.map(Self.shown), size: Self.pageSize(call.body["page_size"]),
                cursor: call.body["start_cursor"]?.stringValue, type: "page_or_data_source"), "QueryDataSourceResponse"
        )
    }

    // MARK: Blocks

    private func container(_ id: String, _ state: State) throws -> Bool {
        if state.pages[id] != nil {
            guard try !known(id, state).isInTrash else {
                throw Refusal.validation("Can't edit block that is archived.")
            }
            return true
        }
        guard let block = state.blocks[id], !block.isInTrash else { throw Self.missing("block", id) }
        return false
    }

    func children(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        try call.only([], query: ["start_cursor", "page_size"])
        if state.pages[id] != nil { _ = try known(id, state) } else { _ = try container(id, state) }
        let size = try Self.pageSize(call.query["page_size"].map { Int64($0).map { .integer($0) } ?? .string($0) })
        let blocks = (state.children[id] ?? []).compactMap { state.blocks[$0] }.filter { !$0.isInTrash }
        return (
            try Self.list(
                blocks.map { Self.shown($0, state) }, size: size, cursor: call.query["start_cursor"], type: "block"),
            "ListBlockChildrenResponse"
        )
    }

    func append(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        // The one became the other with 2026-03-11.
        try call.only(["children", call.version == "2025-09-03" ? "after" : "position"])
        try contract(call.body, "AppendBlockChildrenBodyParameters")
        let isPage = try container(id, state)
        guard call.body["children"] != nil else { throw Refusal.validation("body.children should be defined") }
        let blocks = try checkedBlocks(call.body["children"])
        var place = call.body["after"]?.stringValue ?? call.body["position"]?["after_block"]?["id"]?.stringValue
        if let named = place {
            guard state.children[id]?.contains(try Self.id(named)) == true else {
                throw Refusal.validation("the block to follow is no child of this one")
            }
        }
        var made: [JSON] = []
        for (type, content) in blocks {
            let new = Self.insert(&state, block: type, content, in: id, isInPage: isPage, after: place)
            if place != nil { place = new }
            if let block = state.blocks[new] { made.append(Self.shown(block, state)) }
        }
        state.pages[id]?.edited = state.clock
        return (
            [
                "object": "list", "results": .array(made), "next_cursor": .null, "has_more": false, "type": "block",
                "block": [:],
            ], "AppendBlockChildrenResponse"
        )
    }

    func updateBlock(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        guard var block = state.blocks[id], !block.isInTrash else { throw Self.missing("block", id) }
        try call.only([block.type, "type", "in_trash"])
        try contract(call.body, "UpdateBlockBodyParameters")
        if let text = call.body[block.type]?["rich_text"] {
            block.content["rich_text"] = try Self.stored(text, "rich_text")
        }
        block.edited = state.clock
        state.blocks[id] = block
        return (Self.shown(block, state), "BlockObjectResponse")
    }

    func deleteBlock(_ call: Call, _ id: String, _ state: inout State) throws -> (body: JSON, schema: String) {
        try call.only([])
        guard var block = state.blocks[id], !block.isInTrash else { throw Self.missing("block", id) }
        block.isInTrash = true
        state.blocks[id] = block
        return (Self.shown(block, state), "BlockObjectResponse")
    }

    /// Type and content, as an answer would show it. The limits are those of the reference.
    private func checkedBlocks(_ children: JSON?) throws -> [(type: String, content: JSONObject)] {
        guard let children else { return [] }
        guard let blocks = children.arrayValue else { throw Refusal.validation("body.children should be an array") }
        guard blocks.count <= 100 else {
            throw Refusal.validation("body.children.length should be ≤ `100`, instead was `\(blocks.count)`.")
        }
        let known: Set = [
            "paragraph", "heading_1", "heading_2", "heading_3", "bulleted_list_item", "numbered_list_item", "to_do",
            "quote", "code", "divider",
        ]
        return try blocks.map { block in
            guard let object = block.objectValue, let type = object["type"]?.stringValue, known.contains(type),
                let content = object[type]?.objectValue
            else { throw Refusal.validation("body.children[].type should be defined") }
            for name in object.keys where !["object", "type", type].contains(name) {
                throw Refusal.validation("body.children[].\(name) should be not present")
            }
            var made = content
            if type != "divider" {
                made["rich_text"] = try Self.stored(content["rich_text"] ?? .null, "rich_text")
                if type != "code" { made["color"] = "default" }
            }
            if type == "paragraph" { made["icon"] = .null }
            if type == "code" { made["caption"] = [] }
            if type.hasPrefix("heading_") { made["is_toggleable"] = false }
            return (type, made)
        }
    }

    /// Rich text of a request, as an answer shows it.
    static func stored(_ items: JSON, _ place: String) throws -> JSON {
        guard let items = items.arrayValue else { throw Refusal.validation("\(place) should be an array") }
        guard items.count <= 100 else { throw Refusal.validation("\(place).length should be ≤ `100`") }
        return .array(
            try items.map { item in
                guard let content = item["text"]?["content"]?.stringValue else {
                    throw Refusal.validation("\(place)[].text should be defined")
                }
                guard content.utf16.count <= 2000 else {
                    throw Refusal.validation("\(place)[].text.content.length should be ≤ `2000`")
                }
                for name in item.objectValue?.keys ?? [] where !["type", "text", "annotations"].contains(name) {
                    throw Refusal.validation("\(place)[].\(name) should be not present")
                }
                return self.item(content, link: item["text"]?["link"]?["url"]?.stringValue)
            })
    }
}
