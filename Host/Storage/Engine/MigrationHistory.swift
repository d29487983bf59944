import TandemCore

/// What ran on a database, compared with what the program has: the same rules on every engine.
struct MigrationHistory {
    struct Entry: Sendable {
        var ordinal: Int64
        var name: String
        var checksum: String
    }

    /// A migration of the program with its statements for one engine.
    struct Known: Sendable {
        var migration: Migration
        var statements: [String]
        var checksum: String

        var name: String { migration.name }

        init(_ migration: Migration, _ dialect: SQLDialect) {
            self.migration = migration
            statements = migration.statements(for: dialect)
            checksum = Migration.checksum(statements)
        }
    }

    static let selectAll = "SELECT ordinal, name, checksum FROM tandem_migrations ORDER BY ordinal"

    /// In the order in which they ran.
    let entries: [Entry]

    /// From the answer to `selectAll`.
    init(_ answer: SQLAnswer) {
        var entries: [Entry] = []
        for row in 0..<answer.rowCount {
            guard case .int(let ordinal) = answer.values[row * 3], case .text(let name) = answer.values[row * 3 + 1],
                case .text(let checksum) = answer.values[row * 3 + 2]
            else { continue }
            entries.append(Entry(ordinal: ordinal, name: name, checksum: checksum))
        }
        self.entries = entries
    }

    var nextOrdinal: Int64 { (entries.last?.ordinal ?? 0) + 1 }

    func contains(_ name: String) -> Bool { entries.contains { $0.name == name } }

    /// Renders the program's list and checks its names; `isStorage` for the storage's own, which the domains do not see.
    static func known(_ migrations: [Migration], isStorage: Bool, _ dialect: SQLDialect) throws -> [Known] {
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
        return migrations.map { Known($0, dialect) }
    }

    /// Throws `migration_edited`, `migration_missing` or `database_newer`.
    func compare(with known: [Known], isStorage: Bool) throws {
        let mine = entries.filter { $0.name.hasPrefix("storage/") == isStorage }
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
    private func compareOrder(_ applied: [Entry], with known: [Known]) throws {
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

    /// A migration's statement failed.
    static func failure(_ error: StorageError, of migration: Migration) -> StorageError {
        StorageError(
            error.code == .notAllowed ? .notAllowed : .migrationFailed, error.message,
            operation: "migration \(migration.name)", table: error.table, nativeCode: error.nativeCode,
            sqlState: error.sqlState)
    }
}
