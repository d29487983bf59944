import Synchronization
import TandemCore
import TandemJSON

/// A registered table: its columns as they lie in the database, and the statements on it.
final class UserTable: Sendable {
    /// Its columns in the order of the database.
    let definition: TableDefinition
    let owner: String
    /// Raised with every commit that changes its rows; shared by all states of the table.
    let changes: ChangeCounter
    /// The declared columns.
    let columns: [UserColumn]
    /// All columns of the database: `user_id`, `id`, `created_at`, `updated_at`, `#version`, then the declared ones, each
    /// sealed one followed by its keyed hash.
    let physicalNames: [String]
    let layout: RowLayout
    /// It has texts for the search: its changes are noted for the index.
    let isSearchable: Bool
    private let places: [String: Int]
    private let implied: [String: UserColumn]
    /// What a row's columns are read as: `id`, the declared ones, `created_at`, `updated_at`.
    let readColumns: [UserColumn]

    let insertStatement: RowStatement
    let rowStatement: RowStatement
    let imageStatement: RowStatement
    let deleteStatement: RowStatement
    let versionStatement: RowStatement
    private let shapes = Mutex<[String: RowStatement]>([:])
    private let plans = Mutex<[ObjectIdentifier: PagePlan]>([:])

    static let versionColumn = "#version"
    static let fixedColumns = ["user_id", "id", "created_at", "updated_at", versionColumn]

    var name: String { definition.name }

