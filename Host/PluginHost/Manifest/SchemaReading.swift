import TandemCore
import TandemJSON

/// Compiles the schemas of a manifest and checks what the host requires of them beyond JSON Schema.
enum SchemaReading {
    /// Nil, with a problem at the offending keyword, when the schema does not compile.
    static func compile(_ schema: JSON, at pointer: String, problems: ProblemList) -> JSONSchema? {
        do {
            return try JSONSchema(compiling: schema)
        } catch {
            let place = error.location.utf8.first == UInt8(ascii: "/") ? pointer + error.location : pointer
            problems.add(place, "is not a valid JSON Schema: \(error.message)")
            return nil
        }
    }

    /// `type` object, `additionalProperties` false, every required name among the properties.
    static func checkObject(_ schema: JSON, at pointer: String, problems: ProblemList) {
        guard case .object(let object) = schema else {
            problems.add(pointer, "must be an object schema")
            return
        }
        if object["type"]?.stringValue != "object" {
            problems.add(object.contains("type") ? pointer + "/type" : pointer, "must have the type object")
        }
        if object["additionalProperties"]?.boolValue != false {
            let place = object.contains("additionalProperties") ? pointer + "/additionalProperties" : pointer
            problems.add(place, "must have additionalProperties: false")
        }
        let properties = object["properties"]?.objectValue ?? [:]
        for (index, name) in (object["required"]?.arrayValue ?? []).enumerated() {
            if let name = name.stringValue, !properties.contains(name) {
                problems.add("\(pointer)/required/\(index)", "names no property")
            }
        }
    }
}

/// The settings that a schema's defaults make.
enum SettingsSchema {
    static func defaults(of schema: JSON) -> JSONObject {
        var values: JSONObject = [:]
        for (name, property) in schema["properties"]?.objectValue ?? [:] {
            if let value = property["default"] { values[name] = value }
        }
        return values
    }
}
