import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct RowTests {
    private func prepared(_ engine: Engine) async throws -> (EngineFixture, UserScope) {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        return (fixture, fixture.user())
    }

    private func run(_ fixture: EngineFixture, _ scope: UserScope, _ request: JSON, quota: RowQuota? = nil) async throws
        -> JSON
    {
        try await fixture.database.write(scope) { transaction in
            let operations = try RowOperation.parse(request)
            return .array(
                try transaction.run(operations, tables: .owner(Sample.owner), origin: nil, quota: quota).map(\.json))
        }
    }

    @Test(arguments: Engine.allCases)
    func keepsEveryTypeExactly(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let values: JSON = [
            "name": "oat 'milk' \u{1F95B}", "cost": "12.50", "amount": -9_007_199_254_740_993, "weight": 0.1,
            "urgent": true,
            "day": "2026-02-28", "at": "2026-11-21T10:00:00.123Z", "extra": ["b": [1, 2.5, nil, true], "a": "x"],
            "secret": "hush",
        ]
        let answer = try await run(fixture, scope, [["insert": "items", "values": values], ["list": "items"]])
        let id = try #require(answer[0]?["id"]?.stringValue)
        let row = try #require(answer[1]?["rows"]?[0])
        var expected: JSON = values
        expected["id"] = .string(id)
        expected["list"] = .null
        expected["status"] = "open"
        expected["created_at"] = .timestamp(Fixture.start)
        expected["updated_at"] = .timestamp(Fixture.start)
        #expect(row == expected)
        #expect(row.objectValue?.keys.first == "id")
        #expect(answer[1]?["more"] == false)
    }

    @Test(arguments: [
        ("cost", "3.205" as JSON), ("cost", 3.2), ("cost", "3,2"), ("amount", "7"), ("amount", 1.5), ("weight", "1"),
        ("urgent", 1), ("day", "2026-02-30"), ("day", "2026-2-3"), ("at", "2026-11-21"), ("at", "now"), ("list", 5),
        ("list", "-5"), ("name", 5), ("name", "a\u{0}b"), ("secret", 1), ("extra", nil),
    ])
    func refusesValuesOfAnotherType(_ column: String, _ value: JSON) async throws {
        let (fixture, scope) = try await prepared(.sqlite)
        var values: JSON = ["name": "x"]
        values[column] = value
        // A null is a value of a nullable column.
        guard !(column == "extra") else { return }
        let request: JSON = [["count": "items"], ["insert": "items", "values": values]]
        let error = try await storageError { _ = try await run(fixture, scope, request) }
        #expect(error.code == .typeMismatch)
        #expect(error.index == 1)
        #expect(error.column == column)
        #expect(error.rowsJSON["operation"] == 1)
    }

    @Test(arguments: Engine.allCases)
    func namesWhatIsMissingOrUnknown(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        func failure(_ request: JSON) async throws -> StorageError {
            try await storageError { _ = try await run(fixture, scope, [request]) }
        }
        let missing = try await failure(["insert": "items", "values": [:]])
        #expect(missing.code == .notNull)
        #expect(missing.column == "name")
        let explicit = try await failure(["insert": "items", "values": ["name": "x", "status": nil]])
        #expect(explicit.code == .notNull)
        #expect(explicit.column == "status")
        #expect(try await failure(["insert": "items", "values": ["name": "x", "nope": 1]]).code == .unknownColumn)
        #expect(
            try await failure(["insert": "items", "values": ["name": "x", "user_id": "1"]]).code == .unknownColumn)
        #expect(try await failure(["insert": "items", "values": ["name": "x", "id": "1"]]).code == .invalid)
        #expect(try await failure(["list": "user_keys"]).code == .unknownTable)
        #expect(
            try await failure(["list": "items", "where": [["name\" = '' OR 1=1 --", "eq", "x"]]]).code == .unknownColumn
        )
        #expect(try await failure(["update": "items", "where": [], "set": [:]]).code == .invalid)
    }

    @Test(arguments: [
        "{}", "[1]", "[{}]", "[{\"insert\":\"items\"}]", "[{\"insert\":1,\"values\":{}}]",
        "[{\"insert\":\"items\",\"values\":{},\"extra\":1}]",
        "[{\"insert\":\"items\",\"list\":\"items\",\"values\":{}}]",
        "[{\"get\":\"items\"}]", "[{\"get\":\"items\",\"id\":7}]", "[{\"get\":\"items\",\"id\":\"07x\"}]",
        "[{\"update\":\"items\",\"set\":{\"name\":\"x\"}}]",
        "[{\"update\":\"items\",\"id\":\"1\",\"where\":[],\"set\":{\"name\":\"x\"}}]", "[{\"delete\":\"items\"}]",
        "[{\"list\":\"items\",\"limit\":501}]", "[{\"list\":\"items\",\"limit\":-1}]",
        "[{\"list\":\"items\",\"limit\":\"5\"}]",
        "[{\"list\":\"items\",\"offset\":-1}]", "[{\"list\":\"items\",\"order\":[[\"name\",\"up\"]]}]",
        "[{\"list\":\"items\",\"where\":[[\"name\",\"like\",\"x\"]]}]",
        "[{\"list\":\"items\",\"where\":[[\"name\",\"eq\"]]}]",
        "[{\"list\":\"items\",\"where\":[[\"name\",\"null\",1]]}]", "[{\"sum\":\"items\"}]",
    ])
    func refusesMalformedRequests(_ text: String) throws {
        let json = try JSON(parsing: text)
        let error = try storageErrorNow { _ = try RowOperation.parse(json) }
        #expect(error.code == .invalid)
        #expect(error.abiStatus == -1)
    }

    @Test(arguments: Engine.allCases)
    func findsByEveryCondition(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        try await fixture.database.write(scope) { transaction in
            for (name, cost, day) in [("Apple", "1.00", "2026-01-01"), ("100% pear_juice", "2.50", "2026-06-01")] {
                try transaction.insert("items", ["name": .string(name), "cost": .string(cost), "day": .string(day)])
            }
            try transaction.insert("items", ["name": "Crème \\ brûlée", "secret": "x", "urgent": true])
        }
        func names(_ conditions: JSON) async throws -> [String] {
            let answer = try await run(fixture, scope, [["list": "items", "where": conditions]])
            return answer[0]?["rows"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
        }
        let (apple, pear, creme) = ("Apple", "100% pear_juice", "Crème \\ brûlée")
        #expect(try await names([["name", "eq", "Apple"]]) == [apple])
        #expect(try await names([["cost", "ne", "1.00"]]) == [pear, creme])
        #expect(try await names([["cost", "lt", "2.50"]]) == [apple])
        #expect(try await names([["cost", "le", "2.50"]]) == [apple, pear])
        #expect(try await names([["day", "gt", "2026-01-01"]]) == [pear])
        #expect(try await names([["day", "ge", "2026-01-01"], ["cost", "ge", "2"]]) == [pear])
        #expect(try await names([["name", "in", ["Apple", "none", "x", "y", "100% pear_juice"]]]) == [apple, pear])
        #expect(try await names([["name", "in", []]]) == [])
        #expect(try await names([["name", "contains", "PPL"]]) == [apple])
        #expect(try await names([["name", "contains", "%"]]) == [pear])
        #expect(try await names([["name", "contains", "_j"]]) == [pear])
        #expect(try await names([["name", "contains", "\\"]]) == [creme])
        #expect(try await names([["name", "contains", "CRÈME"]]) == [creme])
        #expect(try await names([["cost", "null"]]) == [creme])
        #expect(try await names([["cost", "set"], ["urgent", "eq", false]]) == [apple, pear])
        #expect(try await names([["secret", "eq", "x"]]) == [creme])
        #expect(try await names([["secret", "ne", "x"]]) == [apple, pear])
        #expect(try await names([["secret", "in", ["y", "x"]]]) == [creme])
        #expect(try await names([["secret", "set"]]) == [creme])
        #expect(try await names([["created_at", "ge", "2026-11-21T10:00:00.000Z"]]).count == 3)
        for refused: JSON in [
            [["secret", "lt", "x"]], [["secret", "contains", "x"]], [["extra", "eq", 1]], [["cost", "eq", nil]],
            [["name", "in", .array(Array(repeating: "x", count: 201))]],
        ] {
            let error = try await storageError { _ = try await names(refused) }
            #expect(error.code == .invalid)
        }
    }

    @Test(arguments: Engine.allCases)
    func ordersLimitsAndPages(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        try await fixture.database.write(scope) { transaction in
            for index in 0..<7 {
                try transaction.insert(
                    "items", ["name": .string("n\(index)"), "amount": index == 3 ? .null : .integer(Int64(index % 3))])
            }
        }
        func names(_ request: JSON) async throws -> ([String], JSON?) {
            let answer = try await run(fixture, scope, [request])
            return (answer[0]?["rows"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? [], answer[0]?["more"])
        }
        let ascending = try await names(["list": "items", "order": [["amount", "asc"], ["name", "desc"]]])
        #expect(ascending.0 == ["n6", "n0", "n4", "n1", "n5", "n2", "n3"])
        let descending = try await names(["list": "items", "order": [["amount", "desc"]], "limit": 3, "offset": 1])
        #expect(descending.0 == ["n5", "n1", "n4"])
        #expect(descending.1 == true)
        let last = try await names(["list": "items", "limit": 3, "offset": 5])
        #expect(last.0 == ["n5", "n6"])
        #expect(last.1 == false)
    }

    @Test(arguments: Engine.allCases)
    func sumsExactlyByGroup(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        try await fixture.database.write(scope) { transaction in
            for index in 0..<1000 {
                try transaction.insert(
                    "items", ["name": "x", "cost": "0.10", "status": index % 4 == 0 ? "done" : "open", "weight": 0.5])
            }
            try transaction.insert("items", ["name": "y"])
        }
        let answer = try await run(
            fixture, scope,
            [
                ["sum": "items", "column": "cost", "by": ["status"]], ["sum": "items", "column": "cost"],
                ["sum": "items", "column": "weight", "where": [["status", "eq", "done"]]],
                ["sum": "items", "column": "amount"], ["count": "items", "where": [["status", "eq", "done"]]],
            ])
        #expect(
            answer[0] == [
                "groups": [
                    ["key": ["status": "done"], "sum": "25.00", "count": 250],
                    ["key": ["status": "open"], "sum": "75.00", "count": 751],
                ]
            ])
        #expect(answer[1] == ["groups": [["key": [:], "sum": "100.00", "count": 1001]]])
        #expect(answer[2] == ["groups": [["key": [:], "sum": 125.0, "count": 250]]])
        #expect(answer[3] == ["groups": [["key": [:], "sum": 0, "count": 1001]]])
        #expect(answer[4] == ["count": 250])
        try await fixture.database.write(scope) { transaction in
            for _ in 0..<2 { try transaction.insert("items", ["name": "z", "amount": .integer(.max)]) }
        }
        let error = try await storageError {
            _ = try await run(fixture, scope, [["sum": "items", "column": "amount"]])
        }
        #expect(error.code == .overflow)
    }

    @Test(arguments: Engine.allCases)
    func doesAllOrNone(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let error = try await storageError {
            _ = try await run(
                fixture, scope,
                [
                    ["insert": "items", "values": ["name": "a", "secret": "s"]],
                    ["insert": "items", "values": ["name": "b", "secret": "s"]],
                ])
        }
        #expect(error.code == .unique)
        #expect(error.index == 1)
        #expect(error.column == "secret")
        #expect(!"\(error)".contains("\"s\""))
        #expect(try await run(fixture, scope, [["count": "items"]])[0] == ["count": 0])
        // A caller that catches the failure and goes on keeps nothing of the request either.
        try await fixture.database.write(scope) { transaction in
            let operations = try RowOperation.parse([
                ["insert": "items", "values": ["name": "a"]], ["insert": "items", "values": ["nope": "b"]],
            ])
            _ = try? transaction.run(operations, tables: .host, origin: nil)
        }
        #expect(try await run(fixture, scope, [["count": "items"]])[0] == ["count": 0])
    }

    @Test(arguments: Engine.allCases)
    func refersToEarlierInserts(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let answer = try await run(
            fixture, scope,
            [
                ["insert": "lists", "values": ["title": "week"]],
                ["insert": "items", "values": ["name": "milk", "list": ["result": 0]]],
                ["insert": "notes", "values": ["item": ["result": 1], "body": "fresh"]],
                ["list": "notes"],
            ])
        #expect(answer[3]?["rows"]?[0]?["item"] == answer[1]?["id"])
        for bad: JSON in [["result": 1], ["result": 0, "x": 1], ["result": "0"], ["result": -1]] {
            let error = try await storageError {
                _ = try await run(
                    fixture, scope, [["count": "lists"], ["insert": "items", "values": ["name": "x", "list": bad]]])
            }
            #expect(error.code == .invalid)
            #expect(error.index == 1)
        }
        let dangling = try await storageError {
            _ = try await run(fixture, scope, [["insert": "items", "values": ["name": "x", "list": "12345"]]])
        }
        #expect(dangling.code == .reference)
        #expect(dangling.column == "list")
        #expect(dangling.abiStatus == -9)
    }

    @Test(arguments: Engine.allCases)
    func deletesWhatRefersToARow(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let answer = try await run(
            fixture, scope,
            [
                ["insert": "lists", "values": ["title": "week"]],
                ["insert": "items", "values": ["name": "milk", "list": ["result": 0]]],
                ["insert": "items", "values": ["name": "free"]],
                ["insert": "notes", "values": ["item": ["result": 1], "body": "fresh"]],
                ["insert": "notes", "values": ["item": ["result": 2], "parent": ["result": 3], "body": "child"]],
                ["delete": "lists", "where": []],
                ["count": "items"], ["count": "notes"], ["count": "lists"],
            ])
        #expect(answer[5] == ["count": 1])
        #expect(answer[6] == ["count": 1])
        #expect(answer[7] == ["count": 0])
        #expect(answer[8] == ["count": 0])
    }

    @Test(arguments: Engine.allCases)
    func keepsOwnersApart(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        try await fixture.database.register(
            [TableDefinition(name: "foreign_rows", columns: [ColumnDefinition("a", .text)])], owner: "org.example.other"
        )
        let list = RowOperation.list(table: "foreign_rows", RowQuery())
        for access in [TableAccess.owner(Sample.owner), .host] {
            let error = try await storageError {
                _ = try await fixture.database.read(scope) { try $0.run([list], tables: access) }
            }
            #expect(error.code == .unknownTable)
        }
        _ = try await fixture.database.read(scope) { try $0.run([list], tables: .owner("org.example.other")) }
        let readOnly = try await storageError {
            try await fixture.database.write(scope) { transaction in
                _ = try transaction.run(
                    [.delete(table: "foreign_rows", .matching([]))],
                    tables: .owner("org.example.other", allowsWrites: false), origin: nil)
            }
        }
        #expect(readOnly.code == .notAllowed)
        #expect(readOnly.abiStatus == -40)
    }

    @Test(arguments: Engine.allCases)
    func stopsAtTheQuota(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let quota = RowQuota(rows: 3, bytes: 600)
        let insert: JSON = ["insert": "items", "values": ["name": "x"]]
        _ = try await run(fixture, scope, [insert, insert, insert], quota: quota)
        let rows = try await storageError { _ = try await run(fixture, scope, [insert], quota: quota) }
        #expect(rows.code == .overQuota)
        #expect(rows.abiStatus == -21)
        // Room is what was freed, within one request too.
        _ = try await run(fixture, scope, [["delete": "items", "where": []], insert], quota: quota)
        let long = JSON.string(String(repeating: "y", count: 600))
        let bytes = try await storageError {
            _ = try await run(fixture, scope, [["update": "items", "where": [], "set": ["name": long]]], quota: quota)
        }
        #expect(bytes.code == .overQuota)
        #expect(try await run(fixture, scope, [["count": "items"]])[0] == ["count": 1])
        // Another person has a quota of their own.
        _ = try await run(fixture, fixture.user(), [insert, insert, insert], quota: quota)
    }

    @Test(arguments: Engine.allCases)
    func movesUpdatedAtOnly(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let id = try await fixture.database.write(scope) { try $0.insert("items", ["name": "x", "secret": "a"]) }
        fixture.clock.advance(by: .seconds(5))
        let row = try await fixture.database.write(scope) { transaction in
            try transaction.update("items", id, set: ["secret": "b", "cost": "1.00"])
            return try transaction.row("items", id)
        }
        #expect(row?.createdAt == Fixture.start)
        #expect(row?.updatedAt == Fixture.start.advanced(by: .seconds(5)))
        #expect(row?.string("secret") == "b")
        #expect(row?.string("name") == "x")
    }

    @Test(arguments: Engine.allCases)
    func exportsAndErasesAPerson(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let other = fixture.user()
        for person in [scope, other] {
            try await fixture.database.write(person) { transaction in
                let item = try transaction.insert(
                    "items", ["name": "milk", "secret": "hush"], origin: fixture.turn())
                try transaction.insert("notes", ["item": .id(item), "body": "b"])
            }
        }
        let export = try await fixture.database.read(scope) { try $0.exportUser() }
        let tables = try #require(export["tables"]?.arrayValue)
        #expect(tables.compactMap { $0["name"]?.stringValue } == ["items", "lists", "notes"])
        #expect(tables[0]["rows"]?[0]?["secret"] == "hush")
        #expect(tables[0]["purpose"] == "the things on your lists")
        let sealed = try await fixture.database.write(scope) { transaction in
            try transaction.seal([1, 2, 3], SealContext(table: "t", column: "c", row: 1))
        }
        try await fixture.database.migrate(
            [
                Migration("test/queue") { migration in
                    migration.createTable("queue") { table in
                        table.column("id", .integer)
                        table.column("user_id", .integer)
                        table.primaryKey("id")
                    }
                }
            ])
        try await fixture.database.write(.system) { transaction in
            for (id, person) in [scope, other].enumerated() {
                try transaction.execute("INSERT INTO queue (id, user_id) VALUES (\(id), \(person.user))")
            }
        }
        let report = try await fixture.database.write(scope) { try $0.eraseUser() }
        #expect(report.rows == ["items": 1, "notes": 1])
        let left = try await fixture.database.read(.system) {
            try $0.query("SELECT id FROM queue").map { try $0.int("id") }
        }
        #expect(left == [1])
        try await fixture.database.read(scope) { transaction in
            #expect(try transaction.list("items").isEmpty)
            #expect(try transaction.latestUndoable() == nil)
            let error = try storageErrorNow {
                _ = try transaction.open(sealed, SealContext(table: "t", column: "c", row: 1))
            }
            #expect(error.code == .keyMissing)
        }
        #expect(try await fixture.database.read(other) { try $0.list("items").first?.string("secret") } == "hush")
    }
}
