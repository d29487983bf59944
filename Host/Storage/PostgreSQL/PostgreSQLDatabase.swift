import Glibc
public import TandemCore

/// A database on a PostgreSQL server, on libpq: a bounded pool of connections, and row-level security beneath everything.
///
/// Reads run in REPEATABLE READ, writes in SERIALIZABLE
/// (https://www.postgresql.org/docs/15/transaction-iso.html#XACT-SERIALIZABLE): a body whose transaction the server refuses
/// for what others did meanwhile runs again, at most thirty times. An acknowledged write is as durable as the server's
/// `synchronous_commit`. Several processes may use one database, and start at once.
public final class PostgreSQLDatabase: Database {
    public let store: RowStore
    public let configuration: PostgreSQLConfiguration
    private let roles: PostgreSQLRoles
    private let owner: PostgreSQLOwner
    private let pool: PostgreSQLPool

    public var dialect: SQLDialect { .postgres }

    /// How many transactions ran again so far, because others changed the same at the same time.
    public var repeatCount: Int { pool.repeatCount }

    /// Connects, brings the storage's own tables up to date, checks the master keys against the database, and loads the
    /// table definitions.
    ///
    /// Throws `StorageError`: `configuration`, `permission`, `cannot_open`, `unavailable` (after
    /// `configuration.startLimit`), `database_newer`, `master_key`, `key_missing`; each says what to do.
    public static func open(
        _ configuration: PostgreSQLConfiguration, keyring: Keyring, clock: any WallClock = SystemClock(),
        ids: IDGenerator? = nil
    ) async throws -> PostgreSQLDatabase {
        try await onThread("tandem-open") {
            try PostgreSQLDatabase(configuration, keyring: keyring, clock: clock, ids: ids)
        }
    }

    static func onThread<T: Sendable>(
        _ name: String, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try WorkerThread.run(named: name) { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private init(
        _ configuration: PostgreSQLConfiguration, keyring: Keyring, clock: any WallClock, ids: IDGenerator?
    ) throws {
        self.configuration = configuration
        let first = try PostgreSQLDatabase.patiently(configuration) { try PostgreSQLSession.runtime(configuration) }
        guard try configuration.isCopyTarget || !PostgreSQLCopyAccess.isTarget(first) else {
            throw CopyMark.unfinished
        }
        roles = PostgreSQLRoles(runtime: first.user, owner: nil)
        if let address = configuration.owner {
            let owner = try PostgreSQLSession.owner(address)
            defer { owner.close() }
            try PostgreSQLDatabase.checkOwner(owner, configuration)
            let roles = PostgreSQLRoles(runtime: first.user, owner: owner.user)
            try PostgreSQLMigrator.locked(owner) {
                let migrator = PostgreSQLMigrator(connection: owner, roles: roles, clock: clock)
                _ = try migrator.run(StorageMigrations.all, isStorage: true)
            }
        } else {
            try PostgreSQLDatabase.require(StorageMigrations.all, isStorage: true, on: first)
        }
        let node = try PostgreSQLSession.takeNode(first)
        owner = PostgreSQLOwner(configuration: configuration, runtime: first.user)
        store = RowStore(
            keyring: keyring, clock: clock, ids: ids ?? IDGenerator(clock: clock, node: node), definer: owner)
        try PostgreSQLDatabase.bootstrap(first, store, roles)
        pool = PostgreSQLPool(configuration: configuration, roles: roles, store: store, node: node)
        try pool.start(first)
    }

    deinit { pool.close {} }

    // MARK: Opening

    /// A server that is just starting is waited for.
    private static func patiently<T>(_ configuration: PostgreSQLConfiguration, _ body: () throws -> T) throws -> T {
        let deadline = monotonicNanoseconds() + UInt64(max(0, configuration.startLimit.milliseconds)) * 1_000_000
        while true {
            do {
                return try body()
            } catch let error as StorageError where error.code == .unavailable && monotonicNanoseconds() < deadline {
                usleep(250_000)
            }
        }
    }

    private static func checkOwner(_ owner: PostgreSQLConnection, _ configuration: PostgreSQLConfiguration) throws {
        func refuse(_ reason: String) -> StorageError {
            StorageError(
                .configuration, "\(owner.address.setting): the role \(owner.user) \(reason): tandem db setup makes one",
                operation: "connect to \(owner.address)")
        }
        guard owner.address.database == configuration.address.database else {
            throw StorageError(
                .configuration,
                "\(owner.address.setting) and \(configuration.address.setting) name different databases")
        }
        let answer = try owner.run(
            """
            SELECT EXISTS (SELECT 1 FROM pg_roles o WHERE o.rolname = $1 AND pg_has_role(session_user, o.oid, 'USAGE')),
            has_schema_privilege(session_user, $2, 'CREATE')
            """, [.text(PostgreSQLRoles.domains(of: owner.user)), .text(PostgreSQLRoles.schema)])
        guard answer.values.first == .int(1) else {
            throw refuse("is no member of \(PostgreSQLRoles.domains(of: owner.user))")
        }
        guard answer.values.last == .int(1) else {
            throw refuse("may not create tables in the schema \(PostgreSQLRoles.schema)")
        }
    }

    /// Without an owner nothing can be made: it must all be there.
    private static func require(
        _ migrations: [Migration], isStorage: Bool, on connection: PostgreSQLConnection
    ) throws {
        let known = try MigrationHistory.known(migrations, isStorage: isStorage, .postgres)
        let advice = "run tandem db migrate with DATABASE_OWNER_URL, or give it to this process as well"
        let history: MigrationHistory
        do {
            try connection.queue("BEGIN READ ONLY")
            try connection.queue(
                "SELECT set_config('role', $1, true)", [.text(PostgreSQLRoles.rows(of: connection.user))])
            history = try PostgreSQLMigrator.history(connection)
            _ = try connection.run("COMMIT")
        } catch let error as StorageError where error.sqlState == "42P01" || error.sqlState == "42501" {
            _ = try? connection.run("ROLLBACK")
            throw StorageError(
                .configuration, "the database has none of the program's tables: \(advice)",
                operation: "open \(connection.address)")
        }
        try history.compare(with: known, isStorage: isStorage)
        if let missing = known.first(where: { !history.contains($0.name) }) {
            throw StorageError(
                .configuration, "the database is of an older version of the program: \(advice)",
                operation: "migration \(missing.name)")
        }
    }

    /// Checks the keys and loads the definitions; one replica at a time, since the first makes the program's own key.
    private static func bootstrap(
        _ connection: PostgreSQLConnection, _ store: RowStore, _ roles: PostgreSQLRoles
    ) throws {
        try PostgreSQLMigrator.locked(connection) {
            let transaction = PostgreSQLTransaction(
                connection: connection, kind: .write, scope: .system, store: store, roles: roles)
            do {
                try store.keyring.verifyMasterKeys(in: transaction.context)
                try store.tables.load(in: transaction.context)
                try transaction.commit()
            } catch {
                transaction.rollBack()
                throw error
            }
        }
        store.tables.setSystemTables(try systemTables(connection, store))
    }

    /// The tables of domains: all but the people's and the storage's own.
    private static func systemTables(_ connection: PostgreSQLConnection, _ store: RowStore) throws -> Set<String> {
        var names: Set<String> = []
        let answer = try connection.run(
            """
            SELECT relname::text FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p', 'v')
            """, [.text(PostgreSQLRoles.schema)])
        for case .text(let name) in answer.values { names.insert(name) }
        return names.subtracting(store.tables.snapshot.tables.keys).subtracting(StorageMigrations.tables)
    }

    // MARK: Database

    public func read<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any ReadTransaction) throws -> T
    ) async throws -> T {
        try await PostgreSQLUnit.run(
            scope, { try body($0) }, submit: { unit in pool.submit(unit, isRead: true) })
    }

