import TandemCore
public import TandemStorage

extension MemoryTables {
    /// Vectors of other embedders than the built-in one, and how far each person's are.
    public static let migrations: [Migration] = [
        Migration("memory/1-vectors") { builder in
            builder.createTable("search_vectors") { table in
                table.column("user_id", .integer)
                table.column("model", .text)
                table.column("row_id", .integer)
                // Ascending as they were made.
                table.column("id", .integer)
                table.column("source", .text)
                // The state of the row that it is of.
                table.column("stamp", .integer)
                table.column("vector", .blob)
                table.primaryKey("user_id", "model", "row_id")
            }
            builder.createIndex("search_vectors_by_id", on: "search_vectors", ["user_id", "model", "source", "id"])
            builder.createTable("search_models") { table in
                table.column("user_id", .integer)
                table.column("model", .text)
                // All of the person's texts have had their vectors.
                table.column("is_ready", .integer)
                // The last vector that was made.
                table.column("last_id", .integer)
                // Where the round under way goes on: table and row; empty between rounds.
                table.column("source", .text)
                table.column("after_row", .integer)
                table.column("updated_at", .integer)
                table.primaryKey("user_id")
            }
        }
    ]
}

/// A person's vectors within one transaction.
struct VectorRows {
    struct State: Sendable, Hashable {
        var model: String
        var isReady = false
        var last: Int64 = 0
        var source = ""
        var after = RecordID(rawValue: 0)
    }

    private let transaction: any ReadTransaction

    init(_ transaction: any ReadTransaction) { self.transaction = transaction }

    private func user() throws -> UserID {
        guard case .user(let scope) = transaction.scope else {
            throw StorageError(.scopeRequired, "a person's vectors need that person's scope")
        }
        return scope.user
    }

    static func seal(_ id: Int64) -> SealContext { SealContext(table: "search_vectors", column: "vector", row: id) }

    func state() throws -> State? {
        try transaction.first(
            """
            SELECT model, is_ready, last_id, source, after_row FROM search_models WHERE user_id = \(try user())
            """
        ).map { row in
            State(
                model: try row.text("model"), isReady: try row.int("is_ready") != 0, last: try row.int64("last_id"),
                source: try row.text("source"), after: try row.recordID("after_row"))
        }
    }

    /// The vectors of a table's rows that were made after one, opened.
    func each(
        of model: String, table: String, after: Int64, _ body: (RecordID, [UInt8]) -> Void
    ) throws {
        var after = after
        while true {
            let rows = try transaction.query(
                """
                SELECT row_id, id, vector FROM search_vectors WHERE user_id = \(try user()) AND model = \(model)
                AND source = \(table) AND id > \(after) ORDER BY id LIMIT 1000
                """)
            for row in rows {
                let id = try row.int64("id")
                body(try row.recordID("row_id"), try transaction.open(try row.blob("vector"), VectorRows.seal(id)))
                after = id
            }
            if rows.count < 1000 { return }
        }
    }

    /// The stamps of what has vectors among a table's rows after one, up to another.
    func stamps(of model: String, table: String, after: RecordID, upTo: RecordID) throws -> [RecordID: Int64] {
        var stamps: [RecordID: Int64] = [:]
        for row in try transaction.query(
            """
            SELECT row_id, stamp FROM search_vectors WHERE user_id = \(try user()) AND model = \(model)
            AND source = \(table) AND row_id > \(after) AND row_id <= \(upTo)
            """)
        {
            stamps[try row.recordID("row_id")] = try row.int64("stamp")
        }
        return stamps
    }

    // MARK: - Writing

    private func writer() throws -> any WriteTransaction {
        guard let writer = transaction as? any WriteTransaction else {
            throw StorageError(.notAllowed, "a write in a reading transaction")
        }
        return writer
    }

    func keep(_ state: State) throws {
        let writer = try writer()
        try writer.execute(
            """
            INSERT INTO search_models (user_id, model, is_ready, last_id, source, after_row, updated_at)
            VALUES (\(try user()), \(state.model), \(state.isReady ? 1 : 0), \(state.last), \(state.source),
            \(state.after), \(writer.now))
            ON CONFLICT (user_id) DO UPDATE SET model = excluded.model, is_ready = excluded.is_ready,
            last_id = excluded.last_id, source = excluded.source, after_row = excluded.after_row,
            updated_at = excluded.updated_at
            """)
    }

    func dropState() throws {
        try writer().execute("DELETE FROM search_models WHERE user_id = \(try user())")
    }

    /// Keeps a row's vector; gives its id.
    func keep(_ packed: [UInt8], of row: RecordID, stamp: Int64, table: String, model: String) throws -> Int64 {
        let writer = try writer()
        let id = writer.nextID().rawValue
        let sealed = try writer.seal(packed, VectorRows.seal(id))
        try writer.execute(
            """
            INSERT INTO search_vectors (user_id, model, row_id, id, source, stamp, vector)
            VALUES (\(try user()), \(model), \(row), \(id), \(table), \(stamp), \(sealed))
            ON CONFLICT (user_id, model, row_id) DO UPDATE SET id = excluded.id, source = excluded.source,
            stamp = excluded.stamp, vector = excluded.vector
            """)
        return id
    }

    func drop(_ rows: [RecordID], of model: String) throws {
        let writer = try writer()
        for row in rows {
            try writer.execute(
                "DELETE FROM search_vectors WHERE user_id = \(try user()) AND model = \(model) AND row_id = \(row)")
        }
    }

    /// Drops some vectors of other models than one (nil: of all); true when there may be more.
    func dropSome(except model: String?) throws -> Bool {
        let rows = try transaction.query(
            """
            SELECT model, row_id FROM search_vectors WHERE user_id = \(try user()) AND model <> \(model ?? "") LIMIT 500
            """)
        for row in rows { try drop([try row.recordID("row_id")], of: try row.text("model")) }
        return rows.count == 500
    }
}
