import PluginCommon
import TandemSDK

/// Values of properties: as text, and from text. All types of 2025-09-03 and 2026-03-11 are read.
enum PropertyValue {
    // MARK: Reading

    /// As people write it; nil when it is empty.
    static func text(_ value: JSON) -> String? {
        guard let type = value["type"]?.stringValue else { return nil }
        return text(value[type], type)?.singleLine(limit: 500).nonEmpty
    }

    private static func text(_ value: JSON?, _ type: String) -> String? {
        guard let value, !value.isNull else { return nil }
        switch type {
        case "title", "rich_text": return RichText.plain(value)
        case "number": return number(value)
        case "select", "status": return value["name"]?.stringValue
        case "multi_select": return list(value) { $0["name"]?.stringValue }
        case "date": return date(value)
        case "checkbox": return value == true ? "yes" : "no"
        case "url", "email", "phone_number", "created_time", "last_edited_time", "string": return value.stringValue
        case "boolean": return value == true ? "yes" : "no"
        case "people": return list(value, person)
        case "created_by", "last_edited_by": return person(value)
        case "files": return list(value) { $0["name"]?.stringValue }
        case "relation": return value.arrayValue.flatMap { $0.isEmpty ? nil : "\($0.count) linked" }
        case "formula":
            guard let kind = value["type"]?.stringValue else { return nil }
            return text(value[kind], kind)
        case "rollup":
            guard let kind = value["type"]?.stringValue else { return nil }
            if kind == "array" { return list(value[kind] ?? .null) { text($0) } }
            return text(value[kind], kind)
        case "unique_id":
            guard let number = value["number"]?.int64Value else { return nil }
            return value["prefix"]?.stringValue.map { "\($0)-\(number)" } ?? "\(number)"
        case "verification": return value["state"]?.stringValue
        case "place": return value["name"]?.stringValue ?? value["address"]?.stringValue
        default: return nil
        }
    }

    private static func list(_ value: JSON, _ text: (JSON) -> String?) -> String? {
        (value.arrayValue ?? []).compactMap(text).joined(separator: ", ").nonEmpty
    }

    private static func person(_ value: JSON) -> String? { value["name"]?.stringValue ?? value["id"]?.stringValue }

    private static func number(_ value: JSON) -> String? {
        if let whole = value.int64Value { return "\(whole)" }
        return value.doubleValue.map { "\($0)" }
    }

    private static func date(_ value: JSON) -> String? {
        guard let start = value["start"]?.stringValue else { return nil }
        return value["end"]?.stringValue.map { "\(start) to \($0)" } ?? start
    }

    // MARK: Writing

    /// A value as it was read, in the form in which it is written; nil for what cannot be written.
    static func written(_ value: JSON) -> JSON? {
        guard let type = value["type"]?.stringValue, let content = value[type] else { return nil }
        switch type {
        case "title", "rich_text": return [type: .array((content.arrayValue ?? []).map(writtenText))]
        case "number", "checkbox", "url", "email", "phone_number", "date": return [type: content]
        case "select", "status":
            // There is no status of nothing.
            guard let name = content["name"] else { return type == "select" ? ["select": .null] : nil }
            return [type: ["name": name]]
        case "multi_select":
            return [type: .array((content.arrayValue ?? []).compactMap { $0["name"].map { ["name": $0] } })]
        default: return nil
        }
    }

    /// A piece of rich text without the members that only answers have.
    private static func writtenText(_ item: JSON) -> JSON {
        let type = item["type"]?.stringValue ?? "text"
        var text: JSONObject = ["type": "text", "text": ["content": item["plain_text"] ?? ""]]
        if type == "text" || type == "equation", let content = item[type] {
            text["type"] = .string(type)
            text[type] = content
            if type == "equation" { text["text"] = nil }
        }
        text["annotations"] = item["annotations"]
        return .object(text)
    }

    /// Types whose values Notion makes itself.
    private static let computed: Set<String> = [
        "formula", "rollup", "created_time", "created_by", "last_edited_time", "last_edited_by", "unique_id", "button",
        "verification",
    ]
    /// Types whose values are ids of things that a text does not name.
    private static let unnamed: Set<String> = ["people", "files", "relation", "place"]

