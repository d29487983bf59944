import Glibc
import PostgreSQLServer
import Synchronization
import TandemCore
import Testing

@testable import TandemStorage

/// The server dies under load; each test has one of its own.
@Suite(.timeLimit(.minutes(8)))
struct PostgreSQLCrashTests {
    /// What became of the writes that were tried.
    private struct Outcomes {
        var acknowledged: Set<Int> = []
        var unknown: Set<Int> = []
        var refused: [Int: StorageError] = [:]
        var others: [String] = []
        var lastAcknowledged: UInt64 = 0
        var slowest: UInt64 = 0
    }

    private final class Ledger: Sendable {
        let outcomes = Mutex(Outcomes())
        let isStopped = Mutex(false)
    }

    /// Writes and reads from several tasks until it is told to stop.
    private func load(_ database: PostgreSQLDatabase, _ ledger: Ledger, tasks: Int) -> Task<Void, Never> {
        Task {
            await withTaskGroup(of: Void.self) { group in
                for worker in 0..<tasks {
                    group.addTask {
                        let scope = UserScope(authenticated: UserID(rawValue: Int64(worker + 1)))
                        var number = worker * 1_000_000
                        while !ledger.isStopped.withLock({ $0 }) {
                            number += 1
                            let id = number
                            let began = monotonicNanoseconds()
                            do {
                                try await database.write(scope) { transaction in
                                    _ = try transaction.first("SELECT count(*) AS n FROM things WHERE id < \(0)")
                                    try transaction.execute("INSERT INTO things (id) VALUES (\(id))")
                                }
                                ledger.outcomes.withLock {
                                    $0.acknowledged.insert(id)
                                    $0.lastAcknowledged = monotonicNanoseconds()
                                }
                            } catch let error as StorageError {
                                ledger.outcomes.withLock {
                                    if error.code == .outcomeUnknown {
                                        $0.unknown.insert(id)
                                    } else {
                                        $0.refused[id] = error
                                    }
                                }
                                try? await Task.sleep(for: .milliseconds(5))
                            } catch {
                                ledger.outcomes.withLock { $0.others.append("\(error)") }
                            }
                            let took = monotonicNanoseconds() - began
                            ledger.outcomes.withLock { $0.slowest = max($0.slowest, took) }
                            // What was acknowledged is seen by every later read.
                            if worker == 0, id % 16 == 0, ledger.outcomes.withLock({ $0.acknowledged.contains(id) }) {
                                let found = try? await database.read(.system) {
                                    try $0.query("SELECT id FROM things WHERE id = \(id)").count
                                }
                                if let found, found != 1 {
                                    ledger.outcomes.withLock { $0.others.append("row \(id) was not seen") }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func acknowledged(_ ledger: Ledger, beyond count: Int) async -> Bool {
        for _ in 0..<6000 {
            if ledger.outcomes.withLock({ $0.acknowledged.count }) > count { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    private func check(_ database: PostgreSQLDatabase, _ ledger: Ledger) async throws {
        var found: Set<Int>?
        // The server may just be on its way back once more.
        for _ in 0..<3000 where found == nil {
            do {
                found = Set(
                    try await database.read(.system) { try $0.query("SELECT id FROM things").map { try $0.int("id") } })
            } catch let error as StorageError where error.code == .unavailable {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        let rows = try #require(found, "the server did not come back")
        let outcomes = ledger.outcomes.withLock { $0 }
        #expect(outcomes.acknowledged.subtracting(rows).isEmpty, "an acknowledged write is lost")
        #expect(
            rows.subtracting(outcomes.acknowledged).subtracting(outcomes.unknown).isEmpty,
            "a write that was said to have failed is there")
        #expect(outcomes.others.isEmpty, "\(outcomes.others.prefix(3))")
        for error in outcomes.refused.values { #expect(error.code == .unavailable, "\(error)") }
    }

    @Test func losesNoAcknowledgedWriteWhenTheServerIsKilledAndComesBack() async throws {
        let server = try await PostgreSQLServer()
        let database = try await PostgreSQLDatabase.open(try await server.database(), keyring: Keyring.ephemeral())
        try await database.migrate([ConformanceCase.things])
        let ledger = Ledger()
        let work = load(database, ledger, tasks: 8)
        #expect(await acknowledged(ledger, beyond: 200))
        for _ in 0..<2 {
            try await server.crash()
            // Refusals come at once, and say what is the matter.
            let refusals = ledger.outcomes.withLock { $0.refused.count }
            for _ in 0..<500 where ledger.outcomes.withLock({ $0.refused.count }) < refusals + 20 {
                try await Task.sleep(for: .milliseconds(10))
            }
            var message = ""
            // A connection that nobody has used since is found to be lost first.
            for _ in 0..<100 where !message.contains("DATABASE_URL") {
                let refused = try await storageError {
                    _ = try await database.read(.system) { try $0.query("SELECT 1") }
                }
                #expect(refused.code == .unavailable)
                #expect(refused.abiStatus == -22)
                message = refused.message
            }
            #expect(message.contains("DATABASE_URL"), "\(message)")
            try await server.start()
            let back = monotonicNanoseconds()
            let count = ledger.outcomes.withLock { $0.acknowledged.count }
            #expect(await acknowledged(ledger, beyond: count))
            let recovery = Double(monotonicNanoseconds() - back) / 1e9
            #expect(recovery < 30, "writes go through again \(recovery) s after the server is back")
            #expect(await acknowledged(ledger, beyond: count + 100))
        }
        ledger.isStopped.withLock { $0 = true }
        await work.value
        try await check(database, ledger)
        await database.close()
    }

    @Test func survivesTheServersOwnRecovery() async throws {
        let server = try await PostgreSQLServer(settings: ["restart_after_crash=on"])
        let database = try await PostgreSQLDatabase.open(try await server.database(), keyring: Keyring.ephemeral())
        try await database.migrate([ConformanceCase.things])
        let ledger = Ledger()
        let work = load(database, ledger, tasks: 8)
        #expect(await acknowledged(ledger, beyond: 100))
        for _ in 0..<3 {
            let count = ledger.outcomes.withLock { $0.acknowledged.count }
            server.crashOneBackend()
            #expect(await acknowledged(ledger, beyond: count + 100))
        }
        ledger.isStopped.withLock { $0 = true }
        await work.value
        try await check(database, ledger)
        await database.close()
    }

    @Test func saysThatTheOutcomeIsUnknownWhenTheConnectionEndsAtTheCommit() async throws {
        let server = try await PostgreSQLServer()
        let configuration = try await server.database()
        let database = try await PostgreSQLDatabase.open(configuration, keyring: Keyring.ephemeral())
        // A check that is made at the commit, and ends the connection just then.
        try await database.migrate([
            ConformanceCase.things,
            Migration("sample/2-trap") { builder in
                builder.sql(
                    """
                    CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.id = 13 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$
                    """)
                builder.sql(
                    """
                    CREATE CONSTRAINT TRIGGER trap AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION trap()
                    """)
            },
        ])
        let runs = ChangeCounter()
        let commits = ChangeCounter()
        let error = try await storageError {
            try await database.write(.system) { transaction in
                runs.increment()
                transaction.afterCommit { commits.increment() }
                try transaction.execute("INSERT INTO things (id) VALUES (13)")
            }
        }
        #expect(error.code == .outcomeUnknown)
        #expect(error.sqlState == "08007")
        // Not tried blindly again.
        #expect(runs.value == 1)
        #expect(commits.value == 0)
        // Lost before the commit, it is: nothing of it can be there.
        let again = ChangeCounter()
        let admin = Rival(try PostgreSQLSession.owner(PostgreSQLAddress(server.address())))
        try await database.write(.system) { transaction in
            again.increment()
            try transaction.execute("INSERT INTO things (id) VALUES (14)")
            if again.value == 1 {
                try admin.run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'tandem'")
            }
            try transaction.execute("INSERT INTO things (id) VALUES (15)")
        }
        #expect(again.value == 2)
        let ids = try await database.read(.system) {
            try $0.query("SELECT id FROM things ORDER BY id").map { try $0.int("id") }
        }
        #expect(ids == [14, 15])
        await database.close()
    }

    @Test func verifiesTheServersCertificate() async throws {
        let server = try await PostgreSQLServer(settings: [
            "ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key",
        ]) {
            folder in
            for (name, subject) in [("server", "localhost"), ("other", "elsewhere")] {
                PostgreSQLServer.command(
                    [
                        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=\(subject)", "-addext", "subjectAltName=DNS:\(subject)", "-keyout",
                        "\(folder)/data/\(name).key", "-out", "\(folder)/data/\(name).crt",
                    ], asOwnerOf: ["\(folder)/data/\(name).key", "\(folder)/data/\(name).crt"])
            }
        }
        _ = try await server.database()
        let admin = try PostgreSQLSession.owner(PostgreSQLAddress(server.address()))
        _ = try admin.run("CREATE ROLE guest LOGIN PASSWORD 'pass word@/:'")
        admin.close()
        func connect(_ parameters: String) throws -> PostgreSQLConnection {
            try PostgreSQLConnection(
                PostgreSQLAddress(
                    "postgresql://guest@localhost:\(server.port)/postgres?hostaddr=127.0.0.1&\(parameters)",
                    password: Secret("pass word@/:")), answerLimit: .seconds(10))
        }
        let root = "sslrootcert=\(server.folder)/data/server.crt"
        let verified = try connect("sslmode=verify-full&\(root)")
        #expect(try verified.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").values == [.int(1)])
        for parameters in [
            "sslmode=verify-full&sslrootcert=\(server.folder)/data/other.crt",
            "sslmode=verify-full&sslrootcert=\(server.folder)/data/none.crt",
            "sslmode=verify-full&\(root)&host=elsewhere.example", "sslmode=nonsense",
        ] {
            let error = try storageErrorNow { _ = try connect(parameters) }
            #expect(error.code == .configuration, "\(error)")
            #expect(!"\(error)".contains("pass word"))
        }
    }
}
