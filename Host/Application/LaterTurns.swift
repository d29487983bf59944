import Synchronization
import TandemAgent
import TandemCore
import TandemJobs
import TandemStorage

/// Keeps turns that go on after their first answer as jobs of the queue.
final class QueuedTurns: LaterWork {
    private let jobs: JobQueue
    private let isServing = Atomic(false)

    init(jobs: JobQueue) { self.jobs = jobs }

    /// From now on somebody works off the queue, here or elsewhere.
    func begin() { isServing.store(true, ordering: .releasing) }

    var isThere: Bool { isServing.load(ordering: .acquiring) }

    func put(off turn: LaterTurn, until time: Timestamp?, in transaction: any WriteTransaction) throws {
        try jobs.enqueue(
            NewJob(
                LaterTurns.kind, for: turn.scope, payload: turn.json, key: turn.turn.description, runAt: time),
            in: transaction)
    }
}

/// Goes on with them.
struct LaterTurns: JobHandling {
    static let kind = "agent.later"
    static let rules = JobRules(attempts: 20, timeLimit: .seconds(1000), concurrency: 16)
    let agent: AgentCore

    func run(_ job: Job) async throws -> JobOutcome {
        guard let scope = job.scope, let turn = LaterTurn(job.payload, of: scope) else {
            throw JobFailure("invalid", isRetryable: false)
        }
        let isOver = try await agent.goOn(with: turn) { try job.complete(in: $0) }
        return isOver ? .done : .later(.seconds(2))
    }
}
