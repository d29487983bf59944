import TandemAccounts
import TandemCore
import TandemJSON
import TandemLanguage
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// Half sentences that belong together are one turn; everything else keeps its own.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct JoiningTests {
    /// Knows whole sentences only.
    private static let sentences = RoundsModel("local") { words, _ in
        switch words {
        case "put milk": LanguageResponse(calls: [LanguageCall(id: "1", tool: "box.put", arguments: ["text": "milk"])])
        case "put eggs": LanguageResponse(calls: [LanguageCall(id: "1", tool: "box.put", arguments: ["text": "eggs"])])
        default: LanguageResponse(finish: .unclear(nil))
        }
    }

    /// The other half is there at once, on a machine that has time.
    private static let longEnough = Duration.seconds(300)

    private func limits(_ time: Duration) -> AgentLimits {
        var limits = AgentLimits()
        limits.joiningChannels = [RecordingDelivery.channel]
        limits.joinTime = time
        return limits
    }

    private func send(_ text: String, _ world: AgentWorld) async throws -> RecordID {
        let message = world.message(text)
        let store = world.agent.store
        let turn = try await world.database.write(world.ann) { try store.accept(message, in: $0) }
        world.agent.wake(world.ann)
        return turn
    }

    @Test func twoHalvesOfASentenceAreOneTurn() async throws {
        try await AgentWorld.run(limits: limits(JoiningTests.longEnough), language: JoiningTests.sentences) {
            (world) async throws in
            let first = try await send("put", world)
            let second = try await send("milk", world)
            let third = try await send("put eggs", world)
            #expect(await eventually { world.delivery.sent.count == 2 })
            #expect(try await world.things() == ["milk", "eggs"])
            #expect(world.delivery.sent.map(\.turn) == [first, third])
            // Each message has its turn on record.
            let turns = try await world.rows(AgentTables.turns)
            #expect(Set(turns.compactMap { $0.recordID("message") }) == [first, second, third])
            #expect(turns.allSatisfy { $0.string("state") == "done" })
            #expect(try await world.queued() == 0)
        }
    }

    @Test func aLonelyHalfIsAnsweredAfterAMoment() async throws {
        try await AgentWorld.run(limits: limits(.milliseconds(30)), language: JoiningTests.sentences) {
            (world) async throws in
            _ = try await send("put", world)
            #expect(await eventually { world.delivery.sent.count == 1 })
            #expect(world.delivery.sent.first?.text.contains("did not get that") == true)
        }
    }

    @Test func wholeSentencesStayApart() async throws {
        try await AgentWorld.run(limits: limits(JoiningTests.longEnough), language: JoiningTests.sentences) {
            (world) async throws in
            let turns = [try await send("put milk", world), try await send("put eggs", world)]
            #expect(await eventually { world.delivery.sent.count == 2 })
            #expect(world.delivery.sent.map(\.turn) == turns)
            #expect(try await world.things() == ["milk", "eggs"])
        }
    }

    /// The halves were joined and the plan was on record when the process died: the second half is not read again.
    @Test func whatWasJoinedStaysJoinedWhenTheProcessDies() async throws {
        let world = try await AgentWorld(limits: limits(JoiningTests.longEnough), language: JoiningTests.sentences)
        let dead = AgentStore(holder: TurnHolder(text: "\(TurnHolder.current.text.prefix { $0 != ":" }):2147483646:77"))
        let messages = [world.message("put"), world.message("put milk")]
        var turns: [RecordID] = []
        for message in messages {
            turns.append(try await world.database.write(world.ann) { try dead.accept(message, in: $0) })
        }
        let step = PlannedStep(
            index: 0, tool: "box.put", effect: .write, arguments: ["text": "milk"], confidence: 1, label: .owner,
            joined: [turns[1]])
        let plan = TurnDraft.Plan(turn: turns[0], channel: RecordingDelivery.channel, steps: [step])
        _ = try await world.database.write(world.ann) { try dead.insert(plan: plan, in: $0) }
        try await world.working {
            let isDone = try await eventually { try await world.queued() == 0 }
            #expect(isDone)
        }
        #expect(try await world.things() == ["milk"])
        #expect(world.delivery.sent.map(\.turn) == [turns[0]])
        await world.database.close()
    }
}
