import Foundation
public import TandemCore
public import TandemJSON

/// Checks bodies against the schemas of an OpenAPI 3.0 document, strictly: members that it does not name are refused.
public struct OpenAPIChecker: Sendable {
    private let definitions: JSONObject
    /// Members that a path binds, so that a body may leave them out.
    private let bound: [String: Set<String>]

    /// - Parameter bound: by schema, what is required by the document but comes with the path.
    public init(document: JSON, bound: [String: Set<String>] = [:]) {
        var definitions: JSONObject = [:]
        for (name, schema) in document["components"]?["schemas"]?.objectValue ?? [:] {
            definitions[name] = Self.strict(schema, leavingOut: bound[name] ?? [])
        }
        self.definitions = definitions
        self.bound = bound
    }

    public init?(file: String, bound: [String: Set<String>] = [:]) {
        guard let data = FileManager.default.contents(atPath: file),
            let document = try? JSON(parsing: data, limits: JSONLimits(maxBytes: 16 << 20))
        else { return nil }
        self.init(document: document, bound: bound)
    }

    /// A check for one schema of the document, compiled once.
    public func check(_ schema: String) throws(JSONSchemaError) -> @Sendable (JSON) -> [String] {
        let compiled = try JSONSchema(
            compiling: ["$ref": .string("#/$defs/\(schema)"), "$defs": .object(definitions)])
        return { value in compiled.validate(value).map { "\($0.instanceLocation): \($0.message)" } }
    }

    private static let noted: Set<String> = ["description", "example", "format", "readOnly", "writeOnly", "deprecated"]

    private static func strict(_ schema: JSON, leavingOut members: Set<String> = []) -> JSON {
        guard case .object(let object) = schema else { return schema }
        if let reference = object["$ref"]?.stringValue {
            return ["$ref": .string(reference.replacing("#/components/schemas/", with: "#/$defs/"))]
        }
        var result: JSONObject = [:]
        for (key, value) in object where !noted.contains(key) && !key.hasPrefix("x-") {
            switch key {
            case "properties":
                var properties: JSONObject = [:]
                for (name, member) in value.objectValue ?? [:] { properties[name] = strict(member) }
                result[key] = .object(properties)
            case "items", "not": result[key] = strict(value)
            case "additionalProperties": result[key] = value.objectValue == nil ? value : strict(value)
            case "allOf", "anyOf", "oneOf": result[key] = .array((value.arrayValue ?? []).map { strict($0) })
            case "required":
                let names = (value.arrayValue ?? []).filter { !members.contains($0.stringValue ?? "") }
                if !names.isEmpty { result[key] = .array(names) }
            case "nullable": continue
            // Enumerations are open for answers; requests of ours use what is listed.
            default: result[key] = value
            }
        }
        // A 64-bit number is text in JSON, and a number is taken, too.
        if object["format"]?.stringValue == "int64", result["type"] == "string" {
            result["type"] = ["string", "integer"]
        }
        if result["properties"] != nil, result["additionalProperties"] == nil { result["additionalProperties"] = false }
        if object["nullable"] == true, let type = result["type"]?.stringValue {
            result["type"] = [.string(type), "null"]
        }
        return .object(result)
    }
}
