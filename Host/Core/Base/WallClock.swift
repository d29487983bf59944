import Glibc
import Synchronization

/// Where the current time comes from; injected so that a test, a replay or `tandem plan` can set it.
public protocol WallClock: Sendable {
    var now: Timestamp { get }
}

/// The machine's real-time clock (`clock_gettime(CLOCK_REALTIME)`).
public struct SystemClock: WallClock {
    public init() {}

    public var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// A clock that stands still until it is moved. Safe from any thread.
public final class ManualClock: WallClock {
    private let time: Mutex<Timestamp>

    public init(_ start: Timestamp) { time = Mutex(start) }

    public var now: Timestamp { time.withLock { $0 } }

    public func set(_ timestamp: Timestamp) { time.withLock { $0 = timestamp } }

    public func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
}

/// Nanoseconds of `CLOCK_MONOTONIC`: the time base of call deadlines, the same in every process of a machine.
public func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Nanoseconds of processor time that the calling thread has used (`CLOCK_THREAD_CPUTIME_ID`); a system call.
public func threadNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
