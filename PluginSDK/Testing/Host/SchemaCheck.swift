internal import TandemSDK

/// Checks a value against the keywords of JSON Schema that declarations use; other keywords are not looked at.
enum SchemaCheck {
    /// The first thing that does not fit, with its path; nil when all does.
    static func problem(_ value: JSON, _ schema: JSON, at path: String = "") -> String? {
        if case .bool(let allowed) = schema { return allowed ? nil : "\(path): nothing is allowed here" }
        if let types = schema["type"] {
            let names = types.arrayValue?.compactMap(\.stringValue) ?? [types.stringValue ?? ""]
            guard names.contains(where: { isType(value, $0) }) else {
                return "\(path): is no \(names.joined(separator: " or "))"
            }
        }
        if let allowed = schema["enum"]?.arrayValue, !allowed.contains(value) { return "\(path): is not in the enum" }
        if let constant = schema["const"], constant != value { return "\(path): is not the constant" }
        if let choices = schema["anyOf"]?.arrayValue, !choices.contains(where: { problem(value, $0) == nil }) {
            return "\(path): fits none of anyOf"
        }
        switch value {
        case .integer, .number: return number(value.doubleValue ?? 0, schema, path)
        case .string(let text): return string(text, schema, path)
        case .array(let elements): return array(elements, schema, path)
        case .object(let object): return self.object(object, schema, path)
        case .null, .bool: return nil
        }
    }

    private static func isType(_ value: JSON, _ type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .number: type == "number" || type == "integer" && value.int64Value != nil
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    private static func number(_ value: Double, _ schema: JSON, _ path: String) -> String? {
        if let bound = schema["minimum"]?.doubleValue, value < bound { return "\(path): is less than the minimum" }
        if let bound = schema["maximum"]?.doubleValue, value > bound { return "\(path): is more than the maximum" }
        if let bound = schema["exclusiveMinimum"]?.doubleValue, value <= bound { return "\(path): is too small" }
        if let bound = schema["exclusiveMaximum"]?.doubleValue, value >= bound { return "\(path): is too large" }
        return nil
    }

    private static func string(_ text: String, _ schema: JSON, _ path: String) -> String? {
        let length = text.unicodeScalars.count
        if let bound = schema["minLength"]?.int64Value, length < bound { return "\(path): is too short" }
        if let bound = schema["maxLength"]?.int64Value, length > bound { return "\(path): is too long" }
        if let pattern = schema["pattern"]?.stringValue {
            guard let regex = try? Regex(pattern) else { return "\(path): the schema's pattern does not compile" }
            guard text.contains(regex) else { return "\(path): does not match the pattern" }
        }
        switch schema["format"]?.stringValue {
        case "date": return Day(text) == nil ? "\(path): is no date" : nil
        case "date-time": return Instant(text) == nil ? "\(path): is no date-time" : nil
        default: return nil
        }
    }

    private static func array(_ elements: [JSON], _ schema: JSON, _ path: String) -> String? {
        if let bound = schema["minItems"]?.int64Value, elements.count < bound { return "\(path): has too few items" }
        if let bound = schema["maxItems"]?.int64Value, elements.count > bound { return "\(path): has too many items" }
        if schema["uniqueItems"] == true, Set(elements).count != elements.count { return "\(path): repeats an item" }
        guard let items = schema["items"] else { return nil }
        for (index, element) in elements.enumerated() {
            if let problem = problem(element, items, at: "\(path)/\(index)") { return problem }
        }
        return nil
    }

    private static func object(_ object: JSONObject, _ schema: JSON, _ path: String) -> String? {
        for name in schema["required"]?.arrayValue ?? [] {
            if let name = name.stringValue, !object.contains(name) { return "\(path)/\(name): is missing" }
        }
        for (name, value) in object {
            if let member = schema["properties"]?[name] {
                if let problem = problem(value, member, at: "\(path)/\(name)") { return problem }
            } else if let other = schema["additionalProperties"] {
                if other == false { return "\(path)/\(name): is not declared" }
                if let problem = problem(value, other, at: "\(path)/\(name)") { return problem }
            }
        }
        return nil
    }
}
