import Glibc
import Synchronization
import TandemCore

/// The shared store of a single process: in memory, bounded, gone with it.
///
/// Safe from any thread; nothing waits.
public final class InProcessEngine: CacheEngine {
    public struct Options: Sendable {
        /// Bytes of values.
        public var valueBytes = 32 << 20
        /// Rate limits that are not at rest.
        public var buckets = 200_000
        /// Counters and locks, each.
        public var entries = 100_000

        public init() {}
    }

    private struct Held {
        var owner: String
        var fence: Int64
        var until: Int64
    }

    private struct Count {
        var sum: Int64
        var until: Int64
    }

    private struct State {
        var values: ValueTable
        var locks: [CacheKey: Held] = [:]
        var fence: Int64 = 0
        var counts: [CacheKey: Count] = [:]
        var channels: [String: [Int: @Sendable (News) -> Void]] = [:]
        var nextReceiver = 0
        var nextLockSweep = 1024
        var nextCountSweep = 1024
    }

    private let options: Options
    private let limits: Mutex<LimitTable>
    private let state: Mutex<State>

    public init(options: Options = Options()) {
        self.options = options
        limits = Mutex(LimitTable(capacity: max(options.buckets, 16)))
        state = Mutex(State(values: ValueTable(capacity: options.valueBytes)))
    }

    /// Microseconds that never go back.
    static var now: Int64 { Int64(monotonicNanoseconds() / 1000) }

    /// Bytes of values now.
    public var valueBytes: Int { state.withLock { $0.values.bytes } }

    // MARK: Limits

    public func take(_ charges: [LimitCharge]) async throws(CacheError) -> [LimitDecision] { decide(charges) }

    func decide(_ charges: [LimitCharge]) -> [LimitDecision] {
        limits.withLock { $0.take(charges, now: InProcessEngine.now) }
    }

    // MARK: Locks

