import TandemJSON

/// The forms that schemas are made of.
enum Shape {
    /// A 64-bit id as a decimal string.
    static let id: JSON = [
        "type": "string", "pattern": "^([1-9][0-9]{0,17}|[1-8][0-9]{18})$", "examples": ["819202941091840"],
    ]
    static let timestamp: JSON = ["type": "string", "format": "date-time"]
    static let date: JSON = ["type": "string", "format": "date"]
    static let flag: JSON = ["type": "boolean"]
    static let count: JSON = ["type": "integer", "minimum": 0]
    static let email: JSON = [
        "type": "string", "maxLength": 254,
        "pattern":
            "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,32}(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,15}){0,2}@([A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?\\.){1,5}[A-Za-z]{2,24}$",
    ]
    static let number: JSON = ["type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$", "examples": ["+15555550123"]]
    /// Six digits.
    static let code: JSON = ["type": "string", "pattern": "^[0-9]{6}$", "examples": ["123456"]]
    /// What links and tokens of ours are made of.
    static let token: JSON = ["type": "string", "pattern": "^[A-Za-z0-9_.-]{1,512}$"]
    static let password: JSON = ["type": "string", "minLength": 1, "maxLength": 256]

    /// Text without a zero, which no database holds.
    static func text(_ maxLength: Int, minLength: Int = 0, description: String? = nil) -> JSON {
        var schema: JSON = ["type": "string", "maxLength": .integer(Int64(maxLength)), "pattern": "^[^\\u0000]*$"]
        if minLength > 0 { schema["minLength"] = .integer(Int64(minLength)) }
        if let description { schema["description"] = .string(description) }
        return schema
    }

    /// One line that says something: it does not begin or end with a space.
    static func line(_ maxLength: Int, description: String? = nil) -> JSON {
        var schema: JSON = [
            "type": "string", "minLength": 1, "maxLength": .integer(Int64(maxLength)),
            "pattern":
                "^[^\\s\\u0000-\\u001f\\u007f-\\u009f]([^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f])?$",
        ]
        if let description { schema["description"] = .string(description) }
        return schema
    }

    /// One line that begins with a letter or a digit, of the scripts that most people write.
    static func name(_ maxLength: Int) -> JSON {
        let scripts =
            "0-9A-Za-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02af\\u0391-\\u03a1\\u03a3-\\u03ce\\u0400-\\u0481"
            + "\\u048a-\\u052f\\u0531-\\u0556\\u05d0-\\u05ea\\u0620-\\u064a\\u0905-\\u0939\\u0e01-\\u0e30\\u3041-\\u3096"
            + "\\u30a1-\\u30fa\\u4e00-\\u9fef\\uac00-\\ud7a3"
        return [
            "type": "string", "minLength": 1, "maxLength": .integer(Int64(maxLength)),
            "pattern": .string(
                "^[\(scripts)]([^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f])?$"),
            "description": "Begins with a letter or a digit.",
        ]
    }

    static func words(_ words: [String]) -> JSON { ["type": "string", "enum": .array(words.map { .string($0) })] }

    static func list(_ item: JSON, max: Int? = nil) -> JSON {
        var schema: JSON = ["type": "array", "items": item]
        if let max { schema["maxItems"] = .integer(Int64(max)) }
        return schema
    }

    static func nullable(_ schema: JSON) -> JSON { ["anyOf": [schema, ["type": "null"]]] }

    static func described(_ schema: JSON, _ text: String) -> JSON {
        var schema = schema
        schema["description"] = .string(text)
        return schema
    }

    /// An object with these members and no others.
    static func object(_ members: JSONObject, required: [String] = [], minMembers: Int = 0) -> JSON {
        var schema: JSON = ["type": "object", "properties": .object(members), "additionalProperties": false]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        if minMembers > 0 { schema["minProperties"] = .integer(Int64(minMembers)) }
        return schema
    }

    /// An object of an answer: all of these are there; later versions may add more.
    static func answer(_ members: JSONObject, optional: Set<String> = []) -> JSON {
        var schema: JSON = ["type": "object", "properties": .object(members)]
        let required = members.map(\.key).filter { !optional.contains($0) }
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        return schema
    }

    /// A schema among the document's components.
    static func named(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/" + name)] }

    /// A page of a list.
    static func page(_ item: JSON) -> JSON {
        answer([
            "items": list(item), "next_cursor": described(nullable(id), "For the next page; null on the last one."),
        ])
    }
}
