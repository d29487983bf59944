import Glibc
import PostgreSQLServer
import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct DatabaseCopyTests {
    private static let keys = String(repeating: "0123456789abcdef", count: 4)

    /// A place for a database, which outlives the opened one.
    private struct Place: Sendable {
        let folder: TemporaryFolder
        let server: PostgreSQLConfiguration?

        init(_ engine: Engine) async throws {
            folder = try TemporaryFolder()
            server = engine == .postgres ? try await PostgreSQLServer.shared().database() : nil
        }

        func open(asTarget: Bool = false) async throws -> any Database {
            let keyring = Keyring(try MasterKeys(text: DatabaseCopyTests.keys))
            let database: any Database
            if var server {
                server.isCopyTarget = asTarget
                database = try await PostgreSQLDatabase.open(server, keyring: keyring)
            } else {
                var file = SQLiteConfiguration(path: folder.file("tandem.db"), isDurable: false)
                file.isCopyTarget = asTarget
                database = try await SQLiteDatabase.open(file, keyring: keyring)
            }
            try await database.migrate(DatabaseCopyTests.migrations)
            return database
        }
    }

    private static let migrations = [
        ConformanceCase.things, PostgreSQLDatabaseTests.marks,
        Migration("sample/3-owners") { builder in
            builder.createTable("owners") { table in
                table.column("id", .integer)
                table.primaryKey("id")
            }
            builder.createTable("owned") { table in
                table.column("hash", .blob)
                table.column("owner_id", .integer)
                table.primaryKey("hash")
                table.foreignKey(["owner_id"], references: "owners", ["id"], cascade: true)
                table.isWithoutRowID = true
            }
        },
    ]

    private static let people = (1...3).map { UserScope(authenticated: UserID(rawValue: Int64($0) << 40)) }

    private func fill(_ database: any Database, rows: Int = 150) async throws {
        try await database.register(Sample.tables, owner: Sample.owner)
        for scope in Self.people {
            try await database.write(scope) { transaction in
                let origin = WriteOrigin(turn: transaction.nextID(), step: 0)
                let list = try transaction.insert("lists", ["title": "week"], origin: origin)
                for number in 0..<rows {
                    let item = try transaction.insert(
                        "items",
                        [
                            "name": .string("item \(number) \u{1F95B} 'é'"), "list": .id(list), "cost": "12.50",
                            "amount": .integer(Int64.min + Int64(number)), "weight": .number(0.1 * Double(number)),
                            "day": "2026-02-28", "extra": ["a": [1, nil]], "secret": .string("hush \(number)"),
                        ], origin: origin)
                    guard number % 50 == 0 else { continue }
                    let note = try transaction.insert("notes", ["item": .id(item), "body": "later"])
                    // Refers to a row that comes after it.
                    let first = try transaction.insert("notes", ["item": .id(item), "body": "first"])
                    try transaction.update("notes", note, set: ["parent": .id(first)])
                }
                try transaction.label(turn: origin.turn, title: "filled")
                try transaction.execute("INSERT INTO marks (user_id, name) VALUES (\(scope.user), 'm')")
            }
        }
        try await database.write(.system) { transaction in
            for id in 0..<450 {
                try transaction.execute(
                    "INSERT INTO things (id, name, weight, data) VALUES (\(id), \("n\(id)"), \(Double(id) / 3), \([UInt8(id & 255)]))"
                )
            }
            try transaction.execute("INSERT INTO owners (id) VALUES (7)")
            try transaction.execute("INSERT INTO owned (hash, owner_id) VALUES (\([0, 255] as [UInt8]), 7)")
        }
    }

    /// What a person sees, and can still do.
    private func check(_ database: any Database) async throws {
        for scope in Self.people {
            try await database.write(scope) { transaction throws in
                let rows = try transaction.list("items", order: [RowOrder("id")], limit: 1000)
                #expect(rows.count == 150)
                #expect(rows.last?.string("secret") == "hush 149")
                #expect(rows.last?.string("name") == "item 149 \u{1F95B} 'é'")
                #expect(rows.last?["cost"] == "12.50")
                #expect(rows.last?.integer("amount") == Int64.min + 149)
                let found = try transaction.list("items", where: [RowCondition("secret", .equal, "hush 7")])
                #expect(found.count == 1)
                let undoable = try transaction.latestUndoable()
                #expect(undoable?.title == "filled")
            }
            let export = try await database.read(scope) { try $0.exportUser() }
            #expect(export["tables"]?[2]?["rows"]?.arrayValue?.count == 6)
        }
        let dangling = try await storageError {
            try await database.write(.system) {
                _ = try $0.execute("INSERT INTO owned (hash, owner_id) VALUES (\([1] as [UInt8]), 8)")
            }
        }
        #expect(dangling.code == .reference)
    }

    @Test(arguments: [
        (Engine.sqlite, Engine.postgres), (.postgres, .sqlite), (.sqlite, .sqlite), (.postgres, .postgres),
    ])
    func copiesEverything(_ from: Engine, _ to: Engine) async throws {
        let (first, second) = (try await Place(from), try await Place(to))
        let source = try await first.open()
        try await fill(source)
        let target = try await second.open(asTarget: true)
        let pieces = Mutex<[DatabaseCopy.Progress]>([])
        let report = try await DatabaseCopy(from: source, to: target).run { piece in
            pieces.withLock { $0.append(piece) }
        }
        await target.close()
        #expect(!report.sourceHasChanged)
        let tables = Dictionary(uniqueKeysWithValues: report.tables.map { ($0.name, $0) })
        #expect(tables["items"]?.rows == 450)
        #expect(tables["items"]?.written == 450)
        #expect(tables["things"]?.rows == 450)
        #expect(tables["notes"]?.rows == 18)
        #expect(tables["row_journal"]?.rows == 453)
        #expect(tables["user_keys"]?.rows == 4)
        #expect(pieces.withLock { $0.contains { $0.table == "things" && $0.rows == 400 && $0.rowCount == 450 } })
        let opened = try await second.open()
        try await opened.register(Sample.tables, owner: Sample.owner)
        try await check(opened)
        #expect(
            try opened.store.keyring.lookupHash("x", purpose: "p") == source.store.keyring.lookupHash("x", purpose: "p")
        )
        await opened.close()
        await source.close()
    }

    @Test(arguments: Engine.allCases)
    func goesOnWhereItWasInterrupted(_ to: Engine) async throws {
        let (first, second) = (try await Place(.sqlite), try await Place(to))
        let source = try await first.open()
        try await fill(source)
        let target = try await second.open(asTarget: true)
        let copy = try DatabaseCopy(from: source, to: target)
        let running = Mutex<Task<DatabaseCopy.Report, any Error>?>(nil)
        let task = Task {
            try await copy.run { piece in
                if piece.table == "row_journal", piece.rows > 0 { running.withLock { $0?.cancel() } }
            }
        }
        running.withLock { $0 = task }
        let outcome = await task.result
        // It may be over before it hears of it, on a slow machine; not both.
        guard case .failure(let error) = outcome else { return }
        #expect(error is CancellationError)
        await target.close()
        // Half of the data is not served.
        let refused = try await storageError { _ = try await second.open() }
        #expect(refused.code == .configuration)
        #expect(refused.message.contains("not finished"))
        let again = try await second.open(asTarget: true)
        let report = try await DatabaseCopy(from: source, to: again).run()
        let tables = Dictionary(uniqueKeysWithValues: report.tables.map { ($0.name, $0) })
        #expect(tables["items"]?.written == 0)
        #expect(tables["things"]?.written == 450)
        await again.close()
        let opened = try await second.open()
        try await opened.register(Sample.tables, owner: Sample.owner)
        try await check(opened)
        await opened.close()
        await source.close()
    }

    @Test(arguments: Engine.allCases)
    func followsASourceInUseWhenItIsRunAgain(_ to: Engine) async throws {
        let (first, second) = (try await Place(.sqlite), try await Place(to))
        let source = try await first.open()
        try await fill(source)
        let target = try await second.open(asTarget: true)
        let scope = Self.people[1]
        let hasWritten = Mutex(false)
        let report = try await DatabaseCopy(from: source, to: target).run { piece in
            guard piece.table == "lists", !hasWritten.withLock({ $0 }) else { return }
            hasWritten.withLock { $0 = true }
            let done = DispatchGate()
            Task {
                try await source.write(scope) { transaction in
                    let rows = try transaction.list("items", limit: 1000)
                    try transaction.update("items", rows[9].id, set: ["name": "changed", "secret": "new"])
                    try transaction.delete("items", rows[10].id)
                    // The unique value of a later row comes to an earlier one.
                    try transaction.update("items", rows[100].id, set: ["secret": "aside"])
                    try transaction.update("items", rows[2].id, set: ["secret": "hush 100"])
                }
                done.open()
            }
            done.wait()
        }
        #expect(report.sourceHasChanged)
        await target.close()
        // A finished target is not overwritten by mistake.
        let served = try await second.open()
        let refused = try await storageError { _ = try await DatabaseCopy(from: source, to: served).run() }
        #expect(refused.code == .conflict)
        let repeated = try await DatabaseCopy(from: source, to: served, replacing: true).run()
        #expect(!repeated.sourceHasChanged)
        let tables = Dictionary(uniqueKeysWithValues: repeated.tables.map { ($0.name, $0) })
        #expect(tables["items"]?.rows == 449)
        #expect(tables["things"]?.written == 0)
        await served.close()
        let opened = try await second.open()
        try await opened.register(Sample.tables, owner: Sample.owner)
        let found = try await opened.read(scope) {
            try $0.list("items", where: [RowCondition("secret", .equal, "hush 100")]).map { $0.string("name") }
        }
        #expect(found.count == 1)
        await opened.close()
        await source.close()
    }

    @Test func refusesWhatDoesNotMatch() async throws {
        let (first, second) = (try await Place(.sqlite), try await Place(.postgres))
        let source = try await first.open()
        try await fill(source, rows: 2)
        let target = try await second.open(asTarget: true)
        try await target.migrate(
            Self.migrations + [Migration("sample/4-more") { $0.sql("CREATE TABLE more (id BIGINT PRIMARY KEY)") }])
        let migrations = try await storageError { _ = try await DatabaseCopy(from: source, to: target).run() }
        #expect(migrations.code == .conflict)
        #expect(migrations.message.contains("sample/4-more"))
        let memory = try await SQLiteDatabase.open(SQLiteConfiguration(path: nil), keyring: Keyring.ephemeral())
        try await memory.migrate(Self.migrations)
        let inMemory = try await storageError { _ = try await DatabaseCopy(from: memory, to: target).run() }
        #expect(inMemory.code == .invalid)
        await target.close()
        await source.close()
    }
}

/// Lets a thread wait for a task.
private final class DispatchGate: Sendable {
    private let signal = Signal()
    private let isOpen = Mutex(false)

    func open() {
        isOpen.withLock { $0 = true }
        signal.withLock { signal.wakeAll() }
    }

    func wait() {
        while !isOpen.withLock({ $0 }) {
            signal.withLock { _ = signal.wait(untilNanoseconds: monotonicNanoseconds() + 5_000_000) }
        }
    }
}
