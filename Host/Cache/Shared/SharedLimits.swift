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

        /// What is being handed over: by one charge at a time, and counted here until it has arrived.
        var handing: Set<Bucket> = []

        /// What the store does not know of, in units, to be handed over.
        mutating func claim(_ bucket: Bucket, now: Int64) -> (units: Int64, claim: Claim?) {
            let (limit, key) = (bucket.limit, bucket.key)
            guard let used = local.used(limit, key, now: now)?.micros, handing.insert(bucket).inserted else {
                return (0, nil)
            }
            let known = share.used(limit, key, now: now)?.micros ?? 0
            return ((max(used - known, 0) + limit.interval - 1) / limit.interval, Claim(bucket: bucket, used: used))
        }

        /// It arrived: what was taken here since then stays.
        mutating func settle(_ claim: Claim, now: Int64) {
            let bucket = claim.bucket
            handing.remove(bucket)
            share.forget(bucket.limit, bucket.key)
            let left = (local.used(bucket.limit, bucket.key, now: now)?.micros ?? 0) - claim.used
            local.forget(bucket.limit, bucket.key)
            if left > 0 { local.note(bucket.limit, bucket.key, used: left, now: now) }
        }

        /// It did not arrive.
        mutating func keep(_ claim: Claim) { handing.remove(claim.bucket) }
    }

    private struct Bucket: Hashable {
        var limit: RateLimit
        var key: CacheKey
    }

    private struct Claim {
        var bucket: Bucket
        var used: Int64
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

    /// The shared store went away or came back: it may know nothing any more.
    func loseTrust() { epoch.wrappingAdd(1, ordering: .relaxed) }

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
                let (units, claim) = state.claim(
                    Bucket(limit: limit.divided(by: parts), key: charge.key), now: now)
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
                for claim in claims { state.settle(claim, now: now) }
            }
            return LimitVerdict(decisions)
        } catch {
            metrics.fallbacks.with("limit").increment()
            state.withLock { state in
                for claim in claims { state.keep(claim) }
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
