import TandemCore
import TandemMemory
import TandemStorage
import TestDatabases
import Testing

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct MemoryLifeCycleTests {
    private struct World {
        let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_795_255_200_000))
        let ids: IDGenerator
        let database: any Database
        let memory: LongTermMemory
        let ann: UserScope

        init() async throws {
            ids = IDGenerator(clock: clock, node: 3)
            database = try await TestDatabase().open(clock: clock, ids: ids)
            try await database.register(MemoryTables.definitions, owner: MemoryTables.owner)
            memory = LongTermMemory(database: database)
            ann = UserScope(authenticated: ids.nextUser())
        }

        @discardableResult func keep(_ text: String) async throws -> Memory {
            try await memory.remember(NewMemory(text), in: ann, origin: WriteOrigin(turn: ids.next(), step: 0)).memory
        }

        func recall(_ question: String) async throws -> [RecalledMemory] {
            try await memory.recall(question, limit: 5, in: ann)
        }

        func consolidate(limit: Int = 100) async throws -> ConsolidationStep {
            var total = ConsolidationStep()
            var next: RecordID?
            repeat {
                let step = try await memory.consolidate(after: next, limit: limit, in: ann)
                total.seen += step.seen
                total.expired += step.expired
                total.merged += step.merged
                total.faded += step.faded
                next = step.next
            } while next != nil
            return total
        }

        func pass(days: Int) { clock.advance(by: .seconds(days * 86_400)) }
    }

    @Test func knowsKindAndImportance() async throws {
        let world = try await World()
        let health = try await world.keep("I am allergic to penicillin")
        #expect(health.type == "health" && health.importance == 9)
        let plan = try await world.keep("I want to learn the cello")
        #expect(plan.type == "plan" && plan.importance == 3)
    }

    @Test func aSuppositionClosesNoFact() async throws {
        let world = try await World()
        try await world.keep("my address is Rue de la Paix 3")
        world.pass(days: 1)
        try await world.keep("my address is maybe Hauptstrasse 1")
        let open = try await world.memory.all(limit: 10, in: world.ann)
        #expect(open.count == 2)
        #expect(open.contains { $0.content == "my address is Rue de la Paix 3" && $0.isOpen })
    }

    @Test(arguments: [
        ("I like tea", "I don't like tea any more"), ("I love mushrooms", "I hate mushrooms"),
        ("I live in Lyon", "I have moved to Ghent"), ("my sister lives in Lyon", "my sister has moved to Ghent"),
        ("I work at the library", "I now work for the town"), ("I'm vegetarian", "I'm not vegetarian any more"),
        ("my dentist is Dr Vogel", "my new dentist is Dr Li"), ("my shoe size is 43", "my shoe size is now 44"),
    ])
    func theNewerOfTwoThatCannotBothBeSoHolds(older: String, newer: String) async throws {
        let world = try await World()
        let first = try await world.keep(older)
        world.pass(days: 1)
        let second = try await world.keep(newer)
        #expect(try await world.memory.all(limit: 10, in: world.ann).map(\.content) == [newer])
        let closed = try #require(try await world.memory.memory(first.id, in: world.ann))
        #expect(closed.supersededBy == second.id && closed.validUntil == second.validFrom)
    }

    @Test(arguments: [
        ("I like tea", "I like coffee"), ("I live in Lyon", "my sister lives in Ghent"),
        ("I like tea with milk", "I hate tea"), ("my friend is Ann", "my friend is Tom"),
        ("I live in Lyon", "I want to live in Ghent"), ("I'm not allergic to nuts", "I'm allergic to bees"),
    ])
    func bothOfTwoThatMayBothBeSoHold(older: String, newer: String) async throws {
        let world = try await World()
        try await world.keep(older)
        world.pass(days: 1)
        try await world.keep(newer)
        #expect(try await world.memory.all(limit: 10, in: world.ann).count == 2)
    }

    @Test func knowsTheTurnAndTheChannel() async throws {
        let world = try await World()
        let origin = WriteOrigin(turn: world.ids.next(), step: 0)
        let memory = try await world.memory.remember(
            NewMemory("my shoe size is 43", channel: "sms"), in: world.ann, origin: origin
        ).memory
        #expect(memory.sourceID == origin.turn.description && memory.channel == "sms" && memory.trust == .owner)
    }

    @Test func aCorrectionIsReadAnew() async throws {
        let world = try await World()
        let memory = try await world.keep("I want to learn the cello")
        var correction = MemoryCorrection()
        correction.content = "I am allergic to penicillin"
        let corrected = try #require(
            try await world.memory.correct(
                memory.id, correction, in: world.ann, origin: WriteOrigin(turn: world.ids.next(), step: 0)))
        #expect(corrected.type == "health" && corrected.importance == 9)
    }

    @Test func saysWhyAnAnswerWasGivenUntilItIsForgotten() async throws {
        let world = try await World()
        let kept = try await world.keep("the spare key hangs at the back door")
        let turn = world.ids.next()
        let hits = try await world.recall("where is the spare key")
        for _ in 0..<2 { try await world.memory.noteUse(hits, turn: turn, in: world.ann) }
        let use = try #require(try await world.memory.uses(of: turn, in: world.ann).first)
        #expect(use.memory?.id == kept.id)
        #expect(abs(use.total - (hits.first?.score.total ?? 0)) < 0.1)
        #expect(use.parts.contains { $0.name == "words" && $0.value > 0 })
        #expect(try await world.memory.accessCount(kept.id, in: world.ann) == 2)
        let bob = UserScope(authenticated: world.ids.nextUser())
        #expect(try await world.memory.uses(of: turn, in: bob).isEmpty)
        for _ in 0..<60 { try await world.memory.noteUse(hits, turn: world.ids.next(), in: world.ann) }
        #expect(try await world.memory.uses(of: turn, in: world.ann).isEmpty)
        _ = try await world.memory.forgetAll(in: world.ann, origin: WriteOrigin(turn: world.ids.next(), step: 0))
        #expect(try await world.database.read(world.ann) { try $0.count("ltm_uses") + $0.count("ltm_accesses") } == 0)
    }

    @Test func whatEndsIsNotRecalledAndIsArchived() async throws {
        let world = try await World()
        // The clock stands at 21 November 2026.
        let date = try await world.keep("the dentist appointment is on 3 December 2026")
        let born = try await world.keep("my birthday is 3 May 1990")
        #expect(date.expiresAt != nil && born.expiresAt == nil)
        #expect(try await world.recall("dentist appointment").count == 1)
        world.pass(days: 20)
        #expect(try await world.recall("dentist appointment").isEmpty)
        #expect(try await world.consolidate().expired == 1)
        let archived = try #require(try await world.memory.memory(date.id, in: world.ann))
        #expect(archived.isArchived && archived.archiveReason == "expired")
        #expect(try await world.recall("birthday").count == 1)
        #expect(try await world.consolidate().expired == 0)
    }

    @Test func mergesWhatSaysTheSame() async throws {
        let world = try await World()
        let first = try await world.keep("the spare key hangs at the back door")
        let other = try await world.keep("the ladder belongs to our neighbour")
        // As a correction or an import would leave it.
        var correction = MemoryCorrection()
        correction.content = "the spare key hangs at the back door!"
        _ = try await world.memory.correct(
            other.id, correction, in: world.ann, origin: WriteOrigin(turn: world.ids.next(), step: 0))
        #expect(try await world.consolidate().merged == 0)
        world.pass(days: 3)
        #expect(try await world.consolidate(limit: 1).merged == 1)
        let older = try #require(try await world.memory.memory(first.id, in: world.ann))
        #expect(older.isArchived && older.archiveReason == "duplicate")
        #expect(try await world.recall("spare key").map(\.memory.id) == [other.id])
    }

    @Test func plansFadeAndFactsDoNot() async throws {
        let world = try await World()
        try await world.keep("I want to learn the cello")
        try await world.keep("the cello is in the attic")
        world.pass(days: 190)
        let step = try await world.consolidate()
        #expect(step.faded == 1 && step.seen == 2)
        #expect(try await world.recall("cello").map(\.memory.content) == ["the cello is in the attic"])
    }

    @Test func takesOverUseAndKeepsRunningQuietly() async throws {
        let world = try await World()
        let kept = try await world.keep("the spare key hangs at the back door")
        for _ in 0..<3 { try await world.memory.noteAccess([kept.id], in: world.ann) }
        world.pass(days: 3)
        _ = try await world.consolidate()
        let memory = try #require(try await world.memory.memory(kept.id, in: world.ann))
        #expect(memory.accessCount == 3 && memory.lastAccessed != nil)
        #expect(try await world.consolidate().seen == 1)
    }

    @Test func strengthDecidesBetweenEqualMatches() async throws {
        let world = try await World()
        try await world.keep("the blue folder has the tax papers of the flat")
        world.pass(days: 300)
        try await world.keep("the green folder has the tax papers of the shop")
        let hits = try await world.recall("which folder has the tax papers")
        #expect(hits.map(\.memory.content).first == "the green folder has the tax papers of the shop")
        #expect(hits.allSatisfy { $0.score.standing > 0 })
    }

    @Test(arguments: [(0.0, 1.0), (30.0, 0.5), (60.0, 0.3), (10_000.0, 0.3)])
    func decaysSoftly(days: Double, expected: Double) {
        #expect(abs(MemoryStrength.decay(importance: 5, isEvergreen: false, days: days) - expected) < 1e-9)
        #expect(MemoryStrength.decay(importance: 5, isEvergreen: true, days: days) == 1)
    }

    @Test func useCountsALittle() {
        #expect(MemoryStrength.use(0) == 1 && MemoryStrength.use(1) > 1)
        #expect(MemoryStrength.use(1_000_000) <= 1.3 + 1e-9)
    }
}
