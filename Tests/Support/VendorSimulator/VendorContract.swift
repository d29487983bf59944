import Foundation
import Synchronization
import TandemCore
public import TandemJSON

/// What a service's own description says about requests, checked strictly: methods, paths, query parameters and bodies that
/// it does not know are faults. Reads Google's discovery documents and OpenAPI 3.0.
public final class VendorContract: Sendable {
    struct Parameter: Sendable {
        var schema: JSON
        var isRequired: Bool
        var isRepeated: Bool
    }

    struct Operation: Sendable {
        var method: String
        var segments: [String]
        var parameters: [String: Parameter]
        /// Nil: takes no body.
        var body: JSON?
        var needsBody: Bool
    }

    private let operations: [Operation]
    private let definitions: JSONObject
    private let compiled = Mutex<[String: JSONSchema]>([:])

    /// Nil when there is no such file; `../shared/contracts` lies beside the repository where they are at hand.
    public convenience init?(file: String) {
        guard let data = FileManager.default.contents(atPath: file),
            let document = try? JSON(parsing: data, limits: JSONLimits(maxBytes: 16 << 20))
        else { return nil }
        self.init(document: document)
    }

    public init(document: JSON) {
        if document["discoveryVersion"] != nil {
            (operations, definitions) = Self.discovery(document)
        } else {
            (operations, definitions) = Self.openAPI(document)
        }
    }

    /// What is wrong with a request; empty when the contract allows it, nil when there is no such path at all.
    public func faults(_ request: VendorRequest) -> [String]? {
        let segments = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        let fitting = operations.filter { Self.fits($0.segments, segments) }
        guard !fitting.isEmpty else { return nil }
        // A literal segment goes before a placeholder.
        let best = fitting.min { Self.placeholders($0) < Self.placeholders($1) }
        guard let best,
            let operation = fitting.first(where: {
                $0.method == request.method && $0.segments == best.segments
            })
        else { return ["\(request.method) is not possible there"] }
        var faults: [String] = []
        for (name, value) in request.query {
            guard let known = operation.parameters[name] else {
                faults.append("query: \(name) is unknown")
                continue
            }
            if let problem = problem(coerced(value, known.schema), known.schema, "query \(name)") {
                faults.append(problem)
            }
        }
        for (name, parameter) in operation.parameters {
            let count = request.query.count { $0.name == name }
            if parameter.isRequired, count == 0 { faults.append("query: \(name) is missing") }
            if !parameter.isRepeated, count > 1 { faults.append("query: \(name) stands twice") }
        }
        if let schema = operation.body {
            if request.body.isEmpty {
                if operation.needsBody { faults.append("body: is missing") }
            } else if let json = try? JSON(parsing: request.body, limits: JSONLimits(maxBytes: 64 << 20)) {
                if let problem = problem(json, schema, "body") { faults.append(problem) }
                if request.headers["content-type"]?.hasPrefix("application/json") != true {
                    faults.append("body: is not called JSON")
                }
            } else {
                faults.append("body: is no JSON")
            }
        } else if !request.body.isEmpty, request.body != Array("{}".utf8) {
            faults.append("body: nothing is taken there")
        }
        return faults
    }

    private static func placeholders(_ operation: Operation) -> Int { operation.segments.count { $0.hasPrefix("{") } }

    private static func fits(_ template: [String], _ path: [String]) -> Bool {
        template.count == path.count && zip(template, path).allSatisfy { $0.hasPrefix("{") ? !$1.isEmpty : $0 == $1 }
    }

    private func coerced(_ value: String, _ schema: JSON) -> JSON {
        switch schema["type"]?.stringValue {
        case "integer": Int64(value).map { .integer($0) } ?? .string(value)
        case "number": Double(value).map { .number($0) } ?? .string(value)
        case "boolean": value == "true" ? true : value == "false" ? false : .string(value)
        default: .string(value)
        }
    }

    private func problem(_ value: JSON, _ schema: JSON, _ place: String) -> String? {
        let key = schema.text
        let found = compiled.withLock { $0[key] }
        let program: JSONSchema
        if let found {
            program = found
        } else {
            var whole = schema.objectValue ?? [:]
            whole["$defs"] = .object(definitions)
            guard let made = try? JSONSchema(compiling: .object(whole)) else {
                return "\(place): the contract is broken"
            }
            compiled.withLock { $0[key] = made }
            program = made
        }
        return program.validate(value).first.map { "\(place)\($0.instanceLocation): \($0.message)" }
    }

    // MARK: Google's discovery documents

    private static func discovery(_ document: JSON) -> ([Operation], JSONObject) {
        var definitions: JSONObject = [:]
        for (name, schema) in document["schemas"]?.objectValue ?? [:] { definitions[name] = google(schema) }
        var operations: [Operation] = []
        let service = document["servicePath"]?.stringValue ?? ""
        func walk(_ node: JSON) {
            for (_, method) in node["methods"]?.objectValue ?? [:] {
                var parameters: [String: Parameter] = [:]
                for source in [document, method] {
                    for (name, parameter) in source["parameters"]?.objectValue ?? [:]
                    where parameter["location"] == "query" {
                        parameters[name] = Parameter(
                            schema: googleParameter(parameter), isRequired: parameter["required"] == true,
                            isRepeated: parameter["repeated"] == true)
                    }
                }
                let path = service + (method["flatPath"]?.stringValue ?? method["path"]?.stringValue ?? "")
                let verb = method["httpMethod"]?.stringValue ?? ""
                operations.append(
                    Operation(
                        method: verb,
                        segments: path.split(separator: "/", omittingEmptySubsequences: false).map(String.init),
                        parameters: parameters, body: method["request"].map(google), needsBody: true))
            }
            for (_, resource) in node["resources"]?.objectValue ?? [:] { walk(resource) }
        }
        walk(document)
        return (operations, definitions)
    }

