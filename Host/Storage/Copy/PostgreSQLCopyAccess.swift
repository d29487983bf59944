/// A PostgreSQL database as a side of a copy: as the owner of its tables, with all rows open to it.
final class PostgreSQLCopyAccess: CopyAccess {
    private let connection: PostgreSQLConnection
    private var version: [SQLValue] = []

    init(_ configuration: PostgreSQLConfiguration) throws {
        guard let owner = configuration.owner else {
            throw StorageError(
                .configuration, "only the owner of the tables can copy a database: set DATABASE_OWNER_URL",
                operation: "copy a database")
        }
        connection = try PostgreSQLSession.owner(owner)
        _ = try connection.run("SELECT set_config('tandem.scope', 'maintenance', false)")
    }

    func tables() throws -> [CopyTable] {
        let answer = try connection.run(
            """
            SELECT c.relname::text, a.attname::text, COALESCE(array_position(i.indkey::int2[], a.attnum), -1)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = $1::text::regnamespace ORDER BY c.relname, a.attnum
            """, [.text(PostgreSQLRoles.schema)])
        var tables: [CopyTable] = []
        var keys: [[(place: Int64, name: String)]] = []
        for row in 0..<answer.rowCount {
            guard case .text(let name) = answer.values[row * 3], case .text(let column) = answer.values[row * 3 + 1],
                case .int(let place) = answer.values[row * 3 + 2], !CopyMark.notCopied.contains(name)
            else { continue }
            if tables.last?.name != name {
                tables.append(CopyTable(name: name, columns: [], key: []))
                keys.append([])
            }
            tables[tables.count - 1].columns.append(column)
            if place >= 0 { keys[keys.count - 1].append((place, column)) }
        }
        for index in tables.indices { tables[index].key = keys[index].sorted { $0.place < $1.place }.map(\.name) }
        return tables
    }

    /// For each table, how many rows it has and a sum over the version of each: any write changes one of them. Numbers of
    /// transactions would not do, since other databases of the server take them as well.
    private func currentVersion() throws -> [SQLValue] {
        var version: [SQLValue] = []
        for table in try tables() {
            version += try connection.run(
                """
                SELECT count(*), COALESCE(sum(hashtextextended(xmin::text || ctid::text, 0)), 0)::text
                FROM \(PostgreSQLRoles.quoted(table.name))
                """
            ).values
        }
        return version
    }

    func beginSnapshot() throws {
        try connection.queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        version = try currentVersion()
    }

    func hasChanged() throws -> Bool {
        _ = try connection.run("COMMIT")
        return try currentVersion() != version
    }

    func migrationNames() throws -> Set<String> {
        var names: Set<String> = []
        for case .text(let name) in try connection.run("SELECT name FROM tandem_migrations").values {
            names.insert(name)
        }
        return names
    }

    func rows(_ text: String, _ binds: [SQLValue]) throws -> SQLAnswer {
        try connection.run(PostgreSQLConnection.numbered(text), binds)
    }

    func transaction(_ body: () throws -> Void) throws {
        do {
            try connection.queue("BEGIN")
            try body()
            _ = try connection.run("COMMIT")
        } catch {
            if !connection.isBroken { _ = try? connection.run("ROLLBACK") }
            throw error
        }
    }

    func write(_ text: String, _ binds: [SQLValue]) throws {
        try connection.queue(PostgreSQLConnection.numbered(text), binds)
    }

    func isTarget() throws -> Bool { try PostgreSQLCopyAccess.isTarget(connection) }

    static func isTarget(_ connection: PostgreSQLConnection) throws -> Bool {
        try connection.run(
            "SELECT 1 FROM pg_class WHERE relname = $1 AND relnamespace = $2::text::regnamespace",
            [.text(CopyMark.table), .text(PostgreSQLRoles.schema)]
        ).rowCount > 0
    }

    /// Rows come in the order of tables, not of references: these are taken away, kept in the mark, and made again.
    func becomeTarget() throws {
        try transaction {
            try connection.queue("CREATE TABLE \(CopyMark.table) (name TEXT PRIMARY KEY, definition TEXT NOT NULL)")
            let references = try connection.run(
                """
                SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
                WHERE contype = 'f' AND connamespace = $1::text::regnamespace
                """, [.text(PostgreSQLRoles.schema)])
            for row in 0..<references.rowCount {
                guard case .text(let table) = references.values[row * 3],
                    case .text(let name) = references.values[row * 3 + 1],
                    case .text(let definition) = references.values[row * 3 + 2]
                else { continue }
                let clause = "ALTER TABLE \(table) ADD CONSTRAINT \(PostgreSQLRoles.quoted(name)) \(definition)"
                try connection.queue(
                    "INSERT INTO \(CopyMark.table) (name, definition) VALUES ($1, $2)",
                    [.text("\(table).\(name)"), .text(clause)])
                try connection.queue("ALTER TABLE \(table) DROP CONSTRAINT \(PostgreSQLRoles.quoted(name))")
            }
        }
    }

    func finishTarget() throws {
        try transaction {
            for case .text(let clause) in try connection.run("SELECT definition FROM \(CopyMark.table)").values {
                try connection.queue(clause)
            }
            try connection.queue("DROP TABLE \(CopyMark.table)")
        }
        // Until somebody looks at them, the server knows nothing of the new rows.
        _ = try connection.run("ANALYZE")
    }

    func close() { connection.close() }
}

extension PostgreSQLDatabase: CopyableDatabase {
    func openForCopy(writing: Bool) throws -> any CopyAccess { try PostgreSQLCopyAccess(configuration) }
}
