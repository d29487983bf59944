import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemLanguage
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// Several processes on one database: whoever takes a message in, somebody answers it soon and once.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct HostsTests {
    /// News within this process, as a server between processes would carry them.
    private final class Wire: TurnNews {
        private let receivers = Mutex<[@Sendable (UserID?) -> Void]>([])
        private let count = Mutex(0)

        var told: Int { count.withLock { $0 } }

        func tell(_ user: UserID) {
            count.withLock { $0 += 1 }
            for receiver in receivers.withLock({ $0 }) { receiver(user) }
        }

        func listen(_ receiver: @escaping @Sendable (UserID?) -> Void) -> any Sendable {
            receivers.withLock { $0.append(receiver) }
            return 0
        }
    }

    @Test(arguments: [true, false])
    func aTurnThatAFrontTookInIsTakenByAHostThatWorks(hasNews: Bool) async throws {
        let world = try await AgentWorld()
        let wire = hasNews ? Wire() : nil
        var services = world.services
        services.news = wire
        var frontal = services
        frontal.worksOnTurns = false
        let (front, worker) = (AgentCore(frontal), AgentCore(services))
        let work = [Task { await worker.run() }, Task { await front.run() }]
        let answer = try await front.converse("box.put {\"text\":\"a\"}", channel: "test", scope: world.ann)
        #expect(answer.text == "Put in: a")
        #expect(answer.calls.map(\.tool) == ["box.put"])
        #expect(try await world.things() == ["a"])
        if let wire { #expect(wire.told > 0) }
        for task in work {
            task.cancel()
            await task.value
        }
        await world.database.close()
    }

    /// Two hosts take in a person's messages by turns: they are answered in order, each once.
    @Test(arguments: [true, false])
    func messagesAtTwoHostsAreAnsweredInOrder(hasNews: Bool) async throws {
        let world = try await AgentWorld()
        var first = world.services
        first.news = hasNews ? Wire() : nil
        var second = first
        let host = TurnHolder.current.text.prefix { $0 != ":" }
        // Alive as far as the other one can know.
        second.holder = TurnHolder(text: "\(host)-b:1:1")
        let agents = [AgentCore(first), AgentCore(second)]
        let work = agents.map { agent in Task { await agent.run() } }
        for index in 0..<12 {
            let agent = agents[index % 2]
            let message = world.message("box.put {\"text\":\"\(index)\"}")
            try await world.database.write(world.ann) { try agent.accept(message, in: $0) }
            agent.wake(world.ann)
        }
        #expect(await eventually { world.delivery.sent.count == 12 })
        #expect(try await world.things() == (0..<12).map { "\($0)" })
        #expect(try await world.queued() == 0)
        for task in work {
            task.cancel()
            await task.value
        }
        await world.database.close()
    }
}