    private static func googleParameter(_ parameter: JSON) -> JSON {
        if ["int64", "uint64"].contains(parameter["format"]?.stringValue) {
            return ["type": "string", "pattern": "^[0-9]+$"]
        }
        var schema: JSONObject = [:]
        if let type = parameter["type"] { schema["type"] = type }
        if let values = parameter["enum"] { schema["enum"] = values }
        if parameter["type"] == "integer" {
            for name in ["minimum", "maximum"] {
                if let bound = (parameter[name]?.stringValue).flatMap({ Int64($0) }) { schema[name] = .integer(bound) }
            }
        }
        return .object(schema)
    }

    private static func google(_ schema: JSON) -> JSON {
        if let reference = schema["$ref"]?.stringValue { return ["$ref": .string("#/$defs/" + reference)] }
        var result: JSONObject = [:]
        if let type = schema["type"], type != "any" { result["type"] = type }
        if let values = schema["enum"] { result["enum"] = values }
        switch schema["format"]?.stringValue {
        case "int64", "uint64": result["pattern"] = "^-?[0-9]+$"
        case "byte": result["pattern"] = "^[A-Za-z0-9_+/=-]*$"
        default: break
        }
        if let items = schema["items"] { result["items"] = google(items) }
        if let properties = schema["properties"]?.objectValue {
            var all: JSONObject = [:]
            for (name, property) in properties { all[name] = google(property) }
            result["properties"] = .object(all)
            result["additionalProperties"] = false
        }
        if let more = schema["additionalProperties"], more.objectValue != nil {
            result["additionalProperties"] = google(more)
        }
        return .object(result)
    }

    // MARK: OpenAPI

    private static func openAPI(_ document: JSON) -> ([Operation], JSONObject) {
        var definitions: JSONObject = [:]
        for (name, schema) in document["components"]?["schemas"]?.objectValue ?? [:] {
            definitions[name] = open(schema)
        }
        let server = document["servers"]?[0]?["url"]?.stringValue ?? ""
        let base = URLComponents(string: server)?.path ?? ""
        var operations: [Operation] = []
        for (path, item) in document["paths"]?.objectValue ?? [:] {
            for (verb, operation) in item.objectValue ?? [:] where verb != "parameters" && verb != "servers" {
                var parameters: [String: Parameter] = [:]
                for source in (item["parameters"]?.arrayValue ?? []) + (operation["parameters"]?.arrayValue ?? []) {
                    let name = source["$ref"]?.stringValue?.split(separator: "/").last.map(String.init)
                    let parameter = name.flatMap { document["components"]?["parameters"]?[$0] } ?? source
                    guard parameter["in"] == "query", let key = parameter["name"]?.stringValue else { continue }
                    let schema = open(parameter["schema"] ?? [:])
                    parameters[key] = Parameter(
                        schema: schema["type"] == "array" ? schema["items"] ?? [:] : schema,
                        isRequired: parameter["required"] == true, isRepeated: schema["type"] == "array")
                }
                let body = operation["requestBody"]?["content"]?["application/json"]?["schema"]
                operations.append(
                    Operation(
                        method: verb.uppercased(),
                        segments: (base + path).split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(
                            String.init), parameters: parameters, body: body.map(open),
                        needsBody: operation["requestBody"]?["required"] == true))
            }
        }
        return (operations, definitions)
    }

    private static let noted: Set<String> = [
        "description", "example", "examples", "format", "nullable", "default", "title", "readOnly", "writeOnly",
        "deprecated",
    ]

    private static func open(_ schema: JSON) -> JSON {
        guard let object = schema.objectValue else {
            return schema.arrayValue.map { .array($0.map(open)) } ?? schema
        }
        if let reference = object["$ref"]?.stringValue {
            return ["$ref": .string(reference.replacingOccurrences(of: "#/components/schemas/", with: "#/$defs/"))]
        }
        var result: JSONObject = [:]
        for (key, value) in object where !noted.contains(key) && !key.hasPrefix("x-") {
            switch key {
            case "properties", "patternProperties":
                var all: JSONObject = [:]
                for (name, property) in value.objectValue ?? [:] { all[name] = open(property) }
                result[key] = .object(all)
            case "enum", "required", "const": result[key] = value
            default: result[key] = open(value)
            }
        }
        if object["nullable"] == true, let type = result["type"]?.stringValue {
            result["type"] = [.string(type), "null"]
            if let values = result["enum"]?.arrayValue { result["enum"] = .array(values + [.null]) }
        }
        if result["properties"] != nil, result["additionalProperties"] == nil { result["additionalProperties"] = false }
        return .object(result)
    }
}
