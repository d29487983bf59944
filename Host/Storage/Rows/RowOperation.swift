public import TandemCore
public import TandemJSON

/// One operation on user tables; the JSON form stands in `tandem/ext/rows.h`.
public enum RowOperation: Sendable, Hashable {
    case insert(table: String, values: JSONObject)
    case get(table: String, id: RecordID)
    case update(table: String, RowSelection, set: JSONObject)
    case delete(table: String, RowSelection)
    case list(table: String, RowQuery)
    case count(table: String, where: [RowCondition])
    case sum(table: String, column: String, by: [String], where: [RowCondition])

    public var table: String {
        switch self {
        case .insert(let table, _), .get(let table, _), .update(let table, _, _), .delete(let table, _),
            .list(let table, _), .count(let table, _), .sum(let table, _, _, _):
            table
        }
    }

    /// Whether it may change rows.
    public var isWrite: Bool {
        switch self {
        case .insert, .update, .delete: true
        case .get, .list, .count, .sum: false
        }
    }

    var word: String {
        switch self {
        case .insert: "insert into"
        case .get: "get from"
        case .update: "update"
        case .delete: "delete from"
        case .list: "list"
        case .count: "count"
        case .sum: "sum"
        }
    }
}

/// Which rows an update or a deletion concerns.
public enum RowSelection: Sendable, Hashable {
    case id(RecordID)
    case matching([RowCondition])
}

/// A condition on one column. A null value equals nothing, differs (`ne`) from everything, and has no order.
public struct RowCondition: Sendable, Hashable {
    public enum Comparison: String, Sendable, Hashable, CaseIterable {
        case equal = "eq"
        case notEqual = "ne"
        case less = "lt"
        case lessOrEqual = "le"
        case greater = "gt"
        case greaterOrEqual = "ge"
        /// One of at most 200 values.
        case oneOf = "in"
        /// Text contains text, regardless of case.
        case contains
        case isNull = "null"
        case isSet = "set"
    }

    public static let maxAlternatives = 200

    public var column: String
    public var comparison: Comparison
    /// In the column's JSON form; an array for `in`, unused for `null` and `set`.
    public var value: JSON

    public init(_ column: String, _ comparison: Comparison, _ value: JSON = .null) {
        self.column = column
        self.comparison = comparison
        self.value = value
    }
}

/// Which rows to list, and in what order.
public struct RowQuery: Sendable, Hashable {
    public static let maxLimit = 500
    public static let defaultLimit = 100

    public var conditions: [RowCondition]
    /// Rows without a value come last either way; equal ones, and all without an order, in the order of their making.
    public var order: [RowOrder]
    public var limit: Int
    public var offset: Int

    public init(
        where conditions: [RowCondition] = [], order: [RowOrder] = [], limit: Int = RowQuery.defaultLimit,
        offset: Int = 0
    ) {
        self.conditions = conditions
        self.order = order
        self.limit = limit
        self.offset = offset
    }
}

public struct RowOrder: Sendable, Hashable {
    public var column: String
    public var isDescending: Bool

    public init(_ column: String, descending: Bool = false) {
        self.column = column
        isDescending = descending
    }
}

/// What an operation gave.
public enum RowResult: Sendable, Hashable {
    case inserted(RecordID)
    case row(UserRow?)
    case count(Int)
    case rows([UserRow], more: Bool)
    case groups([RowGroup])

    /// The form of `tandem/ext/rows.h`.
    public var json: JSON {
        switch self {
        case .inserted(let id): return .object(["id": .id(id)])
        case .row(let row): return .object(["row": row.map { .object($0.json) } ?? .null])
        case .count(let count): return .object(["count": .integer(Int64(count))])
        case .rows(let rows, let more):
            return .object(["rows": .array(rows.map { .object($0.json) }), "more": .bool(more)])
        case .groups(let groups): return .object(["groups": .array(groups.map(\.json))])
        }
    }
}

/// The sum over the rows that agree in some columns.
public struct RowGroup: Sendable, Hashable {
    /// The columns of `by` with the values that the group's rows share.
    public var key: JSONObject
    /// In the JSON form of the summed column; zero when no row has a value.
    public var sum: JSON
    /// The rows of the group, also those without a value.
    public var count: Int

    var json: JSON { .object(["key": .object(key), "sum": sum, "count": .integer(Int64(count))]) }
}

/// What may be touched, and how.
public struct TableAccess: Sendable, Hashable {
    enum Reach: Hashable {
        case owner(String)
        case host
    }

    let reach: Reach
    /// False: a write is refused with `not_allowed`.
    public var allowsWrites: Bool
    /// Names of tables that may be written all the same.
    public var writable: Set<String> = []

    /// The tables of one owner, such as a plugin.
    ///
    /// - Parameter writable: tables that may be written whatever `allowsWrites` says.
    public static func owner(
        _ owner: String, allowsWrites: Bool = true, writable: Set<String> = []
    ) -> TableAccess {
        TableAccess(reach: .owner(owner), allowsWrites: allowsWrites, writable: writable)
    }

    /// The tables of the host's own domains, whose owners are named `host.…`.
    public static let host = TableAccess(reach: .host, allowsWrites: true)

    func covers(_ owner: String) -> Bool {
        switch reach {
        case .owner(let name): name == owner
        case .host: owner.utf8.starts(with: "host.".utf8)
        }
    }
}

/// What one owner may keep for one person.
public struct RowQuota: Sendable, Hashable {
    public var rows: Int
    public var bytes: Int

    public init(rows: Int, bytes: Int) {
        self.rows = rows
        self.bytes = bytes
    }
}
