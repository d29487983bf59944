import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

struct SmokeTests {
    @Test func rowsGoInAndComeOut() async throws {
        let fixture = try await Fixture()
        let report = try await fixture.database.migrate([
            Migration("sample/1") {
                $0.createTable("things") {
                    $0.column("id", .integer)
                    $0.primaryKey("id")
                }
            }
        ])
        #expect(report.applied == ["sample/1"])
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        let scope = fixture.user()
        let origin = fixture.turn()
        let id = try await fixture.database.write(scope) { transaction in
            try transaction.execute("INSERT INTO things (id) VALUES (\(7))")
            return try transaction.insert(
                "items", ["name": "milk", "cost": "3.20", "secret": "hush", "extra": ["a": 1]], origin: origin)
        }
        let row = try await fixture.database.read(scope) { try $0.row("items", id) }
        #expect(row?.string("secret") == "hush")
        #expect(row?["cost"] == "3.20")
        #expect(row?["extra"] == ["a": 1])
        #expect(row?.createdAt == Fixture.start)
        try await fixture.database.write(scope) {
            try $0.update("items", id, set: ["name": "oat milk"], origin: origin)
        }
        let undone = try await fixture.database.write(scope) { try $0.undo(turn: origin.turn) }
        #expect(undone.writes == 2)
        #expect(try await fixture.database.read(scope) { try $0.row("items", id) } == nil)
    }
}
