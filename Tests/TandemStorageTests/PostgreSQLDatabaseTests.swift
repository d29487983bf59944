import Glibc
import PostgreSQLServer
import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct PostgreSQLDatabaseTests {
    @Test(arguments: ConformanceCase.all)
    func conforms(_ conformance: ConformanceCase) async throws {
        try await conformance.run(EngineFixture(.postgres).database)
    }

    private static let keys = String(repeating: "0123456789abcdef", count: 4)

    private func open(_ configuration: PostgreSQLConfiguration) async throws -> PostgreSQLDatabase {
        try await PostgreSQLDatabase.open(configuration, keyring: Keyring(try MasterKeys(text: Self.keys)))
    }

    // MARK: Roles

    @Test func refusesRolesThatRowLevelSecurityDoesNotHold() async throws {
        let server = try await PostgreSQLServer.shared()
        let configuration = try await server.database()
        let name = configuration.address.database
        let admin = try PostgreSQLSession.owner(PostgreSQLAddress(server.address(database: name)))
        defer { admin.close() }
        for statement in [
            "CREATE ROLE sly_bypass LOGIN BYPASSRLS", "CREATE ROLE sly_member LOGIN IN ROLE tandem_owner",
            "CREATE ROLE sly_heir LOGIN IN ROLE sly_bypass", "CREATE ROLE plain LOGIN",
        ] { _ = try admin.run(statement) }
        await (try open(configuration)).close()
        let refused = [
            ("postgres", "is a superuser"), ("sly_bypass", "has BYPASSRLS"), ("tandem_owner", "owns tables"),
            ("sly_member", "owns tables"), ("sly_heir", "is a member of a superuser or of a role with BYPASSRLS"),
            ("plain", "is no member of plain_rows"),
        ]
        for (role, reason) in refused {
            var other = configuration
            for login in [role, "tandem"] where login != "tandem" {
                _ = try admin.run("GRANT CONNECT ON DATABASE \(PostgreSQLRoles.quoted(name)) TO \(login)")
            }
            other.address = try PostgreSQLAddress(server.address(user: role, database: name))
            let error = try await storageError { _ = try await open(other) }
            #expect(error.code == .configuration)
            #expect(error.message.contains("DATABASE_URL: the role \(role) \(reason)"), "\(error.message)")
        }
    }

    @Test func saysWhatIsWrongWithAConnectionAndNeverThePassword() async throws {
        let server = try await PostgreSQLServer.shared()
        let configuration = try await server.database()
        let name = configuration.address.database
        let admin = try PostgreSQLSession.owner(PostgreSQLAddress(server.address(database: name)))
        defer { admin.close() }
        _ = try admin.run("CREATE ROLE locked LOGIN PASSWORD 'right-s3cret'")
        func failure(_ text: String, password: Secret? = nil) async throws -> StorageError {
            try await storageError {
                var configuration = PostgreSQLConfiguration(
                    address: try PostgreSQLAddress(text, password: password))
                configuration.startLimit = .zero
                _ = try await open(configuration)
            }
        }
        let tcp = "127.0.0.1:\(server.port)"
        let cases: [(StorageError, StorageError.Code, String)] = [
            (try await failure("postgresql://locked:s3cret-x@\(tcp)/\(name)"), .permission, "password"),
            (
                try await failure("postgresql://locked@\(tcp)/\(name)", password: Secret("s3cret-x")), .permission,
                "password"
            ),
            (try await failure("postgresql://locked@\(tcp)/\(name)"), .permission, "password"),
            (try await failure("postgresql://locked:right-s3cret@\(tcp)/nowhere"), .cannotOpen, "create the database"),
            (try await failure("postgresql://nobody_here:s3cret@\(tcp)/\(name)"), .permission, "password"),
            (try await failure("postgresql://locked:s3cret@127.0.0.1:1/\(name)"), .unavailable, "DATABASE_URL"),
            (
                try await failure("postgresql://locked:right-s3cret@\(tcp)/\(name)?sslmode=verify-full"),
                .configuration, "sslmode"
            ),
            (try await failure("postgresql://locked:s3cret/\(name)?x=y"), .configuration, "percent-encode"),
            (try await failure("postgresql://locked:s3cret@\(tcp)"), .configuration, "names no database"),
            (
                try await failure("postgresql://locked:s3cret@\(tcp)/\(name)", password: Secret("s3cret")),
                .configuration, "keep one"
            ),
            (try await failure("host=/nowhere dbname=x password=s3cret user=y"), .unavailable, "DATABASE_URL"),
        ]
        for (error, code, text) in cases {
            #expect(error.code == code, "\(error)")
            #expect(error.message.contains(text), "\(error)")
            #expect(!"\(error)".contains("s3cret"))
            #expect(!String(reflecting: error).contains("s3cret"))
        }
        let address = try PostgreSQLAddress("postgresql://u:s3cret@h/d")
        var dumped = ""
        dump(address, to: &dumped)
        #expect(!dumped.contains("s3cret") && !"\(address)".contains("s3cret"))
        // With the right password, and only then.
        _ = try PostgreSQLConnection(
            PostgreSQLAddress("postgresql://locked@\(tcp)/postgres", password: Secret("right-s3cret")),
            answerLimit: .seconds(5))
    }

    @Test func servesWithoutTheOwnerWhatTheOwnerMade() async throws {
        let configuration = try await PostgreSQLServer.shared().database()
        var alone = configuration
        alone.owner = nil
        let early = try await storageError { _ = try await open(alone) }
        #expect(early.code == .configuration)
        #expect(early.message.contains("DATABASE_OWNER_URL"))
        let made = try await open(configuration)
        try await made.migrate([ConformanceCase.things])
        try await made.register(Sample.tables, owner: Sample.owner)
        await made.close()

        let database = try await open(alone)
        #expect(try await database.migrate([ConformanceCase.things]).alreadyApplied == 1)
        #expect(try await database.register(Sample.tables, owner: Sample.owner) == RegistrationReport())
        let scope = UserScope(authenticated: UserID(rawValue: 5))
        try await database.write(scope) { try $0.insert("items", ["name": "milk", "secret": "x"]) }
        #expect(try await database.read(scope) { try $0.count("items") } == 1)
        let missing = try await storageError {
            try await database.migrate([ConformanceCase.things, Migration("sample/2-more") { $0.sql("SELECT 1") }])
        }
        #expect(missing.code == .configuration)
        #expect(missing.operation == "migration sample/2-more")
        let table = TableDefinition(name: "others", columns: [ColumnDefinition("a", .text)])
        let unmade = try await storageError { try await database.register([table], owner: Sample.owner) }
        #expect(unmade.code == .configuration)
        await database.close()
    }

    // MARK: Row-level security

    /// What the catalogue says of every table that knows of people.
    @Test func everyTableOfPeopleIsUnderForcedPolicies() async throws {
        let fixture = try await EngineFixture(.postgres)
        try await fixture.database.migrate([ConformanceCase.things, Self.marks])
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        let more = TableDefinition(name: "later", columns: [ColumnDefinition("a", .text)])
        try await fixture.database.register([more], owner: "a.b")
        let database = try #require(fixture.database as? PostgreSQLDatabase)
        let names = try await database.asOwner("look") { connection, roles in
            try PostgreSQLCatalogue.check(connection, roles)
        }
        #expect(names.isSuperset(of: ["lists", "items", "notes", "later", "marks", "row_journal", "user_keys"]))
        // The check can fail.
        let problem = try await storageError {
            _ = try await database.asOwner("spoil") { connection, roles in
                _ = try connection.run("BEGIN")
                _ = try connection.run("CREATE TABLE bare (user_id BIGINT)")
                defer { _ = try? connection.run("ROLLBACK") }
                return try PostgreSQLCatalogue.check(connection, roles)
            }
        }
        #expect(problem.message.contains("bare"))
    }

    static let marks = Migration("sample/2-marks") { builder in
        builder.createTable("marks") { table in
            table.column("user_id", .integer)
            table.column("name", .text)
            table.primaryKey("user_id", "name")
        }
    }

    /// The application's own checks removed: raw SQL on a connection as the program's, within B's transaction.
    @Test func theDatabaseAloneKeepsPeopleApart() async throws {
        let server = try await PostgreSQLServer.shared()
        let configuration = try await server.database()
        let database = try await open(configuration)
        try await database.migrate([ConformanceCase.things, Self.marks])
        try await database.register(Sample.tables, owner: Sample.owner)
        let (a, b) = (UserScope(authenticated: UserID(rawValue: 5)), UserScope(authenticated: UserID(rawValue: 6)))
        for scope in [a, b] {
            try await database.write(scope) { transaction in
                let origin = WriteOrigin(turn: transaction.nextID(), step: 0)
                let item = try transaction.insert(
                    "items", ["name": .string("of \(scope.user)"), "secret": "x"], origin: origin)
                try transaction.insert("notes", ["item": .id(item), "body": "fresh"], origin: origin)
                try transaction.label(turn: origin.turn, title: "t")
                try transaction.execute("INSERT INTO marks (user_id, name) VALUES (\(scope.user), 'm')")
            }
        }
        let raw = try PostgreSQLSession.runtime(configuration)
        defer { raw.close() }
        func begin(_ user: String, _ scope: String) throws {
            _ = try raw.run("BEGIN")
            _ = try raw.run(
                """
                SELECT set_config('tandem.user', $1, true), set_config('tandem.scope', $2, true),
                set_config('role', 'tandem_rows', true)
                """, [.text(user), .text(scope)])
        }
        let tables = ["items", "notes", "lists", "row_journal", "row_turns", "row_usage", "user_keys", "marks"]
        for table in tables {
            try begin("6", "user")
            let seen = try raw.run("SELECT user_id FROM \(table)")
            #expect(seen.values.allSatisfy { $0 == .int(6) }, "\(table)")
            if table != "lists" { #expect(!seen.values.isEmpty, "\(table)") }
            // What names A's rows finds none.
            #expect(try raw.run("DELETE FROM \(table) WHERE user_id = 5").changes == 0)
            #expect(try raw.run("UPDATE \(table) SET user_id = user_id WHERE user_id = 5").changes == 0)
            _ = try raw.run("SAVEPOINT s")
            if table != "lists" {
                let moved = try storageErrorNow { _ = try raw.run("UPDATE \(table) SET user_id = 5") }
                #expect(moved.sqlState == "42501", "\(table)")
            }
            _ = try raw.run("ROLLBACK TO s")
            let planted = try storageErrorNow {
                _ = try raw.run(
                    "INSERT INTO \(table) SELECT * FROM (SELECT (json_populate_record(NULL::\(table), '{\"user_id\":5}')).*) x"
                )
            }
            #expect(["42501", "23502"].contains(planted.sqlState), "\(table) \(planted)")
            _ = try raw.run("ROLLBACK")
            // Nobody's transaction sees nothing.
            for (user, scope) in [("", "user"), ("", ""), ("", "maintenance")] {
                try begin(user, scope)
                #expect(try raw.run("SELECT 1 FROM \(table)").rowCount == 0, "\(table)")
                _ = try raw.run("ROLLBACK")
            }
            // Nor does the system's of people's tables.
            try begin("", "system")
            let system = try raw.run("SELECT 1 FROM \(table)").rowCount
            _ = try raw.run("ROLLBACK")
            if ["items", "notes", "lists", "row_usage"].contains(table) { #expect(system == 0, "\(table)") }
        }
        // Nothing of what a role may not do.
        for statement in [
            "ALTER TABLE items DISABLE ROW LEVEL SECURITY", "DROP POLICY tandem_user ON items", "SET ROLE tandem_owner",
            "CREATE TABLE mine (id BIGINT)", "TRUNCATE items", "GRANT ALL ON items TO PUBLIC",
            "INSERT INTO tandem_tables SELECT * FROM tandem_tables",
        ] {
            let error = try storageErrorNow { _ = try raw.run(statement) }
            #expect(error.sqlState == "42501", "\(statement)")
        }
        _ = try raw.run("SET row_security = off")
        let off = try storageErrorNow {
            try begin("6", "user")
            _ = try raw.run("SELECT * FROM items")
        }
        #expect(off.sqlState == "42501")
        #expect(try await database.read(a) { try $0.count("items") } == 1)
        await database.close()
    }

    @Test func aPersonsTransactionReachesOthersRowsOfSystemTablesOnlyAsTheSystem() async throws {
        let fixture = try await EngineFixture(.postgres)
        try await fixture.database.migrate([ConformanceCase.things, Self.marks])
        let (a, b) = (fixture.user(), fixture.user())
        try await fixture.database.write(a) { transaction in
            _ = try transaction.execute("INSERT INTO marks (user_id, name) VALUES (\(a.user), 'a')")
        }
        try await fixture.database.write(b) { transaction throws in
            let count: SQL = "SELECT count(*) AS n FROM marks"
            #expect(try transaction.first(count)?.int("n") == 0)
            #expect(try transaction.asSystem { try transaction.first(count)?.int("n") } == 1)
            #expect(try transaction.first(count)?.int("n") == 0)
            // The mark does not outlive a savepoint that is undone.
            try? transaction.asSystem {
                try transaction.atomically {
                    _ = try transaction.execute("DELETE FROM marks")
                    throw Refusal()
                }
            }
            #expect(try transaction.first(count)?.int("n") == 0)
        }
        #expect(try await fixture.database.read(.system) { try $0.query("SELECT 1 FROM marks").count } == 1)
    }

    // MARK: Transactions

    @Test func bodiesBehaveAsIfOneAfterTheOther() async throws {
        let configuration = try await PostgreSQLServer.shared().database()
        let first = try await open(configuration)
        try await first.migrate([ConformanceCase.things])
        let second = try await open(configuration)
        try await first.write(.system) { transaction in
            for id in 0..<2 { try transaction.execute("INSERT INTO things (id, weight) VALUES (\(id), 0)") }
        }
        // Each takes the sum of both and adds one to either: together they count, whichever goes first.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                let database = worker % 2 == 0 ? first : second
                group.addTask {
                    for _ in 0..<10 {
                        while true {
                            do {
                                try await database.write(UserScope(authenticated: UserID(rawValue: Int64(worker + 1))))
                                {
                                    let sum = try $0.first("SELECT sum(weight) AS n FROM things")?.double("n") ?? 0
                                    try $0.execute("UPDATE things SET weight = \(sum) + 1 WHERE id = \(worker % 2)")
                                    let other = 1 - worker % 2
                                    try $0.execute("UPDATE things SET weight = 0 WHERE id = \(other)")
                                }
                                break
                            } catch let error as StorageError where error.code == .busy {
                                continue
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let sum = try await second.read(.system) { try $0.first("SELECT sum(weight) AS n FROM things")?.double("n") }
        #expect(sum == 80)
        await first.close()
        await second.close()
    }

    @Test func aBodyThatRunsAgainHasItsEffectsOnce() async throws {
        let configuration = try await PostgreSQLServer.shared().database()
        let database = try await open(configuration)
        try await database.migrate([ConformanceCase.things])
        let other = try PostgreSQLSession.runtime(configuration)
        defer { other.close() }
        try await database.write(.system) { _ = try $0.execute("INSERT INTO things (id, weight) VALUES (1, 0)") }
        let runs = ChangeCounter()
        let commits = ChangeCounter()
        let rival = Rival(other)
        try await database.write(.system) { transaction in
            runs.increment()
            transaction.afterCommit { commits.increment() }
            let weight = try transaction.first("SELECT weight FROM things")?.double("weight") ?? 0
            if runs.value == 1 { try rival.run("UPDATE things SET weight = weight + 10") }
            try transaction.execute("UPDATE things SET weight = \(weight + 1)")
        }
        #expect(runs.value == 2)
        #expect(commits.value == 1)
        #expect(database.repeatCount == 1)
        let weight = try await database.read(.system) { try $0.first("SELECT weight FROM things")?.double("weight") }
        #expect(weight == 11)
        // One that is always beaten gives up and says so.
        let busy = try await storageError {
            try await database.write(.system) { transaction in
                _ = try transaction.query("SELECT weight FROM things")
                try rival.run("UPDATE things SET weight = weight + 1")
                try transaction.execute("UPDATE things SET weight = 5")
            }
        }
        #expect(busy.code == .busy)
        #expect(busy.sqlState == "40001")
        await database.close()
    }

    @Test func aFailedStatementEndsTheTransactionWhateverTheBodyMakesOfIt() async throws {
        let fixture = try await EngineFixture(.postgres)
        try await fixture.database.migrate([ConformanceCase.things])
        let error = try await storageError {
            try await fixture.database.write(.system) { transaction in
                try transaction.execute("INSERT INTO things (id) VALUES (1)")
                _ = try? transaction.execute("INSERT INTO things (id) VALUES (1)")
            }
        }
        #expect(error.code == .unique)
        let next = try await storageError {
            try await fixture.database.write(.system) { transaction in
                try transaction.execute("INSERT INTO things (id) VALUES (1)")
                _ = try? transaction.execute("INSERT INTO things (id) VALUES (1)")
                try transaction.execute("INSERT INTO things (id) VALUES (2)")
            }
        }
        #expect(next.code == .unique)
        #expect(try await fixture.database.read(.system) { try $0.query("SELECT id FROM things").isEmpty })
    }

    @Test func limitsAStatementsTimeAndItsWaitForLocks() async throws {
        var configuration = try await PostgreSQLServer.shared().database()
        configuration.statementLimit = .milliseconds(300)
        configuration.lockLimit = .milliseconds(100)
        configuration.idleLimit = .milliseconds(300)
        let database = try await open(configuration)
        try await database.migrate([ConformanceCase.things])
        let slow = try await storageError {
            _ = try await database.read(.system) { try $0.query("SELECT pg_sleep(30)") }
        }
        #expect(slow.code == .busy)
        #expect(slow.sqlState == "57014")
        try await database.write(.system) { _ = try $0.execute("INSERT INTO things (id) VALUES (1)") }
        let other = try PostgreSQLSession.runtime(configuration)
        defer { other.close() }
        _ = try other.run("BEGIN")
        _ = try other.run("UPDATE things SET weight = 1")
        let locked = try await storageError {
            try await database.write(.system) { _ = try $0.execute("UPDATE things SET weight = 2") }
        }
        #expect(locked.code == .busy)
        #expect(locked.sqlState == "55P03")
        // Whoever idles within a transaction loses it.
        usleep(600_000)
        let idle = try storageErrorNow { _ = try other.run("COMMIT") }
        #expect(idle.sqlState == "25P03" || idle.code == .unavailable)
        try await database.write(.system) { _ = try $0.execute("UPDATE things SET weight = 2") }
        await database.close()
    }

    @Test func takesValuesOfEveryTypeWhereverTheyStand() async throws {
        let fixture = try await EngineFixture(.postgres)
        try await fixture.database.migrate([ConformanceCase.things])
        try await fixture.database.write(.system) { transaction in
            let nothing: Int? = nil
            // One text, values of changing types in the same place.
            for value: SQLValue in [.null, .real(1.5), .int(2), .null, .real(0.25)] {
                try transaction.execute("INSERT INTO things (id, weight) VALUES (\(transaction.nextID()), \(value))")
            }
            for data: [UInt8]? in [nil, [], [0, 1]] {
                try transaction.execute("INSERT INTO things (id, data) VALUES (\(transaction.nextID()), \(data))")
            }
            let row = try #require(
                try transaction.first(
                    """
                    SELECT sum(weight) AS w, count(*) AS n, sum(id) AS big, count(data) > 2 AS more, 1 AS one,
                    COALESCE(\(nothing), 7) AS seven, \("text") AS word, sum(3::bigint) AS small, 12345678901234567890.5 AS wide,
                    -10000::numeric AS minus, 0::numeric AS zero, 0.0001::numeric AS tiny
                    FROM things
                    """))
            #expect(try row.double("w") == 3.75)
            #expect(try row.int("n") == 8)
            #expect(try row.int("one") == 1)
            #expect(try !row.bool("more"))
            #expect(try row.int("seven") == 7)
            #expect(try row.text("word") == "text")
            #expect(try row.int("small") == 24)
            #expect(try row.double("wide") == 12345678901234567890.5)
            #expect(try row.int("minus") == -10000)
            #expect(try row.int("zero") == 0)
            #expect(abs(try row.double("tiny") - 0.0001) < 1e-12)
        }
        let error = try await storageError {
            try await fixture.database.write(.system) { transaction in
                _ = try transaction.execute("INSERT INTO things (id) VALUES (\("secret-text"))")
            }
        }
        #expect(error.sqlState?.hasPrefix("42") == true)
        #expect(!"\(error)".contains("secret-text"))
        let cast = try await storageError {
            _ = try await fixture.database.read(.system) { try $0.query("SELECT \("secret-text")::bigint") }
        }
        #expect(cast.code == .typeMismatch)
        #expect(!"\(cast)".contains("secret-text"))
    }

    // MARK: Several processes

    @Test func severalStartAtOnceOnANewDatabase() async throws {
        let configuration = try await PostgreSQLServer.shared().database()
        let migrations = [ConformanceCase.things, Self.marks]
        let applied = try await withThrowingTaskGroup(of: (Int, PostgreSQLDatabase).self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let database = try await open(configuration)
                    let report = try await database.migrate(migrations)
                    try await database.register(Sample.tables, owner: Sample.owner)
                    return (report.applied.count, database)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(applied.map(\.0).reduce(0, +) == 2)
        let scope = UserScope(authenticated: UserID(rawValue: 5))
        // They share the program's own key and each person's, whoever made it.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, (_, database)) in applied.enumerated() {
                group.addTask {
                    try await database.write(scope) {
                        _ = try $0.insert("items", ["name": "milk", "secret": .string("s\(index)")])
                    }
                }
            }
            try await group.waitForAll()
        }
        // Their numbers do not meet, however fast they give them.
        let numbers = applied.flatMap { database in (0..<2000).map { _ in database.1.store.ids.next() } }
        #expect(Set(numbers).count == numbers.count)
        let hashes = try applied.map { try $0.1.store.keyring.lookupHash("x", purpose: "p") }
        #expect(Set(hashes).count == 1)
        for (_, database) in applied {
            let secrets = try await database.read(scope) { try $0.list("items").compactMap { $0.string("secret") } }
            #expect(Set(secrets) == Set((0..<6).map { "s\($0)" }))
            await database.close()
        }
    }

    @Test func waitsForAMigrationThatTakesLongerThanAStatementMay() async throws {
        var configuration = try await PostgreSQLServer.shared().database()
        configuration.lockLimit = .milliseconds(50)
        configuration.statementLimit = .milliseconds(400)
        await (try open(configuration)).close()
        let server = configuration
        let isMigrating = Mutex(false)
        let migration = Task {
            try await PostgreSQLDatabase.onThread("migration") {
                let owner = try PostgreSQLSession.owner(try #require(server.owner))
                defer { owner.close() }
                try PostgreSQLMigrator.locked(owner) {
                    isMigrating.withLock { $0 = true }
                    usleep(1_500_000)
                    isMigrating.withLock { $0 = false }
                }
            }
        }
        while !isMigrating.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        let database = try await open(configuration)
        #expect(!isMigrating.withLock { $0 })
        await database.close()
        try await migration.value
    }

    @Test func readsTablesThatAnotherProcessExtends() async throws {
        let fixture = try await EngineFixture(.postgres)
        let definition = TableDefinition(name: "things", columns: [ColumnDefinition("name", .text)])
        try await fixture.database.register([definition], owner: "a.b")
        try await fixture.database.migrate([Self.marks])
        let scope = fixture.user()
        try await fixture.database.write(scope) { try $0.insert("things", ["name": "x"], tables: .owner("a.b")) }
        _ = try await fixture.database.read(.system) { try $0.query("SELECT * FROM marks") }
        var extended = definition
        extended.columns.append(ColumnDefinition("colour", .text, nullable: true))
        let again = try await fixture.openAgain()
        try await again.register([extended], owner: "a.b")
        try await again.migrate([
            Self.marks, Migration("sample/3-wide") { $0.sql("ALTER TABLE marks ADD COLUMN extra TEXT") },
        ])
        try await again.write(scope) {
            try $0.insert("things", ["name": "y", "colour": "red"], tables: .owner("a.b"))
        }
        #expect(try await fixture.database.read(scope) { try $0.count("things", tables: .owner("a.b")) } == 2)
        // A prepared `SELECT *` has another shape now.
        _ = try await fixture.database.read(.system) { try $0.query("SELECT * FROM marks") }
        await again.close()
    }
}

/// A second connection that a body uses, as another process would.
final class Rival: @unchecked Sendable {
    // Used by one body at a time, which runs on one thread.
    private let connection: PostgreSQLConnection

    init(_ connection: PostgreSQLConnection) { self.connection = connection }

    func run(_ text: String) throws {
        _ = try connection.run("BEGIN")
        _ = try connection.run(text)
        _ = try connection.run("COMMIT")
    }
}
