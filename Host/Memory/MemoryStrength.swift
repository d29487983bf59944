public import TandemCore

/// How much a memory counts by itself: what it is about, how long ago it was said or used, how often it was used.
///
/// `strength = importance / 10 x decay x use`, at most 1. `decay` halves every 30 days at importance 5, slower for what
/// matters more, and never falls below 0.3; evergreen kinds do not decay. `use` grows from 1 to 1.3 with the number of times
/// that the memory was part of an answer. Old memories are so found later, not lost.
public enum MemoryStrength {
    /// Decay stops here.
    public static let floor = 0.3
    /// Days in which a memory of importance 5 loses half.
    public static let halfLife = 30.0

    public static func decay(importance: Int, isEvergreen: Bool, days: Double) -> Double {
        guard !isEvergreen, days > 0 else { return 1 }
        let life = halfLife * Double(max(importance, 1)) / 5
        return max(floor, exponential(-days / life * logarithm(2)))
    }

    public static func use(_ count: Int) -> Double {
        1 + min(0.3, 0.1 * logarithm(1 + Double(max(count, 0))) / logarithm(2))
    }

    public static func strength(of memory: Memory, at now: Timestamp) -> Double {
        let last = max(memory.modifiedAt, memory.lastAccessed ?? memory.modifiedAt)
        let days = Double(now.millisecondsSinceEpoch - last.millisecondsSinceEpoch) / 86_400_000
        let isEvergreen = StatementKind(rawValue: memory.type)?.isEvergreen ?? false
        let decay = decay(importance: memory.importance, isEvergreen: isEvergreen, days: days)
        return min(1, Double(memory.importance) / 10 * decay * use(memory.accessCount))
    }
}
