import CSQLite
import TandemCore

/// Runs migrations on the writer's connection, safely beside other processes that do the same.
struct SQLiteMigrator {
    let connection: SQLiteConnection
    let clock: any WallClock

    /// Applies what is missing of `migrations`; `isStorage` for the storage's own list, which the domains do not see.
    func run(_ migrations: [Migration], isStorage: Bool) throws -> MigrationReport {
        let known = try MigrationHistory.known(migrations, isStorage: isStorage, .sqlite)
        // A migration of another process may take a while.
        sqlite3_busy_timeout(connection.handle, 60_000)
        defer { sqlite3_busy_timeout(connection.handle, SQLiteConfiguration.busyMilliseconds) }
        try connection.once(
            """
            CREATE TABLE IF NOT EXISTS "tandem_migrations" ("ordinal" INTEGER PRIMARY KEY, "name" TEXT NOT NULL UNIQUE, \
            "checksum" TEXT NOT NULL, "applied_at" INTEGER NOT NULL) STRICT
            """)
        var report = MigrationReport(applied: [], alreadyApplied: 0)
        for item in known {
            try connection.command("BEGIN IMMEDIATE")
            do {
                // Looked at again within the lock: another process may have been faster.
                let history = try history()
                try history.compare(with: known, isStorage: isStorage)
                if history.contains(item.name) {
                    report.alreadyApplied += 1
                } else {
                    try apply(item, after: history, isStorage: isStorage)
                    report.applied.append(item.name)
                }
                try connection.command("COMMIT")
            } catch {
                if !connection.isOutsideTransaction { try? connection.command("ROLLBACK") }
                throw error
            }
        }
        if known.isEmpty { try history().compare(with: [], isStorage: isStorage) }
        return report
    }

    private func history() throws -> MigrationHistory {
        MigrationHistory(try connection.once(MigrationHistory.selectAll))
    }

    private func apply(_ item: MigrationHistory.Known, after history: MigrationHistory, isStorage: Bool) throws {
        if !isStorage {
            let all = try SQLiteSchema.tables(connection)
            connection.authorizer.protectedTables = all.subtracting(try SQLiteSchema.systemTables(connection))
        }
        for statement in item.statements {
            do {
                try connection.once(statement, origin: isStorage ? .storage : .migration)
            } catch let error as StorageError {
                throw MigrationHistory.failure(error, of: item.migration)
            }
        }
        try connection.once(
            "INSERT INTO tandem_migrations (ordinal, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
            [
                .int(history.nextOrdinal), .text(item.name), .text(item.checksum),
                .int(clock.now.millisecondsSinceEpoch),
            ])
    }
}
