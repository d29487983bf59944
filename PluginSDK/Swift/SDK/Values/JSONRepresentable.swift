@_exported public import TandemJSON

/// A Swift value with one JSON form: what arguments, results, settings and columns are made of.
///
/// Conforming are `String`, `Bool`, `Int`, `Int64`, `Double`, `Decimal`, `Money`, `Day`, `Instant`, `When`, `Period`,
/// `Minutes`, `Quantity`, `RowID`, `Reference`, `JSON`, every `Choice` and `Object`, and optionals, arrays and
/// string-keyed dictionaries of them.
public protocol JSONRepresentable: Sendable {
    /// The JSON Schema, the planner's slot kind and the column type of the form.
    static var shape: Shape { get }

    /// What a missing member means; nil when it is an error, which is the default.
    static var whenAbsent: Self? { get }

    /// Reads the form; `reader` knows what the form may leave out, e.g. the person's currency.
    init(json: JSON, reader: Reader) throws(ShapeError)

    /// The form.
    var json: JSON { get }
}

extension JSONRepresentable {
    public static var whenAbsent: Self? { nil }

    /// Reads the form where nothing may be left out.
    public init(json: JSON) throws(ShapeError) { try self.init(json: json, reader: Reader()) }
}

/// What a JSON form looks like, for the three who ask: the schema, the planner and the tables.
public struct Shape: Sendable, Hashable {
    /// JSON Schema, draft 2020-12.
    public var schema: JSON
    /// How the planner fills it from words; nil when words cannot.
    public var slot: SlotKind?
    /// The column that holds it; nil when none can.
    public var column: ColumnType?
    /// The member may be missing.
    public var isOptional: Bool

    public init(schema: JSON, slot: SlotKind? = nil, column: ColumnType? = .json, isOptional: Bool = false) {
        self.schema = schema
        self.slot = slot
        self.column = column
        self.isOptional = isOptional
    }
}

/// What a JSON form may leave out, filled in from the call.
public struct Reader: Sendable {
    private let currencyOfPerson: (@Sendable () -> Currency)?

    public init(currency: (@Sendable () -> Currency)? = nil) { currencyOfPerson = currency }

    /// The person's currency, asked for only when an amount comes without one.
    public var currency: Currency? { currencyOfPerson?() }
}

/// A JSON value that does not have the expected form. Never carries the value: it may be private.
public struct ShapeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where, as names and indexes: `items[2].quantity`; empty for the value itself.
    public var path: String
    /// What was expected: `a date like 2026-11-21`.
    public var expected: String

    public init(_ expected: String, path: String = "") {
        self.path = path
        self.expected = expected
    }

    /// The same error, seen from the object or array around it.
    public func within(_ member: String) -> ShapeError {
        let joined = path.isEmpty ? member : path.utf8.first == UInt8(ascii: "[") ? member + path : member + "." + path
        return ShapeError(expected, path: joined)
    }

    public var description: String { path.isEmpty ? "expected \(expected)" : "\(path): expected \(expected)" }
}
