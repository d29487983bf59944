import Logging
import Synchronization
public import TandemCore
import TandemJSON
public import TandemStorage

/// The agent: takes durable messages, understands them, acts within the policy, answers.
///
/// A message becomes a turn in the front's own transaction (`accept`). Workers take the turns of one person in order, of
/// different people side by side. A turn's plan is persisted before it is carried out, its outcomes, answer, and delivery
/// in one transaction at its end; a turn that was interrupted is rolled back by its journal and carried out again, so
/// that each effect happens once.
public final class AgentCore: InboundSink {
    let store: AgentStore
    let runner: TurnRunner
    let services: AgentServices
    let directories: ToolDirectoryCache
    let planning: any TurnPlanning
    let scheduler: TurnScheduler
    let channels: [String: any DeliveryChannel]
    let logger = Logger(label: "tandem.agent")
    /// Who waits for the answer of a turn in this process.
    let waiting = Mutex(Waiting())
    /// Turns that have waited for a next message already.
    let held = Mutex<Set<RecordID>>([])
    /// Some turn could not reach the database.
    let hasFailed = Atomic(false)
    /// Answers of each person since the last fold.
    let conversed = Mutex<[UserID: Int]>([:])

    struct Waiting {
        var answers: [RecordID: OneShotBox<Answer?>] = [:]
        /// Whose they are, where another process gives the answer.
        var people: [RecordID: UserID] = [:]
        /// Nobody works any more: whoever asked now would wait for ever.
        var isOver = false
    }

    public init(_ services: AgentServices) {
        self.services = services
        directories = ToolDirectoryCache(providers: services.providers)
        runner = TurnRunner(
            directories: directories, policy: services.policy, limits: services.limits, metrics: services.metrics)
        planning = ProviderTurnPlanner(provider: services.language, catalogue: services.catalogue)
        var store = AgentStore(holder: services.holder, worksOnTurns: services.worksOnTurns)
        store.readsSummaries = planning.asksModels
        self.store = store
        scheduler = TurnScheduler(workers: services.limits.concurrency)
        channels = Dictionary(services.channels.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The way for tools to call tools: to be handed to the plugin host.
    public var mediator: any ToolMediator { runner }

    // MARK: Taking messages

    public func accept(_ message: InboundMessage, in transaction: any WriteTransaction) throws {
        _ = try store.accept(message, in: transaction)
    }

    public func wake(_ scope: UserScope) {
        guard services.worksOnTurns else {
            services.news?.tell(scope.user)
            return
        }
        scheduler.wake(scope)
    }

    public func beginArrival() { scheduler.beginArrival() }

    public func endArrival() { scheduler.endArrival() }

    /// Takes a message and waits for its answer: for fronts that show it themselves. `run` must be running.
    ///
    /// Throws when the message could not be made durable, and `CancellationError` when the caller's task is cancelled or
    /// the agent shuts down first: the turn is then finished all the same, at the next start at the latest.
    ///
    /// - Parameter noting: Told the turn's id, in the transaction that makes it durable.
    public func converse(
        _ text: String, channel: String, scope: UserScope,
        noting: @escaping @Sendable (RecordID, any WriteTransaction) throws -> Void = { _, _ in }
    ) async throws -> Answer {
        let message = InboundMessage(
            scope: scope, text: text, channel: channel, address: "", externalID: nil, receivedAt: services.clock.now)
        let store = store
        let box = OneShotBox<Answer?>()
        let turn: RecordID
        do {
            turn = try await services.database.write(scope) { transaction in
                let turn = try store.accept(message, in: transaction)
                try noting(turn, transaction)
                // Before the commit: a worker that has this person already takes the turn up right after it.
                self.expect(turn, box, of: scope)
                return turn
            }
        } catch {
            waiting.withLock { $0.answers = $0.answers.filter { $0.value !== box } }
            throw error
        }
        wake(scope)
        // Nil when there will be none in this process.
        let answer = await withTaskCancellationHandler {
            await box.wait()
        } onCancel: {
            box.give(nil)
        }
        waiting.withLock { waiting in
            waiting.answers[turn] = nil
            waiting.people[turn] = nil
        }
        guard let answer else { throw CancellationError() }
        return answer
    }

    /// Takes a message for which nobody waits; gives its turn. The answer goes to the channel and the history.
    public func take(
        _ text: String, channel: String, scope: UserScope,
        noting: @escaping @Sendable (RecordID, any WriteTransaction) throws -> Void = { _, _ in }
    ) async throws -> RecordID {
        let message = InboundMessage(
            scope: scope, text: text, channel: channel, address: "", externalID: nil, receivedAt: services.clock.now)
        let store = store
        let turn = try await services.database.write(scope) { transaction in
            let turn = try store.accept(message, in: transaction)
            try noting(turn, transaction)
            return turn
        }
        wake(scope)
        return turn
    }

    private func expect(_ turn: RecordID, _ box: OneShotBox<Answer?>, of scope: UserScope) {
        let worksOnTurns = services.worksOnTurns
        let isOver = waiting.withLock { waiting in
            if !waiting.isOver { waiting.answers[turn] = box }
            if !waiting.isOver, !worksOnTurns { waiting.people[turn] = scope.user }
            return waiting.isOver
        }
        if isOver { box.give(nil) }
    }

    // MARK: Working

    /// Works until the task is cancelled, once. First takes up what an earlier process left behind.
    public func run() async {
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                guard services.worksOnTurns else {
                    group.addTask { await self.watchAnswers() }
                    await group.waitForAll()
                    return
                }
                let listening = services.news?.listen { [weak self] user in self?.heard(of: user) }
                defer { withExtendedLifetime(listening) {} }
                for _ in 0..<services.limits.concurrency { group.addTask { await self.work() } }
                group.addTask { await self.runner.run() }
                group.addTask { await self.rescan() }
                await group.waitForAll()
            }
        } onCancel: {
            scheduler.close()
        }
        let abandoned = waiting.withLock { waiting in
            defer { waiting = Waiting(isOver: true) }
            return waiting.answers.values.map { $0 }
        }
        for box in abandoned { box.give(nil) }
    }
}
