public import TandemCore
public import TandemJSON

/// One row of a user table: `id`, all declared columns, `created_at`, `updated_at`, in JSON form; null where there is none.
public struct UserRow: Sendable {
    private let layout: RowLayout
    private let values: [JSON]

    init(layout: RowLayout, values: [JSON]) {
        self.layout = layout
        self.values = values
    }

    /// The value of a column; null when the table has no such column.
    public subscript(column: String) -> JSON { layout.place(column).map { values[$0] } ?? .null }

    public var columns: [String] { layout.names }

    /// The row as the plugin boundary carries it.
    public var json: JSONObject {
        var object = JSONObject()
        object.reserveCapacity(values.count)
        for (position, name) in layout.names.enumerated() { object[name] = values[position] }
        return object
    }

    public var id: RecordID { recordID("id") ?? RecordID(rawValue: 0) }
    public var createdAt: Timestamp { timestamp("created_at") ?? Timestamp(millisecondsSinceEpoch: 0) }
    public var updatedAt: Timestamp { timestamp("updated_at") ?? Timestamp(millisecondsSinceEpoch: 0) }

    // Typed readers: nil where the column is null, missing or of another type.

    public func string(_ column: String) -> String? { self[column].stringValue }
    public func integer(_ column: String) -> Int64? { self[column].int64Value }
    public func double(_ column: String) -> Double? { self[column].doubleValue }
    public func bool(_ column: String) -> Bool? { self[column].boolValue }
    public func recordID(_ column: String) -> RecordID? { self[column].stringValue.flatMap { RecordID($0) } }
    public func timestamp(_ column: String) -> Timestamp? { self[column].stringValue.flatMap { Timestamp($0) } }
    public func date(_ column: String) -> CivilDate? { self[column].stringValue.flatMap { CivilDate($0) } }
}

extension UserRow: Hashable {
    public static func == (left: UserRow, right: UserRow) -> Bool {
        left.layout.names == right.layout.names && left.values == right.values
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}

extension JSON {
    /// An id's form in a row: a decimal string.
    public static func id(_ id: RecordID) -> JSON { .string(id.description) }

    /// An instant's form in a row: RFC 3339 in UTC with milliseconds.
    public static func timestamp(_ timestamp: Timestamp) -> JSON { .string(timestamp.description) }

    /// A date's form in a row: `YYYY-MM-DD`.
    public static func date(_ date: CivilDate) -> JSON { .string(date.description) }
}
