/// The shape of a user's table: declared by a plugin's manifest or by a domain of the host, created by the storage.
///
/// Every table gets, besides the declared columns: `user_id` (never visible), `id` (`RecordID`), `created_at` and
/// `updated_at` (timestamps, kept by the storage). Names are `[a-z][a-z0-9_]{0,47}`, not an SQL keyword, and none of the
/// implied ones.
public struct TableDefinition: Sendable, Hashable {
    public var name: String
    public var columns: [ColumnDefinition]
    public var indexes: [IndexDefinition]
    /// What a row is, in a few words, for consent, export and erasure: `items on your grocery list`.
    public var purpose: String
    /// Its rows mirror what lies elsewhere: a handler that only reads may write them, and they go when the plugin is
    /// switched off.
    public var isCopy: Bool

    public init(
        name: String, columns: [ColumnDefinition], indexes: [IndexDefinition] = [], purpose: String = "",
        isCopy: Bool = false
    ) {
        self.name = name
        self.columns = columns
        self.indexes = indexes
        self.purpose = purpose
        self.isCopy = isCopy
    }
}

public struct ColumnDefinition: Sendable, Hashable {
    public var name: String
    public var type: ColumnType
    /// A row may lack the value. A column added to an existing table must be nullable or have a default.
    public var isNullable: Bool
    /// Encrypted at rest with the user's key, bound to table, column and row. Found only by equality, through a keyed
    /// hash; no order, range or sum.
    public var isSealed: Bool
    /// A text, or JSON with texts, that is found by words and meaning among all that the person has (docs/memory.md).
    public var isSearchable: Bool
    /// The id of a row of another table of the same owner; that row's deletion deletes this one, too.
    public var references: String?
    /// The value of new and of older rows, in the column's JSON form.
    public var defaultValue: ColumnDefault?

    public init(
        _ name: String, _ type: ColumnType, nullable: Bool = false, sealed: Bool = false, searchable: Bool = false,
        references: String? = nil, default defaultValue: ColumnDefault? = nil
    ) {
        self.name = name
        self.type = type
        self.isNullable = nullable
        self.isSealed = sealed
        self.isSearchable = searchable
        self.references = references
        self.defaultValue = defaultValue
    }
}

/// A column's type and its form in JSON.
public enum ColumnType: Sendable, Hashable {
    /// UTF-8 string.
    case text
    /// Signed 64-bit; a JSON integer.
    case integer
    /// IEEE 754 double; a JSON number.
    case real
    /// Exact decimal, a JSON string like `"3.20"`; stored as a 64-bit integer scaled by 10^scale, 0 ≤ scale ≤ 9. A
    /// value with more digits than the scale is refused, not rounded.
    case decimal(scale: Int)
    case boolean
    /// `YYYY-MM-DD`.
    case date
    /// RFC 3339 in UTC with milliseconds.
    case timestamp
    /// Any JSON value.
    case json
    /// A `RecordID` as a decimal string.
    case id
}

public enum ColumnDefault: Sendable, Hashable {
    case text(String)
    case integer(Int64)
    case real(Double)
    case boolean(Bool)
}

public struct IndexDefinition: Sendable, Hashable {
    public var columns: [String]
    public var isUnique: Bool

    public init(_ columns: [String], unique: Bool = false) {
        self.columns = columns
        self.isUnique = unique
    }
}
