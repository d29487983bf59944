import TandemCore
import TandemJSON
import TandemMemory
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// What plugins keep of a person leaves with the person, and comes along in an export.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct PluginRecordsTests {
    private let hour = TimerPlan(
        name: "milk", handler: "notes.restock", data: ["item": "oat milk"],
        dueAt: Timestamp(millisecondsSinceEpoch: 1_790_003_600_000), repeats: .days(7))

    /// One of everything, for one plugin and person.
    private func fill(_ database: any Database, _ place: PluginPlace, _ word: String) async throws {
        let quota = PluginQuota(rows: 1, bytes: 1)
        let values = StoredValues(database: database)
        _ = try await values.set(
            Array("\(word) value".utf8), for: "cursor", expected: nil, lifetimeMilliseconds: 5000, quota: quota,
            in: place)
        _ = try await values.set(
            [0xFF, 0x00], for: "raw", expected: nil, lifetimeMilliseconds: 0, quota: quota, in: place)
        try await StoredSecrets(database: database).set(
            Array("\(word) secret".utf8), name: "api_key", plugin: place.plugin, in: place.scope)
        try await StoredTimers(database: database, offset: { _ in { _ in 0 } }, wake: {}).set(hour, limit: 4, in: place)
        _ = try await StoredEvents(database: database, wake: {}).publish(
            PluginEvent(
                topic: "notes.written", data: ["word": .string(word)], key: "k", depth: 1,
                receivers: [.init(plugin: "test.reader", handler: "reader.on_written")]), in: place)
        let versions = StoredVersions(database: database)
        _ = try await versions.begin("1.2.0", in: place)
        let settings = StoredSettings(database: database)
        try await settings.save(["greeting": .string(word)], plugin: place.plugin, in: place.scope)
        _ = try await MemoryProposals(database: database, memory: LongTermMemory(database: database)).propose(
            "I like \(word)", type: "fact", plugin: place.plugin, name: "Notes", in: place.scope)
    }

    private func open(_ file: PluginDatabase) async throws -> any Database {
        let database = try await file.open()
        try await database.register(MemoryTables.definitions, owner: MemoryTables.owner)
        database.register(PluginRecords.all)
        return database
    }

    private func records(_ export: JSON, _ name: String) -> [JSON] {
        export["records"]?.arrayValue?.first { $0["name"]?.stringValue == name }?["records"]?.arrayValue ?? []
    }

    @Test func exportsEverythingOfThePersonButSecrets() async throws {
        let file = try await PluginDatabase()
        let database = try await open(file)
        try await fill(database, place("test.notes", 1), "walnut")
        try await fill(database, place("test.notes", 2), "pepper")
        let export = try await database.read(place().scope) { try $0.exportUser() }
        #expect(
            records(export, "plugin_values") == [
                [
                    "plugin": "test.notes", "key": "cursor", "expiresAt": "2026-09-21T14:13:25.000Z",
                    "value": "walnut value",
                ],
                ["plugin": "test.notes", "key": "raw", "expiresAt": .null, "base64": "/wA="],
            ])
        #expect(records(export, "plugin_secrets").map { $0["name"] } == ["api_key"])
        let timer = try #require(records(export, "plugin_timers").first)
        #expect(timer["data"] == ["item": "oat milk"])
        #expect(timer["repeat"] == ["unit": "days", "every": 7])
        #expect(records(export, "plugin_deliveries").map { $0["data"] } == [["word": "walnut"]])
        #expect(records(export, "plugin_versions") == [["plugin": "test.notes", "version": "1.2.0"]])
        #expect(
            records(export, "plugin_settings") == [["plugin": "test.notes", "settings": ["greeting": "walnut"]]])
        #expect(export.text.contains("I like walnut"))
        #expect(!export.text.contains("pepper"))
        #expect(!export.text.contains("walnut secret"))
        await database.close()
    }

    @Test func erasesEverythingOfThePersonAndNothingOfOthers() async throws {
        let file = try await PluginDatabase()
        let database = try await open(file)
        try await fill(database, place("test.notes", 1), "walnut")
        try await fill(database, place("test.notes", 2), "pepper")
        let tables = [
            "plugin_values", "plugin_value_usage", "plugin_secrets", "plugin_timers", "plugin_deliveries",
            "plugin_event_keys", "plugin_versions", "plugin_settings",
        ]
        func counts(_ user: Int64) async throws -> [Int] {
            try await database.read(.system) { transaction in
                try tables.map { table in
                    try transaction.first(
                        SQL(stringLiteral: "SELECT count(*) AS n FROM \(table) WHERE user_id = \(user)"))?.int("n")
                        ?? -1
                }
            }
        }
        let filled = try await counts(1)
        #expect(filled.allSatisfy { $0 > 0 }, "\(filled)")
        let before = try await counts(2)
        _ = try await database.write(place().scope) { try $0.eraseUser() }
        #expect(try await counts(1).allSatisfy { $0 == 0 })
        #expect(try await counts(2) == before)
        let export = try await database.read(place("test.notes", 1).scope) { try $0.exportUser() }
        #expect(!export.text.contains("walnut"))
        let other = try await database.read(place("test.notes", 2).scope) { try $0.exportUser() }
        #expect(other.text.contains("pepper value"))
        await database.close()
    }
}

