public import TandemJSON

/// A struct whose stored properties are its JSON members: for results, nested arguments and settings.
///
///     struct Total: Object { var category: String; var spent: Money; var limit: Money? }
///
/// Every stored property must be `JSONRepresentable`; an optional one may be missing. The member's name is the
/// property's in snake case: `targetDate` is `target_date`.
public protocol Object: JSONRepresentable {
    /// What the members mean, by property name, for the schema.
    static var descriptions: [String: String] { get }
}

extension Object {
    public static var descriptions: [String: String] { [:] }

    public static var shape: Shape { Shape(schema: StructLayout.of(Self.self).schema, column: .json) }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .object(let object) = json else { throw ShapeError("an object") }
        self = try StructLayout.of(Self.self).decode(Self.self, object, reader)
    }

    public var json: JSON { .object(StructLayout.of(Self.self).encode(self, omittingNulls: true)) }
}

/// No value: the result of a tool that only says something.
public struct Nothing: Object {
    public init() {}
}
