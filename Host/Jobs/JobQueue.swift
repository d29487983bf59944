import Logging
import Synchronization
public import TandemCore
public import TandemStorage

/// The durable queue: work that outlives the process that asked for it.
///
/// A job is committed before `enqueue` returns, with whatever else the transaction wrote; it is acknowledged after it ran.
/// A process that dies leaves its jobs to the others: at once when it was on this machine, otherwise when its lease is over.
/// So every job runs at least once, and its effect happens once if the handler ends it in its own transaction
/// (`Job.complete`) or uses its id as the idempotency key elsewhere.
///
/// In the usual case a job costs two statements: the insert, which makes it this process's at once, and the delete, which
/// shares its commit with others. Rows that wait are taken by whichever process has room, oldest first
/// (`FOR UPDATE SKIP LOCKED` on PostgreSQL). Nothing polls but once in `Timing.look` for what other processes left.
///
/// Safe from any thread. `run` once.
public final class JobQueue: Sendable {
    /// All of the queue's system tables.
    public static let migrations = JobSchema.migrations

    public struct Timing: Sendable {
        /// How long a job is a process's without a sign of life.
        public var lease: Duration = .seconds(60)
        /// How often the queue is looked at when nothing calls.
        public var look: Duration = .seconds(5)
        /// How long a cancelled job may go on before others may have it, too.
        public var patience: Duration = .seconds(30)
        /// How long jobs that were given up are kept for operators.
        public var keep: Duration = .seconds(30 * 86_400)

        public init() {}
    }

    private let store: JobStore
    private let backlog: JobBacklog
    private let timing: Timing
    private let worker: LivingWorker
    private let tell: @Sendable () -> Void
    private let metrics: JobMetrics
    private let logger = Logger(label: "tandem.jobs")
    private let handlers = Mutex<[String: any JobHandling]>([:])
    private let endings: JobEndings
    private let bell: WakeSignal
    /// Rows may wait in the database that nobody will call about again.
    private let hasWaiting: SharedFlag

    /// - Parameters:
    ///   - worker: This queue, as other processes recognise it.
    ///   - workers: Jobs at once, of all kinds together.
    ///   - tell: Tells the other processes that there is work; they call `wake`.
    public init(
        database: any Database, metrics: MetricsRegistry, worker: LivingWorker, workers: Int = 8,
        timing: Timing = Timing(), tell: @escaping @Sendable () -> Void = {}
    ) {
        store = JobStore(database: database, holder: worker.holder, lease: timing.lease)
        backlog = JobBacklog(workers: workers, room: 1024)
        self.timing = timing
        self.worker = worker
        self.tell = tell
        self.metrics = JobMetrics(metrics)
        let (bell, hasWaiting) = (WakeSignal(), SharedFlag())
        (self.bell, self.hasWaiting) = (bell, hasWaiting)
        endings = JobEndings(store: store) { if hasWaiting.isSet { bell.signal() } }
    }

    /// Says who does the jobs of a kind. Before `run`; jobs of other kinds wait for a process that knows them.
    public func register(_ kind: String, _ rules: JobRules = JobRules(), _ handler: any JobHandling) {
        handlers.withLock { $0[kind] = handler }
        backlog.register(kind, rules)
    }

    // MARK: Enqueueing

    /// Puts a job into the queue with what else the transaction writes.
    ///
    /// - Returns: its id; nil when one with its key waits or runs.
    @discardableResult
    public func enqueue(_ job: NewJob, in transaction: any WriteTransaction) throws -> RecordID? {
        let isNow = job.lane == nil && (job.runAt.map { $0 <= transaction.now } ?? true)
        let isHeld = isNow && backlog.hasRoom(for: job.kind)
        guard let inserted = try store.insert(job, isHeld: isHeld, in: transaction) else { return nil }
        transaction.afterCommit { [self] in
            metrics.enqueued.with(inserted.kind).increment()
            guard isHeld else {
                hasWaiting.set()
                bell.signal()
                return tell()
            }
            let left = backlog.add([inserted])
            if left.isEmpty { drain() } else { endings.add(left.map { JobEnding($0, .back(.zero, attempts: 0)) }) }
        }
        return inserted.id
    }