/// `tandem.memory/1` on the person's memories in a database file.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct StoredMemoriesTests {
    private struct Rig {
        let file: PluginDatabase
        let database: any Database
        let memory: LongTermMemory
        let proposals: MemoryProposals
        let stored: StoredMemories

        init() async throws {
            file = try await PluginDatabase()
            database = try await file.open()
            try await database.register(MemoryTables.definitions, owner: MemoryTables.owner)
            memory = LongTermMemory(database: database)
            proposals = MemoryProposals(database: database, memory: memory)
            stored = StoredMemories(memory: memory, proposals: proposals, clock: file.clock) { "Plugin \($0)" }
        }

        func remember(_ text: String, _ type: String, _ user: Int64 = 1) async throws {
            _ = try await memory.remember(
                NewMemory(text, type: type), in: place("", user).scope,
                origin: WriteOrigin(turn: RecordID(rawValue: 7), step: 0))
        }

        func propose(_ text: String, _ kind: String = "fact", _ plugin: String = "test.notes", _ user: Int64 = 1)
            async throws -> (id: RecordID?, state: ProposalState)
        {
            try await stored.propose(text, kind: kind, in: place(plugin, user))
        }
    }

    @Test func recallsOnlyTheGrantedKindsOfThePerson() async throws {
        let rig = try await Rig()
        try await rig.remember("I do not eat nuts", "preference")
        try await rig.remember("nuts are in the kitchen cupboard", "fact")
        try await rig.remember("I love nuts", "preference", 2)
        func recall(_ kinds: Set<String>, _ query: String = "what nuts do I eat") async throws -> [String] {
            try await rig.stored.recall(query, kinds: kinds, limit: 5, in: place()).map(\.text)
        }
        #expect(try await recall(["preference"]) == ["I do not eat nuts"])
        #expect(try await recall(["fact"], "where are the nuts") == ["nuts are in the kitchen cupboard"])
        #expect(try await recall(["identity"]).isEmpty)
        #expect(try await rig.stored.recall("nuts", kinds: ["preference", "fact"], limit: 1, in: place()).count == 1)
        // That it was read is noted.
        let found = try await rig.memory.recall("nuts", limit: 5, now: rig.file.clock.now, in: place().scope)
        #expect(found.contains { $0.memory.content == "I do not eat nuts" })
        await rig.database.close()
    }

    @Test func keepsProposalsApartUntilThePersonSays() async throws {
        let rig = try await Rig()
        let scope = place().scope
        let origin = WriteOrigin(turn: RecordID(rawValue: 8), step: 0)
        let first = try await rig.propose("I am allergic to nuts")
        #expect(first.state == .waiting)
        // The same again, and another's.
        #expect(try await rig.propose("I am allergic to nuts").id == first.id)
        #expect(try await rig.propose("I am allergic to nuts", "fact", "test.notes", 2).state == .waiting)
        #expect(try await rig.memory.recall("nuts", limit: 5, now: rig.file.clock.now, in: scope).isEmpty)
        let waiting = try await rig.proposals.waiting(limit: 9, in: scope)
        #expect(waiting.map(\.content) == ["I am allergic to nuts"])
        #expect(waiting.map(\.proposedBy) == ["Plugin test.notes"])
        let id = try #require(first.id)
        // Nobody else's to decide.
        #expect(try await rig.proposals.keep(id, in: place("", 2).scope, origin: origin) == nil)
        let kept = try await rig.proposals.keep(id, in: scope, origin: origin)
        #expect(kept?.proposal.plugin == "test.notes")
        #expect(try await rig.proposals.keep(id, in: scope, origin: origin) == nil)
        #expect(
            try await rig.stored.recall("nuts", kinds: ["fact"], limit: 5, in: place()).map(\.text)
                == ["I am allergic to nuts"])
        #expect(try await rig.propose("I am allergic to nuts").state == .known)
        #expect(try await rig.propose("I am allergic to nuts", "fact", "test.other").state == .known)
        await rig.database.close()
    }

    @Test func doesNotAskAgainWhatWasDeclined() async throws {
        let rig = try await Rig()
        let scope = place().scope
        let id = try #require(try await rig.propose("I hate mornings").id)
        #expect(
            try await rig.proposals.decline(id, in: scope, origin: WriteOrigin(turn: RecordID(rawValue: 8), step: 0))
                != nil)
        #expect(try await rig.propose("I hate mornings").state == .declined)
        #expect(try await rig.proposals.waiting(limit: 9, in: scope).isEmpty)
        // Another plugin may still ask.
        #expect(try await rig.propose("I hate mornings", "fact", "test.other").state == .waiting)
        await rig.database.close()
    }

    @Test func boundsWhatWaitsAndDropsWhatIsOld() async throws {
        let rig = try await Rig()
        let scope = place().scope
        let words = [
            "apples", "bicycles", "candles", "dragons", "elephants", "flutes", "gardens", "horses", "islands",
            "jackets",
            "kettles", "lemons", "mountains", "notebooks", "oceans", "pianos", "quilts", "rivers", "sandals",
            "trumpets",
        ]
        for word in words { #expect(try await rig.propose("I own \(word)").state == .waiting) }
        #expect(await failure { _ = try await rig.propose("I own umbrellas") }?.status == -21)
        #expect(try await rig.propose("I own umbrellas", "fact", "test.other").state == .waiting)
        #expect(try await rig.proposals.waiting(limit: 99, in: scope).count == 21)
        rig.file.clock.advance(by: .seconds(30 * 86_400 + 1))
        #expect(try await rig.proposals.waiting(limit: 99, in: scope).isEmpty)
        #expect(try await rig.propose("I own umbrellas").state == .waiting)
        await rig.database.close()
    }
}
