public import TandemSDK

/// One or several things that a person means: `"#7123"`, `"milk"`, `["#7123","eggs"]`, `"eggs and bread"`.
public struct References<Target: Entity>: Sendable, Hashable, JSONRepresentable {
    public var all: [Reference<Target>]

    public init(_ all: [Reference<Target>]) { self.all = all }

    /// The most that one call may name.
    public static var limit: Int { 100 }

    public static var shape: Shape {
        let one = Reference<Target>.shape
        return Shape(
            schema: [
                "anyOf": [
                    one.schema,
                    ["type": "array", "items": one.schema, "minItems": 1, "maxItems": .integer(Int64(limit))],
                ]
            ], slot: one.slot, column: nil)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        switch json {
        case .array: all = try [Reference<Target>](json: json, reader: reader)
        default: all = [try Reference<Target>(json: json, reader: reader)]
        }
    }

    public var json: JSON {
        if all.count == 1, let only = all.first { return only.json }
        return all.json
    }
}
