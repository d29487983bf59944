/// What a limit is counted by.
public struct RateKey: Sendable, Hashable {
    public enum Holder: Sendable, Hashable {
        case account(Int64)
        /// A network: one IPv4 address, or the /64 of an IPv6 address.
        case network(UInt64)
    }

    public var holder: Holder
    /// The route's id.
    public var route: String

    public init(_ holder: Holder, route: String) {
        self.holder = holder
        self.route = route
    }
}

/// One answer of a limiter.
public struct RateDecision: Sendable, Hashable {
    public var isAllowed: Bool
    /// What is left of the burst.
    public var remaining: Int
    /// Seconds until one more is allowed, at least 1; 0 while something is left.
    public var wait: Int

    public init(isAllowed: Bool, remaining: Int, wait: Int) {
        self.isAllowed = isAllowed
        self.remaining = remaining
        self.wait = wait
    }
}

/// Counts requests. In this process (`TokenBuckets`), or for several together.
///
/// Must answer at once: one that asks another service answers from what it knows when that is away.
public protocol RateLimiter: Sendable {
    /// Takes one request out of a bucket of `burst` that refills by `perSecond`.
    func take(_ key: RateKey, perSecond: Double, burst: Double) async -> RateDecision
}
