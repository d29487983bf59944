import Synchronization
import TandemCore

/// The jobs that this process holds: those that wait for room, and those that run. Safe from any thread.
final class JobBacklog: Sendable {
    /// A job that runs.
    struct Running: Sendable {
        var task: Task<Void, Never>?
        /// `CLOCK_MONOTONIC`.
        var deadline: UInt64
        var isCancelled = false
        var user: Int64
    }

    private struct Line {
        var rules: JobRules
        var ready: [Job] = []
        var head = 0
        var running = 0

        var waiting: Int { ready.count - head }
        var hasRoom: Bool { running < rules.concurrency }

        mutating func pop() -> Job {
            let job = ready[head]
            head += 1
            if head > 64, head * 2 > ready.count {
                ready.removeFirst(head)
                head = 0
            }
            return job
        }
    }

    private struct State {
        var lines: [String: Line] = [:]
        /// Kinds in the order in which they are looked at: each gets its turn.
        var order: [String] = []
        var next = 0
        var running: [RecordID: Running] = [:]
        var isOpen = false
        var idle: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let workers: Int
    /// Jobs of one kind that may wait here instead of in the database.
    private let room: Int

    init(workers: Int, room: Int) {
        self.workers = max(workers, 1)
        self.room = room
    }

    func register(_ kind: String, _ rules: JobRules) {
        state.withLock { state in
            if state.lines[kind] == nil { state.order.append(kind) }
            state.lines[kind] = Line(rules: rules)
        }
    }

    func open() { state.withLock { $0.isOpen = true } }

    /// Takes no more, and gives back what has not begun.
    func close() -> [Job] {
        state.withLock { state in
            state.isOpen = false
            var left: [Job] = []
            for kind in state.order {
                left += state.lines[kind].map { Array($0.ready[$0.head...]) } ?? []
                state.lines[kind]?.ready = []
                state.lines[kind]?.head = 0
            }
            return left
        }
    }

    /// Whether a job of this kind may be held here from its beginning.
    func hasRoom(for kind: String) -> Bool {
        state.withLock { state in
            guard state.isOpen, let line = state.lines[kind] else { return false }
            return line.waiting < room
        }
    }

    /// Kinds that could take more than they have, with how many more.
    func wanted() -> [(kind: String, count: Int)] {
        state.withLock { state in
            guard state.isOpen else { return [] }
            return state.order.compactMap { kind in
                guard let line = state.lines[kind] else { return nil }
                // Twice what runs at once, so that nobody waits for the database between two jobs.
                let most = min(line.rules.concurrency, workers) * 2
                let count = most - line.waiting - line.running
                return count > 0 ? (kind, count) : nil
            }
        }
    }

    func rules(of kind: String) -> JobRules { state.withLock { $0.lines[kind]?.rules } ?? JobRules() }

    /// - Returns: what could not be taken, because this is closed.
    func add(_ jobs: [Job]) -> [Job] {
        state.withLock { state in
            guard state.isOpen else { return jobs }
            var left: [Job] = []
            for job in jobs {
                if state.lines[job.kind] == nil { left.append(job) } else { state.lines[job.kind]?.ready.append(job) }
            }
            return left
        }
    }

    /// The next job that may begin.
    func take() -> Job? {
        state.withLock { state in
            guard state.isOpen, state.running.count < workers else { return nil }
            for offset in state.order.indices {
                let position = (state.next + offset) % state.order.count
                let kind = state.order[position]
                guard var line = state.lines[kind], line.waiting > 0, line.hasRoom else { continue }
                let job = line.pop()
                line.running += 1
                state.lines[kind] = line
                state.next = position + 1
                let deadline = monotonicNanoseconds() + UInt64(max(line.rules.timeLimit.milliseconds, 1)) * 1_000_000
                state.running[job.id] = Running(task: nil, deadline: deadline, user: job.user)
                return job
            }
            return nil
        }
    }

    /// Notes what runs the job, so that it can be cancelled.
    func began(_ id: RecordID, _ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            state.running[id]?.task = task
            return !state.isOpen
        }
        if isOver { task.cancel() }
    }

    func ended(_ job: Job) {
        let idle = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running[job.id] = nil
            state.lines[job.kind]?.running -= 1
            guard state.running.isEmpty else { return [] }
            defer { state.idle = [] }
            return state.idle
        }
        for continuation in idle { continuation.resume() }
    }

    /// Cancels what has run for too long.
    ///
    /// - Returns: what was cancelled long ago and runs all the same: others may have it.
    func cancelOverdue(patience: Duration) -> [RecordID] {
        let now = monotonicNanoseconds()
        let (late, stuck) = state.withLock { state in
            var late: [Task<Void, Never>] = []
            var stuck: [RecordID] = []
            for (id, running) in state.running where running.deadline <= now {
                if !running.isCancelled {
                    state.running[id]?.isCancelled = true
                    if let task = running.task { late.append(task) }
                }
                if running.deadline + UInt64(patience.milliseconds) * 1_000_000 <= now { stuck.append(id) }
            }
            return (late, stuck)
        }
        for task in late { task.cancel() }
        return stuck
    }

    func wasOverdue(_ id: RecordID) -> Bool { state.withLock { $0.running[id]?.isCancelled ?? false } }

    /// Cancels everything, or everything of one person, and returns at once.
    func cancelAll(of user: Int64? = nil) {
        let tasks = state.withLock { state in
            state.running.values.filter { user == nil || $0.user == user }.compactMap(\.task)
        }
        for task in tasks { task.cancel() }
    }

    /// Returns when nothing runs.
    func whenIdle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.running.isEmpty { return true }
                state.idle.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}
