/// Everything that processes share besides the database. There are two: `InProcessEngine`, for one process, and
/// `RedisEngine`; one suite of tests holds for both.
///
/// Nothing here waits on a thread of Swift's shared pool. Each function either did what it says, or throws and may have done
/// it (when the answer was lost); all of them can be called again.
public protocol CacheEngine: LimitStore, LockStore, ValueStore, CounterStore, NewsStore {}

/// Counts that expire as a whole.
public protocol CounterStore: Sendable {
    /// Adds, and returns the sum. The first addition begins the lifetime, after which the count is zero again.
    func add(_ amount: Int64, to key: CacheKey, for lifetime: Duration) async throws(CacheError) -> Int64
    /// Zero where nothing was counted.
    func count(of key: CacheKey) async throws(CacheError) -> Int64
}

enum Bounds {
    /// The longest value that is kept, in bytes.
    static let longestValue = 1 << 20
    /// The longest lifetime.
    static let longestLifetime = Duration.seconds(31 * 86_400)

    /// Whole milliseconds, at least one.
    static func milliseconds(_ lifetime: Duration) throws(CacheError) -> Int64 {
        guard lifetime > .zero, lifetime <= longestLifetime else {
            throw CacheError(.invalid, "a lifetime is longer than nothing and at most 31 days")
        }
        let (seconds, attoseconds) = lifetime.components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
