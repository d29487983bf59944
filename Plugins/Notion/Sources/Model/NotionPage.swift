import PluginCommon
import TandemSDK

/// A page: its title, address and properties.
struct NotionPage: Sendable, Hashable {
    var id: NotionID
    var title: String
    var url: String
    var edited: Instant?
    var isInTrash: Bool
    /// The data source that it is an entry of.
    var dataSource: NotionID?
    /// By name, in Notion's form.
    var properties: JSONObject

    static let entity = "notion.page"

    init?(_ json: JSON) {
        guard json["object"] == "page", let id = NotionID(json["id"]?.stringValue ?? "") else { return nil }
        self.id = id
        let properties = json["properties"]?.objectValue ?? [:]
        let title = properties.first { $0.value["type"] == "title" }.map { RichText.plain($0.value["title"]) } ?? ""
        self.title = title.singleLine(limit: 200).nonEmpty ?? "Untitled"
        url = json["url"]?.stringValue ?? "https://www.notion.so/" + id.description.filter { $0 != "-" }
        edited = json["last_edited_time"]?.stringValue.flatMap { Instant($0) }
        isInTrash = NotionPage.isInTrash(json)
        dataSource = NotionID(json["parent"]?["data_source_id"]?.stringValue ?? "")
        self.properties = properties
    }

    /// `archived` in answers of 2025-09-03, `in_trash` in both.
    static func isInTrash(_ json: JSON) -> Bool { json["in_trash"] == true || json["archived"] == true }

    /// The name of the property that holds the title: `title` for a page that is no entry.
    var titleProperty: String { properties.first { $0.value["type"] == "title" }?.key ?? "title" }

    var shown: Shown.Item { Shown.Item(type: Self.entity, id: id.description, label: title.cut(to: 100)) }
}

/// A data source: what a database's entries look like.
struct DataSource: Sendable, Hashable {
    struct Property: Sendable, Hashable {
        var name: String
        /// `rich_text`, `number` …
        var type: String
        /// Of a `select`, `multi_select` or `status`.
        var options: [String]
    }

    var id: NotionID
    var title: String
    var url: String
    var properties: [Property]

    static let entity = "notion.database"

    init?(_ json: JSON) {
        guard json["object"] == "data_source", let id = NotionID(json["id"]?.stringValue ?? "") else { return nil }
        self.id = id
        title = RichText.plain(json["title"]).singleLine(limit: 200).nonEmpty ?? "Untitled"
        url = json["url"]?.stringValue ?? ""
        properties = (json["properties"]?.objectValue ?? [:]).compactMap { key, value in
            guard let type = value["type"]?.stringValue else { return nil }
            let options = (value[type]?["options"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
            return Property(name: value["name"]?.stringValue ?? key, type: type, options: options)
        }
    }

    var titleProperty: String { properties.first { $0.type == "title" }?.name ?? "Name" }

    /// By its name, without regard to case and spaces.
    func property(named name: String) -> Property? {
        properties.first { $0.name == name }
            ?? properties.first { DataSource.folded($0.name) == DataSource.folded(name) }
    }

    static func folded(_ name: some StringProtocol) -> String {
        name.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    var shown: Shown.Item { Shown.Item(type: Self.entity, id: id.description, label: title.cut(to: 100)) }
}
