public import TandemJSON

/// The id of a row, made by the host; the JSON form is a decimal string: `"7123"`.
public struct RowID: Sendable, Hashable, Comparable {
    /// Positive for a row that exists, 0 for one that is not inserted yet.
    public let value: Int64

    /// The id of a row that is not inserted yet.
    public init() { value = 0 }
    public init(_ value: Int64) { self.value = value }

    /// Reads decimal digits and nothing else.
    public init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard let first = bytes.first, first >= 49, first <= 57, bytes.count <= 19,
            bytes.allSatisfy({ $0 >= 48 && $0 <= 57 }), let value = Int64(text)
        else { return nil }
        self.value = value
    }

    /// Whether the row is in the table, as far as this value knows.
    public var isAssigned: Bool { value > 0 }

    /// The id that operation `index` of the same batch will give.
    static func pending(_ index: Int) -> RowID { RowID(-1 - Int64(index)) }

    public static func < (left: RowID, right: RowID) -> Bool { left.value < right.value }
}

extension RowID: CustomStringConvertible {
    public var description: String { String(value) }
}

extension RowID: JSONRepresentable {
    public static var shape: Shape {
        Shape(schema: ["type": "string", "pattern": "^[1-9][0-9]{0,18}$"], column: .id)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, let id = RowID(text) else { throw ShapeError("an id") }
        self = id
    }

    /// The decimal string; `{"result":3}` for the row that an earlier operation of a batch inserts.
    public var json: JSON { value < 0 ? ["result": .integer(-1 - value)] : .string(String(value)) }
}

/// A kind of thing that people refer to in words: `grocery.item`.
public protocol Entity: Sendable {
    /// `namespace.noun`, the type in `shown` and in reference slots.
    static var entity: String { get }
}

/// A thing that a person means: resolved from the conversation (`"#7123"`), or still in words (`"oat milk"`).
///
/// `Rows.resolve(_:by:)` makes a row of it.
public enum Reference<Target: Entity>: Sendable, Hashable, JSONRepresentable {
    case id(RowID)
    case words(String)

    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "minLength": 1, "maxLength": 200], slot: .reference(entity: Target.entity),
            column: .text)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, !text.isEmpty else { throw ShapeError("words or #id") }
        if text.utf8.first == UInt8(ascii: "#"), let id = RowID(text.dropFirst()) {
            self = .id(id)
        } else {
            self = .words(text)
        }
    }

    public var json: JSON {
        switch self {
        case .id(let id): .string("#\(id)")
        case .words(let words): .string(words)
        }
    }
}
