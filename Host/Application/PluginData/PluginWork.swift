import Logging
import Synchronization
import TandemAgent
import TandemCore
import TandemJSON
import TandemJobs
import TandemPluginHost
import TandemStorage

/// Fires timers and delivers events: takes what is due, calls the handlers, notes what became of it.
///
/// The state is in the database: what a process leaves behind is rolled back and taken up by the next one. Safe from any
/// thread; `run` once at a time.
final class PluginWork: Sendable {
    typealias Delivery = @Sendable (HandlerCall, UserScope) async -> HandlerOutcome

    private let store: PluginJobStore
    private let values: StoredValues
    private let clock: any WallClock
    private let refresh: @Sendable (UserScope) async throws -> Void
    private let deliver: Delivery
    private let outcomes: MetricFamily<Counter>
    private let logger = Logger(label: "tandem.plugins.work")
    private let worker = Application.workers.enter()
    private let state = Mutex(State())
    private let bell = WakeSignal()

    /// Jobs at the same time, and those of one plugin: a slow one does not hold up the others.
    static let concurrency = 16
    static let concurrencyPerPlugin = 4
    /// How long a plugin that is off is left alone.
    static let patience: Duration = .seconds(60)

    private struct State {
        var busy: Set<PluginJob.Lane> = []
        var running: [String: Int] = [:]
        var lastPruning = Timestamp(millisecondsSinceEpoch: 0)
    }

    /// - Parameters:
    ///   - refresh: brings the person's zone to mind before `offset` is asked.
    ///   - deliver: `PluginHost.deliver`.
    init(
        database: any Database, clock: any WallClock, metrics: MetricsRegistry,
        offset: @escaping @Sendable (UserScope) -> TimerSchedule.Offset,
        refresh: @escaping @Sendable (UserScope) async throws -> Void = { _ in }, deliver: @escaping Delivery
    ) {
        store = PluginJobStore(database: database, holder: worker.holder, offset: offset)
        values = StoredValues(database: database)
        self.clock = clock
        self.refresh = refresh
        self.deliver = deliver
        outcomes = metrics.counters(
            "tandem_plugin_jobs_total", help: "Timers fired and events delivered, by what became of them.",
            labels: ["kind", "outcome"])
    }

    /// Something may be due sooner than was known.
    func wake() { bell.signal() }

    /// Works until the task is cancelled; what runs then is cancelled, too, and taken up again later.
    func run() async {
        await withTaskGroup(of: Event.self) { group in
            group.addTask {
                await self.bell.wait(atMost: .zero)
                return .bell
            }
            while let event = await group.next(), !Task.isCancelled {
                var wait = Duration.seconds(5)
                do {
                    try await start(in: &group)
                    if let next = try await store.nextDue() {
                        // What waits for a lane is looked at when the lane is free.
                        let least: Duration = state.withLock { $0.busy.isEmpty } ? .milliseconds(20) : .seconds(1)
                        wait = min(max(next.since(clock.now), least), wait)
                    }
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("timers and events cannot be read", metadata: ["error": "\(type(of: error))"])
                }
                if event == .bell {
                    let limit = wait
                    group.addTask {
                        await self.bell.wait(atMost: limit)
                        return .bell
                    }
                } else {
                    // What was learnt now may be due before the bell that is waited for.
                    bell.signal()
                }
            }
            group.cancelAll()
        }
    }

    /// Does everything that is due now, also what becomes due through it; returns when the next job is.
    @discardableResult
    func tick() async throws -> Timestamp? {
        try await withThrowingTaskGroup(of: Event.self) { group in
            repeat { try await start(in: &group) } while try await group.next() != nil
        }
        return try await store.nextDue()
    }

    private enum Event {
        case bell, jobDone
    }

    private func start(in group: inout TaskGroup<Event>) async throws {
        for job in try await claim() { group.addTask { await self.carryOut(job) } }
    }

