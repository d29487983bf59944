import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// What waits for the owner's word: only theirs, only once, only what was shown, only for a while.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct ConfirmationTests {
    private func ask(
        _ world: AgentWorld, _ text: String = "box.mail {\"text\":\"hi\"}", as scope: UserScope? = nil
    ) async throws -> Int {
        let answer = try await world.say(text, as: scope)
        let waiting = try #require(answer.confirmation)
        #expect((1000...9999).contains(waiting.code))
        #expect(answer.text.contains("\(waiting.code)"))
        return waiting.code
    }

    private func mails(_ world: AgentWorld) -> [String] { world.box.state.withLock { $0.mails.map(\.text) } }

    @Test(arguments: ["box.mail", "box.pay", "box.empty", "box.burn"])
    func asksBeforeWhatCannotBeTakenBackReachesOthersOrDeletes(tool: String) async throws {
        try await AgentWorld.run { (world) async throws in
            let answer = try await world.say("\(tool) {\"text\":\"hello there\"}")
            #expect(answer.calls.map(\.outcome) == ["confirmation"])
            #expect(answer.text.contains("hello there"))
            #expect(world.box.calls(of: tool) == 0)
            let code = try #require(answer.confirmation?.code)
            #expect(try await world.say("\(code)").calls.map(\.outcome) == ["value"])
            #expect(world.box.calls(of: tool) == 1)
            #expect(world.box.state.withLock { $0.calls.last?.arguments } == ["text": "hello there"])
        }
    }

    @Test func aCodeIsUsedOnce() async throws {
        try await AgentWorld.run { (world) async throws in
            let code = try await ask(world)
            try await world.say("\(code)")
            let again = try await world.say("\(code)")
            #expect(again.calls.isEmpty)
            #expect(mails(world) == ["hi"])
            #expect(try await world.rows(AgentTables.confirmations).map { $0.string("state") } == ["used"])
        }
    }

    @Test func aCodeIsUsedOnceByParallelTurns() async throws {
        try await AgentWorld.run { (world) async throws in
            let code = try await ask(world)
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for index in 0..<12 {
                    group.addTask { try await world.say(index.isMultiple(of: 2) ? "\(code)" : "yes") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 12)
            #expect(mails(world) == ["hi"])
            #expect(answers.count { $0.calls.map(\.tool) == ["box.mail"] } == 1)
        }
    }

    /// Another process that has read the same open confirmation comes too late.
    @Test func aConfirmationClosesOnce() async throws {
        let world = try await AgentWorld()
        try await world.working { _ = try await ask(world) }
        let store = world.agent.store
        let now = world.clock.now
        let message = world.message("yes")
        let turn = try await world.database.write(world.ann) { try store.accept(message, in: $0) }
        let next = try await world.database.read(world.ann) { try store.nextTurn(now: now, in: $0) }
        let work = try #require(next)
        #expect(work.turn == turn)
        let confirmation = try #require(work.confirmations.first)
        try await world.database.write(world.ann) { try store.close(confirmation, as: "used", in: $0) }
        await #expect(throws: StorageError.self) {
            try await world.database.write(world.ann) { try store.close(confirmation, as: "used", in: $0) }
        }
        await world.database.close()
    }

    @Test func expiresAfterTenMinutes() async throws {
        try await AgentWorld.run { (world) async throws in
            let early = try await ask(world)
            world.clock.advance(by: .seconds(599))
            try await world.say("\(early)")
            #expect(mails(world) == ["hi"])
            let late = try await ask(world)
            world.clock.advance(by: .seconds(600))
            #expect(try await world.say("\(late)").calls.isEmpty)
            #expect(try await world.say("yes").calls.isEmpty)
            #expect(mails(world) == ["hi"])
        }
    }

    /// However many were left unanswered, a new one is found.
    @Test func oldOnesDoNotHideANewOne() async throws {
        try await AgentWorld.run { (world) async throws in
            for index in 0..<60 { _ = try await ask(world, "box.mail {\"text\":\"old \(index)\"}") }
            let inTime = try await ask(world, "box.mail {\"text\":\"many\"}")
            try await world.say("\(inTime)")
            #expect(mails(world) == ["many"])
            world.clock.advance(by: .seconds(3600))
            let code = try await ask(world, "box.mail {\"text\":\"new\"}")
            try await world.say("\(code)")
            #expect(mails(world) == ["many", "new"])
            _ = try await ask(world, "box.mail {\"text\":\"newer\"}")
            try await world.say("yes")
            #expect(mails(world) == ["many", "new", "newer"])
        }
    }

    @Test func isTheOwnersAlone() async throws {
        try await AgentWorld.run { (world) async throws in
            let code = try await ask(world)
            for word in ["\(code)", "yes", "ok", "do it", "no", "skip"] {
                #expect(try await world.say(word, as: world.bob).calls.isEmpty)
            }
            #expect(mails(world).isEmpty)
            #expect(try await world.rows(AgentTables.confirmations, of: world.bob).isEmpty)
            #expect(try await world.rows(AgentTables.confirmations).map { $0.string("state") } == ["open"])
            try await world.say("\(code)")
            #expect(world.box.state.withLock { $0.mails.map(\.scope) } == [world.ann])
        }
    }

    @Test func aWrongCodeDoesNothing() async throws {
        try await AgentWorld.run { (world) async throws in
            let code = try await ask(world)
            let wrong = code == 9999 ? 1000 : code + 1
            for text in ["\(wrong)", "\(code)0", "0\(code)0", "\(code / 10)", "-\(code)", "\(code).5"] {
                #expect(try await world.say(text).calls.isEmpty, "\(text)")
            }
            #expect(mails(world).isEmpty)
            try await world.say(" \(code). ")
            #expect(mails(world) == ["hi"])
        }
    }

    @Test func yesMeansTheOnlyOne() async throws {
        try await AgentWorld.run { (world) async throws in
            _ = try await ask(world)
            #expect(try await world.say("yes").calls.map(\.outcome) == ["value"])
            #expect(mails(world) == ["hi"])
            #expect(try await world.say("yes").calls.isEmpty)
            #expect(mails(world) == ["hi"])
        }
    }

    @Test func yesOfTwoAsksWhich() async throws {
        try await AgentWorld.run { (world) async throws in
            let first = try await ask(world, "box.mail {\"text\":\"one\"}")
            let second = try await ask(world, "box.mail {\"text\":\"two\"}")
            #expect(first != second)
            #expect(try await world.say("yes").calls.isEmpty)
            #expect(try await world.say("no").calls.isEmpty)
            #expect(mails(world).isEmpty)
            try await world.say("\(second)")
            #expect(mails(world) == ["two"])
            try await world.say("yes")
            #expect(mails(world) == ["two", "one"])
        }
    }

    @Test func noDropsIt() async throws {
        try await AgentWorld.run { (world) async throws in
            let code = try await ask(world)
            try await world.say("no")
            #expect(try await world.say("\(code)").calls.isEmpty)
            #expect(try await world.say("yes").calls.isEmpty)
            #expect(mails(world).isEmpty)
            #expect(try await world.rows(AgentTables.confirmations).map { $0.string("state") } == ["dropped"])
        }
    }

    @Test func twoRequestsInOneMessageHaveACodeEach() async throws {
        try await AgentWorld.run { (world) async throws in
            let answer = try await world.say(
                "box.mail {\"text\":\"a\"} | box.mail {\"text\":\"b\"} | box.put {\"text\":\"c\"}")
            #expect(answer.calls.map(\.outcome) == ["confirmation", "confirmation", "value"])
            let codes = try await world.rows(AgentTables.confirmations).compactMap { $0.integer("code") }
            #expect(Set(codes).count == 2)
            #expect(try await world.things() == ["c"])
            try await world.say("\(codes[1])")
            #expect(mails(world) == ["b"])
        }
    }

    @Test func whatWasChangedInTheDatabaseIsNotCarriedOut() async throws {
        try await AgentWorld.run { (world) async throws in
            let code = try await ask(world)
            let row = try #require(try await world.rows(AgentTables.confirmations).first)
            try await world.database.write(world.ann) { transaction in
                _ = try transaction.update(
                    AgentTables.confirmations, row.id, set: ["arguments": ["text": "something else"]])
            }
            #expect(try await world.say("\(code)").calls.isEmpty)
            #expect(mails(world).isEmpty)
        }
    }

    @Test func whatWasSwitchedOffMeanwhileIsNotCarriedOut() async throws {
        try await AgentWorld.run { (world) async throws in
            let code = try await ask(world)
            world.box.switchOff(for: world.ann)
            #expect(try await world.say("\(code)").calls.isEmpty)
            #expect(mails(world).isEmpty)
        }
    }

    @Test func theHashCoversToolAndArgumentsInAnyOrderOfMembers() {
        let arguments: JSON = ["a": 1, "b": ["x", "y"]]
        let hash = Confirmation.hash(tool: "box.mail", arguments: arguments)
        #expect(hash.utf8.count == 64)
        #expect(Confirmation.hash(tool: "box.mail", arguments: ["b": ["x", "y"], "a": 1]) == hash)
        #expect(Confirmation.hash(tool: "box.mai", arguments: arguments) != hash)
        #expect(Confirmation.hash(tool: "box.mail", arguments: ["a": 1, "b": ["y", "x"]]) != hash)
        #expect(Confirmation.hash(tool: "box.mail", arguments: ["a": 2, "b": ["x", "y"]]) != hash)
        #expect(Confirmation.hash(tool: "box.mail", arguments: ["a": 1]) != hash)
    }

    @Test func codesAvoidThoseInUse() {
        let taken = Set(1000...9998)
        for _ in 0..<3 { #expect(Confirmation.code(excluding: taken) == 9999) }
    }

    @Test func theSummarySaysTimesAsThePersonWould() throws {
        let tool = ToolDefinition(
            id: "box.plan", title: "Plan", description: "",
            parameters: [
                "properties": [
                    "when": ["type": "string", "anyOf": [["format": "date"], ["format": "date-time"]]],
                    "text": ["type": "string"],
                ]
            ], effect: .send)
        let now = try #require(Timestamp("2026-11-25T10:00:00.000Z"))
        func summary(_ when: JSON, zone: String = "Europe/Paris") -> String {
            ConfirmationText.summary(
                of: tool, arguments: ["when": when, "text": "2026-11-27"], time: (now, zone))
        }
        #expect(summary("2026-11-27T11:00:00.000Z") == "Plan: when Fri 27 Nov 12:00, text 2026-11-27")
        #expect(summary("2026-11-26T23:30:00.000Z") == "Plan: when Fri 27 Nov 00:30, text 2026-11-27")
        #expect(summary("2026-11-26", zone: "UTC") == "Plan: when tomorrow, text 2026-11-27")
        #expect(summary("soon") == "Plan: when soon, text 2026-11-27")
    }

    @Test func theSummaryNamesTheRealArgumentsAndIsShort() {
        let tool = ToolDefinition(
            id: "box.mail", title: "Send a mail", description: "",
            parameters: ["properties": ["to": true, "text": true, "silent": true, "item": true]], effect: .send)
        #expect(
            ConfirmationText.summary(
                of: tool, arguments: ["text": "hello", "to": "eve@example.org", "silent": true, "item": "#12"])
                == "Send a mail: to eve@example.org, text hello, silent on, item the one shown")
        let seen = [
            ShownEntities.Item(type: "other.item", id: "12", label: "of a stranger"),
            ShownEntities.Item(type: "box.item", id: "12", label: "the blue\nbox"),
            ShownEntities.Item(type: "box.item", id: "13", label: String(repeating: "long ", count: 40)),
        ]
        #expect(
            ConfirmationText.summary(of: tool, arguments: ["item": "#12"], seen: seen)
                == "Send a mail: item the blue box")
        #expect(
            ConfirmationText.summary(of: tool, arguments: ["item": "#14"], seen: seen)
                == "Send a mail: item the one shown")
        #expect(ConfirmationText.summary(of: tool, arguments: ["item": "#13"], seen: seen).utf8.count < 65)
        #expect(ConfirmationText.summary(of: tool, arguments: [:]) == "Send a mail")
        var strange = tool
        strange.source = "Post (dev)"
        #expect(ConfirmationText.summary(of: strange, arguments: [:]) == "Post (dev): Send a mail")
        let long = ConfirmationText.summary(
            of: tool, arguments: ["text": .string(String(repeating: "long ", count: 100))])
        #expect(long.count <= ConfirmationText.longestSummary)
        #expect(SMSText.segments(of: ConfirmationText.prompt(summary: long, code: 1234)) == 1)
    }
}
