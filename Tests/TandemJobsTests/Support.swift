import Synchronization
import TandemCore
import TandemJSON
import TandemJobs
import TandemStorage
import TestDatabases
import Testing

/// A database with queues on it, each as another process would have one.
struct JobFixture: Sendable {
    let database: any Database
    let ann = UserScope(authenticated: UserID(rawValue: 1))
    let bob = UserScope(authenticated: UserID(rawValue: 2))

    static func run(_ body: (JobFixture) async throws -> Void) async throws {
        let database = try await TestDatabase(migrations: JobQueue.migrations).open()
        try await database.migrate(JobQueue.migrations)
        do {
            try await body(JobFixture(database: database))
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    func queue(
        _ holder: String = "here", workers: Int = 4, lease: Duration = .seconds(60),
        isAlive: @escaping @Sendable (String) -> Bool = { _ in true }, tell: @escaping @Sendable () -> Void = {}
    ) -> JobQueue {
        var timing = JobQueue.Timing()
        timing.lease = lease
        timing.look = .milliseconds(200)
        return JobQueue(
            database: database, metrics: MetricsRegistry(),
            worker: LivingWorkers(process: holder, mayProcessBeAlive: isAlive).enter(), workers: workers,
            timing: timing, tell: tell)
    }

    /// Runs the queue while `body` does.
    func running(_ queues: JobQueue..., body: () async throws -> Void) async throws {
        let tasks = queues.map { queue in Task { await queue.run() } }
        do {
            try await body()
        } catch {
            for task in tasks { task.cancel() }
            for task in tasks { await task.value }
            throw error
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    /// Waits until it holds; fails after a minute.
    func until(_ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("did not come about within a minute")
    }

    func rows() async throws -> Int {
        try await database.read(.system) { try $0.first("SELECT COUNT(*) AS n FROM jobs")?.int("n") ?? 0 }
    }
}

/// Notes what it is given, and does what the test says.
final class Recorder: JobHandling {
    typealias Body = @Sendable (Job) async throws -> JobOutcome

    private let body: Body
    private let state = Mutex<(seen: [Job], gaveUp: [String], atOnce: Int, most: Int)>(([], [], 0, 0))

    init(_ body: @escaping Body = { _ in .done }) { self.body = body }

    var seen: [Job] { state.withLock { $0.seen } }
    var gaveUp: [String] { state.withLock { $0.gaveUp } }
    /// The most that ran at once.
    var most: Int { state.withLock { $0.most } }
    var numbers: [Int] { seen.compactMap { $0.payload["n"]?.int64Value.map { Int($0) } } }

    func run(_ job: Job) async throws -> JobOutcome {
        state.withLock { state in
            state.seen.append(job)
            state.atOnce += 1
            state.most = max(state.most, state.atOnce)
        }
        defer { state.withLock { $0.atOnce -= 1 } }
        return try await body(job)
    }

    func gaveUp(_ job: Job, because failure: JobFailure) async {
        state.withLock { $0.gaveUp.append(failure.code) }
    }
}