    private func start(in group: inout ThrowingTaskGroup<Event, any Error>) async throws {
        for job in try await claim() { group.addTask { await self.carryOut(job) } }
    }

    private func claim() async throws -> [PluginJob] {
        try await prune()
        let (busy, running) = state.withLock { ($0.busy, $0.running) }
        let limit = Self.concurrency - busy.count
        guard limit > 0 else { return [] }
        let jobs = try await store.claim(
            limit: limit, busy: busy,
            full: running.filter { $0.value >= Self.concurrencyPerPlugin }.map(\.key).sorted(),
            room: { taken, plugin in
                (taken[plugin] ?? 0) + (running[plugin] ?? 0) < Self.concurrencyPerPlugin
            }, isAlive: worker.mayBeAlive)
        state.withLock { state in
            for job in jobs {
                state.busy.insert(job.lane)
                state.running[job.plugin, default: 0] += 1
            }
        }
        return jobs
    }

    private func prune() async throws {
        let now = clock.now
        let isDue = state.withLock { state in
            guard now.since(state.lastPruning) >= .seconds(600) else { return false }
            state.lastPruning = now
            return true
        }
        guard isDue else { return }
        try await store.prune()
        while try await values.prune() >= 500 {}
    }

    private func carryOut(_ job: PluginJob) async -> Event {
        await attempt(job)
        state.withLock { state in
            state.busy.remove(job.lane)
            state.running[job.plugin, default: 1] -= 1
            if state.running[job.plugin] == 0 { state.running[job.plugin] = nil }
        }
        return .jobDone
    }

    private func attempt(_ job: PluginJob) async {
        do {
            if let published = job.publishedAt, clock.now.since(published) > StoredEvents.retention {
                try await store.finish(job, succeeded: false)
                return count(job, "expired")
            }
            guard let data = try await store.open(job) else { return }
            try await refresh(job.scope)
            var arguments = job.arguments
            arguments["data"] = .object(data)
            let call = HandlerCall(
                plugin: job.plugin, handler: job.handler, arguments: arguments, origin: job.origin,
                idempotencyKey: job.idempotencyKey, eventDepth: job.eventDepth)
            switch await deliver(call, job.scope) {
            case .done:
                try await store.finish(job, succeeded: true)
                count(job, "done")
            case .off:
                try await store.putBack(job, after: Self.patience, isAttempt: false)
                count(job, "off")
            case .retry(let failure) where job.attempts + 1 < job.kind.attempts:
                try await store.putBack(job, after: Self.delay(job.attempts + 1, failure), isAttempt: true)
                count(job, "retry")
            case .retry(let failure), .failed(let failure):
                try await store.finish(job, succeeded: false)
                count(job, "failed")
                logger.warning(
                    "a timer or an event was given up",
                    metadata: [
                        "plugin.id": "\(job.plugin)", "kind": "\(job.kind.rawValue)", "handler": "\(job.handler)",
                        "code": "\(failure.code)",
                    ])
            }
        } catch {
            // The lease runs out, or the next look at the queue takes it up: it is this worker's.
            count(job, "error")
            logger.error("a timer or an event could not be noted", metadata: ["error": "\(type(of: error))"])
            try? await store.putBack(job, after: .seconds(30), isAttempt: true)
        }
    }

    private func count(_ job: PluginJob, _ outcome: String) { outcomes.with(job.kind.rawValue, outcome).increment() }

    /// 10 s, 40 s, 160 s … at most an hour; not before the plugin wants to be asked again.
    private static func delay(_ attempts: Int, _ failure: ToolFailure) -> Duration {
        let grown = min(10 << min(2 * (attempts - 1), 20), 3600)
        let asked = min((failure.retryAfterMilliseconds ?? 0) / 1000 + 1, 86_400)
        return .seconds(max(grown, failure.retryAfterMilliseconds == nil ? 0 : asked))
    }
}
