import TandemJSON

/// Values of entries: checked by the data source's properties, filtered and sorted.
extension NotionSimulator {
    private static let computed: Set<String> = [
        "formula", "rollup", "created_time", "created_by", "last_edited_time", "last_edited_by", "unique_id", "button",
    ]

    /// Values of a request as an answer shows them.
    ///
    /// - Parameter isWhole: of a new entry, where each property has a value.
    static func values(_ given: JSONObject, by source: Source, isWhole: Bool = true) throws -> JSONObject {
        var values: JSONObject = [:]
        for (name, value) in given {
            guard let shape = source.properties[name], let type = shape["type"]?.stringValue,
                let id = shape["id"]?.stringValue
            else { throw Refusal.validation("\(name) is not a property that exists.") }
            guard !computed.contains(type), let content = value[type],
                value.objectValue?.keys.allSatisfy({ $0 == type || $0 == "type" }) == true
            else { throw Refusal.validation("\(name) is expected to be \(type).") }
            values[name] = ["id": .string(id), "type": .string(type), type: try shown(content, type, shape, name)]
        }
        guard isWhole else { return values }
        for (name, shape) in source.properties where values[name] == nil {
            guard let type = shape["type"]?.stringValue, let id = shape["id"] else { continue }
            values[name] = ["id": id, "type": .string(type), type: empty(type)]
        }
        return values
    }

    private static func empty(_ type: String) -> JSON {
        switch type {
        case "title", "rich_text", "multi_select", "people", "files", "relation": []
        case "checkbox": false
        case "formula": ["type": "number", "number": 1]
        case "unique_id": ["prefix": .null, "number": 1]
        default: .null
        }
    }

    private static func shown(_ content: JSON, _ type: String, _ shape: JSON, _ name: String) throws -> JSON {
        let wrong = Refusal.validation("\(name) is expected to be \(type).")
        func option(_ value: JSON) throws -> JSON {
            guard let wanted = value["name"]?.stringValue else { throw wrong }
            let options = shape[type]?["options"]?.arrayValue ?? []
            let known = options.first { $0["name"]?.stringValue == wanted }
            // A new option of a select comes to be; one of a status does not.
            guard known != nil || type != "status" else {
                throw Refusal.validation("Status option \"\(wanted)\" does not exist.")
            }
            return ["id": known?["id"] ?? "new", "name": .string(wanted), "color": "default"]
        }
        switch type {
        case "title", "rich_text": return try stored(content, name)
        case "number":
            guard content.isNull || content.doubleValue != nil else { throw wrong }
        case "checkbox": guard content.boolValue != nil else { throw wrong }
        case "select", "status": return content.isNull ? .null : try option(content)
        case "multi_select": return .array(try (content.arrayValue ?? []).map(option))
        case "date":
            guard !content.isNull else { return .null }
            guard let start = content["start"]?.stringValue, start.count >= 10, start.first?.isNumber == true else {
                throw wrong
            }
            return [
                "start": .string(start), "end": content["end"] ?? .null, "time_zone": content["time_zone"] ?? .null,
            ]
        case "url", "email", "phone_number": guard content.isNull || content.stringValue != nil else { throw wrong }
        default: break
        }
        return content
    }

    // MARK: Filters

    static func check(_ filter: JSON, _ source: Source) throws {
        if let parts = (filter["and"] ?? filter["or"])?.arrayValue {
            for part in parts { try check(part, source) }
            return
        }
        guard let name = filter["property"]?.stringValue else {
            guard filter["timestamp"] != nil else { throw Refusal.validation("body.filter should be a filter") }
            return
        }
        guard let type = source.properties[name]?["type"]?.stringValue else {
            throw Refusal.validation("Could not find property with name or id: \(name)")
        }
        guard let condition = filter[type]?.objectValue, condition.count == 1,
            filter.objectValue?.keys.allSatisfy({ ["property", "type", type].contains($0) }) == true
        else { throw Refusal.validation("database property \(type) does not match filter") }
    }

    static func holds(_ filter: JSON, _ page: Page) -> Bool {
        if let parts = filter["and"]?.arrayValue { return parts.allSatisfy { holds($0, page) } }
        if let parts = filter["or"]?.arrayValue { return parts.contains { holds($0, page) } }
        guard let name = filter["property"]?.stringValue, let value = page.properties[name],
            let type = value["type"]?.stringValue, let condition = filter[type]?.objectValue,
            let (comparison, operand) = condition.first(where: { _ in true })
        else { return false }
        let text = self.text(name, page)
        let wanted =
            operand.stringValue ?? operand.doubleValue.map { "\($0)" } ?? operand.boolValue.map { "\($0)" } ?? ""
        switch comparison {
        case "is_empty": return text.isEmpty
        case "is_not_empty": return !text.isEmpty
        case "equals": return text.lowercased() == wanted.lowercased()
        case "does_not_equal": return text.lowercased() != wanted.lowercased()
        case "contains": return text.lowercased().contains(wanted.lowercased())
        case "does_not_contain": return !text.lowercased().contains(wanted.lowercased())
        case "before", "less_than": return !text.isEmpty && compare(text, wanted) < 0
        case "after", "greater_than": return !text.isEmpty && compare(text, wanted) > 0
        case "on_or_before", "less_than_or_equal_to": return !text.isEmpty && compare(text, wanted) <= 0
        case "on_or_after", "greater_than_or_equal_to": return !text.isEmpty && compare(text, wanted) >= 0
        default: return false
        }
    }

    private static func compare(_ left: String, _ right: String) -> Int {
        if let a = Double(left), let b = Double(right) { return a < b ? -1 : a > b ? 1 : 0 }
        return left < right ? -1 : left > right ? 1 : 0
    }

    static func text(_ name: String, _ page: Page) -> String {
        guard let value = page.properties[name], let type = value["type"]?.stringValue, let content = value[type] else {
            return ""
        }
        switch type {
        case "title", "rich_text": return plain(content)
        case "number": return content.doubleValue.map { "\($0)" } ?? ""
        case "checkbox": return content == true ? "true" : "false"
        case "select", "status": return content["name"]?.stringValue ?? ""
        case "multi_select":
            return (content.arrayValue ?? []).compactMap { $0["name"]?.stringValue }.joined(separator: ",")
        case "date": return content["start"]?.stringValue ?? ""
        default: return content.stringValue ?? ""
        }
    }
}
