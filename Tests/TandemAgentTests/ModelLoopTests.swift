import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemLanguage
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// A model as a test writes it: what it answers to the owner's words, by how many of its requests were carried out.
final class RoundsModel: LanguageProvider {
    typealias Rounds = @Sendable (_ words: String, _ round: Int) throws -> LanguageResponse

    let name: String
    private let rounds: Rounds
    private let state = Mutex<[LanguageRequest]>([])

    var requests: [LanguageRequest] { state.withLock { $0 } }

    init(_ name: String = "model", _ rounds: @escaping Rounds) {
        self.name = name
        self.rounds = rounds
    }

    func respond(to request: LanguageRequest) async throws -> LanguageResponse {
        state.withLock { $0.append(request) }
        var words = ""
        var round = 0
        for message in request.messages {
            switch message {
            case .person(let text): (words, round) = (text, 0)
            case .assistant(_, let calls): round += calls.isEmpty ? 0 : 1
            case .result: break
            }
        }
        return try rounds(words, round)
    }

    /// The results that the last request carried.
    var results: [(call: String, value: JSON, isError: Bool)] {
        (requests.last?.messages ?? []).compactMap { message in
            if case .result(let call, _, let value, _, let isError) = message { return (call, value, isError) }
            return nil
        }
    }
}

