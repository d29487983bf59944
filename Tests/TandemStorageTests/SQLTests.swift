import Testing

@testable import TandemStorage

struct SQLTests {
    @Test func rendersPlaceholdersPerEngine() {
        let condition: SQL = "age > \(30)"
        let statement: SQL = "SELECT '?' FROM t WHERE name = \("x") AND \(condition) AND id IN \(list: [1, 2])"
        #expect(statement.rendered(for: .sqlite) == "SELECT '?' FROM t WHERE name = ? AND age > ? AND id IN (?,?)")
        #expect(
            statement.rendered(for: .postgres) == "SELECT '?' FROM t WHERE name = $1 AND age > $2 AND id IN ($3,$4)")
        #expect(statement.binds == [.text("x"), .int(30), .int(1), .int(2)])
    }

    @Test(arguments: ["", "a b", "1a", "a\"b", "A", "a;b", "a.b", String(repeating: "a", count: 64), "é"])
    func refusesWhatIsNoIdentifier(_ name: String) {
        let statement: SQL = "SELECT \(identifier: name)"
        #expect(statement.fault != nil)
    }

    @Test func migrationsOfBothEnginesAreDistinct() {
        let migration = Migration("a/1") { builder in
            builder.createTable("t") { table in
                table.column("id", .integer)
                table.column("data", .blob, nullable: true)
                table.primaryKey("id")
                table.isWithoutRowID = true
            }
            builder.sql(sqlite: "SELECT 1", postgres: "SELECT 2")
        }
        #expect(
            migration.statements(for: .sqlite) == [
                "CREATE TABLE \"t\" (\"id\" INTEGER NOT NULL, \"data\" BLOB, PRIMARY KEY (\"id\")) STRICT, WITHOUT ROWID",
                "SELECT 1",
            ])
        #expect(
            migration.statements(for: .postgres) == [
                "CREATE TABLE \"t\" (\"id\" BIGINT NOT NULL, \"data\" BYTEA, PRIMARY KEY (\"id\"))", "SELECT 2",
            ])
    }

    @Test(arguments: ["users", "a/b/c", "/a", "a/", "A/b", "a b/c", "storage/1"])
    func refusesNamesOfMigrations(_ name: String) async throws {
        let fixture = try await Fixture()
        let error = try await storageError { try await fixture.database.migrate([Migration(name) { _ in }]) }
        #expect(error.code == .invalid)
    }
}
