/// Values of one process within a bound of memory: what was not asked for longest goes first.
struct ValueTable {
    private struct Entry {
        var key: CacheKey
        var value: CachedValue
        var expiresAt: Int64
        var size: Int
        /// The neighbours in the order of use; -1 at the ends.
        var newer: Int
        var older: Int
    }

    private var slots: [Entry?] = []
    private var free: [Int] = []
    private var index: [CacheKey: Int] = [:]
    private var newest = -1
    private var oldest = -1
    private(set) var bytes = 0
    private let capacity: Int

    /// - Parameter capacity: bytes, with about 200 for each entry's own.
    init(capacity: Int) { self.capacity = capacity }

    var count: Int { index.count }

    mutating func value(of key: CacheKey, now: Int64) -> CachedValue? {
        guard let slot = index[key], let entry = slots[slot] else { return nil }
        guard entry.expiresAt > now else {
            drop(slot)
            return nil
        }
        if newest != slot {
            unlink(slot)
            link(slot)
        }
        return entry.value
    }

    mutating func set(_ key: CacheKey, to value: CachedValue, expiresAt: Int64) {
        if let slot = index[key] { drop(slot) }
        let size = 200 + (value.bytes?.count ?? 0)
        guard size <= capacity else { return }
        while bytes + size > capacity, oldest >= 0 { drop(oldest) }
        let entry = Entry(key: key, value: value, expiresAt: expiresAt, size: size, newer: -1, older: -1)
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            slots[slot] = entry
        } else {
            slot = slots.count
            slots.append(entry)
        }
        index[key] = slot
        bytes += size
        link(slot)
    }

    mutating func remove(_ key: CacheKey, now: Int64) -> Bool {
        guard let slot = index[key], let entry = slots[slot] else { return false }
        drop(slot)
        return entry.expiresAt > now
    }

    private mutating func drop(_ slot: Int) {
        guard let entry = slots[slot] else { return }
        unlink(slot)
        index[entry.key] = nil
        bytes -= entry.size
        slots[slot] = nil
        free.append(slot)
    }

    private mutating func link(_ slot: Int) {
        slots[slot]?.older = newest
        slots[slot]?.newer = -1
        if newest >= 0 { slots[newest]?.newer = slot }
        newest = slot
        if oldest < 0 { oldest = slot }
    }

    private mutating func unlink(_ slot: Int) {
        guard let entry = slots[slot] else { return }
        if entry.newer >= 0 { slots[entry.newer]?.older = entry.older } else { newest = entry.older }
        if entry.older >= 0 { slots[entry.older]?.newer = entry.newer } else { oldest = entry.newer }
    }
}
