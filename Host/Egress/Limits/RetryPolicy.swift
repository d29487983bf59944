import TandemCore

/// When and after how long something is tried again: exponential backoff with full jitter
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
public struct RetryPolicy: Sendable, Hashable {
    /// The first one included.
    public var maxAttempts = 3
    public var baseDelay = Duration.milliseconds(200)
    public var maxDelay = Duration.seconds(10)

    public init() {}

    /// Statuses that may be gone next time. 529 is Notion's "overloaded".
    static let retryableStatuses: Set<Int> = [408, 429, 500, 502, 503, 504, 529]

    /// Nanoseconds before attempt `attempt` + 1, the first being 1.
    ///
    /// - Parameters:
    ///   - random: 0 up to but not including 1.
    ///   - retryAfter: what the service asked for, in nanoseconds: never less than that.
    func delay(after attempt: Int, random: Double, retryAfter: UInt64?) -> UInt64 {
        let base = Double(max(baseDelay.milliseconds, 0)) * 1e6
        let ceiling = min(Double(max(maxDelay.milliseconds, 0)) * 1e6, base * Double(1 << UInt64(min(attempt - 1, 20))))
        let jittered = UInt64(max(0, min(random, 1)) * ceiling)
        return max(jittered, retryAfter ?? 0)
    }
}
