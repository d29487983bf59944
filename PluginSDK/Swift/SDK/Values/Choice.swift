public import TandemJSON

/// One of a few values, each with the words that mean it: an enum of strings.
///
///     enum Priority: String, Choice {
///         case high, normal
///         var words: [String] { self == .high ? ["urgent", "important"] : [] }
///     }
public protocol Choice: JSONRepresentable, CaseIterable, RawRepresentable<String>, Hashable {
    /// Other words for the value, besides its raw value; none by default.
    var words: [String] { get }
}

extension Choice {
    public var words: [String] { [] }

    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "enum": .array(allCases.map { .string($0.rawValue) })],
            slot: .choice(allCases.map { SlotChoice($0.rawValue, $0.words) }), column: .text)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, let value = Self(rawValue: text) else {
            throw ShapeError("one of " + Self.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = value
    }

    public var json: JSON { .string(rawValue) }
}
