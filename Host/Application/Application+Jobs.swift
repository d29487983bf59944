import Logging
import TandemAgent
import TandemCache
import TandemCore
import TandemJobs
import TandemStorage

extension Application {
    /// The workers of this process, in every application that it makes.
    static let workers = LivingWorkers(process: TurnHolder.current.text) { TurnHolder(text: $0).mayBeAlive }

    private static let jobNews = "jobs"

    /// The queue of this process, which tells those of the others.
    static func jobs(
        _ database: any Database, metrics: MetricsRegistry, shared: SharedState
    ) -> (queue: JobQueue, subscription: NewsSubscription?) {
        let isShared = shared.redis != nil
        let queue = JobQueue(database: database, metrics: metrics, worker: workers.enter()) {
            if isShared { shared.news.publish([1], on: jobNews) }
        }
        guard isShared else { return (queue, nil) }
        return (queue, shared.news.subscribe(to: jobNews) { [weak queue] _ in queue?.wake() })
    }

    /// Works off the queue until cancelled; the work that comes back by itself is put into it first.
    func runJobs() async {
        jobs.register(
            HouseKeeping.kind, JobRules(attempts: 100, timeLimit: .seconds(3600), concurrency: 1),
            HouseKeeping(application: self))
        jobs.register(
            MemoryKeeping.kind, MemoryKeeping.rules,
            MemoryKeeping(memory: memory, accounts: accounts, logger: logger))
        jobs.register(ConversationFolding.kind, ConversationFolding.rules, ConversationFolding(agent: agent))
        jobs.register(
            ConversationFolding.sweep, JobRules(attempts: 100, timeLimit: .seconds(3600), concurrency: 1),
            ConversationSweep(agent: agent, accounts: accounts))
        jobs.register(
            VectorMaking.kind, VectorMaking.rules, VectorMaking(memory: memory, accounts: accounts, logger: logger))
        jobs.register(LaterTurns.kind, LaterTurns.rules, LaterTurns(agent: agent))
        jobs.register(
            TaskTextJob.kind, TaskTextJob.rules, TaskTextJob(texts: taskTexts, database: database, clock: clock))
        jobs.register(PluginEnding.kind, PluginEnding.rules, PluginEnding(lives: lives))
        do {
            // Not at once: a start has other things to do. They never end, so that one host does each at a time.
            let first = clock.now.advanced(by: .seconds(300))
            for kind in [HouseKeeping.kind, MemoryKeeping.kind, ConversationFolding.sweep, VectorMaking.kind] {
                try await jobs.enqueue(NewJob(kind, key: kind, runAt: first))
            }
        } catch {
            logger.error("the retention could not be planned", metadata: ["reason": "\(error)"])
        }
        await jobs.run()
    }
}

/// Applies the retention every six hours.
private struct HouseKeeping: JobHandling {
    static let kind = "house.keep"

    // The queue is the application's own and must not keep it alive.
    weak let application: Application?

    func run(_ job: Job) async throws -> JobOutcome {
        guard let application else { throw CancellationError() }
        let counts = try await application.applyRetention()
        if !counts.isEmpty {
            application.logger.info(
                "retention applied", metadata: ["rows": "\(counts.values.reduce(0, +))"])
        }
        return .later(.seconds(6 * 3600))
    }
}
