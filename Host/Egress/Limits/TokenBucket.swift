/// How often something may happen.
public struct Rate: Sendable, Hashable {
    public var perSecond: Double
    /// How many at once after a pause.
    public var burst: Double

    public init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// A token bucket: full at first, refilled steadily. Taking may be ahead of time, which is how callers queue up.
struct TokenBucket: Sendable {
    private(set) var tokens: Double
    private var updated: UInt64

    init(_ rate: Rate, now: UInt64) {
        tokens = rate.burst
        updated = now
    }

    mutating func refill(_ rate: Rate, now: UInt64) {
        if now > updated {
            tokens = min(rate.burst, tokens + Double(now - updated) / 1e9 * rate.perSecond)
        }
        updated = max(updated, now)
    }

    /// Nanoseconds until one could be taken; 0 is now.
    mutating func wait(_ rate: Rate, now: UInt64) -> UInt64 {
        refill(rate, now: now)
        guard tokens < 1 else { return 0 }
        return UInt64(min((1 - tokens) / rate.perSecond, 86_400) * 1e9)
    }

    mutating func take() { tokens -= 1 }
    /// Gives back what was taken and not used.
    mutating func giveBack() { tokens += 1 }

    mutating func isFull(_ rate: Rate, now: UInt64) -> Bool {
        refill(rate, now: now)
        return tokens >= rate.burst
    }
}