    /// Puts a job into the queue; durable when this returns.
    @discardableResult
    public func enqueue(_ job: NewJob) async throws -> RecordID? {
        if let scope = job.scope {
            return try await store.database.write(scope) { try self.enqueue(job, in: $0) }
        }
        return try await store.database.write(.system) { try self.enqueue(job, in: $0) }
    }

    /// Other processes have work for us.
    public func wake() { bell.signal() }

    /// Drops a person's jobs, also those that run: they are cancelled.
    public func drop(of scope: UserScope, in transaction: any WriteTransaction) throws {
        try transaction.asSystem { _ = try transaction.execute("DELETE FROM jobs WHERE user_id = \(scope.user)") }
        transaction.afterCommit { [backlog] in backlog.cancelAll(of: scope.user.rawValue) }
    }

    // MARK: Working

    /// Works until the task is cancelled. Jobs that run then are cancelled and put back; they do not count as attempts.
    public func run() async {
        backlog.open()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.look() }
            group.addTask { await self.watch() }
            await group.waitForAll()
        }
        let left = backlog.close()
        endings.add(left.map { JobEnding($0, .back(.zero, attempts: $0.attempt - 1)) })
        backlog.cancelAll()
        await backlog.whenIdle()
        await endings.flush()
    }

    /// Takes what is due, until cancelled.
    private func look() async {
        while !Task.isCancelled {
            var pause = timing.look
            do {
                if let next = try await takeDue() {
                    pause = min(pause, max(next.since(store.database.store.clock.now), .milliseconds(5)))
                }
            } catch is CancellationError {
                return
            } catch {
                logger.error("the queue cannot be read", metadata: ["error": "\(Self.code(of: error))"])
                pause = .seconds(1)
            }
            await bell.wait(atMost: pause)
        }
    }

    /// - Returns: when the next job is due that there would be room for.
    private func takeDue() async throws -> Timestamp? {
        let wanted = backlog.wanted()
        // The next job that ends looks again.
        guard !wanted.isEmpty else { return nil }
        hasWaiting.clear()
        let store = store
        let now = store.database.store.clock.now
        let due = try await store.database.read(.system) { transaction in
            try wanted.map { try store.nextDue($0.kind, in: transaction) }
        }
        let ready = zip(wanted, due).filter { $0.1.map { $0 <= now } ?? false }.map(\.0)
        let later = due.compactMap { $0 }.filter { $0 > now }.min()
        guard !ready.isEmpty else { return later }
        let claimed = try await store.database.write(.system) { transaction in
            try ready.map { try store.claim($0.kind, limit: $0.count, in: transaction) }
        }
        if zip(ready, claimed).contains(where: { $0.count <= $1.count }) { hasWaiting.set() }
        let jobs = claimed.flatMap(\.self)
        let left = backlog.add(jobs)
        endings.add(left.map { JobEnding($0, .back(.zero, attempts: $0.attempt - 1)) })
        drain()
        return later
    }

    /// Keeps leases, frees what others left, cancels what runs too long, until cancelled.
    private func watch() async {
        var isFirst = true
        var nextKeeping = ContinuousClock.now
        var nextPruning = ContinuousClock.now + .seconds(60)
        while !Task.isCancelled {
            let stuck = backlog.cancelOverdue(patience: timing.patience)
            if ContinuousClock.now >= nextKeeping {
                nextKeeping = ContinuousClock.now + min(timing.look, timing.lease * (1.0 / 4))
                do {
                    let (store, worker) = (store, worker)
                    let freed = try await store.database.write(.system) {
                        try store.keep(except: stuck, isAlive: worker.mayBeAlive, in: $0)
                    }
                    if freed > 0 {
                        metrics.freed.increment(by: UInt64(freed))
                        if !isFirst { logger.notice("jobs were left behind", metadata: ["count": "\(freed)"]) }
                        bell.signal()
                    }
                    isFirst = false
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("leases cannot be kept", metadata: ["error": "\(Self.code(of: error))"])
                }
            }
            if ContinuousClock.now >= nextPruning {
                nextPruning = ContinuousClock.now + .seconds(3600)
                let (store, keep) = (store, timing.keep)
                _ = try? await store.database.write(.system) { transaction in
                    try store.forget(nil, before: transaction.now.advanced(by: .zero - keep), in: transaction)
                }
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Begins what there is room for. Never blocks.
    private func drain() {
        while let job = backlog.take() {
            let task = Task { await self.carryOut(job) }
            backlog.began(job.id, task)
        }
    }

    private func carryOut(_ job: Job) async {
        let start = monotonicNanoseconds()
        var ending: JobEnding.Kind
        var word: String
        do {
            guard let handler = handlers.withLock({ $0[job.kind] }) else {
                throw JobFailure("unknown", isRetryable: true)
            }
            switch try await handler.run(job) {
            case .done: (ending, word) = (.delete, "done")
            case .later(let pause): (ending, word) = (.back(pause, attempts: job.attempt - 1), "later")
            }
        } catch {
            (ending, word) = await judge(error, of: job)
        }
        metrics.ended.with(job.kind, word).increment()
        metrics.duration.with(job.kind).observe(Double(monotonicNanoseconds() - start) / 1e9)
        // Others of its lane may go on when its row is gone.
        if job.lane != nil { hasWaiting.set() }
        backlog.ended(job)
        if job.receipt.isComplete {
            if hasWaiting.isSet { bell.signal() }
        } else {
            endings.add([JobEnding(job, ending)])
        }
        drain()
    }

    private func judge(_ error: any Error, of job: Job) async -> (JobEnding.Kind, String) {
        let isOverdue = backlog.wasOverdue(job.id)
        // Not its fault: the process ends, or the person is gone.
        if Task.isCancelled, !isOverdue { return (.back(.zero, attempts: job.attempt - 1), "interrupted") }
        var failure = error as? JobFailure ?? JobFailure(Self.code(of: error), isRetryable: true)
        if isOverdue { failure = JobFailure("timeout", isRetryable: true) }
        let rules = backlog.rules(of: job.kind)
        guard failure.isRetryable, job.attempt < rules.attempts else {
            logger.warning(
                "a job was given up",
                metadata: ["job.kind": "\(job.kind)", "job.id": "\(job.id)", "code": "\(failure.code)"])
            if let handler = handlers.withLock({ $0[job.kind] }) { await handler.gaveUp(job, because: failure) }
            return (.giveUp(failure), "given_up")
        }
        return (.back(rules.pause(after: job.attempt, failure), attempts: job.attempt), "retry")
    }

    private static func code(of error: any Error) -> String {
        (error as? StorageError).map { "\($0.code)" } ?? "error"
    }

    // MARK: For operators

    /// The jobs of every kind, counted.
    public func summary() async throws -> [JobSummary] {
        let store = store
        return try await store.database.read(.system) { try store.summary(in: $0) }
    }

    /// Jobs that were given up, the latest first.
    public func givenUp(limit: Int = 100) async throws -> [GivenUpJob] {
        let store = store
        return try await store.database.read(.system) { try store.givenUp(limit: limit, in: $0) }
    }

    /// Gives a job that was given up, or all of them, another chance.
    @discardableResult
    public func retry(_ id: RecordID? = nil) async throws -> Int {
        let store = store
        let count = try await store.database.write(.system) { try store.retry(id, in: $0) }
        bell.signal()
        tell()
        return count
    }

    /// Forgets a job that was given up, or all of them.
    @discardableResult
    public func forget(_ id: RecordID? = nil) async throws -> Int {
        let store = store
        return try await store.database.write(.system) { try store.forget(id, before: nil, in: $0) }
    }
}

/// A flag that several threads set and clear.
private final class SharedFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
    func clear() { flag.store(false, ordering: .releasing) }
}