/// A turn with a model: several requests, one record, one effect each, whatever happens between them.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct ModelLoopTests {
    private static func put(_ text: String, id: String = "1") -> LanguageCall {
        LanguageCall(id: id, tool: "box.put", arguments: ["text": .string(text)])
    }

    private static func calls(_ calls: LanguageCall...) -> LanguageResponse { LanguageResponse(calls: calls) }

    private static let both = RoundsModel { _, round in
        switch round {
        case 0: calls(put("a", id: "x"))
        case 1: calls(put("b", id: "y"))
        default: LanguageResponse(text: "Both are in.")
        }
    }

    @Test func goesOnUntilTheModelHasNoMoreCalls() async throws {
        try await AgentWorld.run(language: ModelLoopTests.both) { (world) async throws in
            let answer = try await world.say("put both")
            #expect(answer.text == "Both are in.")
            #expect(answer.handledBy == "model")
            #expect(answer.calls.map(\.tool) == ["box.put", "box.put"])
            #expect(try await world.things() == ["a", "b"])
            // It is one change to the person.
            try await world.say("undo")
            #expect(try await world.things().isEmpty)
        }
    }

    enum Death: String, CaseIterable {
        case afterTheFirstPlan, afterTheFirstEffect, afterTheFirstOutcome, afterTheSecondEffect
    }

    /// Left by a process that died at each of its steps: what is on record stays, the rest is done once.
    @Test(arguments: Death.allCases)
    func goesOnWhereADeadProcessLeftIt(death: Death) async throws {
        let world = try await AgentWorld(language: ModelLoopTests.both)
        let dead = AgentStore(holder: TurnHolder(text: "\(TurnHolder.current.text.prefix { $0 != ":" }):2147483646:77"))
        let message = world.message("put both")
        let turn = try await world.database.write(world.ann) { try dead.accept(message, in: $0) }
        var first = PlannedStep(
            index: 0, tool: "box.put", effect: .write, arguments: ["text": "a"], confidence: 1, label: .owner, call: "x"
        )
        var second = first
        (second.index, second.round, second.call, second.arguments) = (1, 1, "y", ["text": "b"])
        func carryOut(_ step: PlannedStep) async {
            _ = await world.box.call(
                ToolCall(
                    tool: step.tool, arguments: step.arguments, origin: WriteOrigin(turn: turn, step: step.index),
                    deadlineNanoseconds: .max, idempotencyKey: "k", allowedEffect: .write), in: world.ann)
        }
        if death != .afterTheFirstPlan { await carryOut(first) }
        if death == .afterTheFirstOutcome || death == .afterTheSecondEffect {
            first.record = StepRecord(word: "value", value: [:], message: "Put in: a", trust: .system)
        }
        if death == .afterTheSecondEffect { await carryOut(second) }
        let steps = death == .afterTheSecondEffect ? [first, second] : [first]
        try await world.database.write(world.ann) { transaction in
            _ = try dead.insert(
                plan: TurnDraft.Plan(
                    turn: turn, channel: RecordingDelivery.channel, handledBy: "model", steps: steps), in: transaction)
        }
        try await world.working {
            let isDone = try await eventually { try await world.queued() == 0 }
            #expect(isDone)
        }
        #expect(try await world.things() == ["a", "b"])
        #expect(world.delivery.sent.map(\.text) == ["Both are in."])
        try await world.working { try await world.say("undo") }
        #expect(try await world.things().isEmpty)
        await world.database.close()
    }

    @Test func endsAtTheLimitsOfATurn() async throws {
        let model = RoundsModel { _, round in ModelLoopTests.calls(ModelLoopTests.put("\(round)", id: "r\(round)")) }
        try await AgentWorld.run(language: model) { (world) async throws in
            let answer = try await world.say("for ever")
            #expect(!answer.text.isEmpty)
            #expect(try await world.things().count == AgentLimits().roundsPerTurn)
            #expect(model.requests.count == AgentLimits().roundsPerTurn)
        }
    }

    @Test func moreCallsThanOneResponseMayHaveAreRefused() async throws {
        let model = RoundsModel { _, round in
            guard round == 0 else { return LanguageResponse(text: "Done.") }
            return LanguageResponse(calls: (0..<30).map { ModelLoopTests.put("\($0)", id: "c\($0)") })
        }
        try await AgentWorld.run(language: model) { (world) async throws in
            try await world.say("flood")
            #expect(try await world.things().count == AgentLimits().callsPerRound)
            #expect(model.results.count { $0.isError } == 10)
        }
    }

    /// Nothing that a model says is believed: names, ids and arguments are looked at.
    @Test func nonsenseIsAnsweredAndNotDone() async throws {
        let model = RoundsModel { _, round in
            guard round == 0 else { return LanguageResponse(text: "Sorry.") }
            return ModelLoopTests.calls(
                LanguageCall(id: "1", tool: "box.nothing", arguments: [:]), ModelLoopTests.put("one", id: "2"),
                ModelLoopTests.put("two", id: "2"), ModelLoopTests.put("three", id: ""),
                LanguageCall(id: "3", tool: "box.put", arguments: "text"),
                LanguageCall(
                    id: "4", tool: "box.put", arguments: ["text": .string(String(repeating: "x", count: 20_000))]))
        }
        try await AgentWorld.run(language: model) { (world) async throws in
            try await world.say("nonsense")
            #expect(try await world.things() == ["one", "two", "three"])
            let results = model.results
            #expect(results.count == 6)
            #expect(Set(results.map(\.call)).count == 6)
            #expect(results.map(\.isError) == [true, false, false, false, true, true])
        }
    }

    @Test func whenTheModelIsAwayAfterItsFirstCallsTheToolsSpeakForThemselves() async throws {
        let model = RoundsModel { _, round in
            guard round == 0 else { throw LanguageError(.unavailable, "away") }
            return ModelLoopTests.calls(ModelLoopTests.put("a"))
        }
        try await AgentWorld.run(language: model) { (world) async throws in
            #expect(try await world.say("put a").text == "Put in: a")
            #expect(try await world.things() == ["a"])
        }
    }

    @Test func theOwnerIsAskedInTheHostsWords() async throws {
        let model = RoundsModel { words, round in
            guard words == "write to Tom", round == 0 else { return LanguageResponse(text: "Just agree to all of it.") }
            return ModelLoopTests.calls(
                LanguageCall(id: "1", tool: "box.mail", arguments: ["to": "Tom", "text": "hi"]))
        }
        try await AgentWorld.run(language: model) { (world) async throws in
            let answer = try await world.say("write to Tom")
            #expect(answer.text.contains("to Tom"))
            #expect(!answer.text.contains("agree"))
            let code = try #require(answer.confirmation?.code)
            try await world.say("what now?")
            for request in model.requests {
                let isTold = request.messages.contains { message in
                    switch message {
                    case .assistant(let text, _): text?.contains("\(code)") == true
                    case .result(_, _, let value, _, _): value.text.contains("\(code)")
                    case .person: false
                    }
                }
                #expect(!isTold)
            }
            try await world.say("\(code)")
            #expect(world.box.state.withLock { $0.mails.count } == 1)
        }
    }

    @Test func aToolsQuestionEndsTheLoopAndItsAnswerGoesToTheTool() async throws {
        let model = RoundsModel { words, round in
            guard words == "choose for me", round == 0 else { return LanguageResponse(text: "Hm.") }
            return ModelLoopTests.calls(LanguageCall(id: "1", tool: "box.choose", arguments: [:]))
        }
        try await AgentWorld.run(language: model) { (world) async throws in
            #expect(try await world.say("choose for me").text.contains("Which one?"))
            #expect(try await world.say("2").text == "Chosen: green")
            #expect(try await world.things() == ["green!"])
        }
    }

    /// Money and mail: a call whose outcome is not known is made once more under the same key, and no third time.
    @Test func recipientsAndPricesAreNotPushedOutOfSight() {
        let tool = ToolDefinition(
            id: "mail.send", title: "Send mail", description: "",
            parameters: ["type": "object", "properties": ["text": true, "to": true]], effect: .send)
        let summary = ConfirmationText.summary(
            of: tool, arguments: ["text": .string(String(repeating: "blah ", count: 100)), "to": "eve@evil.example"],
            isForeign: true)
        #expect(summary.contains("eve@evil.example"))
        #expect(summary.hasPrefix("From what I read, not from you"))
    }
}
