import PostgreSQLServer
import Synchronization
import TandemCore
import TandemJSON
import TandemJobs
import TandemStorage

/// The durable queue with a job that does nothing: committed before enqueue returns, acknowledged after it ran.
enum JobBenchmark {
    private static let jobs = 20_000
    private static let callers = 64
    private static let runs = 3

    static func run(_ place: Place) async throws -> [Figure] {
        let keys = try MasterKeys(bytes: (0..<32).map { UInt8($0) })
        let file = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: place.folder + "/jobs.sqlite"), keyring: Keyring(keys))
        var figures = try await measure(file, "SQLite", isGoal: true)
        await file.close()
        let server = try await PostgreSQLServer(settings: ["fsync=on", "full_page_writes=on"])
        let opened = try await PostgreSQLDatabase.open(try await server.database(), keyring: Keyring(keys))
        figures += try await measure(opened, "PostgreSQL", isGoal: false)
        await opened.close()
        return figures
    }

    /// Counts what ran, and notes how long after the call of enqueue it began.
    private final class Counter: JobHandling {
        let count = Atomic(0)
        let delays = Mutex<[Double]>([])

        func run(_ job: Job) async throws -> JobOutcome {
            count.add(1, ordering: .relaxed)
            if let begin = job.payload["begin"]?.int64Value {
                let delay = Double(Int64(monotonicNanoseconds()) - begin) / 1e6
                delays.withLock { $0.append(delay) }
            }
            return .done
        }
    }

    private static func measure(_ database: any Database, _ engine: String, isGoal: Bool) async throws -> [Figure] {
        try await database.migrate(JobQueue.migrations)
        let workers = LivingWorkers(process: "bench", mayProcessBeAlive: { _ in true })
        let queue = JobQueue(
            database: database, metrics: MetricsRegistry(), worker: workers.enter(), workers: 2)
        let counter = Counter()
        queue.register("bench.none", JobRules(concurrency: 2), counter)
        let work = Task { await queue.run() }
        var rates: [Double] = []
        var medians: [Double] = []
        for _ in 0..<runs {
            let before = counter.count.load(ordering: .relaxed)
            let start = monotonicNanoseconds()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<callers {
                    group.addTask {
                        for _ in 0..<(jobs / callers) { try await queue.enqueue(NewJob("bench.none")) }
                    }
                }
                try await group.waitForAll()
            }
            while try await rows(database) > 0 { try await Task.sleep(for: .milliseconds(1)) }
            let done = counter.count.load(ordering: .relaxed) - before
            rates.append(Double(done) / (Double(monotonicNanoseconds() - start) / 1e9))
            counter.delays.withLock { $0 = [] }
            for _ in 0..<500 {
                try await queue.enqueue(
                    NewJob("bench.none", payload: ["begin": .integer(Int64(monotonicNanoseconds()))]))
            }
            while try await rows(database) > 0 { try await Task.sleep(for: .milliseconds(1)) }
            medians.append(counter.delays.withLock { $0.sorted()[$0.count / 2] })
        }
        work.cancel()
        await work.value
        return [
            Figure(
                name: "\(engine): jobs through the queue, two workers", unit: "/s", values: rates,
                goal: isGoal ? ">= 7800" : nil),
            Figure(
                name: "\(engine): call of enqueue to execution, P50", unit: "ms", values: medians,
                goal: isGoal ? "< 1" : nil),
        ]
    }

    private static func rows(_ database: any Database) async throws -> Int {
        try await database.read(.system) { try $0.first("SELECT COUNT(*) AS n FROM jobs")?.int("n") ?? 0 }
    }
}
