internal import TandemJSON

/// A condition on rows: `\.status == .open`, `\.day >= monday`, `\.store == nil`, `\.name.contains("milk")`.
public struct Condition<R: Row>: Sendable {
    let json: JSON

    init(_ offset: Int?, _ operation: String, _ value: JSON? = nil) {
        let name = offset.flatMap { StructLayout.of(R.self).field(at: $0)?.name }
        // A path that is no column gets a name that no table has: the host refuses it with the operation's number.
        var parts: [JSON] = [.string(name ?? "?"), .string(operation)]
        if let value { parts.append(value) }
        json = .array(parts)
    }

    /// The column has one of these values, at most 200.
    public static func any<V: JSONRepresentable>(of values: [V], _ column: KeyPath<R, V>) -> Condition {
        Condition(MemoryLayout<R>.offset(of: column), "in", values.json)
    }

    /// The column has one of these values, at most 200.
    public static func any<V: JSONRepresentable>(of values: [V], _ column: KeyPath<R, V?>) -> Condition {
        Condition(MemoryLayout<R>.offset(of: column), "in", values.json)
    }

    /// The text column contains this text, whatever the case of the letters.
    public static func contains(_ column: KeyPath<R, String>, _ text: String) -> Condition {
        Condition(MemoryLayout<R>.offset(of: column), "contains", .string(text))
    }

    /// The text column contains this text, whatever the case of the letters.
    public static func contains(_ column: KeyPath<R, String?>, _ text: String) -> Condition {
        Condition(MemoryLayout<R>.offset(of: column), "contains", .string(text))
    }

    /// The row with this id.
    public static func id(_ id: RowID) -> Condition { Condition(json: ["id", "eq", id.json]) }

    private init(json: JSON) { self.json = json }
}

/// Equal. A nil value on an optional column means "is not set".
public func == <R: Row, V: JSONRepresentable>(column: KeyPath<R, V>, value: V) -> Condition<R> {
    compare(column, "eq", value.json)
}

/// Not equal. A nil value on an optional column means "is set".
public func != <R: Row, V: JSONRepresentable>(column: KeyPath<R, V>, value: V) -> Condition<R> {
    compare(column, "ne", value.json)
}

public func < <R: Row, V: JSONRepresentable>(column: KeyPath<R, V>, value: V) -> Condition<R> {
    compare(column, "lt", value.json)
}

public func <= <R: Row, V: JSONRepresentable>(column: KeyPath<R, V>, value: V) -> Condition<R> {
    compare(column, "le", value.json)
}

public func > <R: Row, V: JSONRepresentable>(column: KeyPath<R, V>, value: V) -> Condition<R> {
    compare(column, "gt", value.json)
}

public func >= <R: Row, V: JSONRepresentable>(column: KeyPath<R, V>, value: V) -> Condition<R> {
    compare(column, "ge", value.json)
}

private func compare<R: Row>(_ column: PartialKeyPath<R>, _ operation: String, _ value: JSON) -> Condition<R> {
    let offset = MemoryLayout<R>.offset(of: column)
    guard value.isNull else { return Condition(offset, operation, value) }
    return Condition(offset, operation == "ne" ? "set" : "null")
}

/// An order of rows: `.ascending(\.day)`, `.descending(\.createdAt)`.
public struct Order<R: Row>: Sendable {
    let json: JSON

    private init(_ column: PartialKeyPath<R>, _ direction: String) {
        let name = MemoryLayout<R>.offset(of: column).flatMap { StructLayout.of(R.self).field(at: $0)?.name }
        json = [.string(name ?? "?"), .string(direction)]
    }

    /// Newest first, also in generic code, where a key path to a protocol's requirement is no stored property.
    static var newestFirst: Order { Order(json: ["id", "desc"]) }

    private init(json: JSON) { self.json = json }

    public static func ascending(_ column: PartialKeyPath<R>) -> Order { Order(column, "asc") }
    public static func descending(_ column: PartialKeyPath<R>) -> Order { Order(column, "desc") }
}

/// A new value for a column: `.set(\.status, .bought)`.
public struct Assignment<R: Row>: Sendable {
    let name: String
    let value: JSON

    public static func set<V: JSONRepresentable>(_ column: KeyPath<R, V>, _ value: V) -> Assignment {
        let name = MemoryLayout<R>.offset(of: column).flatMap { StructLayout.of(R.self).field(at: $0)?.name }
        return Assignment(name: name ?? "?", value: value.json)
    }
}
