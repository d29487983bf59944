import Foundation
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemMemory

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct TextSearchTests {
    private struct World {
        let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_795_255_200_000))
        let ids: IDGenerator
        let place: TestDatabase
        let keyring: Keyring
        let database: any Database
        let memory: LongTermMemory
        let ann: UserScope
        let bob: UserScope

        static let diary = TableDefinition(
            name: "diary",
            columns: [
                ColumnDefinition("entry", .text, sealed: true, searchable: true),
                ColumnDefinition("mood", .text, sealed: true),
            ], purpose: "what you wrote into your diary")
        static let items = TableDefinition(
            name: "acme_items",
            columns: [
                ColumnDefinition("name", .text, searchable: true),
                ColumnDefinition("detail", .json, nullable: true, sealed: true, searchable: true),
                ColumnDefinition("secret", .text, nullable: true),
            ], purpose: "things in your boxes")

        init() async throws {
            ids = IDGenerator(clock: clock, node: 2)
            keyring = try Keyring.ephemeral()
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("search-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            place = try await TestDatabase(file: folder.appendingPathComponent("data.sqlite").path)
            database = try await place.open(keyring: keyring, clock: clock, ids: ids)
            try await database.register(MemoryTables.definitions, owner: MemoryTables.owner)
            try await database.register([World.diary], owner: "host.diary")
            try await database.register([World.items], owner: "acme.box")
            try await database.register([RowLabels.table], owner: RowLabels.owner)
            memory = LongTermMemory(database: database)
            ann = UserScope(authenticated: ids.nextUser())
            bob = UserScope(authenticated: ids.nextUser())
            memory.search.set { owner, _ in owner == "acme.box" ? TextSearch.Owner(name: "Boxes") : nil }
        }

        func turn() -> WriteOrigin { WriteOrigin(turn: ids.next(), step: 0) }

        @discardableResult
        func write(_ entry: String, in scope: UserScope, origin: WriteOrigin? = nil) async throws -> RecordID {
            try await database.write(scope) {
                try $0.insert("diary", ["entry": .string(entry), "mood": "melancholic"], origin: origin)
            }
        }

        @discardableResult
        func keep(_ name: String, _ detail: JSON = .null, in scope: UserScope) async throws -> RecordID {
            try await database.write(scope) {
                try $0.insert(
                    "acme_items", ["name": .string(name), "detail": detail, "secret": "hippopotamus"],
                    tables: .owner("acme.box"))
            }
        }

        func found(_ question: String, kinds: Set<String>? = nil, in scope: UserScope) async throws -> [String] {
            try await memory.search.find(question, kinds: kinds, limit: 5, in: scope).map(\.text)
        }
    }

    @Test func findsWhatIsAnywhere() async throws {
        let world = try await World()
        _ = try await world.memory.remember(NewMemory("the violin is at Lea's"), in: world.ann, origin: world.turn())
        try await world.write("I practised the violin for an hour", in: world.ann)
        try await world.keep("violin strings", ["made": ["by": "Pirastro"], "id": "x91violin000022"], in: world.ann)
        let hits = try await world.memory.search.find("violin", limit: 5, in: world.ann)
        #expect(Set(hits.map(\.kind)) == ["memory", "other", "plugin"])
        #expect(hits.first?.kind == "memory")
        #expect(hits.first { $0.kind == "plugin" }?.owner == "Boxes")
        // Texts within JSON, but neither ids nor what is not searchable.
        #expect(try await world.found("pirastro", in: world.ann).count == 1)
        #expect(try await world.found("x91violin000022", in: world.ann).isEmpty)
        #expect(try await world.found("hippopotamus", in: world.ann).isEmpty)
        #expect(try await world.found("melancholic", in: world.ann).isEmpty)
        #expect(try await world.found("violin", kinds: ["plugin"], in: world.ann).count == 1)
        // Nobody else's.
        #expect(try await world.found("violin", in: world.bob).isEmpty)
        // A plugin that is off is not searched.
        world.memory.search.set { _, _ in nil }
        #expect(try await world.found("pirastro", in: world.ann).isEmpty)
        #expect(try await world.memory.recall("violin", limit: 5, in: world.ann).count == 1)
    }

    @Test func followsEveryWriter() async throws {
        let world = try await World()
        let id = try await world.write("the harbour was calm", in: world.ann)
        #expect(try await world.found("harbour", in: world.ann) == ["the harbour was calm"])
        let origin = world.turn()
        _ = try await world.database.write(world.ann) {
            try $0.update("diary", id, set: ["entry": "the mountain was steep"], origin: origin)
        }
        #expect(try await world.found("harbour", in: world.ann).isEmpty)
        #expect(try await world.found("mountain", in: world.ann) == ["the mountain was steep"])
        _ = try await world.database.write(world.ann) { try $0.undo(turn: origin.turn) }
        #expect(try await world.found("mountain", in: world.ann).isEmpty)
        #expect(try await world.found("harbour", in: world.ann) == ["the harbour was calm"])
        // What failed was never there.
        await #expect(throws: CancellationError.self) {
            try await world.database.write(world.ann) { transaction in
                try transaction.insert("diary", ["entry": "a zebra crossed", "mood": "odd"])
                throw CancellationError()
            }
        }
        #expect(try await world.found("zebra", in: world.ann).isEmpty)
        let archive = RowImport(
            table: "diary",
            rows: [
                [
                    "id": "7123000000000000001", "entry": "an old lighthouse", "mood": "x",
                    "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
                ]
            ])
        try await world.database.write(world.ann) { _ = try $0.importRows([archive]) }
        #expect(try await world.found("lighthouse", in: world.ann) == ["an old lighthouse"])
        _ = try await world.database.write(world.ann) { try $0.delete("diary", id) }
        #expect(try await world.found("harbour", in: world.ann).isEmpty)
        try await world.database.write(world.ann) { _ = try $0.eraseUser() }
        #expect(try await world.found("lighthouse", in: world.ann).isEmpty)
    }

    @Test func followsOtherProcesses() async throws {
        let world = try await World()
        let first = try await world.write("the harbour was calm", in: world.ann)
        #expect(try await world.found("harbour", in: world.ann).count == 1)
        let other = try await world.place.open(
            keyring: world.keyring, clock: world.clock, ids: IDGenerator(clock: world.clock, node: 3))
        world.clock.advance(by: .seconds(5))
        try await other.write(world.ann) { transaction in
            try transaction.insert("diary", ["entry": "a zebra crossed the road", "mood": "odd"])
            try transaction.update("diary", first, set: ["entry": "the mountain was steep"])
        }
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while try await world.found("zebra", in: world.ann).isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(try await world.found("zebra", in: world.ann) == ["a zebra crossed the road"])
        #expect(try await world.found("mountain", in: world.ann) == ["the mountain was steep"])
        #expect(try await world.found("harbour", in: world.ann).isEmpty)
        await other.close()
    }

    @Test func keepsTheLabelOfWhatOthersWrote() async throws {
        let world = try await World()
        let id = try await world.write("Eve says the parcel is late", in: world.ann)
        try await world.database.write(world.ann) { try $0.label(id, as: .untrusted) }
        try await world.write("my parcel to Ben is on its way", in: world.ann)
        let labels = try await world.memory.search.find("parcel", limit: 5, in: world.ann).map { ($0.text, $0.trust) }
        #expect(labels.first { $0.0.hasPrefix("Eve") }?.1 == .untrusted)
        #expect(labels.first { $0.0.hasPrefix("my") }?.1 == .owner)
        // A call that finds them is told.
        let provenance = CallProvenance(trust: .owner, isVerbatim: true)
        _ = try await CallProvenance.$current.withValue(provenance) {
            try await world.memory.search.find("parcel", limit: 5, in: world.ann)
        }
        let shown = provenance.labelled(ToolValue(value: [:], message: "Eve says the parcel is late"))
        #expect(shown.trust == .untrusted)
        world.memory.search.set { _, _ in TextSearch.Owner(name: "Mail", trust: .untrusted) }
        try await world.keep("an offer for gold", in: world.ann)
        #expect(try await world.memory.search.find("gold offer", limit: 1, in: world.ann).first?.trust == .untrusted)
    }

    @Test func staysInStepOverManyChanges() async throws {
        let world = try await World()
        try await world.write("first", in: world.ann)
        #expect(try await world.found("first", in: world.ann).count == 1)
        // More than is remembered of changes, and more than a page.
        for batch in 0..<7 {
            try await world.database.write(world.ann) { transaction in
                for number in 0..<400 {
                    try transaction.insert(
                        "diary", ["entry": .string("stone\(batch * 400 + number) lies here"), "mood": "x"])
                }
            }
        }
        for number in [0, 399, 1234, 2799] {
            #expect(
                try await world.found("where is stone\(number)", in: world.ann).first == "stone\(number) lies here")
        }
        _ = try await world.database.write(world.ann) { try $0.delete("diary", where: []) }
        #expect(try await world.found("stone17", in: world.ann).isEmpty)
        // Built anew by somebody who sees it for the first time.
        try await world.write("the last stone", in: world.ann)
        let other = TextSearch(database: world.database)
        #expect(try await other.find("stone", limit: 3, in: world.ann).map(\.text) == ["the last stone"])
    }

    @Test func lookingWithinAChangeDoesNotKeepIt() async throws {
        let world = try await World()
        try await world.write("the harbour was calm", in: world.ann)
        #expect(try await world.found("harbour", in: world.ann).count == 1)
        let index = PersonalIndex(
            try #require(SearchSource(of: World.diary)), of: world.database, budget: SearchBudget())
        let user = world.ann.user
        for isBuilt in [false, true] {
            if isBuilt {
                #expect(
                    try await world.database.read(world.ann) {
                        try index.search("harbour", limit: 3, of: user, in: $0).count
                    } == 1)
            }
            await #expect(throws: CancellationError.self) {
                try await world.database.write(world.ann) { transaction in
                    try transaction.insert("diary", ["entry": "a zebra crossed", "mood": "odd"])
                    _ = try index.search("zebra", limit: 3, of: user, in: transaction)
                    throw CancellationError()
                }
            }
            let zebras = try await world.database.read(world.ann) {
                try index.search("zebra", limit: 3, of: user, in: $0).count
            }
            #expect(zebras == 0)
        }
    }

    @Test func watchesOnlyThoseWhoAreIndexed() async throws {
        let world = try await World()
        let changes = world.database.store.changedRows
        try await world.write("the harbour was calm", in: world.ann)
        #expect(changes.count == 0)
        _ = try await world.found("harbour", in: world.ann)
        #expect(changes.count == 1)
        // Its parts are let go of one by one.
        let tight = TextSearch(database: world.database, budget: SearchBudget(limit: 1))
        _ = try await tight.find("harbour", limit: 1, in: world.ann)
        _ = try await tight.find("harbour", limit: 1, in: world.bob)
        #expect(tight.budget.count == 1 && changes.count == 2)
    }

    @Test func showsTheLineThatAnswers() {
        let text = "Shopping\nmilk and eggs\nThe plumber's offer is 340 euros, valid until May\nbread"
        let hit = FoundText(
            kind: "note", table: "notes", owner: "", id: RecordID(rawValue: 1), text: text,
            at: Timestamp(millisecondsSinceEpoch: 0), trust: .owner, score: RecallScore())
        #expect(hit.excerpt(for: "plumber offer") == "The plumber's offer is 340 euros, valid until May")
        #expect(hit.excerpt(for: "plumber offer", length: 30) == "The plumber's offer is 340...")
        #expect(hit.excerpt(for: "nothing of it") == "Shopping")
    }
}
