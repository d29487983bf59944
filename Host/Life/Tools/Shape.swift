import TandemJSON

/// Short ways to write the JSON Schemas of the built-in tools.
enum Shape {
    /// An object without further members.
    static func object(_ properties: JSONObject, required: [String] = []) -> JSON {
        var schema: JSONObject = ["type": "object", "properties": .object(properties), "additionalProperties": false]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        return .object(schema)
    }

    /// A text of at least one character.
    static func text(_ description: String, upTo limit: Int) -> JSON {
        [
            "type": "string", "minLength": 1, "maxLength": .integer(Int64(limit)),
            "description": .string(description),
        ]
    }

    static func choice(_ description: String, _ values: [String]) -> JSON {
        ["type": "string", "enum": .array(values.map { .string($0) }), "description": .string(description)]
    }

    static func flag(_ description: String) -> JSON { ["type": "boolean", "description": .string(description)] }

    static func texts(_ description: String, upTo limit: Int, count: Int) -> JSON {
        [
            "type": "array", "minItems": 1, "maxItems": .integer(Int64(count)),
            "items": ["type": "string", "minLength": 1, "maxLength": .integer(Int64(limit))],
            "description": .string(description),
        ]
    }

    /// A day or an instant, as the `dateTime` slot writes it.
    static func when(_ description: String) -> JSON {
        [
            "type": "string", "maxLength": 40,
            "description": .string(description + " A date (2027-03-31) or an instant (2027-03-31T09:00:00.000Z)."),
        ]
    }

    static func reference(_ noun: String) -> JSON {
        text("Which \(noun): words of its title, or #ID.", upTo: 400)
    }

    /// Members of a result: nothing is said about others, so that results can grow.
    static func result(_ properties: JSONObject, required: [String] = []) -> JSON {
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        return .object(schema)
    }

    static let string: JSON = ["type": "string"]
    static let nullableString: JSON = ["type": ["string", "null"]]
    static let boolean: JSON = ["type": "boolean"]
    static let integer: JSON = ["type": "integer"]
    static func array(_ items: JSON) -> JSON { ["type": "array", "items": items] }
}
