public import TandemJSON

/// A thing at a service that a person means: by the service's own id, resolved from the conversation (`"#18c1a2b3"`), or
/// still in words (`"the plumber"`).
///
/// For what lives elsewhere, such as mail or events; `Reference` is for rows of the plugin's own. Show such things with
/// `Shown.Item(type: Mail.entity, id: id, label: …)`, ids of at most 256 bytes.
public enum ServiceReference<Target: Entity>: Sendable, Hashable, JSONRepresentable {
    case id(String)
    case words(String)

    /// The longest id and the most words.
    public static var limit: Int { 300 }

    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "minLength": 1, "maxLength": .integer(Int64(limit))],
            slot: .reference(entity: Target.entity), column: .text)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, !text.isEmpty else { throw ShapeError("words or #id") }
        if text.utf8.first == UInt8(ascii: "#"), text.utf8.count > 1, !text.utf8.contains(UInt8(ascii: " ")) {
            self = .id(String(text.dropFirst()))
        } else {
            self = .words(text)
        }
    }

    public var json: JSON {
        switch self {
        case .id(let id): .string("#" + id)
        case .words(let words): .string(words)
        }
    }
}

/// One or several things at a service: `"#18c1"`, `["#18c1", "#18c2"]`, `"the plumber"`.
public struct ServiceReferences<Target: Entity>: Sendable, Hashable, JSONRepresentable {
    public var all: [ServiceReference<Target>]

    public init(_ all: [ServiceReference<Target>]) { self.all = all }

    /// The most that one call may name.
    public static var limit: Int { 50 }

    public static var shape: Shape {
        let one = ServiceReference<Target>.shape
        return Shape(
            schema: [
                "anyOf": [
                    one.schema,
                    ["type": "array", "items": one.schema, "minItems": 1, "maxItems": .integer(Int64(limit))],
                ]
            ], slot: one.slot, column: .json)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        switch json {
        case .array: all = try [ServiceReference<Target>](json: json, reader: reader)
        default: all = [try ServiceReference<Target>(json: json, reader: reader)]
        }
    }

    public var json: JSON {
        if all.count == 1, let only = all.first { return only.json }
        return all.json
    }
}
