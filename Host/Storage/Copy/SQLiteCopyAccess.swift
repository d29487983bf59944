import CSQLite

/// A SQLite file as a side of a copy.
final class SQLiteCopyAccess: CopyAccess {
    private let connection: SQLiteConnection
    private var version: Int64 = 0

    init(path: String, writing: Bool) throws {
        connection = try SQLiteConnection(
            path: path, isReadOnly: !writing, busyMilliseconds: SQLiteConfiguration.busyMilliseconds)
        if writing {
            try connection.once("PRAGMA synchronous = FULL")
            // Rows come in the order of tables, not of references: these are checked at the end.
            try connection.once("PRAGMA foreign_keys = OFF")
        }
    }

    func tables() throws -> [CopyTable] {
        try SQLiteSchema.tables(connection).subtracting(CopyMark.notCopied).sorted().compactMap { name in
            let info = try connection.once(
                "SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", [.text(name)])
            var columns: [String] = []
            var key: [(place: Int64, name: String)] = []
            for row in 0..<info.rowCount {
                guard case .text(let column) = info.values[row * 2], case .int(let place) = info.values[row * 2 + 1]
                else { continue }
                columns.append(column)
                if place > 0 { key.append((place, column)) }
            }
            let kind = try connection.once("SELECT type FROM sqlite_schema WHERE name = ?", [.text(name)])
            guard kind.values.first == .text("table") else { return nil }
            return CopyTable(
                name: name, columns: columns, key: key.sorted { $0.place < $1.place }.map(\.name))
        }
    }

    func beginSnapshot() throws {
        version = try SQLiteSchema.integer(connection, "PRAGMA data_version")
        try connection.command("BEGIN")
        // The snapshot is taken with the first read.
        _ = try connection.once("SELECT count(*) FROM sqlite_schema")
    }

    func hasChanged() throws -> Bool {
        try connection.command("COMMIT")
        return try SQLiteSchema.integer(connection, "PRAGMA data_version") != version
    }

    func migrationNames() throws -> Set<String> {
        var names: Set<String> = []
        for case .text(let name) in try connection.once("SELECT name FROM tandem_migrations").values {
            names.insert(name)
        }
        return names
    }

    private var statements: [String: RowStatement] = [:]

    func rows(_ text: String, _ binds: [SQLValue]) throws -> SQLAnswer {
        let statement = statements[text] ?? RowStatement(text)
        statements[text] = statement
        return try connection.run(statement, binds)
    }

    func transaction(_ body: () throws -> Void) throws {
        try connection.command("BEGIN IMMEDIATE")
        do {
            try body()
            try connection.command("COMMIT")
        } catch {
            if !connection.isOutsideTransaction { try? connection.command("ROLLBACK") }
            throw error
        }
    }

    func write(_ text: String, _ binds: [SQLValue]) throws { _ = try rows(text, binds) }

    func isTarget() throws -> Bool { try SQLiteSchema.tables(connection).contains(CopyMark.table) }

    func becomeTarget() throws {
        try connection.once("CREATE TABLE \(CopyMark.table) (name TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT")
    }

    func finishTarget() throws {
        let answer = try connection.once("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
        if case .text(let table)? = answer.values.first {
            throw StorageError(
                .reference, "a row refers to one that the source does not have", operation: "verify a copy",
                table: table)
        }
        try connection.once("DROP TABLE \(CopyMark.table)")
    }

    func close() { connection.close() }
}

extension SQLiteDatabase: CopyableDatabase {
    func openForCopy(writing: Bool) throws -> any CopyAccess {
        guard let path = configuration.path else {
            throw StorageError(.invalid, "a database in memory cannot be copied", operation: "copy a database")
        }
        return try SQLiteCopyAccess(path: path, writing: writing)
    }
}
