import TandemCore

/// How much a lock is relied on.
public enum LockNeed: Sendable, Hashable {
    /// What is done under it checks the fence, or may be done twice without harm. Without the usual store another one gives
    /// the lock.
    case fenced
    /// Nobody checks: it comes from the store that never forgets, which is the database, whether it is slower or not; and is
    /// refused while that is away.
    case exclusive
}

/// Locks among all processes.
public protocol Locking: Sendable {
    /// Takes the lock for so long; nil while somebody else has it. Throws when no store that will do is there.
    func acquire(_ key: CacheKey, for lease: Duration, need: LockNeed) async throws(CacheError) -> FencedLock?
    /// The lock with a new lease from now; nil when it has been lost.
    func extend(_ lock: FencedLock, for lease: Duration) async throws(CacheError) -> FencedLock?
    /// Gives it back. When that fails it ends with its lease.
    func release(_ lock: FencedLock) async
}

extension Locking {
    /// Runs `body` under the lock, waiting for it at most so long; nil when it was not to be had.
    ///
    /// The lease is extended while `body` runs, each time a third of it is over; a body that goes on after the lock was lost has to
    /// check the fence. Throws what `body` throws, and `CacheError`.
    public func withLock<Result: Sendable>(
        _ key: CacheKey, for lease: Duration, need: LockNeed = .fenced, waiting patience: Duration = .zero,
        _ body: @Sendable (FencedLock) async throws -> Result
    ) async throws -> Result? {
        let end = FencedLock.end(of: patience)
        var pause = Duration.milliseconds(10)
        while true {
            if let lock = try await acquire(key, for: lease, need: need) {
                return try await hold(lock, lease, body)
            }
            guard monotonicNanoseconds() < end else { return nil }
            try await Task.sleep(for: pause * Double.random(in: 0.5...1))
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    private func hold<Result: Sendable>(
        _ lock: FencedLock, _ lease: Duration, _ body: @Sendable (FencedLock) async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                var current = lock
                while current.isHeld {
                    try? await Task.sleep(for: lease * (1.0 / 3))
                    if Task.isCancelled { break }
                    // Lost, or nobody to ask: the fence guards what is left to do.
                    if let extended = try? await self.extend(current, for: lease) { current = extended }
                }
                return nil
            }
            do {
                let result = try await body(lock)
                group.cancelAll()
                await release(lock)
                return result
            } catch {
                group.cancelAll()
                await release(lock)
                throw error
            }
        }
    }
}

/// Locks of one store, and of another where that will not do.
final class SharedLocks: Locking {
    private let usual: any LockStore
    /// Never forgets: the database.
    private let durable: (any LockStore)?
    private let metrics: CacheMetrics

    init(usual: any LockStore, durable: (any LockStore)?, metrics: CacheMetrics) {
        self.usual = usual
        self.durable = durable
        self.metrics = metrics
    }

    func acquire(_ key: CacheKey, for lease: Duration, need: LockNeed) async throws(CacheError) -> FencedLock? {
        let owner = FencedLock.makeOwner()
        if need == .exclusive, let durable {
            return mark(try await durable.acquire(key, owner: owner, for: lease))
        }
        do throws(CacheError) {
            return try await usual.acquire(key, owner: owner, for: lease)
        } catch {
            guard error.code == .unavailable || error.code == .overloaded, let durable else { throw error }
            metrics.fallbacks.with("lock").increment()
            return mark(try await durable.acquire(key, owner: owner, for: lease))
        }
    }

    private func mark(_ lock: FencedLock?) -> FencedLock? {
        var lock = lock
        lock?.isFallback = true
        return lock
    }

    func extend(_ lock: FencedLock, for lease: Duration) async throws(CacheError) -> FencedLock? {
        guard lock.isFallback, let durable else { return try await usual.extend(lock, for: lease) }
        return mark(try await durable.extend(lock, for: lease))
    }

    func release(_ lock: FencedLock) async {
        if lock.isFallback, let durable {
            _ = try? await durable.release(lock)
        } else {
            _ = try? await usual.release(lock)
        }
    }
}
