import TandemCore

typealias SQLiteUnit = WorkUnit<SQLiteTransaction>

/// A transaction on one connection, for one body.
final class SQLiteTransaction: WriteTransaction, RowEngine {
    private let connection: SQLiteConnection
    private let canWrite: Bool
    private var isOver = false
    private var made: TransactionContext?
    private let transactionScope: AccessScope
    private let store: RowStore
    private let changesSeen: UInt64

    init(connection: SQLiteConnection, scope: AccessScope, store: RowStore, canWrite: Bool) {
        self.connection = connection
        self.canWrite = canWrite
        self.store = store
        transactionScope = scope
        changesSeen = store.changedRows.sequence
    }

    var dialect: SQLDialect { .sqlite }

    var context: TransactionContext {
        if let made { return made }
        let context = TransactionContext(
            scope: transactionScope, store: store, engine: self, canWrite: canWrite, changesSeen: changesSeen)
        made = context
        return context
    }

    /// Does what was asked to happen once the transaction is durable.
    func committed() { made?.committed() }

    /// The body has returned: a reference to the transaction that it leaked does nothing any more.
    func end() { isOver = true }

    private func requireOpen() throws {
        guard !isOver else { throw StorageError(.transactionOver, "the transaction is over") }
        guard !connection.isOutsideTransaction else {
            throw StorageError(.transactionOver, "an earlier failure has ended the transaction")
        }
    }

    func query(_ statement: SQL) throws -> [SQLRow] {
        let (prepared, answer) = try runDomain(statement)
        return answer.columnCount > 0 ? answer.rows(prepared.columnNames) : []
    }

    func execute(_ statement: SQL) throws -> Int { try runDomain(statement).1.changes }

    private func runDomain(_ statement: SQL) throws -> (SQLiteStatement, SQLAnswer) {
        try requireOpen()
        if let fault = statement.fault {
            throw StorageError(.statement, fault, operation: SQLiteConnection.operation(statement.text))
        }
        refreshTables(force: false)
        let prepared: SQLiteStatement
        do {
            prepared = try connection.domainStatement(statement.text)
        } catch let error as StorageError where error.code == .notAllowed && error.table != nil {
            // Another process may have made the table since this one looked.
            refreshTables(force: true)
            prepared = try connection.domainStatement(statement.text)
        }
        guard canWrite || prepared.isReadOnly else {
            throw StorageError(
                .notAllowed, "a read transaction does not write",
                operation: SQLiteConnection.operation(statement.text), sqlState: "25006")
        }
        return (prepared, try connection.run(prepared, statement.binds, operation: nil))
    }

    /// Tells the authorizer which tables are open to domains.
    private func refreshTables(force: Bool) {
        if force, let names = try? SQLiteSchema.systemTables(connection) { store.tables.setSystemTables(names) }
        connection.authorizer.systemTables = store.tables.systemTables
    }

    // MARK: RowEngine

    func run(_ statement: RowStatement, _ binds: [SQLValue]) throws -> SQLAnswer {
        try requireOpen()
        return try connection.run(statement, binds)
    }

    func define(_ text: String) throws {
        try requireOpen()
        try connection.once(text)
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        try requireOpen()
        return try connection.savepoint(body)
    }

    func asSystem<T>(_ body: () throws -> T) throws -> T { try body() }

    func deferringReferences<T>(_ body: () throws -> T) throws -> T {
        try requireOpen()
        try connection.command("PRAGMA defer_foreign_keys = ON")
        // Other transactions share the commit: they must not inherit the delay.
        defer { try? connection.command("PRAGMA defer_foreign_keys = OFF") }
        let result = try body()
        guard connection.areReferencesResolved else {
            throw StorageError(.reference, "a referenced row does not exist", sqlState: "23503")
        }
        return result
    }
}