    init(_ definition: TableDefinition, owner: String, changes: ChangeCounter = ChangeCounter()) throws {
        self.definition = definition
        self.owner = owner
        self.changes = changes
        var physical = UserTable.fixedColumns
        var columns: [UserColumn] = []
        for column in definition.columns {
            var built = try UserColumn(column, table: definition.name, physicalIndex: physical.count)
            physical.append(column.name)
            if column.isSealed {
                built.hashIndex = physical.count
                physical.append(UserColumn.hashName(column.name))
            }
            columns.append(built)
        }
        self.columns = columns
        isSearchable = definition.columns.contains(where: \.isSearchable)
        physicalNames = physical
        places = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1.name, $0) })
        let id = try UserColumn(ColumnDefinition("id", .id), table: definition.name, physicalIndex: 1)
        let created = try UserColumn(
            ColumnDefinition("created_at", .timestamp), table: definition.name, physicalIndex: 2)
        let updated = try UserColumn(
            ColumnDefinition("updated_at", .timestamp), table: definition.name, physicalIndex: 3)
        implied = ["id": id, "created_at": created, "updated_at": updated]
        readColumns = [id] + columns + [created, updated]
        layout = RowLayout(readColumns.map(\.name))

        let table = "\"\(definition.name)\""
        let all = physical.map { "\"\($0)\"" }.joined(separator: ", ")
        let read = readColumns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let row = "WHERE \"user_id\" = ? AND \"id\" = ?"
        let binds = Array(repeating: "?", count: physical.count).joined(separator: ", ")
        insertStatement = RowStatement("INSERT INTO \(table) (\(all)) VALUES (\(binds))")
        rowStatement = RowStatement("SELECT \(read) FROM \(table) \(row)")
        imageStatement = RowStatement("SELECT \(all) FROM \(table) \(row)")
        deleteStatement = RowStatement("DELETE FROM \(table) \(row)")
        versionStatement = RowStatement("SELECT \"\(UserTable.versionColumn)\" FROM \(table) \(row)")
    }

    /// The place of a declared column.
    func place(of column: String) -> Int? { places[column] }

    /// A declared or implied column.
    func column(_ name: String) throws -> UserColumn {
        if let place = places[name] { return columns[place] }
        if let column = implied[name] { return column }
        throw StorageError(
            .unknownColumn, "\(self.name) has no column \(SQL.isIdentifier(name) ? name : "of that name")",
            table: self.name, column: name)
    }

    /// The statement of a shape, made once.
    func statement(_ shape: String, _ make: () -> String) -> RowStatement {
        shapes.withLock { shapes in
            if let known = shapes[shape] { return known }
            // Shapes come from requests: a caller with endless variety must not fill the memory.
            if shapes.count >= 256 { shapes.removeAll() }
            let made = RowStatement(make())
            shapes[shape] = made
            return made
        }
    }

    /// What a page of some columns needs, worked out once.
    func plan(_ columns: RowColumns) throws -> PagePlan {
        let key = ObjectIdentifier(columns)
        if let known = plans.withLock({ $0[key] }) { return known }
        guard !columns.names.isEmpty else { throw StorageError(.invalid, "a page shows no columns", table: name) }
        let made = PagePlan(columns, try columns.names.map { try column($0) })
        plans.withLock { plans in
            if plans.count >= 32 { plans.removeAll() }
            plans[key] = made
        }
        return made
    }

    // MARK: Statements by shape

    /// The statement of a query, and its binds: one row more than its limit, so that it shows whether there are more.
    ///
    /// - Parameter columns: Nil selects `readColumns`.
    func selection(
        _ query: RowQuery, of user: Int64, _ dialect: SQLDialect, columns: PagePlan?, keys: () throws -> UserKeySet?
    ) throws -> (RowStatement, [SQLValue]) {
        guard query.limit >= 0, query.offset >= 0, query.limit < Int.max else {
            throw StorageError(.invalid, "limit and offset are not negative")
        }
        let filter = try RowFilter(query.conditions, table: self, keys: keys)
        var shape = "\(columns?.shape ?? "l")\(filter.shape)#"
        var order: [UserColumn] = []
        for item in query.order {
            let column = try column(item.column)
            guard !column.isSealed, column.type != .json else {
                throw StorageError(.invalid, "\(name).\(column.name) has no order", table: name, column: column.name)
            }
            order.append(column)
            shape += "\(column.physicalIndex)\(item.isDescending ? "d" : "a")"
        }
        let statement = statement(shape) {
            let selected = columns?.selected ?? readColumns.map { "\"\($0.name)\"" }.joined(separator: ", ")
            var terms: [String] = []
            for (column, item) in zip(order, query.order) {
                let nulls = column.isNullable ? " NULLS LAST" : ""
                terms.append("\"\(column.name)\" \(item.isDescending ? "DESC" : "ASC")\(nulls)")
            }
            // What stands behind the id decides nothing.
            if !order.contains(where: { $0.name == "id" }) { terms.append("\"id\"") }
            return "SELECT \(selected) FROM \"\(name)\"\(filter.clause(dialect))"
                + " ORDER BY \(terms.joined(separator: ", ")) LIMIT ? OFFSET ?"
        }
        var binds: [SQLValue] = [.int(user)]
        binds.append(contentsOf: filter.binds)
        binds.append(.int(Int64(query.limit) + 1))
        binds.append(.int(Int64(query.offset)))
        return (statement, binds)
    }

    /// Sets some columns, and always `updated_at` and the version, of one row: binds are these, user and id.
    func updateStatement(_ places: [Int]) -> RowStatement {
        var shape = "u"
        for place in places { shape += ",\(place)" }
        return statement(shape) {
            var assignments = ["\"updated_at\" = ?", "\"\(UserTable.versionColumn)\" = ?"]
            for place in places {
                assignments.append("\"\(columns[place].name)\" = ?")
                if columns[place].isSealed { assignments.append("\"\(UserColumn.hashName(columns[place].name))\" = ?") }
            }
            return "UPDATE \"\(name)\" SET \(assignments.joined(separator: ", ")) WHERE \"user_id\" = ? AND \"id\" = ?"
        }
    }

    /// Puts an image of `count` columns back over a row: binds are the image without user and id, then these.
    func restoreStatement(_ count: Int) -> RowStatement {
        statement("r\(count)") {
            let assignments = physicalNames[2..<count].map { "\"\($0)\" = ?" }.joined(separator: ", ")
            return "UPDATE \"\(name)\" SET \(assignments) WHERE \"user_id\" = ? AND \"id\" = ?"
        }
    }

    /// Puts a deleted row of `count` columns back: columns that came later take their default.
    func reinsertStatement(_ count: Int) -> RowStatement {
        guard count < physicalNames.count else { return insertStatement }
        return statement("i\(count)") {
            let names = physicalNames[..<count].map { "\"\($0)\"" }.joined(separator: ", ")
            let binds = Array(repeating: "?", count: count).joined(separator: ", ")
            return "INSERT INTO \"\(name)\" (\(names)) VALUES (\(binds))"
        }
    }

    /// The ids of the rows that refer to one: binds are user and id.
    func childrenStatement(_ place: Int) -> RowStatement {
        statement("c\(place)") {
            "SELECT \"id\" FROM \"\(name)\" WHERE \"user_id\" = ? AND \"\(columns[place].name)\" = ?"
        }
    }
}

/// The column names that rows share, and where each stands.
final class RowLayout: Sendable {
    let names: [String]
    private let places: [String: Int]

    init(_ names: [String]) {
        self.names = names
        places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    }

    func place(_ name: String) -> Int? { places[name] }
}
