import Synchronization
import TandemCore

/// Rate limits of all processes together, and while the shared store is away of each for itself, divided by their number.
///
/// What this process knows to be taken is not forgotten by the shared store's losing its memory, nor what was taken while it
/// was away: the first charge afterwards says so.
final class SharedLimits: RateLimiting {
    private struct State {
        /// What the shared store said, as it said it.
        var mirror: LimitTable
        /// What was taken while it was away, by the divided limits.
        var local: LimitTable
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
        state = Mutex(State(mirror: LimitTable(capacity: buckets), local: LimitTable(capacity: buckets)))
    }

    /// The shared store is back.
    func resume() { epoch.wrappingAdd(1, ordering: .relaxed) }

    func take(_ charges: [LimitCharge]) async -> LimitVerdict {
        guard !charges.isEmpty else { return LimitVerdict([]) }
        let parts = max(peers(), 2)
        let current = epoch.load(ordering: .relaxed)
        let now = InProcessEngine.now
        let asked = state.withLock { state in
            charges.map { charge in
                var charge = charge
                let limit = charge.limit
                if let used = state.mirror.used(limit, charge.key, now: now), used.epoch != current {
                    charge.debt = (used.micros + limit.interval - 1) / limit.interval
                }
                let divided = limit.divided(by: parts)
                if let used = state.local.used(divided, charge.key, now: now) {
                    charge.debt = max(charge.debt, (used.micros + divided.interval - 1) / divided.interval)
                }
                charge.debt = min(charge.debt, Int64(limit.quota))
                return charge
            }
        }
        do throws(CacheError) {
            let decisions = try await shared.take(asked)
            let now = InProcessEngine.now
            let isTaken = decisions.allSatisfy(\.hasRoom)
            state.withLock { state in
                for (charge, decision) in zip(asked, decisions) {
                    // What was not taken did not tell the store of the debt either.
                    guard isTaken || charge.debt == 0 else { continue }
                    if charge.debt > 0 { state.local.forget(charge.limit, charge.key) }
                    state.mirror.note(
                        charge.limit, charge.key, used: decision.usedMicros, epoch: current, now: now)
                }
            }
            return LimitVerdict(decisions)
        } catch {
            metrics.fallbacks.with("limit").increment()
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
                divided.debt = 0
                if state.local.used(divided.limit, charge.key, now: now) == nil,
                    let used = state.mirror.used(charge.limit, charge.key, now: now)
                {
                    let units = (used.micros + charge.limit.interval - 1) / charge.limit.interval
                    let (micros, overflow) = units.multipliedReportingOverflow(by: divided.limit.interval)
                    state.local.note(divided.limit, charge.key, used: overflow ? .max : micros, now: now)
                    state.mirror.forget(charge.limit, charge.key)
                }
                return divided
            }
            return state.local.take(divided, now: now)
        }
    }
}
