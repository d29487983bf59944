import CSQLite
import Glibc
import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct SQLiteDatabaseTests {
    @Test(arguments: ConformanceCase.all)
    func conforms(_ conformance: ConformanceCase) async throws {
        let fixture = try await Fixture()
        try await conformance.run(fixture.database)
    }

    @Test(arguments: ConformanceCase.all)
    func conformsInMemory(_ conformance: ConformanceCase) async throws {
        let database = try await SQLiteDatabase.open(SQLiteConfiguration(path: nil), keyring: try Keyring.ephemeral())
        try await conformance.run(database)
    }

    @Test func writesManyUnitsInOneCommitAndKeepsThemAll() async throws {
        let fixture = try await Fixture(isDurable: true)
        try await fixture.database.migrate([ConformanceCase.things])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<32 {
                group.addTask {
                    for index in 0..<20 {
                        try await fixture.database.write(.system) { transaction in
                            _ = try transaction.execute("INSERT INTO things (id) VALUES (\(worker * 100 + index))")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let count = try await fixture.database.read(.system) { transaction in
            try transaction.query("SELECT count(*) AS n FROM things")[0].int("n")
        }
        #expect(count == 640)
    }

    @Test func readTransactionsDoNotWrite() async throws {
        let fixture = try await Fixture()
        try await fixture.database.migrate([ConformanceCase.things])
        let error = try await storageError {
            _ = try await fixture.database.read(.system) { transaction in
                try transaction.query("INSERT INTO things (id) VALUES (1) RETURNING id")
            }
        }
        #expect(error.code == .notAllowed)
        let scope = fixture.user()
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        let write = RowOperation.insert(table: "items", values: ["name": "milk"])
        let rows = try await storageError {
            _ = try await fixture.database.read(scope) { try $0.run([write], tables: .host) }
        }
        #expect(rows.code == .notAllowed)
    }

    @Test func refusesSeveralStatementsAndWrongNumbersOfValues() async throws {
        let fixture = try await Fixture()
        try await fixture.database.migrate([ConformanceCase.things])
        let two = try await storageError {
            _ = try await fixture.database.write(.system) { try $0.execute("DELETE FROM things; DELETE FROM things") }
        }
        #expect(two.code == .statement)
        let unbound = try await storageError {
            _ = try await fixture.database.write(.system) { try $0.execute("DELETE FROM things WHERE id = ?") }
        }
        #expect(unbound.code == .statement)
        let commit = try await storageError {
            _ = try await fixture.database.write(.system) { try $0.execute("COMMIT") }
        }
        #expect(commit.code == .notAllowed)
        let attach = try await storageError {
            _ = try await fixture.database.write(.system) { try $0.execute("ATTACH '/tmp/x' AS other") }
        }
        #expect(attach.code == .notAllowed)
        let pragma = try await storageError {
            _ = try await fixture.database.read(.system) { try $0.query("PRAGMA writable_schema = ON") }
        }
        #expect(pragma.code == .notAllowed)
    }

    // MARK: Files

    @Test func keepsItsFilesToItsUser() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("tandem.db")
        close(open(path, O_CREAT | O_RDWR, 0o644))
        let database = try await SQLiteDatabase.open(SQLiteConfiguration(path: path), keyring: try Keyring.ephemeral())
        try await database.migrate([ConformanceCase.things])
        for name in [path, path + "-wal", path + "-shm"] {
            var status = stat()
            try #require(stat(name, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func saysWhatIsWrongWithAFile() async throws {
        let folder = try TemporaryFolder()
        let keyring = try Keyring.ephemeral()
        func failure(_ path: String) async throws -> StorageError {
            try await storageError {
                _ = try await SQLiteDatabase.open(SQLiteConfiguration(path: path), keyring: keyring)
            }
        }
        let missing = try await failure(folder.file("nowhere/tandem.db"))
        #expect(missing.code == .cannotOpen)
        #expect(missing.message.contains("does not exist"))
        #expect(try await failure(folder.path).code == .cannotOpen)

        let garbage = folder.file("garbage.db")
        write(Array(repeating: UInt8(ascii: "x"), count: 8192), to: garbage)
        let corrupt = try await failure(garbage)
        #expect(corrupt.code == .corrupt)
        #expect(corrupt.message.contains("garbage.db"))

        let foreign = folder.file("foreign.db")
        var handle: OpaquePointer?
        sqlite3_open(foreign, &handle)
        sqlite3_exec(handle, "CREATE TABLE t (a)", nil, nil, nil)
        sqlite3_close(handle)
        let other = try await failure(foreign)
        #expect(other.code == .corrupt)
        #expect(other.message.contains("another program"))
    }

    @Test func refusesAFileOfANewerStorage() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("tandem.db")
        let keyring = try Keyring.ephemeral()
        let database = try await SQLiteDatabase.open(SQLiteConfiguration(path: path), keyring: keyring)
        await database.close()
        var handle: OpaquePointer?
        sqlite3_open(path, &handle)
        sqlite3_exec(
            handle,
            "INSERT INTO tandem_migrations (ordinal, name, checksum, applied_at) VALUES (99, 'storage/9-x', '', 0)",
            nil, nil, nil)
        sqlite3_close(handle)
        let error = try await storageError {
            _ = try await SQLiteDatabase.open(SQLiteConfiguration(path: path), keyring: keyring)
        }
        #expect(error.code == .databaseNewer)
        #expect(error.operation == "migration storage/9-x")
    }

    @Test func reportsAFullDiskAndGoesOn() async throws {
        let fixture = try await Fixture()
        try await fixture.database.migrate([ConformanceCase.things])
        // A limit on the file's pages fails just as a full disk does (SQLITE_FULL).
        try await fixture.database.limitPages(by: 4)
        let error = try await storageError {
            try await fixture.database.write(.system) { transaction in
                for id in 0..<100 {
                    try transaction.execute(
                        "INSERT INTO things (id, data) VALUES (\(id), \([UInt8](repeating: 1, count: 4000)))")
                }
            }
        }
        #expect(error.code == .diskFull)
        #expect(error.message.contains("free space"))
        try await fixture.database.write(.system) { try $0.execute("INSERT INTO things (id) VALUES (1000)") }
        let count = try await fixture.database.read(.system) { transaction in
            try transaction.query("SELECT count(*) AS n FROM things")[0].int("n")
        }
        #expect(count == 1)
    }

    @Test func letsSeveralProgramsStartAtOnce() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("tandem.db")
        let keyring = try Keyring.ephemeral()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let database = try await SQLiteDatabase.open(SQLiteConfiguration(path: path), keyring: keyring)
                    let report = try await database.migrate([ConformanceCase.things])
                    try await database.register(Sample.tables, owner: Sample.owner)
                    await database.close()
                    return report.applied.count
                }
            }
            let applied = try await group.reduce(0, +)
            #expect(applied == 1)
        }
    }

    @Test func seesTablesThatAnotherProgramMade() async throws {
        let fixture = try await Fixture()
        try await fixture.database.migrate([])
        let other = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: fixture.folder.file("tandem.db")), keyring: fixture.keyring)
        try await other.migrate([ConformanceCase.things])
        try await other.register(Sample.tables, owner: Sample.owner)
        let rows = try await fixture.database.read(.system) { try $0.query("SELECT id FROM things") }
        #expect(rows.isEmpty)
        let error = try await storageError {
            _ = try await fixture.database.read(.system) { try $0.query("SELECT id FROM items") }
        }
        #expect(error.code == .notAllowed)
    }

    // MARK: Crash

    /// A child process writes from several tasks and notes each acknowledgement; it is killed without warning, and what it
    /// noted must be there.
    @Test(.timeLimit(.minutes(8)), arguments: [3, 40, 110])
    func keepsEveryAcknowledgedWriteWhenKilled(_ milliseconds: Int) async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("tandem.db")
        let notes = folder.file("acknowledged")
        let keys = folder.file("master.key")
        let keyring = Keyring(try MasterKeys.loadOrCreate(file: keys))
        let database = try await SQLiteDatabase.open(SQLiteConfiguration(path: path), keyring: keyring)
        try await database.migrate([ConformanceCase.things])
        await database.close()

        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, notes = notes as String, keys = keys as String, milliseconds] in
            let keyring = Keyring(try MasterKeys(file: keys))
            let database = try await SQLiteDatabase.open(SQLiteConfiguration(path: path), keyring: keyring)
            let log = open(notes, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        for index in 0..<1_000_000 {
                            let id = Int64(worker * 1_000_000 + index)
                            try await database.write(.system) { transaction in
                                _ = try transaction.execute("INSERT INTO things (id) VALUES (\(id))")
                            }
                            var bytes = id
                            _ = Glibc.write(log, &bytes, 8)
                            guard id == 0 else { continue }
                            try WorkerThread.run(named: "killer") {
                                usleep(UInt32(milliseconds) * 1000)
                                kill(getpid(), SIGKILL)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        let acknowledged = numbers(in: notes)
        let again = try await SQLiteDatabase.open(SQLiteConfiguration(path: path), keyring: keyring)
        let present = try await again.read(.system) { transaction in
            try transaction.query("SELECT id FROM things").map { try $0.int64("id") }
        }
        #expect(!acknowledged.isEmpty)
        #expect(Set(acknowledged).isSubset(of: Set(present)))
        let check = try await again.integrity()
        #expect(check == "ok")
    }

    private func numbers(in path: String) -> [Int64] {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var numbers: [Int64] = []
        var number: Int64 = 0
        while read(descriptor, &number, 8) == 8 { numbers.append(number) }
        return numbers
    }

    private func write(_ bytes: [UInt8], to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
        _ = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
    }
}

extension SQLiteDatabase {
    /// Lets the file grow by a few pages more and no further.
    func limitPages(by pages: Int64) async throws {
        try await write(.system) { transaction in
            let engine = transaction.context.engine
            guard case .int(let now)? = try engine.run(RowStatement("PRAGMA page_count"), []).values.first else {
                return
            }
            try engine.define("PRAGMA max_page_count = \(now + pages)")
        }
    }

    func integrity() async throws -> String {
        try await read(.system) { transaction in
            guard
                case .text(let text)? = try transaction.context.engine.run(RowStatement("PRAGMA integrity_check"), [])
                    .values.first
            else { return "" }
            return text
        }
    }
}
