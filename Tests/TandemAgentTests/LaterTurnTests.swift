import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemLanguage
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// Turns that go on after their first answer: since they take long, or wait a moment in which `undo` stops them.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct LaterTurnTests {
    /// Keeps what is put off; the test says when its time has come.
    private final class Shelf: LaterWork {
        private let turns = Mutex<[(LaterTurn, Timestamp?)]>([])
        var all: [(LaterTurn, Timestamp?)] { turns.withLock { $0 } }
        let isThere: Bool

        init(isThere: Bool = true) { self.isThere = isThere }

        func put(off turn: LaterTurn, until time: Timestamp?, in transaction: any WriteTransaction) throws {
            transaction.afterCommit { self.turns.withLock { $0.append((turn, time)) } }
        }
    }

    private func world(
        _ shelf: Shelf, language: any LanguageProvider = ScriptLanguage(), delay: Duration = .zero
    ) async throws -> AgentWorld {
        var limits = AgentLimits()
        limits.sendDelay = delay
        // Longer than anything takes that does not wait for the gate.
        limits.answerTime = .seconds(6)
        return try await AgentWorld(limits: limits, language: language, later: shelf)
    }

    /// What was said to Ann, oldest first.
    private func answers(_ world: AgentWorld) async throws -> [String] {
        try await world.rows(AgentTables.messages).filter { $0.string("direction") == "out" }
            .compactMap { $0.string("text") }
    }

    /// Goes on with a turn, to its end.
    private func over(_ world: AgentWorld, _ turn: LaterTurn) async throws {
        let isOver = try await world.agent.goOn(with: turn) { _ in }
        #expect(isOver)
    }

    private func put(_ text: String) -> String { "box.put {\"text\":\"\(text)\"}" }

    // MARK: What takes long

    @Test func aCallThatTakesLongGoesOnAndItsResultComesOnce() async throws {
        let shelf = Shelf()
        let world = try await world(shelf)
        try await world.working {
            let first = try await world.say("box.wait")
            #expect(first.text == AgentCore.goesOnLine)
            // Meanwhile everything else goes its way.
            #expect(try await world.say(put("other")).text == "Put in: other")
            let (turn, time) = try #require(shelf.all.first)
            #expect(time == nil)
            world.box.gate.open()
            let ends = Mutex(0)
            for _ in 0..<2 {
                let isOver = try await world.agent.goOn(with: turn) { _ in ends.withLock { $0 += 1 } }
                #expect(isOver)
            }
            #expect(ends.withLock { $0 } == 2)
            // It was the same call.
            #expect(world.box.calls(of: "box.wait") == 1)
            #expect(try await answers(world) == [AgentCore.goesOnLine, "Put in: other", "Through."])
            #expect(try await world.rows(AgentTables.turns).map { $0.string("state") } == ["done", "done"])
        }
        await world.database.close()
    }

    /// The process dies in the middle of the call: another one makes it anew, and what was written is there once.
    @Test func anotherProcessGoesOnWhereOneDied() async throws {
        let shelf = Shelf()
        let world = try await world(shelf)
        try await world.working {
            let text = "\(put("a")) | box.slowput {\"text\":\"b\"} | \(put("c"))"
            let first = try await world.say(text)
            #expect(first.text == "Put in: a \(AgentCore.goesOnLine)")
            #expect(try await world.things() == ["a", "b"])
        }
        let (turn, _) = try #require(shelf.all.first)
        world.box.gate.open()
        try await world.working {
            for _ in 0..<2 { try await over(world, turn) }
            #expect(try await world.things() == ["a", "b", "c"])
            let said = try await answers(world)
            #expect(said.last == "Slowly put in: b Put in: c")
            #expect(said.count == 2)
            // To the person it is one change.
            try await world.say("undo")
            #expect(try await world.things().isEmpty)
        }
        await world.database.close()
    }

    /// A kill between the outcome and its record: nothing is told twice, nothing is there twice.
    @Test func aFailureAtTheEndIsGoneOnWithFromThere() async throws {
        struct Gone: Error {}
        let shelf = Shelf()
        let world = try await world(shelf)
        try await world.working {
            try await world.say("box.slowput {\"text\":\"a\"}")
            let (turn, _) = try #require(shelf.all.first)
            world.box.gate.open()
            await #expect(throws: Gone.self) { _ = try await world.agent.goOn(with: turn) { _ in throw Gone() } }
            #expect(try await answers(world).count == 1)
            try await over(world, turn)
            #expect(try await world.things() == ["a"])
            #expect(try await answers(world) == [AgentCore.goesOnLine, "Slowly put in: a"])
        }
        await world.database.close()
    }

    @Test func whatAnotherLivingProcessWorksOnIsLeftToIt() async throws {
        let shelf = Shelf()
        let world = try await world(shelf)
        try await world.working { try await world.say("box.wait") }
        var (turn, _) = try #require(shelf.all.first)
        turn.holder = "another-machine:1:1"
        world.box.gate.open()
        try await world.working {
            let isOver = try await world.agent.goOn(with: turn) { _ in }
            #expect(!isOver)
            world.clock.advance(by: AgentLimits().laterTime + .seconds(1))
            try await over(world, turn)
        }
        #expect(try await answers(world).last == "Through.")
        await world.database.close()
    }

    /// The same name as it stands in the queue.
    @Test func isWrittenAndRead() async throws {
        let scope = UserScope(authenticated: UserID(rawValue: 7))
        for confirmation in [nil, RecordID(rawValue: 9)] {
            let turn = LaterTurn(
                scope: scope, turn: RecordID(rawValue: 8), confirmation: confirmation, holder: "a:1:2",
                busyUntil: AgentWorld.start)
            #expect(LaterTurn(turn.json, of: scope) == turn)
        }
        for json: JSON in [[:], ["turn": "x", "holder": "", "until": "now"], 3, .null] {
            #expect(LaterTurn(json, of: scope) == nil)
        }
    }

    @Test func aTurnWithAModelGoesOnToo() async throws {
        let model = RoundsModel { _, round in
            switch round {
            case 0:
                LanguageResponse(calls: [
                    LanguageCall(id: "1", tool: "box.put", arguments: ["text": "a"]),
                    LanguageCall(id: "2", tool: "box.wait", arguments: [:]),
                ])
            case 1: LanguageResponse(calls: [LanguageCall(id: "3", tool: "box.put", arguments: ["text": "b"])])
            default: LanguageResponse(text: "All of it is done.")
            }
        }
        let shelf = Shelf()
        let world = try await world(shelf, language: model)
        try await world.working {
            let first = try await world.say("arrange it")
            #expect(first.text == AgentCore.goesOnLine)
        }
        let (turn, _) = try #require(shelf.all.first)
        world.box.gate.open()
        try await world.working {
            try await over(world, turn)
            #expect(try await world.things() == ["a", "b"])
            #expect(try await answers(world) == [AgentCore.goesOnLine, "All of it is done."])
            try await world.say("undo")
            #expect(try await world.things().isEmpty)
        }
        #expect(world.box.calls(of: "box.put") == 2)
        await world.database.close()
    }

    /// Where nobody would go on with it, a turn ends with its answer.
    @Test func withoutAnybodyToGoOnItIsWaitedFor() async throws {
        let shelf = Shelf(isThere: false)
        let world = try await world(shelf, delay: .seconds(10))
        world.box.gate.open()
        try await world.working {
            #expect(try await world.say("box.wait").text == "Through.")
            let code = try #require(try await world.say("box.mail {\"text\":\"hi\"}").confirmation?.code)
            #expect(try await world.say("\(code)").text == "Sent.")
        }
        #expect(shelf.all.isEmpty)
        await world.database.close()
    }

    // MARK: What waits a moment

    private func confirm(_ world: AgentWorld) async throws {
        let code = try #require(try await world.say("box.mail {\"text\":\"hi\"}").confirmation?.code)
        let answer = try await world.say("\(code)")
        #expect(answer.text.contains("undo"))
        #expect(world.box.calls(of: "box.mail") == 0)
    }

    @Test func leavesOnceWhenItsTimeHasCome() async throws {
        let shelf = Shelf()
        let world = try await world(shelf, delay: .seconds(10))
        try await world.working {
            try await confirm(world)
            let (turn, time) = try #require(shelf.all.first)
            #expect(time?.since(world.clock.now) == .seconds(10))
            for _ in 0..<2 { try await over(world, turn) }
            #expect(world.box.calls(of: "box.mail") == 1)
            #expect(try await world.rows(AgentTables.confirmations).map { $0.string("state") } == ["used"])
            #expect(try await answers(world).last == "Sent.")
            #expect(try await world.say("undo").text.contains("nothing to take back"))
        }
        await world.database.close()
    }

    @Test func undoStopsItBefore() async throws {
        let shelf = Shelf()
        let world = try await world(shelf, delay: .seconds(10))
        try await world.working {
            try await world.say(put("kept"))
            try await confirm(world)
            #expect(try await world.say("undo").text.hasPrefix("Stopped"))
            let (turn, _) = try #require(shelf.all.first)
            try await over(world, turn)
            #expect(world.box.calls(of: "box.mail") == 0)
            #expect(try await world.things() == ["kept"])
            #expect(try await world.rows(AgentTables.confirmations).map { $0.string("state") } == ["dropped"])
        }
        await world.database.close()
    }
}