    public func acquire(
        _ key: CacheKey, owner: String, for lease: Duration
    ) async throws(CacheError) -> FencedLock? {
        let micros = try Bounds.milliseconds(lease) * 1000
        let end = FencedLock.end(of: lease)
        let now = InProcessEngine.now
        let capacity = options.entries
        let fence: Int64?? = state.withLock { state in
            if var held = state.locks[key], held.until > now {
                guard held.owner == owner else { return .some(nil) }
                held.until = now + micros
                state.locks[key] = held
                return held.fence
            }
            if state.locks.count >= state.nextLockSweep {
                state.locks = state.locks.filter { $0.value.until > now }
                state.nextLockSweep = max(state.locks.count * 2, 1024)
            }
            guard state.locks.count < capacity else { return nil }
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            state.fence = max(state.fence + 1, Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
            state.locks[key] = Held(owner: owner, fence: state.fence, until: now + micros)
            return state.fence
        }
        guard let answer = fence else { throw CacheError(.overloaded, "too many locks are held") }
        return answer.map { FencedLock(key: key, fence: $0, owner: owner, heldUntil: end) }
    }

    public func extend(_ lock: FencedLock, for lease: Duration) async throws(CacheError) -> FencedLock? {
        let micros = try Bounds.milliseconds(lease) * 1000
        let end = FencedLock.end(of: lease)
        let now = InProcessEngine.now
        let isHeld = state.withLock { state in
            guard var held = state.locks[lock.key], held.until > now, held.owner == lock.owner, held.fence == lock.fence
            else { return false }
            held.until = now + micros
            state.locks[lock.key] = held
            return true
        }
        return isHeld ? FencedLock(key: lock.key, fence: lock.fence, owner: lock.owner, heldUntil: end) : nil
    }

    @discardableResult
    public func release(_ lock: FencedLock) async throws(CacheError) -> Bool {
        let now = InProcessEngine.now
        return state.withLock { state in
            guard let held = state.locks[lock.key], held.owner == lock.owner, held.fence == lock.fence else {
                return false
            }
            state.locks[lock.key] = nil
            return held.until > now
        }
    }

    // MARK: Values

    public func values(of keys: [CacheKey]) async throws(CacheError) -> [CachedValue?] {
        let now = InProcessEngine.now
        return state.withLock { state in keys.map { state.values.value(of: $0, now: now) } }
    }

    @discardableResult
    public func set(
        _ key: CacheKey, to bytes: [UInt8]?, for lifetime: Duration
    ) async throws(CacheError) -> ValueVersion {
        let (version, until) = try check(bytes, lifetime)
        state.withLock { $0.values.set(key, to: CachedValue(version: version, bytes: bytes), expiresAt: until) }
        return version
    }

    public func replace(
        _ key: CacheKey, _ expected: ValueVersion?, with bytes: [UInt8]?, for lifetime: Duration
    ) async throws(CacheError) -> ValueVersion? {
        let (version, until) = try check(bytes, lifetime)
        let now = InProcessEngine.now
        return state.withLock { state in
            guard state.values.value(of: key, now: now)?.version == expected else { return nil }
            state.values.set(key, to: CachedValue(version: version, bytes: bytes), expiresAt: until)
            return version
        }
    }

    @discardableResult
    public func remove(_ key: CacheKey) async throws(CacheError) -> Bool {
        let now = InProcessEngine.now
        return state.withLock { $0.values.remove(key, now: now) }
    }

    private func check(
        _ bytes: [UInt8]?, _ lifetime: Duration
    ) throws(CacheError) -> (version: ValueVersion, until: Int64) {
        let until = InProcessEngine.now + (try Bounds.milliseconds(lifetime)) * 1000
        guard bytes?.count ?? 0 <= Bounds.longestValue else {
            throw CacheError(.invalid, "a value has at most 1 MiB")
        }
        return (.random(), until)
    }

    // MARK: Counters

    public func add(
        _ amount: Int64, to key: CacheKey, for lifetime: Duration
    ) async throws(CacheError) -> Int64 {
        let micros = try Bounds.milliseconds(lifetime) * 1000
        let now = InProcessEngine.now
        let capacity = options.entries
        let sum: Int64? = state.withLock { state in
            if let count = state.counts[key], count.until > now {
                let (sum, overflow) = count.sum.addingReportingOverflow(amount)
                guard !overflow else { return nil }
                state.counts[key] = Count(sum: sum, until: count.until)
                return sum
            }
            if state.counts.count >= state.nextCountSweep {
                state.counts = state.counts.filter { $0.value.until > now }
                if state.counts.count >= capacity {
                    // Those that end soonest.
                    let sorted = state.counts.values.map(\.until).sorted()
                    let least = sorted[sorted.count / 8]
                    state.counts = state.counts.filter { $0.value.until > least }
                }
                state.nextCountSweep = min(max(state.counts.count * 2, 1024), max(capacity, 1024))
            }
            state.counts[key] = Count(sum: amount, until: now + micros)
            return amount
        }
        guard let sum else { throw CacheError(.refused, "the count would overflow") }
        return sum
    }

    public func count(of key: CacheKey) async throws(CacheError) -> Int64 {
        let now = InProcessEngine.now
        return state.withLock { state in
            guard let count = state.counts[key], count.until > now else { return 0 }
            return count.sum
        }
    }

    // MARK: News

    public func publish(_ messages: [[UInt8]], on channel: String) async throws(CacheError) {
        let receivers = state.withLock { $0.channels[channel].map { Array($0.values) } ?? [] }
        for receiver in receivers {
            for message in messages { receiver(.message(message)) }
        }
    }

    public func subscribe(
        to channel: String, _ receiver: @escaping @Sendable (News) -> Void
    ) -> NewsSubscription {
        let number = state.withLock { state in
            state.nextReceiver += 1
            state.channels[channel, default: [:]][state.nextReceiver] = receiver
            return state.nextReceiver
        }
        receiver(.gap)
        return NewsSubscription { [weak self] in
            self?.state.withLock { state in
                state.channels[channel]?[number] = nil
                if state.channels[channel]?.isEmpty == true { state.channels[channel] = nil }
            }
        }
    }
}
