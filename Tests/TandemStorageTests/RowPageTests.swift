import Crypto
import PostgreSQLServer
import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct RowPageTests {
    private static let all = RowColumns([
        "id", "name", "list", "cost", "amount", "weight", "status", "urgent", "day", "at", "extra", "secret",
        "created_at",
    ])
    private static let newest = [RowOrder("id", descending: true)]

    private static let values: [JSONObject] = [
        ["name": "plain"],
        [
            "name": "a \"quoted\"\n\u{1} \u{1F95B} é", "cost": "-0.05", "amount": .integer(.min), "weight": 0.1,
            "urgent": true, "day": "0001-01-01", "at": "1969-12-31T23:59:59.999Z",
            "extra": ["b": [1, 2.5, nil, true], "a": "x"], "secret": "tab\tand \\ and \u{1F600}",
        ],
        [
            "name": .string(String(repeating: "long ", count: 400)), "cost": "12.5", "amount": .integer(.max),
            "weight": -3, "day": "9999-12-31", "at": "9999-12-31T23:59:59.999Z", "extra": "text",
            "secret": .string(String(repeating: "s", count: 5000)),
        ],
        ["name": "", "secret": "", "day": "2024-02-29", "at": "1970-01-01T00:00:00.000Z", "extra": 7],
    ]

    private func prepared(_ engine: Engine) async throws -> (EngineFixture, UserScope) {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        return (fixture, fixture.user())
    }

    private func request(
        _ columns: RowColumns = RowPageTests.all, where conditions: [RowCondition] = [], limit: Int = 20
    ) -> PageRequest {
        PageRequest("items", columns, where: conditions, order: Self.newest, limit: limit)
    }

    /// Each is asked for twice: the first finds no keys in memory on PostgreSQL.
    private func pages(_ database: any Database, _ request: PageRequest, _ scope: UserScope) async throws -> [RowPage] {
        [
            try await database.page(request, of: scope), try await database.page(request, of: scope),
            try await database.read(scope) { try $0.page(request) },
        ]
    }

    @Test(arguments: Engine.allCases)
    func saysWhatTheRowsSay(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let database = fixture.database
        try await database.write(scope) { transaction in
            for values in Self.values { try transaction.insert("items", values) }
        }
        let rows = try await database.read(scope) { try $0.list("items", order: Self.newest) }
        var expected: [JSON] = []
        for row in rows {
            var object = JSONObject()
            for name in Self.all.names { object[name] = row[name] }
            expected.append(.object(object))
        }
        for page in try await pages(database, request(), scope) {
            #expect(String(decoding: page.text, as: UTF8.self) == JSON.array(expected).text)
            #expect(page.count == 4 && !page.hasMore && page.lastID == rows.last?.id)
        }
        let few = RowColumns(["secret", "name"])
        for page in try await pages(database, request(few, limit: 3), scope) {
            #expect(page.hasMore && page.count == 3 && page.lastID == rows[2].id)
            #expect(try JSON(parsing: page.text)[0] == ["secret": rows[0]["secret"], "name": rows[0]["name"]])
        }
        let found = [RowCondition("secret", .equal, "tab\tand \\ and \u{1F600}")]
        for page in try await pages(database, request(where: found), scope) {
            #expect(page.count == 1 && page.lastID == rows[2].id)
        }
        for page in try await pages(database, request(limit: 0), scope) {
            #expect(page.text == Array("[]".utf8) && page.hasMore && page.lastID == nil)
        }
        for page in try await pages(database, request(), fixture.user()) {
            #expect(page == RowPage(text: Array("[]".utf8), count: 0, lastID: nil, hasMore: false))
        }
    }

    @Test(arguments: Engine.allCases)
    func refusesWhatTheRowFunctionsRefuse(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        func code(_ request: PageRequest, _ access: TableAccess = .host) async throws -> StorageError.Code {
            try await storageError { _ = try await fixture.database.page(request, of: scope, tables: access) }.code
        }
        #expect(try await code(request(RowColumns(["id", "user_id"]))) == .unknownColumn)
        #expect(try await code(PageRequest("user_keys", RowColumns(["id"]), limit: 1)) == .unknownTable)
        #expect(try await code(request(), .owner("somebody")) == .unknownTable)
        #expect(try await code(request(where: [RowCondition("name", .equal, 7)])) == .typeMismatch)
        #expect(try await code(request(limit: -1)) == .invalid)
        #expect(try await code(request(RowColumns([]))) == .invalid)
    }

    /// Many people's pages travel together on few connections: nobody's statement may run as somebody else.
    @Test(arguments: Engine.allCases)
    func keepsPeopleApartWhenAllAskAtOnce(_ engine: Engine) async throws {
        let (fixture, _) = try await prepared(engine)
        let database = fixture.database
        let people = (0..<12).map { _ in fixture.user() }
        for (number, scope) in people.enumerated() {
            try await database.write(scope) { transaction in
                for index in 0...number {
                    try transaction.insert(
                        "items", ["name": .string("of \(number)"), "secret": .string("\(number) keeps \(index)")])
                }
            }
        }
        let columns = RowColumns(["name", "secret"])
        let wrong = await withTaskGroup(of: Int.self) { group in
            for round in 0..<300 {
                let number = round % people.count
                group.addTask {
                    let request = PageRequest("items", columns, order: Self.newest, limit: 50)
                    guard let page = try? await database.page(request, of: people[number]),
                        let rows = try? JSON(parsing: page.text).arrayValue, rows.count == number + 1
                    else { return 1 }
                    return rows.allSatisfy { $0["name"]?.stringValue == "of \(number)" } ? 0 : 1
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }

    @Test(arguments: Engine.allCases)
    func seesEveryWriteThatWasAcknowledged(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let other = try await fixture.openAgain()
        for number in 1...20 {
            let writer = number % 2 == 0 ? fixture.database : other
            try await writer.write(scope) { try $0.insert("items", ["name": "x", "secret": .string("\(number)")]) }
            #expect(try await fixture.database.page(request(), of: scope).count == number)
        }
        await other.close()
    }

    @Test(arguments: Engine.allCases)
    func opensWhatAnotherProcessSealedWithANewKey(_ engine: Engine) async throws {
        let keys = try MasterKeys([1: SymmetricKey(size: .bits256)])
        let fixture = try await EngineFixture(engine, keyring: Keyring(keys))
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        let scope = fixture.user()
        try await fixture.database.write(scope) { try $0.insert("items", ["name": "x", "secret": "first"]) }
        _ = try await fixture.database.page(request(), of: scope)
        let other = try await fixture.openAgain(keyring: Keyring(keys))
        try await other.write(scope) { transaction in
            try transaction.rotateKey(of: scope.user)
            try transaction.insert("items", ["name": "x", "secret": "second"])
        }
        let page = try await fixture.database.page(request(RowColumns(["secret"])), of: scope)
        #expect(try JSON(parsing: page.text) == [["secret": "second"], ["secret": "first"]])
        await other.close()
    }

    @Test(arguments: Engine.allCases)
    func givesNothingThatWasChangedOrMoved(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let database = fixture.database
        let seal = SealContext(table: "items", column: "secret", row: 7)
        let sealed = try await database.write(scope) { try $0.seal(Array("private".utf8), seal) }
        let keys = try #require(fixture.keyring.fresh(scope.user.rawValue))
        let opener = SealOpener(keys, user: scope.user.rawValue)
        #expect(try opener.open(sealed, seal) { Array($0) } == Array("private".utf8))
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1
            let error = try storageErrorNow { _ = try opener.open(changed, seal) { Array($0) } }
            #expect([.sealBroken, .keyMissing].contains(error.code))
        }
        for other in [
            SealContext(table: "notes", column: "secret", row: 7), SealContext(table: "items", column: "name", row: 7),
            SealContext(table: "items", column: "secret", row: 8),
        ] {
            #expect(try storageErrorNow { _ = try opener.open(sealed, other) { Array($0) } }.code == .sealBroken)
        }
        let stranger = SealOpener(keys, user: scope.user.rawValue + 1)
        #expect(try storageErrorNow { _ = try stranger.open(sealed, seal) { Array($0) } }.code == .sealBroken)
    }

    /// One standard, two libraries.
    @Test func opensExactlyWhatTheOtherLibrarySealed() async throws {
        let keys = try #require(UserKeySet([1: SymmetricKey(size: .bits256), 2: SymmetricKey(size: .bits256)]))
        let opener = SealOpener(keys, user: 9)
        for count in [0, 1, 15, 16, 17, 31, 255, 511, 512, 513, 4097] {
            let context = SealContext(table: "t", column: "c", row: Int64(count))
            let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let sealed = try SealedForm.seal(plain, keys: keys, user: 9, context)
            #expect(try opener.open(sealed, context) { Array($0) } == plain)
            #expect(try SealedForm.open(sealed, keys: keys, user: 9, context) == plain)
            #expect(try SealedForm.openPortably(sealed, keys: keys, user: 9, context) == plain)
            var changed = sealed
            changed[changed.count - 1] ^= 0x80
            #expect(try storageErrorNow { _ = try opener.open(changed, context) { Array($0) } }.code == .sealBroken)
            #expect(
                try storageErrorNow { _ = try SealedForm.open(changed, keys: keys, user: 9, context) }.code
                    == .sealBroken)
        }
    }

    /// Two connections serve; when both are held up, another helps, and those behind are served.
    @Test func oneWhoIsHeldUpDoesNotHoldUpOthers() async throws {
        let (fixture, scope) = try await prepared(.postgres)
        let database = fixture.database
        try await database.write(scope) { transaction in
            try transaction.insert("items", ["name": "x", "secret": "y"])
            try transaction.insert("lists", ["title": "a list"])
        }
        _ = try await database.page(request(), of: scope)
        let name = try #require(fixture.serverDatabase)
        let server = try await PostgreSQLServer.shared()
        let holder = try PostgreSQLSession.owner(
            PostgreSQLAddress(server.address(user: "tandem_owner", database: name)))
        defer { holder.close() }
        _ = try holder.run("BEGIN")
        _ = try holder.run("LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
        var held: [Task<Int, any Error>] = []
        for number in 1...2 {
            held.append(Task { try await database.page(request(), of: scope).count })
            // Each on a connection of its own, and waiting there.
            let waiting = """
                SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE d.datname = current_database() AND NOT l.granted
                """
            while try holder.run(waiting).values.first != .int(Int64(number)) {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        let lists = PageRequest("lists", RowColumns(["title"]), order: Self.newest, limit: 5)
        for _ in 0..<20 { #expect(try await database.page(lists, of: scope).count == 1) }
        _ = try holder.run("COMMIT")
        for task in held { #expect(try await task.value == 1) }
    }

    @Test func answersAfterTheServerThrewItsConnectionsOut() async throws {
        let (fixture, scope) = try await prepared(.postgres)
        let database = fixture.database
        try await database.write(scope) { try $0.insert("items", ["name": "x", "secret": "y"]) }
        let name = try #require(fixture.serverDatabase)
        for _ in 0..<3 {
            #expect(try await database.page(request(), of: scope).count == 1)
            try await PostgreSQLServer.shared().administer([
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'"
            ])
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await database.page(request(), of: scope).count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts == Array(repeating: 1, count: 8))
        }
    }
}
