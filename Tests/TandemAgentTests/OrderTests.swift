import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// One turn at a time for a person, in order; people side by side.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct OrderTests {
    @Test func fiftyMessagesAtOnceAreAnsweredOnceEachInOrder() async throws {
        try await AgentWorld.run { (world) async throws in
            let answers = try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
                for index in 0..<50 {
                    group.addTask { (index, try await world.say("box.put {\"text\":\"\(index)\"}")) }
                }
                return try await group.reduce(into: [Int: Answer]()) { $0[$1.0] = $1.1 }
            }
            #expect(answers.count == 50)
            for (index, answer) in answers { #expect(answer.text == "Put in: \(index)") }
            let messages = try await world.rows(AgentTables.messages)
            let asked = messages.filter { $0.string("direction") == "in" }
            let answered = messages.filter { $0.string("direction") == "out" }
            #expect(asked.count == 50)
            #expect(answered.compactMap { $0.recordID("turn") } == asked.map(\.id))
            // The effects came in the order of the messages.
            let wanted = asked.compactMap { $0.string("text") }
            #expect(try await world.things().map { "box.put {\"text\":\"\($0)\"}" } == wanted)
            #expect(try await world.queued() == 0)
        }
    }

    @Test func onePersonsSlowToolDoesNotHoldUpAnother() async throws {
        try await AgentWorld.run { (world) async throws in
            async let slow = world.say("box.wait")
            #expect(await eventually { world.box.state.withLock { $0.running == 1 } })
            async let next = world.say("box.put {\"text\":\"after\"}")
            for index in 0..<5 { try await world.say("box.put {\"text\":\"\(index)\"}", as: world.bob) }
            #expect(try await world.things(of: world.bob).count == 5)
            // One's own next message waits for its turn.
            #expect(try await world.things().isEmpty)
            world.box.gate.open()
            #expect(try await slow.text == "Through.")
            _ = try await next
            #expect(try await world.things() == ["after"])
        }
    }

    @Test func manyPeopleTalkAtOnce() async throws {
        try await AgentWorld.run { (world) async throws in
            var people: [UserScope] = []
            for index in 0..<20 {
                people.append(
                    try await world.accounts.createUser(email: "p\(index)@example.org", fullName: "P").scope)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, person) in people.enumerated() {
                    group.addTask {
                        for turn in 0..<5 {
                            let answer = try await world.say("box.put {\"text\":\"\(index)-\(turn)\"}", as: person)
                            #expect(answer.text == "Put in: \(index)-\(turn)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            for (index, person) in people.enumerated() {
                #expect(try await world.things(of: person) == (0..<5).map { "\(index)-\($0)" })
            }
        }
    }

    /// A worker that has the person already may finish a turn before whoever sent it knows that it is durable.
    @Test func anAnswerMayComeBeforeItIsWaitedFor() async throws {
        let held = Mutex<LateDatabase?>(nil)
        let world = try await AgentWorld(over: { database in
            let late = LateDatabase(database)
            held.withLock { $0 = late }
            return late
        })
        let late = try #require(held.withLock { $0 })
        try await world.working { () async throws in
            late.afterCommit = { [world] in
                world.agent.wake(world.ann)
                let isDone = try? await eventually { try await world.queued() == 0 }
                #expect(isDone == true)
            }
            #expect(try await world.say("box.put {\"text\":\"a\"}").text == "Put in: a")
            #expect(try await world.things() == ["a"])
        }
        await world.database.close()
    }

    /// Gone are those who no longer wait; their message is worked on all the same.
    @Test func whoeverGivesUpIsLetGo() async throws {
        try await AgentWorld.run { (world) async throws in
            let agent = world.agent
            let asked = Task { try await agent.converse("box.wait", channel: "test", scope: world.ann) }
            #expect(await eventually { world.box.state.withLock { $0.running == 1 } })
            asked.cancel()
            await #expect(throws: CancellationError.self) { try await asked.value }
            world.box.gate.open()
            let isDone = try await eventually { try await world.queued() == 0 }
            #expect(isDone)
        }
    }

    @Test func whoeverWaitsIsToldWhenTheAgentStops() async throws {
        let world = try await AgentWorld()
        let waiting = Mutex<Task<Answer, any Error>?>(nil)
        try await world.working {
            let agent = world.agent
            let asked = Task { try await agent.converse("box.wait", channel: "test", scope: world.ann) }
            waiting.withLock { $0 = asked }
            #expect(await eventually { world.box.state.withLock { $0.running == 1 } })
        }
        let asked = try #require(waiting.withLock { $0 })
        await #expect(throws: CancellationError.self) { try await asked.value }
        #expect(try await world.queued() == 1)
        // Who comes later does not wait for ever either.
        await #expect(throws: CancellationError.self) {
            try await world.agent.converse("box.list", channel: "test", scope: world.ann)
        }
        // Both are answered by the next agent.
        world.box.gate.open()
        try await world.working {
            let isDone = try await eventually { try await world.queued() == 0 }
            #expect(isDone)
        }
        #expect(try await world.rows(AgentTables.messages).count { $0.string("direction") == "out" } == 2)
        await world.database.close()
    }
}

/// A database that says late what is durable already: `afterCommit` comes between the two, on the first write of a person.
private final class LateDatabase: Database {
    private let inner: any Database
    private let hook = Mutex<(@Sendable () async -> Void)?>(nil)

    var afterCommit: (@Sendable () async -> Void)? {
        get { hook.withLock { $0 } }
        set { hook.withLock { $0 = newValue } }
    }

    init(_ inner: any Database) { self.inner = inner }

    var dialect: SQLDialect { inner.dialect }
    var store: RowStore { inner.store }

    func read<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any ReadTransaction) throws -> T
    ) async throws -> T {
        try await inner.read(scope, body)
    }

    func write<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any WriteTransaction) throws -> T
    ) async throws -> T {
        let result = try await inner.write(scope, body)
        let hook = hook.withLock { hook in
            defer { if case .user = scope { hook = nil } }
            return scope == .system ? nil : hook
        }
        await hook?()
        return result
    }

    func migrate(_ migrations: [Migration]) async throws -> MigrationReport { try await inner.migrate(migrations) }

    func close() async { await inner.close() }
}
