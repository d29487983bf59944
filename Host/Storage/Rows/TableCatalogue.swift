import Crypto
import Synchronization
public import TandemCore
import TandemJSON

/// The user tables of a database: their definitions, owners and statements.
///
/// Safe from any thread. `Database.register` is the way to change it.
public final class TableCatalogue: Sendable {
    /// One state of the catalogue; a request works on one from its beginning to its end.
    final class Snapshot: Sendable {
        let tables: [String: UserTable]
        /// By a table's name, the columns that refer to it.
        let children: [String: [(table: UserTable, place: Int)]]

        init(_ tables: [UserTable]) {
            self.tables = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0) })
            var children: [String: [(table: UserTable, place: Int)]] = [:]
            for table in tables {
                for (place, column) in table.columns.enumerated() {
                    if let target = column.definition.references {
                        children[target, default: []].append((table, place))
                    }
                }
            }
            self.children = children
        }

        /// A table that is there for the caller.
        func table(_ name: String, _ access: TableAccess) throws -> UserTable {
            guard let table = tables[name], access.covers(table.owner) else {
                throw StorageError(
                    .unknownTable, "there is no table \(SQL.isIdentifier(name) ? name : "of that name")", table: name)
            }
            return table
        }
    }

    private struct State {
        var snapshot = Snapshot([])
        var systemTables: Set<String> = []
    }

    private let state = Mutex(State())

    init() {}

    var snapshot: Snapshot { state.withLock { $0.snapshot } }

    /// The tables that the domains' SQL may touch.
    var systemTables: Set<String> { state.withLock { $0.systemTables } }

    func setSystemTables(_ names: Set<String>) { state.withLock { $0.systemTables = names } }

    /// The definitions registered, by owner; the columns in the order of the database.
    public var definitions: [String: [TableDefinition]] {
        Dictionary(grouping: snapshot.tables.values, by: \.owner)
            .mapValues { $0.map(\.definition).sorted { $0.name < $1.name } }
    }

    /// The owner of a table, if there is such a table.
    public func owner(of table: String) -> String? { snapshot.tables[table]?.owner }

    /// How many commits of this process changed rows of a table: a cache made at one count is good while it stays.
    public func changeCount(of table: String) -> Int { snapshot.tables[table]?.changes.value ?? 0 }

    // MARK: Loading

    private static let selectAll = RowStatement("SELECT name, owner, definition FROM tandem_tables ORDER BY name")
    private static let insertTable = RowStatement(
        """
        INSERT INTO tandem_tables (name, owner, definition, definition_hash, created_at, updated_at) \
        VALUES (?, ?, ?, ?, ?, ?)
        """)
    private static let updateTable = RowStatement(
        "UPDATE tandem_tables SET definition = ?, definition_hash = ?, updated_at = ? WHERE name = ?")

    /// Reads the definitions that the database records.
    func load(in context: TransactionContext) throws {
        let snapshot = Snapshot(try TableCatalogue.stored(in: context))
        state.withLock { $0.snapshot = snapshot }
    }

    private static func stored(in context: TransactionContext) throws -> [UserTable] {
        let answer = try context.engine.run(selectAll, [])
        var tables: [UserTable] = []
        for row in 0..<answer.rowCount {
            guard case .text(let name) = answer.values[row * 3], case .text(let owner) = answer.values[row * 3 + 1],
                case .text(let text) = answer.values[row * 3 + 2], let json = try? JSON(parsing: text),
                let definition = TableDefinition(storedForm: json), definition.name == name
            else {
                throw StorageError(
                    .corrupt, "the record of a user table is damaged: restore a backup", operation: "load the tables")
            }
            let changes = context.store.tables.snapshot.tables[name]?.changes ?? ChangeCounter()
            tables.append(try UserTable(definition, owner: owner, changes: changes))
        }
        return tables
    }

    // MARK: Registering

    /// Whether the definitions are registered exactly so, in whatever order of columns.
    func holds(_ definitions: [TableDefinition], owner: String) -> Bool {
        let snapshot = snapshot
        return definitions.allSatisfy { definition in
            guard let table = snapshot.tables[definition.name], table.owner == owner else { return false }
            return table.definition.purpose == definition.purpose
                && Set(table.definition.columns) == Set(definition.columns)
                && table.definition.columns.count == definition.columns.count
                && Set(table.definition.indexes) == Set(definition.indexes)
        }
    }

    /// Creates and extends tables so that `definitions` hold.
    func register(_ definitions: [TableDefinition], owner: String, in context: TransactionContext) throws
        -> RegistrationReport
    {
        // Read again within the lock of the database: another process may have registered.
        let stored = try TableCatalogue.stored(in: context)
        var tables = Dictionary(uniqueKeysWithValues: stored.map { ($0.name, $0) })
        let own = Set(stored.filter { $0.owner == owner }.map(\.name))
        try TableRules.check(definitions, known: own)
        for definition in definitions {
            if let table = tables[definition.name], table.owner != owner {
                throw StorageError(
                    .tableOwned, "the table \(definition.name) belongs to \(table.owner)",
                    operation: "register tables of \(owner)", table: definition.name)
            }
            if tables[definition.name] == nil, systemTables.contains(definition.name) {
                throw StorageError(
                    .tableOwned, "the table \(definition.name) belongs to the system",
                    operation: "register tables of \(owner)", table: definition.name)
            }
        }
        let ddl = TableDDL(dialect: context.engine.dialect)
        let now = SQLValue.int(context.store.clock.now.millisecondsSinceEpoch)
        var report = RegistrationReport()
        // New tables first: an extended one may refer to them.
        var incomplete: [(table: UserTable, references: [String])] = []
        for definition in definitions where tables[definition.name] == nil {
            let new = try UserTable(definition, owner: owner)
            try run(ddl.create(new) { tables[$0] != nil }, of: definition.name, in: context)
            incomplete.append((new, ddl.references(of: new) { tables[$0] != nil }))
            let text = definition.storedForm.text
            _ = try context.engine.run(
                TableCatalogue.insertTable,
                [.text(new.name), .text(owner), .text(text), .text(TableCatalogue.hash(text)), now, now])
            tables[new.name] = new
            report.created.append(new.name)
        }
        for (table, references) in incomplete { try run(references, of: table.name, in: context) }
        for definition in definitions {
            guard let old = tables[definition.name] else { continue }
            let merged = try TableRules.additiveChange(from: old.definition, to: definition)
            guard merged != old.definition else { continue }
            let new = try UserTable(merged, owner: owner, changes: old.changes)
            try run(ddl.extend(old, to: new), of: definition.name, in: context)
            let text = merged.storedForm.text
            _ = try context.engine.run(
                TableCatalogue.updateTable, [.text(text), .text(TableCatalogue.hash(text)), now, .text(merged.name)])
            tables[merged.name] = new
            report.extended.append(merged.name)
        }
        let snapshot = Snapshot(Array(tables.values))
        context.afterCommit { [self] in state.withLock { $0.snapshot = snapshot } }
        return report
    }

    private func run(_ statements: [String], of table: String, in context: TransactionContext) throws {
        for statement in statements {
            do {
                try context.engine.define(statement)
            } catch var error as StorageError {
                error.operation = "register table \(table)"
                error.table = table
                if error.code == .unique {
                    error.code = .incompatibleTable
                    error.message = "\(table): a new unique index finds equal rows"
                } else if error.code == .statement {
                    error.code = .incompatibleTable
                    error.message = "\(table): the database refuses the definition: \(error.message)"
                }
                throw error
            }
        }
    }

    private static func hash(_ text: String) -> String { hexadecimal(SHA256.hash(data: Array(text.utf8))) }
}

/// What `register` did.
public struct RegistrationReport: Sendable, Hashable {
    public var created: [String] = []
    public var extended: [String] = []
}

extension Database {
    /// Makes the tables of `definitions` available to their owner (`host.life`, `tandem.grocery`).
    ///
    /// Creates what is missing and adds new columns and indexes; costs no transaction when nothing is new. Throws
    /// `incompatible_table` (anything that is not additive; names table, column and reason) or `table_owned`; then nothing
    /// was changed.
    @discardableResult
    public func register(_ definitions: [TableDefinition], owner: String) async throws -> RegistrationReport {
        let tables = store.tables
        if tables.holds(definitions, owner: owner) { return RegistrationReport() }
        if let definer = store.definer {
            return try await definer.define(store) { try tables.register(definitions, owner: owner, in: $0.context) }
        }
        return try await write(.system) { try tables.register(definitions, owner: owner, in: $0.context) }
    }
}
