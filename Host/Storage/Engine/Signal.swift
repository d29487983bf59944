import Glibc
import TandemCore

/// A mutex with a condition on the monotonic clock, for threads that block.
package final class Signal: @unchecked Sendable {
    // The pthread objects live at fixed addresses from init to deinit and are made for use by many threads.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    package func withLock<T>(_ body: () throws -> T) rethrows -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Waits for a wake-up, within `withLock` only.
    package func wait() { pthread_cond_wait(condition, mutex) }

    /// Waits until a wake-up or an instant of the monotonic clock, within `withLock` only; false: the time is over.
    func wait(untilNanoseconds deadline: UInt64) -> Bool {
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        return pthread_cond_timedwait(condition, mutex, &time) == 0
    }

    package func wakeOne() { pthread_cond_signal(condition) }

    package func wakeAll() { pthread_cond_broadcast(condition) }
}

/// A detached thread that runs one closure.
package enum WorkerThread {
    /// Throws `internal` when the system gives no thread.
    package static func run(named name: String, _ body: @escaping @Sendable () -> Void) throws {
        guard HostThread.start(named: name, body) else {
            throw StorageError(.internalFailure, "the system gave no thread", operation: name)
        }
    }
}
