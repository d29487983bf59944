import PluginCommon
import TandemSDK

/// Asks Notion. Every function throws a `ToolError` that says what the person can do, or `AuthRequired`.
struct NotionClient {
    /// The account's name in requests.
    static let grant = "workspace"

    let context: Context
    let version: Notion.APIVersion

    init(_ context: Context) {
        self.context = context
        version = context.config(Notion.Settings.self).apiVersion
    }

    private static let base = "https://api.notion.com/v1/"
    /// A list of Notion's has at most this many members.
    static let pageSize = 100

    // MARK: Requests

    func get(_ path: String, _ query: [(String, String)] = []) async throws -> JSON {
        try await send(.get, HTTPRequest.url(path, query: query), nil, isRepeatable: true)
    }

    /// - Parameter isRepeatable: sending it twice has the effect of sending it once.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON?, isRepeatable: Bool
    ) async throws -> JSON {
        var conflicts = 0
        while true {
            let answer: HTTPResponse
            do {
                answer = try await context.http.send(
                    HTTPRequest(
                        method, Self.base + path,
                        headers: [
                            HTTPField("Notion-Version", version.rawValue), HTTPField("Accept", "application/json"),
                        ],
                        body: body.map(HTTPBody.json), grant: Self.grant, isIdempotent: isRepeatable,
                        followsRedirects: false))
            } catch let error as ToolError where !isRepeatable && NotionFailure.leavesUnknown(error) {
                throw NotionFailure.unknown
            }
            // Nothing was saved: Notion asks to try again, whatever the request was.
            if answer.status == 409, conflicts < 2 {
                conflicts += 1
                try await Task.sleep(for: .milliseconds(100 << conflicts))
                continue
            }
            guard answer.isSuccess else { throw NotionFailure.error(answer, context, isRepeatable: isRepeatable) }
            guard let json = try? JSON(parsing: answer.body), json.objectValue != nil else {
                throw isRepeatable ? NotionFailure.unreadable : NotionFailure.unknown
            }
            return json
        }
    }

    // MARK: Finding

    enum Kind: String {
        case page
        case dataSource = "data_source"
    }

    /// What Notion finds by the words in titles, last edited first.
    func search(_ words: String, _ kind: Kind?, limit: Int = 10) async throws -> (found: [JSON], hasMore: Bool) {
        var body: JSONObject = [
            "sort": ["timestamp": "last_edited_time", "direction": "descending"],
            "page_size": .integer(Int64(min(limit, Self.pageSize))),
        ]
        if !words.isEmpty { body["query"] = .string(words) }
        if let kind { body["filter"] = ["property": "object", "value": .string(kind.rawValue)] }
        let list = try await list(from: body, limit: limit) { body in
            try await send(.post, "search", .object(body), isRepeatable: true)
        }
        return (list.found.filter { !NotionPage.isInTrash($0) }, list.hasMore)
    }

    /// Pages of the trash, by words of their titles.
    func searchTrash(_ words: String) async throws -> [JSON] {
        let body: JSONObject = [
            "query": .string(words), "filter": ["property": "object", "value": "page", "in_trash": true],
            "page_size": 25,
        ]
        return try await list(from: body, limit: 25) { body in
            try await send(.post, "search", .object(body), isRepeatable: true)
        }.found
    }

    func page(_ id: NotionID) async throws -> NotionPage {
        guard let page = NotionPage(try await get("pages/\(id)")) else { throw NotionFailure.unreadable }
        return page
    }

    func dataSource(_ id: NotionID) async throws -> DataSource {
        guard let source = DataSource(try await get("data_sources/\(id)")) else { throw NotionFailure.unreadable }
        return source
    }

    /// The data sources of a database, by its own id; the address of a database names that.
    func dataSources(ofDatabase id: NotionID) async throws -> [(id: NotionID, name: String)] {
        let database = try await get("databases/\(id)")
        return (database["data_sources"]?.arrayValue ?? []).compactMap { source in
            NotionID(source["id"]?.stringValue ?? "").map { ($0, source["name"]?.stringValue ?? "") }
        }
    }

    func query(
        _ source: NotionID, filter: JSON?, sorts: [JSON], limit: Int
    ) async throws -> (found: [JSON], hasMore: Bool) {
        var body: JSONObject = ["page_size": .integer(Int64(min(limit, Self.pageSize)))]
        if let filter { body["filter"] = filter }
        if !sorts.isEmpty { body["sorts"] = .array(sorts) }
        return try await list(from: body, limit: limit) { body in
            try await send(.post, "data_sources/\(source)/query", .object(body), isRepeatable: true)
        }
    }

    /// Page after page until `limit` are there.
    private func list(
        from body: JSONObject, limit: Int, _ ask: (JSONObject) async throws -> JSON
    ) async throws -> (found: [JSON], hasMore: Bool) {
        var body = body
        var found: [JSON] = []
        while true {
            let answer = try await ask(body)
            guard let results = answer["results"]?.arrayValue else { throw NotionFailure.unreadable }
            found += results
            let next = answer["has_more"] == true ? answer["next_cursor"]?.stringValue : nil
            guard let next, found.count < limit, next != body["start_cursor"]?.stringValue else {
                return (Array(found.prefix(limit)), next != nil || found.count > limit)
            }
            body["start_cursor"] = .string(next)
        }
    }

    // MARK: Writing

    /// Creates a page with as many blocks as one request takes, and appends the others.
    ///
    /// Gives the page, and how many blocks are missing because Notion failed in between.
    func create(
        in parent: JSON, properties: JSON, blocks: [JSON]
    ) async throws -> (page: NotionPage, missing: Int) {
        var body: JSONObject = ["parent": parent, "properties": properties]
        let first = Array(blocks.prefix(Self.pageSize))
        if !first.isEmpty { body["children"] = .array(first) }
        guard let page = NotionPage(try await send(.post, "pages", .object(body), isRepeatable: false)) else {
            throw NotionFailure.unknown
        }
        let rest = Array(blocks.dropFirst(Self.pageSize))
        return (page, rest.count - (try await append(rest, to: page.id, isFirst: false)).written)
    }

    /// Appends blocks, at most a hundred a request, and gives the ids of those that Notion names and how many were written.
    ///
    /// - Parameters:
    ///   - isFirst: nothing was written yet, so a failure of the first request is thrown.
    ///   - place: the block that they follow; nil: the end.
    func append(
        _ blocks: [JSON], to parent: NotionID, isFirst: Bool = true, after place: NotionID? = nil
    ) async throws -> (ids: [NotionID], written: Int) {
        var ids: [NotionID] = []
        var written = 0
        var place = place
        while written < blocks.count {
            let batch = Array(blocks[written...].prefix(Self.pageSize))
            var body: JSONObject = ["children": .array(batch)]
            if let place {
                switch version {
                case .september2025: body["after"] = place.json
                case .march2026: body["position"] = ["type": "after_block", "after_block": ["id": place.json]]
                }
            }
            do {
                let answer = try await send(.patch, "blocks/\(parent)/children", .object(body), isRepeatable: false)
                let new = (answer["results"]?.arrayValue ?? []).prefix(batch.count).compactMap {
                    NotionID($0["id"]?.stringValue ?? "")
                }
                ids += new
                if place != nil { place = new.last ?? place }
            } catch  where written > 0 || !isFirst {
                // What is written is written: the person hears how much is missing.
                context.log.warning(
                    "Appending ended early", ["blocks.missing": .integer(Int64(blocks.count - written))])
                return (ids, written)
            }
            written += batch.count
        }
        return (ids, written)
    }

    @discardableResult
    func update(_ id: NotionID, _ body: JSON) async throws -> NotionPage {
        guard let page = NotionPage(try await send(.patch, "pages/\(id)", body, isRepeatable: true)) else {
            throw NotionFailure.unreadable
        }
        return page
    }

    /// Both versions take `in_trash`.
    func trash(_ id: NotionID, _ isInTrash: Bool) async throws -> NotionPage {
        try await update(id, ["in_trash": .bool(isInTrash)])
    }

    /// False when it is gone already.
    @discardableResult
    func deleteBlock(_ id: NotionID) async throws -> Bool {
        do {
            _ = try await send(.delete, "blocks/\(id)", nil, isRepeatable: true)
            return true
        } catch let error as ToolError where error.code == NotionFailure.notShared {
            return false
        }
    }

    func replaceText(ofParagraph id: NotionID, with text: String) async throws {
        _ = try await send(
            .patch, "blocks/\(id)", ["paragraph": ["rich_text": .array(RichText.items(text))]], isRepeatable: true)
    }
}
