import CSQLite
import TandemCore

/// Runs migrations on the writer's connection, safely beside other processes that do the same.
struct SQLiteMigrator {
    let connection: SQLiteConnection
    let clock: any WallClock

    private struct Applied {
        var ordinal: Int64
        var name: String
        var checksum: String
    }

    /// Applies what is missing of `migrations`; `isStorage` for the storage's own list, which the domains do not see.
    func run(_ migrations: [Migration], isStorage: Bool) throws -> MigrationReport {
        try check(names: migrations, isStorage: isStorage)
        // A migration of another process may take a while.
        sqlite3_busy_timeout(connection.handle, 60_000)
        defer { sqlite3_busy_timeout(connection.handle, SQLiteConfiguration.busyMilliseconds) }
        try connection.once(
            """
            CREATE TABLE IF NOT EXISTS "tandem_migrations" ("ordinal" INTEGER PRIMARY KEY, "name" TEXT NOT NULL UNIQUE, \
            "checksum" TEXT NOT NULL, "applied_at" INTEGER NOT NULL) STRICT
            """)
        let rendered = migrations.map { ($0, $0.statements(for: .sqlite)) }
        var report = MigrationReport(applied: [], alreadyApplied: 0)
        for (migration, statements) in rendered {
            let checksum = Migration.checksum(statements)
            try connection.command("BEGIN IMMEDIATE")
            do {
                // Looked at again within the lock: another process may have been faster.
                let applied = try applied()
                try compare(applied, with: rendered.map { ($0.0.name, Migration.checksum($0.1)) }, isStorage: isStorage)
                if applied.contains(where: { $0.name == migration.name }) {
                    report.alreadyApplied += 1
                } else {
                    try apply(migration, statements, checksum, after: applied, isStorage: isStorage)
                    report.applied.append(migration.name)
                }
                try connection.command("COMMIT")
            } catch {
                if !connection.isOutsideTransaction { try? connection.command("ROLLBACK") }
                throw error
            }
        }
        if migrations.isEmpty {
            try compare(try applied(), with: [], isStorage: isStorage)
        }
        return report
    }

    private func check(names migrations: [Migration], isStorage: Bool) throws {
        var seen: Set<String> = []
        for migration in migrations {
            guard migration.isNamedWell, isStorage || migration.domain != "storage" else {
                throw StorageError(
                    .invalid, "a migration's name is domain/step in a-z, 0-9, - and _; storage is taken",
                    operation: "migration \(migration.name)")
            }
            guard seen.insert(migration.name).inserted else {
                throw StorageError(.invalid, "the name is used twice", operation: "migration \(migration.name)")
            }
        }
    }

    private func applied() throws -> [Applied] {
        let answer = try connection.once("SELECT ordinal, name, checksum FROM tandem_migrations ORDER BY ordinal")
        var list: [Applied] = []
        for row in 0..<answer.rowCount {
            guard case .int(let ordinal) = answer.values[row * 3], case .text(let name) = answer.values[row * 3 + 1],
                case .text(let checksum) = answer.values[row * 3 + 2]
            else { continue }
            list.append(Applied(ordinal: ordinal, name: name, checksum: checksum))
        }
        return list
    }

    private func compare(_ applied: [Applied], with known: [(name: String, checksum: String)], isStorage: Bool) throws {
        let mine = applied.filter { $0.name.hasPrefix("storage/") == isStorage }
        var places: [String: Int] = [:]
        for (place, item) in known.enumerated() { places[item.name] = place }
        var unknown: [String] = []
        for item in mine {
            guard let place = places[item.name] else {
                unknown.append(item.name)
                continue
            }
            guard known[place].checksum == item.checksum else {
                throw StorageError(
                    .migrationEdited,
                    "the migration has run on this database and was edited since: restore it, and add a new one",
                    operation: "migration \(item.name)")
            }
        }
        for name in unknown {
            let domain = name.prefix(while: { $0 != "/" })
            let followers = mine.drop(while: { $0.name != name }).dropFirst()
            // A known step of the same domain ran after it: so it was there once, and is gone from the list.
            if followers.contains(where: { $0.name.prefix(while: { $0 != "/" }) == domain && places[$0.name] != nil }) {
                throw StorageError(
                    .migrationMissing, "the migration has run on this database and is missing from the program",
                    operation: "migration \(name)")
            }
            throw StorageError(
                .databaseNewer,
                "the database has a migration that this program does not know: start the newer version of the program"
                    + " (all migrations belong in one call)", operation: "migration \(name)")
        }
        try compareOrder(mine, with: known)
    }

    /// Within a domain, nothing may be put before what has run.
    private func compareOrder(_ applied: [Applied], with known: [(name: String, checksum: String)]) throws {
        let ran = Set(applied.map(\.name))
        var waiting: [Substring: String] = [:]
        for item in known {
            let domain = item.name.prefix(while: { $0 != "/" })
            if ran.contains(item.name) {
                if let earlier = waiting[domain] {
                    throw StorageError(
                        .migrationMissing, "the migration stands before \(item.name), which has run: add it at the end",
                        operation: "migration \(earlier)")
                }
            } else if waiting[domain] == nil {
                waiting[domain] = item.name
            }
        }
    }

    private func apply(
        _ migration: Migration, _ statements: [String], _ checksum: String, after applied: [Applied], isStorage: Bool
    ) throws {
        if !isStorage {
            let all = try SQLiteSchema.tables(connection)
            connection.authorizer.protectedTables = all.subtracting(try SQLiteSchema.systemTables(connection))
        }
        for statement in statements {
            do {
                try connection.once(statement, origin: isStorage ? .storage : .migration)
            } catch let error as StorageError {
                throw StorageError(
                    error.code == .notAllowed ? .notAllowed : .migrationFailed, error.message,
                    operation: "migration \(migration.name)", table: error.table, nativeCode: error.nativeCode,
                    sqlState: error.sqlState)
            }
        }
        try connection.once(
            "INSERT INTO tandem_migrations (ordinal, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
            [
                .int((applied.last?.ordinal ?? 0) + 1), .text(migration.name), .text(checksum),
                .int(clock.now.millisecondsSinceEpoch),
            ])
    }
}
