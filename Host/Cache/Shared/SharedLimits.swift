import Synchronization
import TandemCore

/// Rate limits of all processes together, and while the shared store is away of each for itself, divided by their number.
///
/// What this process knows to be taken is not forgotten by the shared store's losing its memory, nor what was taken while it
/// was away, by each of the processes: the first charge afterwards says so.
final class SharedLimits: RateLimiting {
    private struct State {
        /// What the shared store said, as it said it.
        var mirror: LimitTable
        /// What counts while it is away, by the divided limits: this process' share of what was known, and what it takes.
        var local: LimitTable
        /// Of `local`, the share of what was known.
        var share: LimitTable

        /// What the store does not know of, in units; it is handed over, and here no more.
        mutating func claim(_ divided: RateLimit, _ key: CacheKey, now: Int64) -> (units: Int64, claim: Claim?) {
            guard let used = local.used(divided, key, now: now)?.micros else { return (0, nil) }
            let known = share.used(divided, key, now: now)?.micros ?? 0
            local.forget(divided, key)
            share.forget(divided, key)
            let units = (max(used - known, 0) + divided.interval - 1) / divided.interval
            return (units, Claim(limit: divided, key: key, used: used, share: known))
        }

        /// It did not arrive.
        mutating func restore(_ claim: Claim, now: Int64) {
            let other = local.used(claim.limit, claim.key, now: now)?.micros ?? 0
            local.note(claim.limit, claim.key, used: max(claim.used, other), now: now)
            share.note(claim.limit, claim.key, used: claim.share, now: now)
        }
    }

    private struct Claim {
        var limit: RateLimit
        var key: CacheKey
        var used: Int64
        var share: Int64
    }

    private let shared: any LimitStore
    private let state: Mutex<State>
    /// Raised whenever the shared store may have lost its memory.
    private let epoch = Atomic<Int>(0)
    private let peers: @Sendable () -> Int
    private let metrics: CacheMetrics

    init(shared: any LimitStore, buckets: Int, metrics: CacheMetrics, peers: @escaping @Sendable () -> Int) {
        self.shared = shared
        self.peers = peers
        self.metrics = metrics
        state = Mutex(
            State(
                mirror: LimitTable(capacity: buckets), local: LimitTable(capacity: buckets),
                share: LimitTable(capacity: buckets)))
    }

    /// The shared store is back.
    func resume() { epoch.wrappingAdd(1, ordering: .relaxed) }

    func take(_ charges: [LimitCharge]) async -> LimitVerdict {
        guard !charges.isEmpty else { return LimitVerdict([]) }
        let parts = max(peers(), 2)
        let current = epoch.load(ordering: .relaxed)
        let now = InProcessEngine.now
        let (asked, claims) = state.withLock { state in
            var claims: [Claim] = []
            let asked = charges.map { charge in
                var charge = charge
                let limit = charge.limit
                if let used = state.mirror.used(limit, charge.key, now: now), used.epoch != current {
                    charge.known = min((used.micros + limit.interval - 1) / limit.interval, Int64(limit.quota))
                }
                let (units, claim) = state.claim(limit.divided(by: parts), charge.key, now: now)
                if let claim { claims.append(claim) }
                charge.debt = min(units, Int64(limit.quota))
                return charge
            }
            return (asked, claims)
        }
        do throws(CacheError) {
            let decisions = try await shared.take(asked)
            let now = InProcessEngine.now
            state.withLock { state in
                for (charge, decision) in zip(asked, decisions) {
                    state.mirror.note(charge.limit, charge.key, used: decision.usedMicros, epoch: current, now: now)
                }
            }
            return LimitVerdict(decisions)
        } catch {
            metrics.fallbacks.with("limit").increment()
            let now = InProcessEngine.now
            state.withLock { state in
                for claim in claims { state.restore(claim, now: now) }
            }
            return LimitVerdict(takeAlone(charges, parts), isDegraded: true)
        }
    }

    private func takeAlone(_ charges: [LimitCharge], _ parts: Int) -> [LimitDecision] {
        let now = InProcessEngine.now
        return state.withLock { state in
            let divided = charges.map { charge in
                var divided = charge
                divided.limit = charge.limit.divided(by: parts)
                // A cost that one part of the quota never holds would be refused for ever.
                divided.cost = min(charge.cost, divided.limit.quota)
                if state.local.used(divided.limit, charge.key, now: now) == nil,
                    let used = state.mirror.used(charge.limit, charge.key, now: now)
                {
                    let units = (used.micros + charge.limit.interval - 1) / charge.limit.interval
                    let (micros, overflow) = units.multipliedReportingOverflow(by: divided.limit.interval)
                    for table in [\State.local, \State.share] {
                        state[keyPath: table].note(
                            divided.limit, charge.key, used: overflow ? .max : micros, now: now)
                    }
                }
                return divided
            }
            return state.local.take(divided, now: now)
        }
    }
}
