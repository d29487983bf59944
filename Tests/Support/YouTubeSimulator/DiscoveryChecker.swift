import Foundation
import Synchronization
import TandemCore
public import TandemJSON

/// Holds requests and answers against a discovery document of Google's, strictly: parameters and members that it does not
/// name are refused.
public final class DiscoveryChecker: Sendable {
    private let methods: [String: JSON]
    private let common: JSONObject
    private let definitions: JSONObject
    private let compiled = Mutex<[String: JSONSchema]>([:])

    public init?(file: String) {
        guard let data = FileManager.default.contents(atPath: file),
            let document = try? JSON(parsing: Array(data), limits: JSONLimits(maxBytes: 16 << 20))
        else { return nil }
        var methods: [String: JSON] = [:]
        Self.collect(document, &methods)
        self.methods = methods
        common = document["parameters"]?.objectValue ?? [:]
        var definitions: JSONObject = [:]
        for (name, schema) in document["schemas"]?.objectValue ?? [:] { definitions[name] = Self.strict(schema) }
        self.definitions = definitions
    }

    private static func collect(_ node: JSON, _ methods: inout [String: JSON]) {
        for (_, method) in node["methods"]?.objectValue ?? [:] {
            if let id = method["id"]?.stringValue { methods[id] = method }
        }
        for (_, resource) in node["resources"]?.objectValue ?? [:] { collect(resource, &methods) }
    }

    private static func strict(_ schema: JSON) -> JSON {
        if let reference = schema["$ref"]?.stringValue { return ["$ref": .string("#/$defs/\(reference)")] }
        guard let type = schema["type"]?.stringValue, type != "any" else { return true }
        var result: JSONObject = ["type": .string(type)]
        if let items = schema["items"] { result["items"] = strict(items) }
        if let members = schema["properties"]?.objectValue {
            var properties: JSONObject = [:]
            for (name, member) in members { properties[name] = strict(member) }
            result["properties"] = .object(properties)
            result["additionalProperties"] = false
        }
        if let others = schema["additionalProperties"], others.objectValue != nil {
            result["additionalProperties"] = strict(others)
        }
        return .object(result)
    }

    /// What is wrong with the query of a call; nil when nothing is.
    public func problem(of method: String, query: [(name: String, value: String)]) -> String? {
        guard let known = methods[method] else { return "there is no method \(method)" }
        let own = known["parameters"]?.objectValue ?? [:]
        var seen: Set<String> = []
        for (name, value) in query {
            guard let parameter = own[name] ?? common[name], parameter["location"] == "query" else {
                return "\(name) is unknown"
            }
            guard seen.insert(name).inserted || parameter["repeated"] == true else { return "\(name) stands twice" }
            if let values = parameter["enum"]?.arrayValue, !values.contains(.string(value)) {
                return "\(name) has no value \(value)"
            }
            if parameter["type"] == "integer" {
                guard let number = Int(value) else { return "\(name) is no number" }
                if let least = parameter["minimum"]?.stringValue.flatMap({ Int($0) }), number < least {
                    return "\(name) is too small"
                }
                if let most = parameter["maximum"]?.stringValue.flatMap({ Int($0) }), number > most {
                    return "\(name) is too large"
                }
            }
        }
        for (name, parameter) in own
        where parameter["location"] == "query" && parameter["required"] == true && !seen.contains(name) {
            return "\(name) is missing"
        }
        return nil
    }

    /// What is wrong with an answer; nil when nothing is.
    public func problem(of method: String, answer: JSON) -> String? {
        guard let name = methods[method]?["response"]?["$ref"]?.stringValue else { return nil }
        let schema = compiled.withLock { compiled -> JSONSchema? in
            if let known = compiled[name] { return known }
            let made = try? JSONSchema(
                compiling: ["$ref": .string("#/$defs/\(name)"), "$defs": .object(definitions)])
            compiled[name] = made
            return made
        }
        guard let schema else { return "\(name) is no schema" }
        return schema.validate(answer).first.map { "\(name) \($0.instanceLocation): \($0.message)" }
    }
}
