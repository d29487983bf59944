import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// Turns whose process died: rolled back and carried out again, exactly once, in order.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct ResumeTests {
    /// A process of this machine that is gone.
    private static let dead: TurnHolder = {
        let host = TurnHolder.current.text.prefix { $0 != ":" }
        return TurnHolder(text: "\(host):2147483646:77")
    }()
    /// A process of another machine: nobody here can know whether it lives.
    private static let elsewhere = TurnHolder(text: "another-machine:1:1")

    private static func step(_ tool: String, _ text: String, index: Int = 0, confirmed: Bool = false) -> PlannedStep {
        let effect = BoxTools.definitions.first { $0.id == tool }?.effect ?? .write
        return PlannedStep(
            index: index, tool: tool, effect: effect, arguments: ["text": .string(text)], confidence: 1, label: .owner,
            isConfirmed: confirmed)
    }

    /// Leaves a message as a process left it that died: after taking it in, or after its plan, or after its rows.
    @discardableResult
    private func leave(
        _ world: AgentWorld, _ text: String, by holder: TurnHolder = ResumeTests.dead, plan: [PlannedStep]? = nil,
        attempts: Int = 1, isCarriedOut: Bool = false, of scope: UserScope? = nil
    ) async throws -> RecordID {
        let scope = scope ?? world.ann
        let store = AgentStore(holder: holder)
        let message = world.message(text, of: scope)
        let turn = try await world.database.write(scope) { try store.accept(message, in: $0) }
        guard let plan else { return turn }
        try await world.database.write(scope) { transaction in
            let row = try store.insert(
                plan: TurnDraft.Plan(
                    turn: turn, channel: RecordingDelivery.channel, handledBy: "local", steps: plan), in: transaction)
            if attempts > 1 {
                _ = try transaction.update(AgentTables.turns, row, set: ["attempts": .integer(Int64(attempts))])
            }
        }
        guard isCarriedOut else { return turn }
        for step in plan {
            _ = await world.box.call(
                ToolCall(
                    tool: step.tool, arguments: step.arguments, origin: WriteOrigin(turn: turn, step: step.index),
                    deadlineNanoseconds: .max, idempotencyKey: "\(turn).\(step.index)", allowedEffect: .spend),
                in: scope)
        }
        return turn
    }

    /// Works until the queue is empty.
    private func drain(_ world: AgentWorld) async throws {
        try await world.working {
            let isDone = try await eventually { try await world.queued() == 0 }
            #expect(isDone)
        }
    }

    enum Death: String, CaseIterable { case afterMessage, afterPlan, afterRows, afterHalfOfTheRows }

    @Test(arguments: Death.allCases)
    func isCarriedOutExactlyOnce(death: Death) async throws {
        let world = try await AgentWorld()
        let text = "box.put {\"text\":\"a\"} | box.put {\"text\":\"b\"}"
        let plan = [ResumeTests.step("box.put", "a"), ResumeTests.step("box.put", "b", index: 1)]
        let turn = try await leave(
            world, text, plan: death == .afterMessage ? nil : plan, isCarriedOut: death == .afterRows)
        if death == .afterHalfOfTheRows {
            _ = await world.box.call(
                ToolCall(
                    tool: "box.put", arguments: plan[0].arguments, origin: WriteOrigin(turn: turn, step: 0),
                    deadlineNanoseconds: .max, idempotencyKey: "k", allowedEffect: .write), in: world.ann)
        }
        try await drain(world)
        #expect(try await world.things() == ["a", "b"])
        #expect(world.delivery.sent.map(\.turn) == [turn])
        #expect(world.delivery.sent.map(\.text) == ["Put in: a Put in: b"])
        let turns = try await world.rows(AgentTables.turns)
        #expect(turns.map { $0.string("state") } == ["done"])
        #expect(turns.map { $0.integer("attempts") } == [death == .afterMessage ? 1 : 2])
        // One undo takes the whole of it back: nothing of the first attempt is left in the journal.
        try await world.working { try await world.say("undo") }
        #expect(try await world.things().isEmpty)
        await world.database.close()
    }

    @Test func everythingThatWaitedIsAnsweredInOrder() async throws {
        let world = try await AgentWorld()
        var turns: [RecordID] = []
        for index in 0..<10 {
            turns.append(
                try await leave(
                    world, "box.put {\"text\":\"\(index)\"}",
                    plan: index == 0 ? [ResumeTests.step("box.put", "0")] : nil, isCarriedOut: index == 0))
        }
        try await leave(world, "box.put {\"text\":\"bob\"}", of: world.bob)
        try await drain(world)
        #expect(try await world.things() == (0..<10).map { "\($0)" })
        #expect(try await world.things(of: world.bob) == ["bob"])
        #expect(world.delivery.sent.filter { $0.scope == world.ann }.map(\.turn) == turns)
        #expect(world.delivery.sent.count == 11)
        await world.database.close()
    }

    @Test func whatAnotherMachineHoldsIsLeftUntilItsLeaseEnds() async throws {
        let world = try await AgentWorld()
        try await leave(world, "box.put {\"text\":\"a\"}", by: ResumeTests.elsewhere)
        let now = world.clock.now
        let mine = world.agent.store
        #expect(try await world.database.write(.system) { try mine.takeOver(now: now, in: $0) } == [])
        #expect(try await world.database.read(world.ann) { try mine.nextTurn(now: now, in: $0) } == nil)
        let later = now.advanced(by: AgentStore.lease + .milliseconds(1))
        #expect(try await world.database.write(.system) { try mine.takeOver(now: later, in: $0) } == [world.ann.user])
        #expect(try await world.database.read(world.ann) { try mine.nextTurn(now: later, in: $0) } != nil)
        await world.database.close()
    }

    /// A process that lives and works keeps what it holds, however long the queue before it is.
    @Test func aLivingProcessRenewsItsLease() async throws {
        let world = try await AgentWorld()
        try await leave(world, "box.put {\"text\":\"a\"}", by: ResumeTests.elsewhere)
        let other = AgentStore(holder: ResumeTests.elsewhere)
        let mine = world.agent.store
        var now = world.clock.now
        for _ in 0..<40 {
            now = now.advanced(by: .seconds(5))
            let time = now
            _ = try await world.database.write(.system) { try other.takeOver(now: time, in: $0) }
            #expect(try await world.database.write(.system) { try mine.takeOver(now: time, in: $0) } == [])
        }
        await world.database.close()
    }

    /// Two processes may not both end a turn.
    @Test func aTurnThatWasTakenOverCannotBeEndedByItsFirstHolder() async throws {
        let world = try await AgentWorld()
        let turn = try await leave(world, "box.list")
        let late = AgentStore(holder: ResumeTests.dead)
        let now = world.clock.now
        let left = try await world.database.read(world.ann) { try late.nextTurn(now: now, in: $0) }
        let work = try #require(left)
        #expect(work.turn == turn)
        try await drain(world)
        let context = TurnContext(
            state: ConversationState(), confirmations: [], now: world.clock.now, timeZone: "UTC", currency: "EUR")
        let draft = TurnDraft(work: work, context: context)
        await #expect(throws: StorageError.self) {
            try await world.database.write(world.ann) { _ = try late.finish(draft, channel: nil, in: $0) }
        }
        #expect(try await world.rows(AgentTables.messages).count { $0.string("direction") == "out" } == 1)
        await world.database.close()
    }

    @Test func isGivenUpWithAnApologyAfterTooManyAttempts() async throws {
        let world = try await AgentWorld()
        try await leave(
            world, "box.put {\"text\":\"poison\"}", plan: [ResumeTests.step("box.put", "poison")],
            attempts: AgentLimits().attempts, isCarriedOut: true)
        try await leave(world, "box.put {\"text\":\"next\"}")
        world.clock.advance(by: AgentLimits().patience)
        try await drain(world)
        #expect(try await world.things() == ["next"])
        #expect(world.delivery.sent.count == 2)
        #expect(world.delivery.sent.first?.text.contains("nothing was changed") == true)
        #expect(world.delivery.sent.last?.text == "Put in: next")
        await world.database.close()
    }

    /// A process that is restarted again and again is no fault of the message.
    @Test func isNotGivenUpWhileItIsYoung() async throws {
        let world = try await AgentWorld()
        try await leave(
            world, "box.put {\"text\":\"unlucky\"}", plan: [ResumeTests.step("box.put", "unlucky")], attempts: 1000,
            isCarriedOut: true)
        try await drain(world)
        #expect(try await world.things() == ["unlucky"])
        #expect(world.delivery.sent.map(\.text) == ["Put in: unlucky"])
        await world.database.close()
    }

    /// A message whose reading alone kills the process does not kill every process after it.
    @Test func aMessageThatKillsBeforeItsPlanIsGivenUpToo() async throws {
        let world = try await AgentWorld()
        let turn = try await leave(world, "box.list")
        let store = world.agent.store
        let now = world.clock.now
        world.clock.advance(by: AgentLimits().patience)
        var deaths = 0
        while deaths < 20 {
            // A process takes over what the dead one left, takes the turn up, and dies.
            let holder = AgentStore(holder: TurnHolder(text: ResumeTests.dead.text + "\(deaths)"))
            _ = try await world.database.write(.system) { try holder.takeOver(now: now, in: $0) }
            let work = try #require(
                try await world.database.read(world.ann) { try holder.nextTurn(now: now, in: $0) })
            #expect(work.turn == turn)
            let attempt = try await world.database.write(world.ann) { try holder.begin(work, in: $0).attempt }
            if attempt > AgentLimits().attempts { break }
            deaths += 1
        }
        #expect(deaths <= AgentLimits().attempts + 1)
        _ = try await world.database.write(.system) { try store.takeOver(now: now, in: $0) }
        try await drain(world)
        #expect(world.delivery.sent.count == 1)
        #expect(world.delivery.sent.first?.text.contains("Something went wrong") == true)
        await world.database.close()
    }

    /// Waiting behind somebody's deadly message is no attempt of one's own.
    @Test func whatOnlyWaitedIsNotCounted() async throws {
        let world = try await AgentWorld()
        try await leave(world, "box.list")
        try await leave(world, "box.put {\"text\":\"innocent\"}")
        try await leave(world, "box.put {\"text\":\"bob\"}", of: world.bob)
        let now = world.clock.now
        for death in 0..<10 {
            let holder = AgentStore(holder: TurnHolder(text: ResumeTests.dead.text + "\(death)"))
            _ = try await world.database.write(.system) { try holder.takeOver(now: now, in: $0) }
        }
        try await drain(world)
        #expect(try await world.things() == ["innocent"])
        #expect(try await world.things(of: world.bob) == ["bob"])
        await world.database.close()
    }

    @Test func aConfirmedEffectIsNotConfirmedTwice() async throws {
        let world = try await AgentWorld()
        try await world.working { try await world.say("box.mail {\"text\":\"hi\"}") }
        // The process that took the "yes" died between using up the confirmation and sending.
        let store = AgentStore(holder: ResumeTests.dead)
        let message = world.message("yes")
        let now = world.clock.now
        let turn = try await world.database.write(world.ann) { try store.accept(message, in: $0) }
        try await world.database.write(world.ann) { transaction in
            let work = try #require(try store.nextTurn(now: now, in: transaction))
            try store.close(try #require(work.confirmations.first), as: "used", in: transaction)
            _ = try store.insert(
                plan: TurnDraft.Plan(
                    turn: turn, channel: RecordingDelivery.channel, handledBy: "local",
                    steps: [ResumeTests.step("box.mail", "hi", confirmed: true)]), in: transaction)
        }
        try await drain(world)
        #expect(world.box.state.withLock { $0.mails.map(\.text) } == ["hi"])
        try await world.working { try await world.say("yes") }
        #expect(world.box.state.withLock { $0.mails.map(\.text) } == ["hi"])
        await world.database.close()
    }

    /// An undo that was interrupted between its calls and its end still undoes the same change, once.
    @Test func anInterruptedUndoTakesBackTheSameChange() async throws {
        let world = try await AgentWorld()
        try await world.working {
            try await world.say("box.put {\"text\":\"kept\"}")
            try await world.say("box.lamp")
        }
        let store = AgentStore(holder: ResumeTests.dead)
        let message = world.message("undo")
        let turn = try await world.database.write(world.ann) { try store.accept(message, in: $0) }
        // The undo tool ran for the dead process, and wrote.
        _ = await world.box.call(
            ToolCall(
                tool: "box.relamp", arguments: ["n": false], origin: WriteOrigin(turn: turn, step: 0),
                deadlineNanoseconds: .max, idempotencyKey: "k", allowedEffect: .write), in: world.ann)
        try await drain(world)
        #expect(world.delivery.sent.map(\.text) == ["Undone: Lamp on."])
        #expect(world.box.state.withLock { $0.lamp[world.ann] } == false)
        #expect(try await world.things() == ["kept"])
        await world.database.close()
    }

    @Test func holdersTellProcessesApart() {
        #expect(TurnHolder.current.mayBeAlive)
        #expect(!ResumeTests.dead.mayBeAlive)
        #expect(ResumeTests.elsewhere.mayBeAlive)
        let parts = TurnHolder.current.text.split(separator: ":")
        #expect(parts.count == 3)
        // The same process id, given to another process later.
        #expect(!TurnHolder(text: "\(parts[0]):\(parts[1]):1").mayBeAlive)
        for text in ["", "x", "a:b:c", "::", "a:1"] { #expect(!TurnHolder(text: text).mayBeAlive) }
    }
}
