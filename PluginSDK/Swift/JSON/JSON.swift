/// One JSON value (RFC 8259): the only JSON type of the host and of the Swift SDK.
///
/// Integers that fit `Int64` and were written without fraction or exponent are `.integer`; every other number is
/// `.number`. Both compare and hash by mathematical value, so `.integer(1) == .number(1.0)` (JSON Schema 2020-12,
/// section 4.2.2). Strings and member names compare by their UTF-8 bytes, never by Unicode canonical equivalence.
/// Members of an object keep the order in which they were read or set; equality ignores it.
public enum JSON: Sendable {
    /// The literal `null`.
    case null
    /// The literals `true` and `false`.
    case bool(Bool)
    /// A number written as an integer within the range of `Int64`.
    case integer(Int64)
    /// Any other number. Values that are not finite have no JSON form and are written as `null`.
    case number(Double)
    /// A string of Unicode scalar values.
    case string(String)
    /// An ordered list.
    case array([JSON])
    /// A set of members with distinct names.
    case object(JSONObject)
}

extension JSON: Equatable {
    /// Compares by value: numbers by mathematical value, strings by bytes, objects without regard to order.
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): return true
        case (.bool(let a), .bool(let b)): return a == b
        case (.integer(let a), .integer(let b)): return a == b
        case (.number(let a), .number(let b)): return a == b
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)): return exactInt64(b) == a
        case (.string(let a), .string(let b)): return utf8Equal(a, b)
        case (.array(let a), .array(let b)):
            guard a.count == b.count else { return false }
            for index in a.indices where a[index] != b[index] { return false }
            return true
        case (.object(let a), .object(let b)): return a == b
        default: return false
        }
    }
}

extension JSON: Hashable {
    /// Feeds the value, consistent with `==`.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0 as UInt8)
        case .bool(let value): hasher.combine(value ? 2 : 1 as UInt8)
        case .integer(let value):
            hasher.combine(3 as UInt8)
            hasher.combine(value)
        case .number(let value):
            if let integral = exactInt64(value) {
                hasher.combine(3 as UInt8)
                hasher.combine(integral)
            } else {
                hasher.combine(4 as UInt8)
                hasher.combine(value)
            }
        case .string(let value):
            hasher.combine(5 as UInt8)
            UTF8Key(value).hash(into: &hasher)
        case .array(let elements):
            hasher.combine(6 as UInt8)
            hasher.combine(elements.count)
            for element in elements { element.hash(into: &hasher) }
        case .object(let object):
            hasher.combine(7 as UInt8)
            object.hash(into: &hasher)
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// A name given twice keeps its first place and its last value.
    public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }
}

extension JSON: CustomStringConvertible {
    /// The compact text of the value.
    public var description: String { text }
}