    @discardableResult
    public func write<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any WriteTransaction) throws -> T
    ) async throws -> T {
        try await PostgreSQLUnit.run(
            scope, { try body($0) }, submit: { unit in pool.submit(unit, isRead: false) })
    }

    public func readPage(_ request: PageRequest, of scope: UserScope, tables: TableAccess) async throws -> RowPage {
        try await PostgreSQLUnit.run(
            .user(scope), shortcut: try shortcut(to: request, of: scope, tables),
            { try $0.page(request, tables: tables) },
            submit: { unit in pool.submit(unit, isRead: true) })
    }

    @discardableResult
    public func migrate(_ migrations: [Migration]) async throws -> MigrationReport {
        let store = store
        guard configuration.owner != nil else {
            let configuration = configuration
            return try await PostgreSQLDatabase.onThread("tandem-migrate") {
                let connection = try PostgreSQLSession.runtime(configuration)
                defer { connection.close() }
                try PostgreSQLDatabase.require(migrations, isStorage: false, on: connection)
                store.tables.setSystemTables(try PostgreSQLDatabase.systemTables(connection, store))
                return MigrationReport(applied: [], alreadyApplied: migrations.count)
            }
        }
        return try await owner.run("migrate") { connection, roles in
            let report = try PostgreSQLMigrator(connection: connection, roles: roles, clock: store.clock)
                .run(migrations, isStorage: false)
            store.tables.setSystemTables(try PostgreSQLDatabase.systemTables(connection, store))
            return report
        }
    }

    /// Runs `body` on a connection of the tables' owner, alone among all replicas.
    func asOwner<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (PostgreSQLConnection, PostgreSQLRoles) throws -> T
    ) async throws -> T { try await owner.run(operation, body) }

    public func close() async {
        await withCheckedContinuation { continuation in pool.close { continuation.resume() } }
    }
}
