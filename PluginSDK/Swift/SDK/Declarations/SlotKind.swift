/// How the embedded planner fills an argument from words. The type of the argument implies it.
public enum SlotKind: Sendable, Hashable {
    /// Free words: `String`.
    case text
    /// `3`, `three`, `2.5`: `Int`, `Double`, `Decimal`.
    case number
    /// One thing with an amount: `Quantity`.
    case quantity
    /// Several of them: `[Quantity]`.
    case items
    /// `Money`.
    case money
    /// `Day`.
    case date
    /// `When`: a day, or a moment of it where a time was said.
    case dateTime
    /// `Minutes`.
    case duration
    /// One of these: a `Choice`.
    case choice([SlotChoice])
    /// Several texts: `[String]`.
    case list
    /// A thing named before: `Reference`.
    case reference(entity: String)
    /// `Period`.
    case period

    var name: String {
        switch self {
        case .text: "text"
        case .number: "number"
        case .quantity: "quantity"
        case .items: "items"
        case .money: "money"
        case .date: "date"
        case .dateTime: "dateTime"
        case .duration: "duration"
        case .choice: "choice"
        case .list: "list"
        case .reference: "reference"
        case .period: "period"
        }
    }
}

/// A value of a choice and the words that mean it, besides the value itself.
public struct SlotChoice: Sendable, Hashable {
    public var value: String
    public var words: [String]

    public init(_ value: String, _ words: [String] = []) {
        self.value = value
        self.words = words
    }
}
