import CSQLite
import Glibc
import Synchronization
public import TandemCore

/// A database in one file (or in memory) on libsqlite3: one writer with group commit, several readers.
///
/// WAL with `synchronous=FULL`: an acknowledged write survives `kill -9` and a power cut (https://www.sqlite.org/wal.html).
/// The file gets mode 0600. Two processes may use one file; each sees the other's commits.
public final class SQLiteDatabase: Database {
    public let store: RowStore
    public let configuration: SQLiteConfiguration
    private let writer: SQLiteWriter
    private let readers: SQLiteReaders?

    static let closedError = StorageError(.closed, "the database is closed")

    public var dialect: SQLDialect { .sqlite }

    /// Opens or creates the database, checks the master keys against it, and loads the table definitions.
    ///
    /// Throws `StorageError`: `cannot_open`, `permission`, `read_only`, `disk_full`, `corrupt`, `busy`, `database_newer`,
    /// `master_key`, `key_missing`.
    public static func open(
        _ configuration: SQLiteConfiguration, keyring: Keyring, clock: any WallClock = SystemClock(),
        ids: IDGenerator? = nil
    ) async throws -> SQLiteDatabase {
        let store = RowStore(keyring: keyring, clock: clock, ids: ids ?? IDGenerator(clock: clock, node: 0))
        return try await withCheckedThrowingContinuation { continuation in
            do {
                // Opening may replay a log and wait for another process: not on the shared pool.
                try WorkerThread.run(named: "tandem-open") {
                    continuation.resume(with: Result { try SQLiteDatabase(configuration, store: store) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private init(_ configuration: SQLiteConfiguration, store: RowStore) throws {
        self.configuration = configuration
        self.store = store
        if let path = configuration.path { try SQLiteFile.prepare(path) }
        let path = configuration.path ?? ":memory:"
        let connection = try SQLiteConnection(
            path: path, isReadOnly: false, busyMilliseconds: SQLiteConfiguration.busyMilliseconds)
        do {
            try SQLiteDatabase.prepare(connection, configuration)
            if try !configuration.isCopyTarget && SQLiteSchema.tables(connection).contains(CopyMark.table) {
                throw CopyMark.unfinished
            }
            try SQLiteDatabase.bootstrap(connection, store)
        } catch let error as StorageError {
            connection.close()
            throw configuration.path.map { SQLiteFile.explain(error, path: $0) } ?? error
        }
        let checkpointer = try configuration.path.map { path in
            let connection = try SQLiteConnection(
                path: path, isReadOnly: false, busyMilliseconds: SQLiteConfiguration.busyMilliseconds)
            try SQLiteDatabase.setDurability(connection, configuration)
            let checkpointer = SQLiteCheckpointer(connection: connection)
            try checkpointer.start()
            return checkpointer
        }
        writer = SQLiteWriter(connection: connection, store: store, checkpointer: checkpointer)
        do {
            try writer.start()
        } catch {
            checkpointer?.end()
            throw error
        }
        guard configuration.path != nil else {
            readers = nil
            return
        }
        let readers = SQLiteReaders(store: store)
        self.readers = readers
        do {
            for number in 1...configuration.readers {
                let connection = try SQLiteConnection(
                    path: path, isReadOnly: true, busyMilliseconds: SQLiteConfiguration.busyMilliseconds)
                try connection.once("PRAGMA query_only = ON")
                try connection.once("PRAGMA cache_size = -2000")
                try readers.start(connection, number: number)
            }
        } catch {
            readers.close {}
            writer.close {}
            throw error
        }
    }

    deinit {
        readers?.close {}
        writer.close {}
    }

    // MARK: Opening

    private static func prepare(_ connection: SQLiteConnection, _ configuration: SQLiteConfiguration) throws {
        let mark = try SQLiteSchema.integer(connection, "PRAGMA application_id")
        guard mark == SQLiteSchema.applicationID || mark == 0 else {
            throw StorageError(.corrupt, "the file is another program's database: choose another data folder")
        }
        if mark == 0 {
            // Another process may have begun the file since: it marks it before it makes tables.
            guard
                try SQLiteSchema.integer(connection, "SELECT count(*) FROM sqlite_schema") == 0
                    || SQLiteSchema.integer(connection, "PRAGMA application_id") == SQLiteSchema.applicationID
            else {
                throw StorageError(.corrupt, "the file is another program's database: choose another data folder")
            }
            try connection.once("PRAGMA application_id = \(SQLiteSchema.applicationID)")
        }
        if configuration.path != nil { try switchToWAL(connection) }
        try setDurability(connection, configuration)
        try connection.once("PRAGMA cache_size = -8000")
        try connection.once("PRAGMA temp_store = MEMORY")
        try connection.once("PRAGMA secure_delete = ON")
    }

    private static func setDurability(_ connection: SQLiteConnection, _ configuration: SQLiteConfiguration) throws {
        try connection.once("PRAGMA synchronous = \(configuration.isDurable ? "FULL" : "OFF")")
    }

    /// Two processes that switch a new file at once: one gets SQLITE_BUSY without waiting.
    private static func switchToWAL(_ connection: SQLiteConnection) throws {
        for attempt in 0... {
            do {
                let answer = try connection.once("PRAGMA journal_mode = WAL")
                guard case .text(let mode)? = answer.values.first, mode == "wal" else {
                    throw StorageError(.cannotOpen, "the file system of the data folder does not support a shared log")
                }
                return
            } catch let error as StorageError where error.code == .busy && attempt < 200 {
                usleep(25_000)
            }
        }
    }

    /// Creates the storage's own tables, checks the keys, loads the definitions.
    private static func bootstrap(_ connection: SQLiteConnection, _ store: RowStore) throws {
        _ = try SQLiteMigrator(connection: connection, clock: store.clock).run(StorageMigrations.all, isStorage: true)
        try connection.command("BEGIN IMMEDIATE")
        let transaction = SQLiteTransaction(connection: connection, scope: .system, store: store, canWrite: true)
        do {
            try store.keyring.verifyMasterKeys(in: transaction.context)
            try store.tables.load(in: transaction.context)
            store.tables.setSystemTables(try SQLiteSchema.systemTables(connection))
            try connection.command("COMMIT")
        } catch {
            if !connection.isOutsideTransaction { try? connection.command("ROLLBACK") }
            throw error
        }
        transaction.committed()
    }

    // MARK: Database

    public func read<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any ReadTransaction) throws -> T
    ) async throws -> T {
        try await submit(scope, isRead: true) { try body($0) }
    }

    @discardableResult
    public func write<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any WriteTransaction) throws -> T
    ) async throws -> T {
        try await submit(scope, isRead: false) { try body($0) }
    }

    public func readPage(_ request: PageRequest, of scope: UserScope, tables: TableAccess) async throws -> RowPage {
        guard let readers else { return try await read(.user(scope)) { try $0.page(request, tables: tables) } }
        return try await SQLiteUnit.run(
            .user(scope), shortcut: try shortcut(to: request, of: scope, tables),
            { try $0.page(request, tables: tables) }, submit: { unit in readers.submit(unit) })
    }

    private func submit<T: Sendable>(
        _ scope: AccessScope, isRead: Bool, _ body: @escaping @Sendable (SQLiteTransaction) throws -> T
    ) async throws -> T {
        try await SQLiteUnit.run(scope, body) { unit in
            if isRead, let readers { readers.submit(unit) } else { writer.submit(unit) }
        }
    }

    @discardableResult
    public func migrate(_ migrations: [Migration]) async throws -> MigrationReport {
        // Each migration is a transaction of its own, so they run on a connection beside the writer's.
        guard let path = configuration.path else { return try await migrateInMemory(migrations) }
        let store = store
        let report: MigrationReport = try await withCheckedThrowingContinuation { continuation in
            do {
                try WorkerThread.run(named: "tandem-migrate") {
                    continuation.resume(with: Result { try SQLiteDatabase.migrate(path, store, migrations) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        return report
    }

    private static func migrate(_ path: String, _ store: RowStore, _ migrations: [Migration]) throws -> MigrationReport
    {
        let connection = try SQLiteConnection(
            path: path, isReadOnly: false, busyMilliseconds: SQLiteConfiguration.busyMilliseconds)
        defer { connection.close() }
        do {
            try connection.once("PRAGMA synchronous = FULL")
            let report = try SQLiteMigrator(connection: connection, clock: store.clock).run(
                migrations, isStorage: false)
            store.tables.setSystemTables(try SQLiteSchema.systemTables(connection))
            return report
        } catch let error as StorageError {
            throw SQLiteFile.explain(error, path: path)
        }
    }

    private func migrateInMemory(_ migrations: [Migration]) async throws -> MigrationReport {
        let store = store
        return try await withCheckedThrowingContinuation { continuation in
            writer.runOutsideTransaction { connection in
                continuation.resume(
                    with: Result {
                        guard let connection else { throw SQLiteDatabase.closedError }
                        let report = try SQLiteMigrator(connection: connection, clock: store.clock)
                            .run(migrations, isStorage: false)
                        store.tables.setSystemTables(try SQLiteSchema.systemTables(connection))
                        return report
                    })
            }
        }
    }

    /// Writes the log into the file and empties it: what was deleted is then nowhere any more. False: readers of this or
    /// another process kept it from being done as a whole.
    public func emptyLog() async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            writer.runOutsideTransaction { connection in
                continuation.resume(
                    with: Result {
                        guard let connection else { throw SQLiteDatabase.closedError }
                        return try connection.once("PRAGMA wal_checkpoint(TRUNCATE)").values.first == .int(0)
                    })
            }
        }
    }

    public func close() async {
        if let readers {
            await withCheckedContinuation { continuation in readers.close { continuation.resume() } }
        }
        await withCheckedContinuation { continuation in writer.close { continuation.resume() } }
    }
}
