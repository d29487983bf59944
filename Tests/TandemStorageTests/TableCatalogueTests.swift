import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct TableCatalogueTests {
    private static let base = TableDefinition(
        name: "things", columns: [ColumnDefinition("name", .text), ColumnDefinition("size", .decimal(scale: 2))],
        indexes: [IndexDefinition(["name"])], purpose: "things")

    private func changed(_ change: (inout TableDefinition) -> Void) -> TableDefinition {
        var definition = TableCatalogueTests.base
        change(&definition)
        return definition
    }

    @Test(arguments: Engine.allCases)
    func extendsTablesAndKeepsTheirRows(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let database = fixture.database
        #expect(try await database.register([Self.base], owner: "a.b").created == ["things"])
        #expect(try await database.register([Self.base], owner: "a.b") == RegistrationReport())
        let scope = fixture.user()
        let access = TableAccess.owner("a.b")
        let origin = fixture.turn()
        let old = try await database.write(scope) {
            try $0.insert("things", ["name": "old", "size": "1.00"], tables: access)
        }
        try await database.write(scope) {
            try $0.update("things", old, set: ["name": "older"], origin: origin, tables: access)
        }
        let gone = try await database.write(scope) {
            try $0.insert("things", ["name": "gone", "size": "2.00"], tables: access)
        }
        let removal = fixture.turn()
        try await database.write(scope) { try $0.delete("things", gone, origin: removal, tables: access) }

        let parents = TableDefinition(name: "parents", columns: [ColumnDefinition("a", .text)])
        let extended = changed { table in
            // Anywhere among the others.
            table.columns.insert(ColumnDefinition("colour", .text, default: .text("it's red")), at: 0)
            table.columns.append(ColumnDefinition("count", .integer, nullable: true))
            table.columns.append(ColumnDefinition("pin", .text, nullable: true, sealed: true))
            table.columns.append(ColumnDefinition("parent", .id, nullable: true, references: "parents"))
            table.indexes.append(IndexDefinition(["pin"], unique: true))
        }
        let report = try await database.register([extended, parents], owner: "a.b")
        #expect(report.extended == ["things"])
        #expect(report.created == ["parents"])
        try await database.write(scope) { transaction in
            let row = try transaction.row("things", old, tables: access)
            #expect(row?["colour"] == "it's red")
            #expect(row?["count"] == .null)
            #expect(row?["size"] == "1.00")
            try transaction.update("things", old, set: ["pin": "1234"], origin: fixture.turn(), tables: access)
        }
        // The journal of before still serves.
        try await database.write(scope) { transaction in
            let latest = try #require(try transaction.latestUndoable())
            try transaction.undo(turn: latest.turn)
            try transaction.undo(turn: removal.turn)
            try transaction.undo(turn: origin.turn)
            #expect(try transaction.row("things", old, tables: access)?["name"] == "old")
            #expect(try transaction.row("things", gone, tables: access)?["colour"] == "it's red")
        }
        // The added reference is a reference.
        try await database.write(scope) { transaction in
            let dangling = try storageErrorNow {
                try transaction.update("things", old, set: ["parent": "12"], tables: access)
            }
            #expect(dangling.code == .reference)
            #expect(dangling.column == "parent")
            let parent = try transaction.insert("parents", ["a": "p"], tables: access)
            try transaction.update("things", old, set: ["parent": .id(parent)], tables: access)
            let origin = fixture.turn()
            try transaction.delete("parents", parent, origin: origin, tables: access)
            #expect(try transaction.row("things", old, tables: access) == nil)
            try transaction.undo(turn: origin.turn)
            #expect(try transaction.row("things", old, tables: access)?.recordID("parent") == parent)
        }
        // And all of it is there in the next program.
        let again = try await fixture.openAgain()
        #expect(try await again.register([extended, parents], owner: "a.b") == RegistrationReport())
        #expect(try await again.read(scope) { try $0.count("things", tables: access) } == 1 + 1)
    }

    @Test(arguments: Engine.allCases)
    func refusesWhatIsNotAdditive(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.register([Self.base], owner: "a.b")
        let scope = fixture.user()
        try await fixture.database.write(scope) { transaction in
            for _ in 0..<2 {
                try transaction.insert("things", ["name": "same", "size": "1.00"], tables: .owner("a.b"))
            }
        }
        let changes: [(String?, TableDefinition)] = [
            ("name", changed { $0.columns.removeFirst() }), ("name", changed { $0.columns[0].type = .integer }),
            ("size", changed { $0.columns[1].type = .decimal(scale: 3) }),
            ("name", changed { $0.columns[0].isNullable = true }), ("name", changed { $0.columns[0].isSealed = true }),
            ("name", changed { $0.columns[0].defaultValue = .text("x") }),
            ("more", changed { $0.columns.append(ColumnDefinition("more", .text)) }),
            (
                "more",
                changed { $0.columns.append(ColumnDefinition("more", .text, sealed: true, default: .text("x"))) }
            ),
            (nil, changed { $0.indexes = [IndexDefinition(["name"], unique: true)] }),
            (nil, changed { $0.indexes.append(IndexDefinition(["name"], unique: true)) }),
        ]
        for (column, definition) in changes {
            let error = try await storageError {
                try await fixture.database.register([definition], owner: "a.b")
            }
            #expect(error.code == .incompatibleTable)
            #expect(error.table == "things")
            #expect(error.column == column)
        }
        #expect(try await fixture.database.register([Self.base], owner: "a.b") == RegistrationReport())
    }

    @Test(arguments: Engine.allCases)
    func dropsPlainIndexesOnly(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let database = fixture.database
        let parents = TableDefinition(name: "parents", columns: [ColumnDefinition("a", .text)])
        var children = TableDefinition(
            name: "children",
            columns: [
                ColumnDefinition("parent", .id, references: "parents"), ColumnDefinition("name", .text),
            ], indexes: [IndexDefinition(["parent", "name"]), IndexDefinition(["name"])])
        try await database.register([parents, children], owner: "a.b")
        #expect(try await indexes(of: "children", fixture) == [["parent", "name"], ["name"]])
        children.indexes = []
        #expect(try await database.register([parents, children], owner: "a.b").extended == ["children"])
        // Whoever deletes a parent still finds its children.
        #expect(try await indexes(of: "children", fixture) == [["parent"]])
        #expect(try await database.register([parents, children], owner: "a.b") == RegistrationReport())
        children.indexes = [IndexDefinition(["parent"]), IndexDefinition(["name"], unique: true)]
        #expect(try await database.register([parents, children], owner: "a.b").extended == ["children"])
        #expect(try await indexes(of: "children", fixture) == [["parent"], ["name"]])
        children.indexes.removeLast()
        let error = try await storageError { try await database.register([children], owner: "a.b") }
        #expect(error.code == .incompatibleTable)
    }

    /// The columns of a table's indexes after the person, besides the primary key.
    private func indexes(of table: String, _ fixture: EngineFixture) async throws -> Set<[String]> {
        try await fixture.database.read(.system) { transaction in
            let engine = transaction.context.engine
            guard engine.dialect == .sqlite else {
                let answer = try engine.run(
                    RowStatement(
                        """
                        SELECT i.indexrelid::bigint, a.attname::text FROM pg_index i
                        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
                        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                        WHERE i.indrelid = '\(table)'::regclass AND NOT i.indisprimary ORDER BY 1, k.place
                        """), [])
                var columns: [SQLValue: [String]] = [:]
                for row in 0..<answer.rowCount {
                    guard case .text(let column) = answer.values[row * 2 + 1] else { continue }
                    columns[answer.values[row * 2], default: []].append(column)
                }
                return Set(columns.values.map { Array($0.dropFirst()) })
            }
            let list = try engine.run(
                RowStatement("SELECT name FROM pragma_index_list('\(table)') WHERE origin = 'c'"), [])
            return try Set(
                list.values.map { name in
                    guard case .text(let name) = name else { return [] }
                    return try engine.run(
                        RowStatement("SELECT name FROM pragma_index_info('\(name)') ORDER BY seqno"), []
                    ).values.dropFirst().compactMap { value in
                        guard case .text(let column) = value else { return nil }
                        return column
                    }
                })
        }
    }

    @Test(arguments: Engine.allCases)
    func refusesNamesOfOthers(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.migrate([Migration("x/1") { $0.sql("CREATE TABLE accounts (id INTEGER)") }])
        try await fixture.database.register([Self.base], owner: "a.b")
        for (name, owner) in [("things", "c.d"), ("accounts", "a.b")] {
            let error = try await storageError {
                try await fixture.database.register([changed { $0.name = name }], owner: owner)
            }
            #expect(error.code == .tableOwned)
            #expect(error.table == name)
        }
    }

    @Test(arguments: [
        "Things", "select", "order", "1a", "", "a-b", "user_keys", "sqlite_x", "pg_x",
        String(repeating: "a", count: 49),
        "x\"; DROP TABLE y",
    ])
    func refusesTableNames(_ name: String) async throws {
        let fixture = try await Fixture()
        let error = try await storageError {
            try await fixture.database.register([changed { $0.name = name }], owner: "a.b")
        }
        #expect(error.code == .incompatibleTable)
    }

    @Test(arguments: Engine.allCases)
    func refusesBadDefinitions(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let bad: [TableDefinition] = [
            changed { $0.columns = [] }, changed { $0.columns.append($0.columns[0]) },
            changed { $0.columns[0].name = "user_id" }, changed { $0.columns[0].name = "id" },
            changed { $0.columns[0].name = "group" }, changed { $0.columns[0].name = "a#hash" },
            changed { $0.columns[0].type = .decimal(scale: 10) },
            changed { $0.columns[0].references = "things" },
            changed { $0.columns.append(ColumnDefinition("r", .id, references: "nowhere")) },
            changed { $0.columns[1].defaultValue = .text("1.234") },
            changed { $0.columns[1].defaultValue = .integer(1) },
            changed { $0.indexes.append(IndexDefinition([])) },
            changed { $0.indexes.append(IndexDefinition(["nope"])) },
            changed { $0.indexes.append(IndexDefinition(["name", "name"])) },
            changed { table in
                table.columns.append(ColumnDefinition("j", .json, nullable: true))
                table.indexes.append(IndexDefinition(["j"]))
            },
        ]
        for definition in bad {
            let error = try await storageError {
                try await fixture.database.register([definition], owner: "a.b")
            }
            #expect(error.code == .incompatibleTable)
        }
        #expect(fixture.database.store.tables.definitions.isEmpty)
    }

    @Test func definitionsComeBackFromTheirStoredForm() throws {
        for definition in Sample.tables + [Self.base] {
            let json = try JSON(parsing: definition.storedForm.text)
            #expect(TableDefinition(storedForm: json) == definition)
        }
    }

    @Test(arguments: Engine.allCases)
    func changeCountsFollowCommits(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        let tables = fixture.database.store.tables
        let scope = fixture.user()
        let start = tables.changeCount(of: "items")
        try await fixture.database.write(scope) { try $0.insert("items", ["name": "x"]) }
        #expect(tables.changeCount(of: "items") == start + 1)
        try? await fixture.database.write(scope) { transaction in
            try transaction.insert("items", ["name": "x"])
            throw Refusal()
        }
        _ = try await fixture.database.read(scope) { try $0.list("items") }
        #expect(tables.changeCount(of: "items") == start + 1)
        #expect(tables.changeCount(of: "lists") == 0)
    }
}
