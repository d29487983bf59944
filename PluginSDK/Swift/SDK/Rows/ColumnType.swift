/// The type of a column; the property's type implies it.
public enum ColumnType: Sendable, Hashable {
    /// `String`, a `Choice`, `When`.
    case text
    /// `Int`, `Minutes`.
    case integer
    /// `Double`.
    case real
    /// `Decimal`: exact, with 0–9 digits after the point; more are refused, not rounded.
    case decimal(scale: Int)
    /// `Bool`.
    case boolean
    /// `Day`.
    case date
    /// `Instant`.
    case timestamp
    /// An `Object`, an array, `JSON`.
    case json
    /// `RowID`.
    case id

    var name: String {
        switch self {
        case .text: "text"
        case .integer: "integer"
        case .real: "real"
        case .decimal: "decimal"
        case .boolean: "boolean"
        case .date: "date"
        case .timestamp: "timestamp"
        case .json: "json"
        case .id: "id"
        }
    }
}
