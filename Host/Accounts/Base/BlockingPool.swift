import Dispatch
import Glibc
import Synchronization
import TandemCore

/// A few threads of their own for work that blocks or takes milliseconds of processor time, with a bounded queue before
/// them.
///
/// Never Swift's shared pool: everything else would wait there. They start with the first job and end with the pool.
final class BlockingPool: Sendable {
    private let shared: Shared
    private let threads: Int

    /// - Parameter niceness: How far the threads stand back behind others, 0…19 (setpriority(2)).
    init(threads: Int, queue: Int, niceness: Int32 = 0) {
        self.threads = max(1, threads)
        shared = Shared(limit: max(1, queue), niceness: niceness)
    }

    deinit { shared.close(threads: threads) }

    /// Runs `body` on one of the threads.
    ///
    /// Throws `busy` at once when the queue is full, and `CancellationError` when the task was cancelled before its turn.
    func run<T: Sendable>(_ body: @escaping @Sendable () -> T) async throws -> T {
        try Task.checkCancellation()
        try shared.start(threads: threads)
        let isCancelled = CancelMark()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
                let isTaken = shared.submit { isOpen in
                    guard isOpen, !isCancelled.isSet else { return continuation.resume(throwing: CancellationError()) }
                    continuation.resume(returning: body())
                }
                if !isTaken { continuation.resume(throwing: BlockingPool.busy) }
            }
        } onCancel: {
            isCancelled.set()
        }
    }

    /// How many jobs were begun; for tests.
    var jobCount: Int { shared.jobCount }

    static let busy = AccountsError(
        .busy, "Too much is going on right now. Try again in a few seconds.", retryAfter: .seconds(2))

    /// What the threads hold on to: the pool itself may end before they do.
    private final class Shared: Sendable {
        private struct State {
            var jobs: [@Sendable (Bool) -> Void] = []
            /// Where the next job lies in `jobs`.
            var next = 0
            var isClosed = false
            var isStarted = false
            var jobCount = 0
        }

        private let state = Mutex(State())
        private let wakeUps = DispatchSemaphore(value: 0)
        private let limit: Int

        private let niceness: Int32

        init(limit: Int, niceness: Int32) {
            self.limit = limit
            self.niceness = niceness
        }

        var jobCount: Int { state.withLock { $0.jobCount } }

        func start(threads: Int) throws {
            let isFirst = state.withLock { state in
                defer { state.isStarted = true }
                return !state.isStarted
            }
            guard isFirst else { return }
            let started = (0..<threads).count { _ in HostThread.start(named: "tandem-blocking") { [self] in work() } }
            guard started > 0 else {
                state.withLock { $0.isStarted = false }
                throw BlockingPool.busy
            }
        }

        /// False when the queue is full.
        func submit(_ job: @escaping @Sendable (Bool) -> Void) -> Bool {
            let isTaken = state.withLock { state in
                guard !state.isClosed, state.jobs.count - state.next < limit else { return false }
                state.jobs.append(job)
                return true
            }
            if isTaken { wakeUps.signal() }
            return isTaken
        }

        func close(threads: Int) {
            state.withLock { $0.isClosed = true }
            for _ in 0..<threads { wakeUps.signal() }
        }

        private func work() {
            // Of the calling thread alone (setpriority(2), "C library/kernel differences").
            if niceness > 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
            while true {
                wakeUps.wait()
                let (job, isOpen) = state.withLock { state in
                    guard state.next < state.jobs.count else { return (nil as (@Sendable (Bool) -> Void)?, false) }
                    let job = state.jobs[state.next]
                    state.next += 1
                    if state.next == state.jobs.count || state.next > 64 {
                        state.jobs.removeFirst(state.next)
                        state.next = 0
                    }
                    state.jobCount += 1
                    return (job, !state.isClosed)
                }
                // Woken without a job: the pool has ended.
                guard let job else { return }
                job(isOpen)
            }
        }
    }
}

/// Set when the waiting task is cancelled.
private final class CancelMark: Sendable {
    private let mark = Atomic(false)

    var isSet: Bool { mark.load(ordering: .relaxed) }

    func set() { mark.store(true, ordering: .relaxed) }
}
