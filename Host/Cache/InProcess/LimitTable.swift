/// Token buckets of one process, by the generic cell rate algorithm.
struct LimitTable {
    private struct Key: Hashable {
        var name: String
        var key: CacheKey
    }

    private struct Bucket {
        /// The instant, in microseconds, at which it is full again.
        var full: Int64
        var epoch: Int
    }

    private var buckets: [Key: Bucket] = [:]
    private let capacity: Int
    private var nextSweep: Int

    init(capacity: Int) {
        self.capacity = capacity
        nextSweep = min(1024, capacity)
    }

    /// How many buckets are not known to be full.
    var count: Int { buckets.count }

    mutating func take(_ charges: [LimitCharge], now: Int64) -> [LimitDecision] {
        var hasRoom = true
        var run: [(key: Key, before: Int64, after: Int64)] = []
        run.reserveCapacity(charges.count)
        for charge in charges {
            let key = Key(name: charge.limit.name, key: charge.key)
            let span = charge.limit.span
            let known = min(charge.known, Int64(charge.limit.quota)) * charge.limit.interval
            let debt = min(charge.debt, Int64(charge.limit.quota)) * charge.limit.interval
            // A key that is charged twice is charged in turn.
            var instant = run.last { $0.key == key }?.after ?? buckets[key]?.full ?? now
            instant = min(min(max(instant, now + min(known, span)), now + span) + min(debt, span), now + span)
            let cost = charge.limit.interval.multipliedReportingOverflow(by: Int64(charge.cost))
            let after = cost.overflow ? (charge.cost > 0 ? Int64.max : now) : max(instant + cost.partialValue, now)
            if charge.cost > 0, after > now + span { hasRoom = false }
            run.append((key, instant, after))
        }
        for (charge, entry) in zip(charges, run) {
            if hasRoom {
                set(entry.key, to: Bucket(full: entry.after, epoch: 0), now: now)
            } else if charge.debt > 0 || charge.known > 0 {
                set(entry.key, to: Bucket(full: entry.before, epoch: 0), now: now)
            }
        }
        return zip(charges, run).map { charge, entry in
            let span = charge.limit.span
            let fits = charge.cost <= 0 || entry.after <= now + span
            let wait = fits ? 0 : charge.cost > charge.limit.quota ? -1 : entry.after - now - span
            return LimitDecision(
                limit: charge.limit, hasRoom: fits, used: (hasRoom ? entry.after : entry.before) - now, wait: wait)
        }
    }

    /// Notes what another store decided: so many microseconds until the bucket is full.
    ///
    /// - Parameter epoch: of that store; see `used`.
    mutating func note(_ limit: RateLimit, _ key: CacheKey, used: Int64, epoch: Int = 0, now: Int64) {
        set(
            Key(name: limit.name, key: key), to: Bucket(full: now + min(max(used, 0), limit.span), epoch: epoch),
            now: now)
    }

    /// Microseconds until the bucket is full, and the epoch noted with it; nil when it is full.
    func used(_ limit: RateLimit, _ key: CacheKey, now: Int64) -> (micros: Int64, epoch: Int)? {
        guard let bucket = buckets[Key(name: limit.name, key: key)], bucket.full > now else { return nil }
        return (bucket.full - now, bucket.epoch)
    }

    mutating func forget(_ limit: RateLimit, _ key: CacheKey) { buckets[Key(name: limit.name, key: key)] = nil }

    private mutating func set(_ key: Key, to bucket: Bucket, now: Int64) {
        guard bucket.full > now else {
            buckets[key] = nil
            return
        }
        buckets[key] = bucket
        if buckets.count >= nextSweep { sweep(now: now) }
    }

    private mutating func sweep(now: Int64) {
        buckets = buckets.filter { $0.value.full > now }
        if buckets.count >= capacity {
            // Those that are nearest to being full lose least by being forgotten.
            let sorted = buckets.values.map(\.full).sorted()
            let least = sorted[sorted.count / 8]
            buckets = buckets.filter { $0.value.full > least }
        }
        nextSweep = min(max(buckets.count * 2, 1024), capacity)
    }
}
