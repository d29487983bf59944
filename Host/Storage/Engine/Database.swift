public import TandemCore

/// On whose behalf a transaction runs.
public enum AccessScope: Sendable, Hashable {
    /// The program itself: system tables only.
    case system
    /// One person: that person's rows, and the system tables.
    case user(UserScope)
}

/// A database with its tables, keys and clock: the one way to stored data, the same for every engine.
///
/// Safe from any thread. The bodies run on the engine's own threads, so they may block, and must not wait for anything
/// that needs the database.
public protocol Database: Sendable {
    var dialect: SQLDialect { get }

    /// The registered user tables, keys, clock and id generator.
    var store: RowStore { get }

    /// Runs `body` on one consistent snapshot that includes every write acknowledged before the call.
    ///
    /// Throws what the body throws, `StorageError`, or `CancellationError` when the task was cancelled before it began.
    func read<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any ReadTransaction) throws -> T
    ) async throws -> T

    /// Runs `body` in a transaction, and returns when its writes are durable.
    ///
    /// Bodies behave as if they ran one after the other; one may run again from its beginning, with everything that it did
    /// undone, when the engine asks for it: it must have no effect but through the transaction. When `body` throws, its
    /// writes are undone and nobody else's; so they are when a statement failed outside `atomically`, whatever the body
    /// makes of it. A task that is cancelled before the body began does not write; afterwards cancellation has no effect.
    ///
    /// Throws `unavailable` when the database cannot be reached, `busy` when others changed the same too often, and
    /// `outcome_unknown` when the connection was lost at the commit.
    @discardableResult
    func write<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any WriteTransaction) throws -> T
    ) async throws -> T

    /// A page of one person's rows; what `page(_:of:tables:)` calls when the person's keys can be had.
    func readPage(_ request: PageRequest, of scope: UserScope, tables: TableAccess) async throws -> RowPage

    /// Brings the database to the program's version: the complete list of the program's migrations, in order.
    ///
    /// Several processes may do this on one database at once. Throws `migration_edited`, `migration_missing`,
    /// `database_newer` (each names the migration) or `migration_failed`.
    @discardableResult
    func migrate(_ migrations: [Migration]) async throws -> MigrationReport

    /// Finishes what was submitted and closes. Later calls throw `closed`.
    func close() async
}

/// A snapshot of the database, valid within the body that it was given to.
///
/// Only the engines make one. Rows of user tables come through the row functions (`list`, `row`, `count` …); `query` is
/// for system tables and is refused any user table.
public protocol ReadTransaction {
    /// What the row functions work on.
    var context: TransactionContext { get }

    /// Runs one statement on system tables and returns all of its rows.
    func query(_ statement: SQL) throws -> [SQLRow]
}

/// A transaction that may write.
public protocol WriteTransaction: ReadTransaction {
    /// Runs one statement on system tables; returns the number of rows that it inserted, updated or deleted.
    @discardableResult
    func execute(_ statement: SQL) throws -> Int
}

extension ReadTransaction {
    public var scope: AccessScope { context.scope }

    public var dialect: SQLDialect { context.engine.dialect }

    /// Runs `body`'s SQL on system tables as the program itself, within a person's transaction: for what must be looked up
    /// or changed across people, such as whose a phone number is. The row functions stay with the person.
    ///
    /// Where the database itself keeps people apart (PostgreSQL), a person's scope sees only that person's rows of every
    /// table with a column `user_id`; the system's scope and this see all rows of system tables.
    public func asSystem<T>(_ body: () throws -> T) throws -> T { try context.engine.asSystem(body) }

    /// The first row, if any.
    public func first(_ statement: SQL) throws -> SQLRow? { try query(statement).first }
}

extension WriteTransaction {
    /// Runs `action` on the writer's thread when the transaction is durable, before the caller goes on; not at all when it
    /// fails. Must be short.
    public func afterCommit(_ action: @escaping @Sendable () -> Void) { context.afterCommit(action) }

    /// Undoes `body`'s writes when it throws, and only these.
    public func atomically<T>(_ body: () throws -> T) throws -> T { try context.engine.savepoint(body) }

    /// The storage's clock.
    public var now: Timestamp { context.store.clock.now }

    /// A new id from the storage's generator.
    public func nextID() -> RecordID { context.store.ids.next() }
}

extension Database {
    public func read<T: Sendable>(
        _ scope: UserScope, _ body: @escaping @Sendable (any ReadTransaction) throws -> T
    ) async throws -> T {
        try await prepareKeys(of: scope.user)
        guard let provenance = CallProvenance.current else { return try await read(.user(scope), body) }
        return try await read(.user(scope)) { transaction in
            transaction.context.provenance = provenance
            return try body(transaction)
        }
    }

    @discardableResult
    public func write<T: Sendable>(
        _ scope: UserScope, _ body: @escaping @Sendable (any WriteTransaction) throws -> T
    ) async throws -> T {
        try await prepareKeys(of: scope.user)
        guard let provenance = CallProvenance.current else { return try await write(.user(scope), body) }
        return try await write(.user(scope)) { transaction in
            transaction.context.provenance = provenance
            return try body(transaction)
        }
    }
}
