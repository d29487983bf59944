/// How often something may happen: a quota at once, which refills steadily (a token bucket).
///
/// Counted by the generic cell rate algorithm (ITU-T I.371): one instant per key, and no timer.
public struct RateLimit: Sendable, Hashable {
    /// What the limit is called in answers: a word of the program.
    public let name: String
    /// Units that may be taken at once after a pause.
    public let quota: Int
    /// Microseconds in which one unit comes back.
    public let interval: Int64

    /// `count` units in each `period`.
    ///
    /// - Parameter burst: Units at once; as many as `count` unless given. Counts and bursts below one are taken as one,
    ///   more than a million units a second as that many.
    public init(_ name: String, _ count: Int, per period: Duration, burst: Int? = nil) {
        self.name = name
        quota = min(max(burst ?? count, 1), 1_000_000_000)
        let (seconds, attoseconds) = period.components
        let micros = Double(seconds) * 1e6 + Double(attoseconds) / 1e12
        interval = min(max(Int64((micros / Double(max(count, 1))).rounded()), 1), 31 * 86_400_000_000)
    }

    private init(name: String, quota: Int, interval: Int64) {
        self.name = name
        self.quota = quota
        self.interval = interval
    }

    /// The same for one of so many processes that cannot ask each other: all of them together stay within the limit,
    /// except that each may take one unit at a time.
    public func divided(by parts: Int) -> RateLimit {
        let parts = max(parts, 1)
        let (product, overflow) = interval.multipliedReportingOverflow(by: Int64(parts))
        return RateLimit(name: name, quota: max(quota / parts, 1), interval: overflow ? interval : product)
    }

    /// Microseconds in which an empty bucket is full again; bounded so that sums of it and a clock's value stay exact in
    /// a double.
    var span: Int64 {
        let (product, overflow) = interval.multipliedReportingOverflow(by: Int64(quota))
        return overflow ? RateLimit.longestSpan : min(product, RateLimit.longestSpan)
    }

    private static let longestSpan: Int64 = 2_000_000_000_000_000
}

/// So many units of a limit, for one key.
public struct LimitCharge: Sendable, Hashable {
    public var limit: RateLimit
    public var key: CacheKey
    /// Zero looks without taking; less gives back.
    public var cost: Int
    /// Units that the store knew to be taken, if it remembers.
    var known: Int64 = 0
    /// Units that it does not know of, taken while it was away: they count besides, whether or not there is room.
    var debt: Int64 = 0

    public init(_ limit: RateLimit, _ key: CacheKey, cost: Int = 1) {
        self.limit = limit
        self.key = key
        self.cost = min(max(cost, -1_000_000_000), 1_000_000_000)
    }
}

/// What became of a charge.
public struct LimitDecision: Sendable, Hashable {
    public let limit: RateLimit
    /// Whether this limit has room for the charge; it was taken only when all of those asked together have.
    public let hasRoom: Bool
    /// Units left now.
    public let remaining: Int
    /// After so long the quota is whole again.
    public let reset: Duration
    /// After so long there is room for the charge, if nobody else takes it; zero when there is, nil when it is more than the
    /// quota.
    public let retryAfter: Duration?

    /// Of the span, what is taken.
    var usedMicros: Int64 {
        let (seconds, attoseconds) = reset.components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }

    public init(limit: RateLimit, hasRoom: Bool, remaining: Int, reset: Duration, retryAfter: Duration?) {
        self.limit = limit
        self.hasRoom = hasRoom
        self.remaining = remaining
        self.reset = reset
        self.retryAfter = retryAfter
    }

    /// - Parameters:
    ///   - used: microseconds of the span that are taken.
    ///   - wait: microseconds; negative for never.
    init(limit: RateLimit, hasRoom: Bool, used: Int64, wait: Int64) {
        self.limit = limit
        self.hasRoom = hasRoom
        remaining = Int(max(limit.span - used, 0) / limit.interval)
        reset = .microseconds(max(used, 0))
        retryAfter = wait < 0 ? nil : .microseconds(wait)
    }
}

/// What became of charges that were asked for together.
public struct LimitVerdict: Sendable, Hashable {
    /// In the order of the charges.
    public let decisions: [LimitDecision]
    /// The shared store was away: each process counted for itself, more strictly.
    public let isDegraded: Bool

    public init(_ decisions: [LimitDecision], isDegraded: Bool = false) {
        self.decisions = decisions
        self.isDegraded = isDegraded
    }

    /// All had room, and all was taken; else nothing was.
    public var isAllowed: Bool { decisions.allSatisfy(\.hasRoom) }

    /// When it could be allowed; nil when it is, or never could be.
    public var retryAfter: Duration? {
        if isAllowed { return nil }
        var longest = Duration.zero
        for decision in decisions where !decision.hasRoom {
            guard let wait = decision.retryAfter else { return nil }
            longest = max(longest, wait)
        }
        return longest
    }
}

/// Answers whether something may happen now. Never fails and never opens: without the shared store it is stricter.
public protocol RateLimiting: Sendable {
    /// Takes from all of these limits or from none.
    func take(_ charges: [LimitCharge]) async -> LimitVerdict
}

extension RateLimiting {
    public func take(_ limit: RateLimit, _ key: CacheKey, cost: Int = 1) async -> LimitVerdict {
        await take([LimitCharge(limit, key, cost: cost)])
    }
}

/// The counting itself, by the store's clock.
public protocol LimitStore: Sendable {
    /// Takes from all of these limits or from none, in one step; a decision for each.
    func take(_ charges: [LimitCharge]) async throws(CacheError) -> [LimitDecision]
}
