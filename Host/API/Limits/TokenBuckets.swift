import Synchronization
public import TandemCore

/// Token buckets in memory. Safe from any thread.
public final class TokenBuckets: RateLimiter {
    private struct Bucket {
        var tokens: Double
        var at: UInt64
    }

    /// Addresses can be anybody's: of a full shard the full buckets go, and after these all.
    private static let mostPerShard = 8192
    private let shards: [Shard]
    private let clock: @Sendable () -> UInt64

    private final class Shard: Sendable {
        let buckets = Mutex<[RateKey: Bucket]>([:])
    }

    /// - Parameter clock: Nanoseconds that never go back.
    public init(clock: @escaping @Sendable () -> UInt64 = monotonicNanoseconds) {
        shards = (0..<16).map { _ in Shard() }
        self.clock = clock
    }

    public func take(_ key: RateKey, perSecond: Double, burst: Double) async -> RateDecision {
        take(now: clock(), key, perSecond: perSecond, burst: burst)
    }

    func take(now: UInt64, _ key: RateKey, perSecond: Double, burst: Double) -> RateDecision {
        shards[(key.hashValue & Int.max) % shards.count].buckets.withLock { buckets in
            var bucket = buckets[key] ?? Bucket(tokens: burst, at: now)
            if now > bucket.at {
                bucket.tokens = min(burst, bucket.tokens + Double(now - bucket.at) / 1e9 * perSecond)
                bucket.at = now
            }
            let isAllowed = bucket.tokens >= 1
            if isAllowed { bucket.tokens -= 1 }
            if buckets[key] == nil, buckets.count >= TokenBuckets.mostPerShard {
                buckets = buckets.filter { now < $0.value.at + 60_000_000_000 }
                if buckets.count >= TokenBuckets.mostPerShard { buckets.removeAll(keepingCapacity: true) }
            }
            buckets[key] = bucket
            let missing = max(0, 1 - bucket.tokens)
            return RateDecision(
                isAllowed: isAllowed, remaining: Int(bucket.tokens),
                wait: missing == 0 ? 0 : max(1, Int((missing / perSecond).rounded(.up))))
        }
    }
}
