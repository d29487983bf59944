import TandemCore
import TandemJSON

/// Makes arguments for any tool from its declaration alone: slots first, the schema for the rest.
struct Arguments: Sendable {
    var text: String
    /// What stands for a thing: `#ID`, an id, or words.
    var reference: String

    /// - Parameter isFull: With every property, or with what is required and what refers to a thing.
    func make(for tool: ToolDefinition, isFull: Bool) -> JSON {
        let required = Set((tool.parameters["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        var arguments: JSONObject = [:]
        for (name, schema) in tool.parameters["properties"]?.objectValue ?? [:] {
            let slot = tool.slots[name]
            guard isFull || required.contains(name) || isReference(name, slot) else { continue }
            arguments[name] = value(name, slot, schema)
        }
        return .object(arguments)
    }

    /// A tool that is told which of a person's things is meant.
    static func takesReference(_ tool: ToolDefinition) -> Bool {
        let any = Arguments(text: "", reference: "")
        return (tool.parameters["properties"]?.objectValue ?? [:]).contains {
            any.isReference($0.key, tool.slots[$0.key])
        }
    }

    private func isReference(_ name: String, _ slot: SlotDefinition?) -> Bool {
        if case .reference? = slot?.kind { return true }
        return name == "id" || name.hasSuffix("_id") || name.hasSuffix("_ids") || name == "source"
    }

    private func value(_ name: String, _ slot: SlotDefinition?, _ schema: JSON) -> JSON {
        guard let kind = slot?.kind else { return value(name, schema) }
        switch kind {
        case .text: return fits(schema, .string(text))
        case .number: return 2
        case .quantity: return ["name": .string(text), "quantity": "2"]
        case .items: return [["name": .string(text), "quantity": "2"]]
        case .money: return ["amount": "3.20", "currency": "EUR"]
        case .date: return "2026-12-01"
        case .dateTime: return "2026-12-01T08:00:00.000Z"
        case .duration: return 15
        case .choice(let choices): return choices.first.map { .string($0.value) } ?? .string(text)
        case .list: return [.string(text)]
        case .reference: return schema["type"]?.stringValue == "array" ? [.string(reference)] : .string(reference)
        case .period: return ["from": "2026-11-01", "to": "2026-12-31"]
        }
    }

    private func value(_ name: String, _ schema: JSON) -> JSON {
        if isReference(name, nil) {
            let isArray = schema["type"]?.stringValue == "array"
            return isArray ? [.string(reference)] : .string(reference)
        }
        if let first = schema["enum"]?[0] { return first }
        if let constant = schema["const"] { return constant }
        for keyword in ["anyOf", "oneOf"] { if let first = schema[keyword]?[0] { return value(name, first) } }
        switch schema["type"]?.stringValue {
        case "integer", "number": return schema["minimum"] ?? 1
        case "boolean": return true
        case "array": return [value(name, schema["items"] ?? true)]
        case "object":
            var object: JSONObject = [:]
            for (name, schema) in schema["properties"]?.objectValue ?? [:] { object[name] = value(name, schema) }
            return .object(object)
        default:
            switch schema["format"]?.stringValue {
            case "date": return "2026-12-01"
            case "date-time": return "2026-12-01T08:00:00.000Z"
            default: return fits(schema, .string(text))
            }
        }
    }

    /// Words where the schema takes words.
    private func fits(_ schema: JSON, _ words: JSON) -> JSON {
        if let first = schema["enum"]?[0] { return first }
        guard let schema = try? JSONSchema(compiling: schema), !schema.isValid(words) else { return words }
        for candidate: JSON in ["2026-12-01", "08:00", "3.20", "EUR", "Europe/Paris", [words], 1]
        where schema.isValid(candidate) { return candidate }
        return words
    }
}
