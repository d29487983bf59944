import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

/// What every engine must do; run with a fresh database of each.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    let name: String
    let run: @Sendable (any Database) async throws -> Void

    var testDescription: String { name }

    init(_ name: String, _ run: @escaping @Sendable (any Database) async throws -> Void) {
        self.name = name
        self.run = run
    }

    static let things = Migration("sample/1-things") { builder in
        builder.createTable("things") { table in
            table.column("id", .integer)
            table.column("name", .text, nullable: true)
            table.column("weight", .real, nullable: true)
            table.column("data", .blob, nullable: true)
            table.primaryKey("id")
            table.unique("name")
        }
    }

    static let all: [ConformanceCase] = [
        ConformanceCase("values come back as they were bound") { database in
            try await database.migrate([things])
            try await database.write(.system) { transaction in
                try transaction.execute(
                    """
                    INSERT INTO things (id, name, weight, data)
                    VALUES (\(Int64.max), \("it's \u{1F600} 'quoted'; DROP TABLE things"), \(0.1), \([0, 255, 7] as [UInt8]))
                    """)
                let nothing: String? = nil
                try transaction.execute(
                    "INSERT INTO things (id, name, data) VALUES (\(Int64.min), \(nothing), \([] as [UInt8]))")
            }
            let rows = try await database.read(.system) { try $0.query("SELECT * FROM things ORDER BY id DESC") }
            try #require(rows.count == 2)
            #expect(try rows[0].int64("id") == .max)
            #expect(try rows[0].text("name") == "it's \u{1F600} 'quoted'; DROP TABLE things")
            #expect(try rows[0].double("weight") == 0.1)
            #expect(try rows[0].blob("data") == [0, 255, 7])
            #expect(try rows[1].textIfPresent("name") == nil)
            #expect(try rows[1].blob("data") == [])
            #expect(rows[1]["weight"] == .null)
        },
        ConformanceCase("a body that throws leaves nothing, and others' writes stay") { database in
            try await database.migrate([things])
            let results = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<60 {
                    group.addTask {
                        do {
                            try await database.write(.system) { transaction in
                                try transaction.execute("INSERT INTO things (id) VALUES (\(index))")
                                if index % 3 == 0 { throw Refusal() }
                            }
                            return true
                        } catch { return false }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(results == 40)
            let ids = try await database.read(.system) { transaction in
                try transaction.query("SELECT id FROM things").map { try $0.int("id") }
            }
            #expect(Set(ids) == Set((0..<60).filter { $0 % 3 != 0 }))
        },
        ConformanceCase("a constraint's failure names its class and leaves the rest") { database in
            try await database.migrate([things])
            let error = try await storageError {
                try await database.write(.system) { transaction in
                    try transaction.execute("INSERT INTO things (id, name) VALUES (1, \("secret-value"))")
                    try transaction.execute("INSERT INTO things (id, name) VALUES (2, \("secret-value"))")
                }
            }
            #expect(error.code == .unique)
            #expect(error.sqlState == "23505")
            #expect(!"\(error)".contains("secret-value"))
            #expect(try await database.read(.system) { try $0.query("SELECT id FROM things").isEmpty })
        },
        ConformanceCase("atomically undoes its own writes only") { database in
            try await database.migrate([things])
            try await database.write(.system) { transaction in
                try transaction.execute("INSERT INTO things (id) VALUES (1)")
                try? transaction.atomically {
                    try transaction.execute("INSERT INTO things (id) VALUES (2)")
                    throw Refusal()
                }
                try transaction.atomically { _ = try transaction.execute("INSERT INTO things (id) VALUES (3)") }
            }
            let ids = try await database.read(.system) { transaction in
                try transaction.query("SELECT id FROM things ORDER BY id").map { try $0.int("id") }
            }
            #expect(ids == [1, 3])
        },
        ConformanceCase("a read sees one snapshot and every acknowledged write") { database in
            try await database.migrate([things])
            for index in 0..<50 {
                try await database.write(.system) { transaction in
                    try transaction.execute("INSERT INTO things (id) VALUES (\(index))")
                }
                let count = try await database.read(.system) { transaction in
                    try transaction.query("SELECT count(*) AS n FROM things")[0].int("n")
                }
                #expect(count == index + 1)
            }
        },
        ConformanceCase("execute returns the rows it changed") { database in
            try await database.migrate([things])
            try await database.write(.system) { transaction in
                for id in 0..<5 { try transaction.execute("INSERT INTO things (id) VALUES (\(id))") }
                #expect(try transaction.execute("UPDATE things SET weight = 1 WHERE id < \(3)") == 3)
                #expect(try transaction.execute("DELETE FROM things WHERE id > \(9)") == 0)
                #expect(try transaction.execute("DELETE FROM things WHERE id IN \(list: [0, 4, 7])") == 2)
                let none: [Int] = []
                #expect(try transaction.query("SELECT id FROM things WHERE id IN \(list: none)").isEmpty)
            }
        },
        ConformanceCase("names go in as identifiers only") { database in
            try await database.migrate([things])
            let count = try await database.read(.system) { transaction in
                try transaction.query("SELECT count(*) AS n FROM \(identifier: "things")")[0].int("n")
            }
            #expect(count == 0)
            let error = try await storageError {
                _ = try await database.read(.system) { transaction in
                    try transaction.query("SELECT * FROM \(identifier: "things\"; DROP TABLE things")")
                }
            }
            #expect(error.code == .statement)
        },
        ConformanceCase("a cancelled task does not begin to write") { database in
            try await database.migrate([things])
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await database.write(.system) { transaction in
                    _ = try transaction.execute("INSERT INTO things (id) VALUES (1)")
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await database.read(.system) { try $0.query("SELECT id FROM things").isEmpty })
        },
        ConformanceCase("what was asked for after the commit happens then, and not after a failure") { database in
            try await database.migrate([things])
            let counter = ChangeCounter()
            try? await database.write(.system) { transaction in
                transaction.afterCommit { counter.increment() }
                throw Refusal()
            }
            #expect(counter.value == 0)
            try await database.write(.system) { $0.afterCommit { counter.increment() } }
            #expect(counter.value == 1)
        },
        ConformanceCase("migrations run once, in order, and are compared") { database in
            let more = Migration("sample/2-more") { $0.sql("ALTER TABLE things ADD COLUMN colour TEXT") }
            #expect(try await database.migrate([things]).applied == ["sample/1-things"])
            let report = try await database.migrate([things, more])
            #expect(report.applied == ["sample/2-more"])
            #expect(report.alreadyApplied == 1)
            #expect(try await database.migrate([things, more]).applied.isEmpty)

            let edited = Migration("sample/1-things") { $0.sql("CREATE TABLE things (id INTEGER)") }
            let editing = try await storageError { try await database.migrate([edited, more]) }
            #expect(editing.code == .migrationEdited)
            #expect(editing.operation == "migration sample/1-things")
            let missing = try await storageError { try await database.migrate([more]) }
            #expect(missing.code == .migrationMissing)
            #expect(missing.operation == "migration sample/1-things")
            let newer = try await storageError { try await database.migrate([things]) }
            #expect(newer.code == .databaseNewer)
            #expect(newer.operation == "migration sample/2-more")
            let between = Migration("sample/1-b") { $0.sql("CREATE TABLE b (id INTEGER)") }
            let squeezed = try await storageError { try await database.migrate([things, between, more]) }
            #expect(squeezed.code == .migrationMissing)
            #expect(squeezed.operation == "migration sample/1-b")
        },
        ConformanceCase("a failing migration leaves nothing of itself") { database in
            let broken = Migration("sample/2-broken") { builder in
                builder.sql("CREATE TABLE half (id INTEGER)")
                builder.sql("INSERT INTO nowhere VALUES (1)")
            }
            let error = try await storageError { try await database.migrate([things, broken]) }
            #expect(error.code == .migrationFailed)
            #expect(error.operation == "migration sample/2-broken")
            #expect(try await database.migrate([things]).alreadyApplied == 1)
            await #expect(throws: StorageError.self) {
                _ = try await database.read(.system) { try $0.query("SELECT * FROM half") }
            }
        },
        ConformanceCase("SQL of domains reaches no person's row") { database in
            try await database.migrate([things])
            try await database.register(Sample.tables, owner: Sample.owner)
            let scope = UserScope(authenticated: UserID(rawValue: 5))
            try await database.write(scope) { _ = try $0.insert("items", ["name": "milk"]) }
            let attempts: [SQL] = [
                "SELECT * FROM items", "SELECT count(*) FROM items", "DELETE FROM items",
                "UPDATE items SET name = 'x'", "INSERT INTO items (user_id, id) VALUES (1, 1)",
                "SELECT * FROM things WHERE id IN (SELECT id FROM items)",
                "WITH stolen AS (SELECT * FROM items) SELECT * FROM stolen",
                "INSERT INTO things (name) SELECT name FROM items", "SELECT * FROM row_journal",
                "SELECT * FROM user_keys", "DELETE FROM tandem_migrations", "DROP TABLE things", "DROP TABLE items",
                "CREATE TABLE mine (id INTEGER)", "CREATE VIEW v AS SELECT * FROM items",
            ]
            for access in [AccessScope.system, .user(scope)] {
                for attempt in attempts {
                    // Both ways in must be closed.
                    let query = try await storageError {
                        try await database.write(access) { _ = try $0.query(attempt) }
                    }
                    let execute = try await storageError {
                        try await database.write(access) { _ = try $0.execute(attempt) }
                    }
                    #expect(query.code == .notAllowed, "\(attempt.text)")
                    #expect(execute.code == .notAllowed, "\(attempt.text)")
                }
            }
            #expect(try await database.read(scope) { try $0.count("items") } == 1)
        },
        ConformanceCase("migrations reach no person's table") { database in
            try await database.migrate([things])
            try await database.register(Sample.tables, owner: Sample.owner)
            for statement in [
                "DELETE FROM items", "DROP TABLE items", "ALTER TABLE items ADD COLUMN x TEXT",
                "INSERT INTO things (name) SELECT name FROM items", "DELETE FROM user_keys",
            ] {
                let thief = Migration("thief/1") { $0.sql(statement) }
                let error = try await storageError { try await database.migrate([things, thief]) }
                #expect(error.code == .notAllowed, "\(statement)")
            }
        },
        ConformanceCase("rows need a person's scope, and it is that person's") { database in
            try await database.register(Sample.tables, owner: Sample.owner)
            let first = UserScope(authenticated: UserID(rawValue: 5))
            let second = UserScope(authenticated: UserID(rawValue: 6))
            let id = try await database.write(first) { try $0.insert("items", ["name": "milk"]) }
            let error = try await storageError {
                try await database.write(.system) { _ = try $0.insert("items", ["name": "milk"]) }
            }
            #expect(error.code == .scopeRequired)
            try await database.write(second) { transaction in
                #expect(try transaction.row("items", id) == nil)
                #expect(try transaction.list("items").isEmpty)
                #expect(try !transaction.update("items", id, set: ["name": "mine"]))
                #expect(try transaction.update("items", where: [], set: ["name": "mine"]) == 0)
                #expect(try !transaction.delete("items", id))
                #expect(try transaction.delete("items", where: []) == 0)
                // A reference does not reach another person's row either.
                let list = try storageErrorNow { _ = try transaction.insert("notes", ["item": .id(id), "body": "x"]) }
                #expect(list.code == .reference)
                #expect(list.column == "item")
            }
            #expect(try await database.read(first) { try $0.row("items", id)?.string("name") } == "milk")
        },
        ConformanceCase("a transaction that leaked out of its body does nothing") { database in
            try await database.migrate([things])
            let leak = Leak()
            try await database.write(.system) { leak.keep($0) }
            #expect(throws: StorageError.self) { try leak.use() }
        },
        ConformanceCase("a closed database says so") { database in
            await database.close()
            let error = try await storageError { _ = try await database.read(.system) { _ in 1 } }
            #expect(error.code == .closed)
            await database.close()
        },
    ]
}

struct Refusal: Error {}

/// Keeps a transaction beyond its body, as no program should.
final class Leak: @unchecked Sendable {
    // Written and read one after the other, by the test that awaits in between.
    private var transaction: (any WriteTransaction)?

    func keep(_ transaction: any WriteTransaction) { self.transaction = transaction }

    func use() throws { try transaction?.execute("INSERT INTO things (id) VALUES (1)") }
}

/// The error that `body` throws, within a transaction.
func storageErrorNow(_ body: () throws -> Void) throws -> StorageError {
    do {
        try body()
    } catch let error as StorageError {
        return error
    }
    throw Missing()
}
