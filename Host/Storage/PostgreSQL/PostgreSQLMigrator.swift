import Glibc
import TandemCore

/// Runs migrations as the tables' owner; replicas that start at once wait for each other.
struct PostgreSQLMigrator {
    /// "TNDM" and 1: the advisory lock of whoever changes the schema.
    private static let lockKey: Int64 = 0x544E_444D_0000_0001

    let connection: PostgreSQLConnection
    let roles: PostgreSQLRoles
    let clock: any WallClock

    /// Holds the lock of the schema's changes while `body` runs; it ends with the connection at the latest.
    static func locked<T>(_ connection: PostgreSQLConnection, _ body: () throws -> T) throws -> T {
        // Asked for again and again: a migration may take longer than a statement is allowed to.
        var pause: UInt32 = 2000
        while try connection.run("SELECT pg_try_advisory_lock($1)", [.int(lockKey)]).values.first != .int(1) {
            usleep(pause)
            pause = min(pause * 2, 250_000)
        }
        defer { if !connection.isBroken { _ = try? connection.run("SELECT pg_advisory_unlock($1)", [.int(lockKey)]) } }
        return try body()
    }

    /// Applies what is missing of `migrations`, under the lock; `isStorage` for the storage's own list.
    func run(_ migrations: [Migration], isStorage: Bool) throws -> MigrationReport {
        let known = try MigrationHistory.known(migrations, isStorage: isStorage, .postgres)
        if isStorage {
            _ = try connection.run(
                """
                CREATE TABLE IF NOT EXISTS "tandem_migrations" ("ordinal" BIGINT PRIMARY KEY, \
                "name" TEXT COLLATE "C" NOT NULL UNIQUE, "checksum" TEXT COLLATE "C" NOT NULL, \
                "applied_at" BIGINT NOT NULL)
                """)
        }
        var report = MigrationReport(applied: [], alreadyApplied: 0)
        var history = try PostgreSQLMigrator.history(connection)
        try history.compare(with: known, isStorage: isStorage)
        for item in known {
            if history.contains(item.name) {
                report.alreadyApplied += 1
                continue
            }
            try connection.queue("BEGIN")
            do {
                try apply(item, history, isStorage: isStorage)
                _ = try connection.run("COMMIT")
            } catch {
                if !connection.isBroken { _ = try? connection.run("ROLLBACK") }
                throw error
            }
            report.applied.append(item.name)
            history = try PostgreSQLMigrator.history(connection)
        }
        return report
    }

    static func history(_ connection: PostgreSQLConnection) throws -> MigrationHistory {
        MigrationHistory(try connection.run(MigrationHistory.selectAll))
    }

    private func apply(_ item: MigrationHistory.Known, _ history: MigrationHistory, isStorage: Bool) throws {
        // A domain's migration reaches the domains' tables only, and all rows of these.
        if !isStorage, let domains = roles.domains {
            try connection.queue(
                "SELECT set_config('role', $1, true), set_config('tandem.scope', 'system', true)", [.text(domains)])
        }
        for statement in item.statements {
            do {
                _ = try connection.run(statement)
            } catch let error as StorageError {
                throw MigrationHistory.failure(error, of: item.migration)
            }
        }
        try connection.queue("SELECT set_config('role', 'none', true), set_config('tandem.scope', '', true)")
        try PostgreSQLPolicies.apply(on: connection, roles)
        _ = try connection.run(
            "INSERT INTO tandem_migrations (ordinal, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
            [
                .int(history.nextOrdinal), .text(item.name), .text(item.checksum),
                .int(clock.now.millisecondsSinceEpoch),
            ])
    }
}