    /// A value for Notion from what somebody said. Throws a `ToolError` that says what would fit.
    static func value(_ text: String, for property: DataSource.Property, _ clock: PersonClock) throws -> JSON {
        let text = text.trimmed
        let type = property.type
        guard !computed.contains(type) else {
            throw ToolError.invalid("Notion works out \(property.name) by itself.", code: "computed_property")
        }
        guard !unnamed.contains(type) else {
            throw ToolError.invalid(
                "I cannot set \(property.name) from here. Please do it in Notion.", code: "unsupported")
        }
        let isEmpty = text.isEmpty || ["nothing", "none", "empty", "-"].contains(text.lowercased())
        switch type {
        case "title", "rich_text": return [type: .array(Array(RichText.items(text).prefix(RichText.itemsLimit)))]
        case "number":
            guard !isEmpty else { return ["number": .null] }
            guard let number = number(text) else { throw wrong(property, "a number") }
            return ["number": number]
        case "checkbox":
            guard let isTicked = truth(text) else { throw wrong(property, "yes or no") }
            return ["checkbox": .bool(isTicked)]
        case "date":
            guard !isEmpty else { return ["date": .null] }
            guard let start = day(text, clock) else { throw wrong(property, "a date like 2026-11-30") }
            return ["date": ["start": .string(start)]]
        case "select":
            guard !isEmpty else { return ["select": .null] }
            return ["select": ["name": .string(try option(text, property))]]
        case "status": return ["status": ["name": .string(try option(text, property))]]
        case "multi_select":
            guard !isEmpty else { return ["multi_select": []] }
            let names = try text.split(separator: ",").map { try option(String($0).trimmed, property) }
            return ["multi_select": .array(names.map { ["name": .string($0)] })]
        case "url":
            guard !isEmpty else { return ["url": .null] }
            guard text.utf16.count <= RichText.itemLimit, text.contains("."), !text.contains(" ") else {
                throw wrong(property, "a web address")
            }
            return ["url": .string(text)]
        case "email":
            guard !isEmpty else { return ["email": .null] }
            guard text.utf16.count <= 200, text.contains("@"), !text.contains(" ") else {
                throw wrong(property, "a mail address")
            }
            return ["email": .string(text)]
        case "phone_number":
            guard text.utf16.count <= 200 else { throw wrong(property, "a phone number") }
            return ["phone_number": isEmpty ? .null : .string(text)]
        default: throw ToolError.invalid("I cannot set \(property.name) from here. Please do it in Notion.")
        }
    }

    private static func wrong(_ property: DataSource.Property, _ expected: String) -> ToolError {
        ToolError.invalid("\(property.name.cut(to: 60)) takes \(expected).", code: "wrong_value")
    }

    /// The option as Notion writes it: no new one comes to be by a slip.
    static func option(_ text: String, _ property: DataSource.Property) throws -> String {
        // Where the options are not known, Notion decides.
        guard !property.options.isEmpty else { return text }
        let folded = DataSource.folded(text)
        if let option = property.options.first(where: { DataSource.folded($0) == folded }) { return option }
        throw ToolError.invalid(
            "\(property.name.cut(to: 40)) can be \(MessageText.enumeration(property.options.map { $0.cut(to: 30) })).",
            code: "wrong_value")
    }

    static func number(_ text: String) -> JSON? {
        let plain = text.replacing(",", with: ".")
        if let whole = Int64(plain) { return .integer(whole) }
        return Double(plain).flatMap { $0.isFinite ? .number($0) : nil }
    }

    static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "yes", "true", "done", "checked", "ticked", "on", "1", "y": true
        case "no", "false", "not done", "open", "unchecked", "unticked", "off", "0", "n": false
        default: nil
        }
    }

    /// A day or a time in ISO 8601, from that, or from `today`, `tomorrow`, `yesterday`, `in 3 days`.
    static func day(_ text: String, _ clock: PersonClock) -> String? {
        if Day(text) != nil { return text }
        if let instant = Instant(text) { return instant.description }
        let words = text.lowercased().split(separator: " ")
        switch words.first {
        case "today" where words.count == 1: return clock.today.description
        case "tomorrow" where words.count == 1: return clock.today.adding(days: 1).description
        case "yesterday" where words.count == 1: return clock.today.adding(days: -1).description
        case "in" where words.count == 3 && words[2].hasPrefix("day"):
            guard let count = Int(words[1]), (0...3650).contains(count) else { return nil }
            return clock.today.adding(days: count).description
        default: return nil
        }
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        let front = drop(while: \.isWhitespace)
        guard let last = front.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(front[...last])
    }
}
