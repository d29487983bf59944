import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// Questions of tools, and what counts as their answer.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct QuestionTests {
    @Test(arguments: [("1", "red!"), ("2", "green!"), ("green", "green!"), ("Red", "red!")])
    func takesADigitOrTheWordOfAnOption(reply: String, stored: String) async throws {
        try await AgentWorld.run { (world) async throws in
            #expect(try await world.say("box.choose").calls.map(\.outcome) == ["input_required"])
            #expect(try await world.say(reply).calls.map(\.outcome) == ["value"])
            #expect(try await world.things() == [stored])
            // Answered is answered.
            #expect(try await world.say("1").calls.isEmpty)
            #expect(try await world.things() == [stored])
        }
    }

    @Test func takesFreeText() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.ask")
            try await world.say("my old red scarf")
            #expect(try await world.things() == ["my old red scarf"])
        }
    }

    @Test func takesANumberForANumber() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.count")
            try await world.say("12")
            #expect(try await world.things() == ["12"])
        }
    }

    @Test func asksAgainForWhatDoesNotFit() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.count")
            #expect(try await world.say("a few").calls.isEmpty)
            #expect(try await world.say("7").calls.map(\.outcome) == ["value"])
            #expect(try await world.things() == ["7"])
        }
    }

    @Test(arguments: ["skip", "skip it", "no", "never mind"])
    func isSkipped(word: String) async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.ask")
            #expect(try await world.say(word).calls.isEmpty)
            #expect(try await world.say("a scarf").calls.isEmpty)
            #expect(try await world.things().isEmpty)
        }
    }

    @Test func aClearRequestComesInsteadOfAnAnswer() async throws {
        try await AgentWorld.run { (world) async throws in
            for question in ["box.choose", "box.ask", "box.count"] {
                try await world.say(question)
                let answer = try await world.say("box.put {\"text\":\"other\"}")
                #expect(answer.calls.map(\.tool) == ["box.put"], "\(question)")
            }
            #expect(try await world.things() == ["other", "other", "other"])
        }
    }

    @Test func aDoubtfulRequestIsTheAnswerToAFreeQuestion() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.ask")
            try await world.say("~0.7 box.put {}")
            #expect(try await world.things() == ["~0.7 box.put {}"])
        }
    }

    /// What is asked in between does not lose the question.
    @Test(arguments: ["?", "   ", "more"])
    func survivesAGlanceAside(aside: String) async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.choose")
            try await world.say(aside)
            try await world.say("2")
            #expect(try await world.things() == ["green!"])
        }
    }

    @Test func isForgottenAfterAnHour() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.ask")
            world.clock.advance(by: PendingQuestion.lifetime + .seconds(1))
            #expect(try await world.say("a scarf").calls.isEmpty)
            #expect(try await world.things().isEmpty)
        }
    }

    @Test func isAskedOfOnePersonOnly() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.choose")
            #expect(try await world.say("1", as: world.bob).calls.isEmpty)
            #expect(try await world.say("red", as: world.bob).calls.isEmpty)
            #expect(try await world.things(of: world.bob).isEmpty)
            try await world.say("1")
            #expect(try await world.things() == ["red!"])
        }
    }

    @Test func onlyOneIsAskedAtATime() async throws {
        try await AgentWorld.run { (world) async throws in
            let answer = try await world.say("box.choose | box.ask")
            #expect(answer.calls.map(\.outcome) == ["input_required", "input_required"])
            try await world.say("1")
            #expect(try await world.things() == ["red!"])
        }
    }

    @Test func anAnswerIsWithdrawnWhenItsToolWasSwitchedOff() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.ask")
            world.box.switchOff(for: world.ann)
            #expect(try await world.say("a scarf").calls.allSatisfy { $0.outcome == "off" })
            #expect(try await world.things().isEmpty)
        }
    }

    @Test func surviveARestart() async throws {
        let world = try await AgentWorld()
        try await world.working { try await world.say("box.choose") }
        let state = try #require(try await world.rows(AgentTables.conversation).first)
        #expect(ConversationState(json: state["state"]).json == state["state"])
        #expect(ConversationState(json: state["state"]).question?.options.map(\.label) == ["red", "green"])
        await world.database.close()
    }

    @Test func stateThatCannotBeReadIsLeftOut() {
        for text in ["null", "[]", "{\"question\":{}}", "{\"shown\":7,\"touched\":\"x\",\"rest\":[],\"tools\":{}}"] {
            let json = (try? JSON(parsing: text)) ?? .null
            #expect(ConversationState(json: json) == ConversationState())
        }
    }
}
