import Synchronization
import TandemCore
import TandemStorage

/// What becomes of a job's row.
struct JobEnding: Sendable {
    enum Kind: Sendable {
        case delete
        /// After a pause; so many attempts count as made.
        case back(Duration, attempts: Int)
        case giveUp(JobFailure)
    }

    var job: Job
    var kind: Kind

    init(_ job: Job, _ kind: Kind) {
        self.job = job
        self.kind = kind
    }
}

/// Writes down how jobs ended: those that end while a transaction is on its way share the next one.
///
/// What cannot be written is tried again until it can be: until then the jobs stay this process's. Safe from any thread.
final class JobEndings: Sendable {
    private struct State {
        var waiting: [JobEnding] = []
        var isWriting = false
        var isClosing = false
        var flushed: [CheckedContinuation<Void, Never>] = []
    }

    /// Attempts at writing when the process ends; afterwards the leases end by themselves.
    private static let lastAttempts = 3

    private let store: JobStore
    private let onWritten: @Sendable () -> Void
    private let state = Mutex(State())

    init(store: JobStore, onWritten: @escaping @Sendable () -> Void) {
        self.store = store
        self.onWritten = onWritten
    }

    func add(_ endings: [JobEnding]) {
        guard !endings.isEmpty else { return }
        let mustBegin = state.withLock { state in
            state.waiting += endings
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustBegin { Task { await self.write() } }
    }

    /// Returns when everything is written, or could not be.
    func flush() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                guard state.isWriting else { return true }
                state.isClosing = true
                state.flushed.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    private func write() async {
        var failures = 0
        while let endings = next(failures) {
            do {
                let store = store
                try await store.database.write(.system) { transaction in
                    for ending in endings { try store.end(ending, in: transaction) }
                }
                failures = 0
                onWritten()
            } catch {
                failures += 1
                state.withLock { $0.waiting = endings + $0.waiting }
                try? await Task.sleep(for: .milliseconds(min(100 << min(failures, 6), 5000)))
            }
        }
    }

    /// What is to be written now; nil when nothing is, which ends the writing.
    private func next(_ failures: Int) -> [JobEnding]? {
        let (endings, flushed) = state.withLock { state -> ([JobEnding]?, [CheckedContinuation<Void, Never>]) in
            guard state.waiting.isEmpty || (state.isClosing && failures >= JobEndings.lastAttempts) else {
                defer { state.waiting = [] }
                return (state.waiting, [])
            }
            state.isWriting = false
            state.isClosing = false
            defer { state.flushed = [] }
            return (nil, state.flushed)
        }
        for continuation in flushed { continuation.resume() }
        return endings
    }
}

extension JobStore {
    func end(_ ending: JobEnding, in transaction: any WriteTransaction) throws {
        switch ending.kind {
        case .delete: _ = try Self.delete(ending.job, in: transaction)
        case .back(let pause, let attempts):
            try putBack(ending.job, after: pause, attempts: attempts, in: transaction)
        case .giveUp(let failure): try giveUp(ending.job, failure, in: transaction)
        }
    }
}
