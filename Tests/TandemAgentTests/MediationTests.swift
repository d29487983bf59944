import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// Calls from tool to tool: never more than the person could have had without being asked.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct MediationTests {
    @Test(arguments: [
        ("box.relay", "box.put", "Relayed there true"), ("box.relay", "box.list", "Relayed there true"),
        ("box.peek", "box.list", "Relayed there true"), ("box.peek", "box.put", "Refused not_granted there true"),
        ("box.relay", "box.empty", "Refused confirmation_denied there false"),
        ("box.relay", "box.mail", "Refused confirmation_denied there false"),
        ("box.relay", "box.pay", "Refused confirmation_denied there false"),
        ("box.relay", "box.burn", "Refused confirmation_denied there false"),
        ("box.relay", "box.unknown", "Refused not_granted there false"),
    ])
    func followsTheSamePolicy(from: String, to: String, answer: String) async throws {
        try await AgentWorld.run { (world) async throws in
            #expect(try await world.say("\(from) {\"to\":\"\(to)\",\"text\":\"x\"}").text == answer)
            let isLetThrough = answer.hasPrefix("Relayed")
            #expect(world.box.calls(of: to) == (isLetThrough ? 1 : 0))
            #expect(try await world.things() == (to == "box.put" && isLetThrough ? ["x"] : []))
        }
    }

    /// The inner call's writes belong to the person's message: one undo takes them back.
    @Test func innerWritesAreUndoneWithTheMessage() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.relay {\"to\":\"box.put\",\"text\":\"x\"}")
            #expect(try await world.things() == ["x"])
            try await world.say("undo")
            #expect(try await world.things().isEmpty)
        }
    }

    @Test func reachesNothingThatIsOff() async throws {
        try await AgentWorld.run { (world) async throws in
            world.box.switchOff(for: world.bob)
            let mediator = world.agent.mediator
            #expect(await mediator.isAvailable(tool: "box.put", in: world.ann))
            #expect(await !mediator.isAvailable(tool: "box.put", in: world.bob))
            let call = ToolCall(
                tool: "box.put", arguments: ["text": "x"],
                origin: WriteOrigin(turn: RecordID(rawValue: 7), step: 0), deadlineNanoseconds: .max,
                idempotencyKey: "k",
                allowedEffect: .spend, depth: 1)
            guard case .failure(let failure) = await mediator.mediate(call, in: world.bob) else {
                Issue.record("a tool that is off was called")
                return
            }
            #expect(failure.code == "not_granted")
            #expect(world.box.state.withLock { $0.calls.isEmpty })
        }
    }

    /// Whatever the caller may do, the inner call may do no more than its own tool declares.
    @Test func lowersWhatTheInnerCallMayDo() async throws {
        try await AgentWorld.run { (world) async throws in
            let call = ToolCall(
                tool: "box.list", arguments: [:], origin: WriteOrigin(turn: RecordID(rawValue: 7), step: 0),
                deadlineNanoseconds: .max, idempotencyKey: "k", allowedEffect: .spend, depth: 1)
            guard case .value = await world.agent.mediator.mediate(call, in: world.ann) else {
                Issue.record("a read was refused")
                return
            }
        }
    }
}
