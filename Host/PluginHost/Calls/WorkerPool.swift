import Synchronization
import TandemCore

/// The host's own threads for plugin code: as many as there is work for, up to a limit, idle ones end after a while.
///
/// A plugin that never returns keeps its thread; `WorkQueue` limits how many one plugin can keep.
final class WorkerPool: @unchecked Sendable {
    // Everything mutable is guarded by the monitor.
    typealias Job = @Sendable () -> Void

    static let shared = WorkerPool(limit: 64)

    private let monitor = Monitor()
    private let limit: Int
    private var jobs: [Job] = []
    private var head = 0
    private var threads = 0
    private var idle = 0

    init(limit: Int) { self.limit = limit }

    func submit(_ job: @escaping Job) {
        monitor.lock()
        jobs.append(job)
        let waiting = jobs.count - head
        let mustStart = idle < waiting && threads < limit
        if mustStart { threads += 1 }
        monitor.unlock()
        monitor.signal()
        if mustStart, !HostThread.start(named: "tandem-plugins", { [self] in run() }) {
            monitor.lock()
            threads -= 1
            monitor.unlock()
        }
    }

    private func run() {
        monitor.lock()
        while true {
            if head < jobs.count {
                let job = jobs[head]
                head += 1
                if head == jobs.count {
                    jobs.removeAll(keepingCapacity: jobs.capacity <= 256)
                    head = 0
                } else if head >= 1024 {
                    jobs.removeFirst(head)
                    head = 0
                }
                monitor.unlock()
                job()
                monitor.lock()
                continue
            }
            idle += 1
            let wasWoken = monitor.wait(untilNanoseconds: monotonicNanoseconds() + 5_000_000_000)
            idle -= 1
            if !wasWoken, head >= jobs.count {
                threads -= 1
                monitor.unlock()
                return
            }
        }
    }
}

/// The share of one plugin in the worker threads.
final class WorkQueue: Sendable {
    private struct State {
        var running = 0
        var waiting: [WorkerPool.Job] = []
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = 8) { self.limit = limit }

    func submit(_ job: @escaping WorkerPool.Job) {
        let mayRun = state.withLock { state in
            guard state.running < limit else {
                state.waiting.append(job)
                return false
            }
            state.running += 1
            return true
        }
        if mayRun { start(job) }
    }

    private func start(_ job: @escaping WorkerPool.Job) {
        WorkerPool.shared.submit { [self] in
            job()
            let next = state.withLock { state -> WorkerPool.Job? in
                guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
                state.running -= 1
                return nil
            }
            if let next { start(next) }
        }
    }
}

/// Lets one thread at a time into an instance: directly when it is free, in order on a worker thread when it is not.
final class Lane: Sendable {
    private struct State {
        var isBusy = false
        var waiting: [WorkerPool.Job] = []
    }

    private let state = Mutex(State())
    private let queue: WorkQueue

    init(on queue: WorkQueue) { self.queue = queue }

    /// Takes the lane on the calling thread when nobody has it; `leave` must follow.
    func tryEnter() -> Bool {
        state.withLock { state in
            if state.isBusy { return false }
            state.isBusy = true
            return true
        }
    }

    func leave() {
        let mustDrain = state.withLock { state in
            if state.waiting.isEmpty {
                state.isBusy = false
                return false
            }
            return true
        }
        if mustDrain { queue.submit { [self] in drain() } }
    }

    /// Runs `job` on a worker thread, after everything that waits already.
    func submit(_ job: @escaping WorkerPool.Job) {
        let mustDrain = state.withLock { state in
            state.waiting.append(job)
            if state.isBusy { return false }
            state.isBusy = true
            return true
        }
        if mustDrain { queue.submit { [self] in drain() } }
    }

    private func drain() {
        while true {
            let job = state.withLock { state -> WorkerPool.Job? in
                if state.waiting.isEmpty {
                    state.isBusy = false
                    return nil
                }
                return state.waiting.removeFirst()
            }
            guard let job else { return }
            job()
        }
    }
}
