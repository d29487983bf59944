import TandemCore

/// Units of one statement that wait for a connection.
///
/// Few connections serve them, many at once: a round trip and two changes of the running process cost more than such a
/// statement does. When these are held up, others help.
struct SingleQueue {
    /// How many connections serve at once, unless they are held up.
    private static let usual = 2
    /// How many units go at once.
    private static let most = 16
    /// Nanoseconds after which a unit has waited long enough.
    private static let patience: UInt64 = 3_000_000

    private var units: [(unit: PostgreSQLUnit, since: UInt64)] = []
    private var next = 0
    private var serving = 0
    /// Threads that were woken and have not looked yet.
    private var woken = 0
    private var isWatched = false

    var isEmpty: Bool { next == units.count }

    /// Adds a unit; true: an idle thread is to be woken for it.
    mutating func append(_ unit: PostgreSQLUnit, idle: Int) -> Bool {
        units.append((unit, monotonicNanoseconds()))
        return wakes(idle)
    }

    /// Whether an idle thread is to be woken for what waits.
    mutating func wakes(_ idle: Int) -> Bool {
        guard !isEmpty, idle > woken, serving + woken < SingleQueue.usual || !(isWatched || woken > 0) else {
            return false
        }
        woken += 1
        return true
    }

    /// What the calling thread is to serve now; it calls `finished` afterwards.
    ///
    /// - Parameter onlyLate: There is other work, before which only those go that have waited long enough.
    mutating func take(onlyLate: Bool) -> [PostgreSQLUnit] {
        woken = 0
        guard next < units.count,
            !onlyLate && serving < SingleQueue.usual
                || monotonicNanoseconds() >= units[next].since + SingleQueue.patience
        else { return [] }
        serving += 1
        // Two share what there is.
        let waiting = units.count - next
        let count = min(SingleQueue.most, serving < SingleQueue.usual ? (waiting + 1) / 2 : waiting)
        let taken = units[next..<(next + count)].map(\.unit)
        next += count
        if next == units.count {
            units.removeAll(keepingCapacity: units.count < 1024)
            next = 0
        }
        return taken
    }

    /// A thread has served what it took.
    mutating func finished() { serving -= 1 }

    /// Until when the calling thread, which has nothing to do, keeps an eye on those that wait; nil: it need not.
    mutating func watch() -> UInt64? {
        guard next < units.count, !isWatched else { return nil }
        isWatched = true
        return units[next].since + SingleQueue.patience
    }

    mutating func endWatch() { isWatched = false }
}
