import TandemCore

/// The right to be the only one who does something, for a while.
///
/// A holder that was held up may outlive its lease without knowing. What it changes must therefore be guarded by the fence:
/// the resource keeps the highest it has seen, and refuses lower ones
/// (<https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html>).
public struct FencedLock: Sendable, Hashable {
    public let key: CacheKey
    /// Higher than that of every holder before, also when the store lost its memory: it is at least its clock's
    /// microseconds.
    public let fence: Int64
    /// Random; who knows it may extend and release.
    public let owner: String
    /// Until then, by `monotonicNanoseconds`, it is held for sure: counted from before it was asked for.
    public let heldUntil: UInt64
    /// Whether another store than the usual one gave it: see `Locking`.
    public var isFallback = false

    public init(key: CacheKey, fence: Int64, owner: String, heldUntil: UInt64) {
        self.key = key
        self.fence = fence
        self.owner = owner
        self.heldUntil = heldUntil
    }

    public var isHeld: Bool { monotonicNanoseconds() < heldUntil }

    /// The end of a lease that is asked for now.
    public static func end(of lease: Duration) -> UInt64 {
        monotonicNanoseconds() + UInt64(max(lease.milliseconds, 0)) * 1_000_000
    }

    /// A name for an owner that nobody guesses: 128 bits.
    public static func makeOwner() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
    }
}

/// Keeps locks.
public protocol LockStore: Sendable {
    /// Takes the lock for so long; nil while somebody else has it.
    ///
    /// - Parameter owner: From `FencedLock.makeOwner`, a new one for each taking. The same owner again gets the same lock
    ///   with a new lease, so that a call whose answer was lost can be repeated.
    func acquire(
        _ key: CacheKey, owner: String, for lease: Duration
    ) async throws(CacheError) -> FencedLock?

    /// The lock with a new lease from now; nil when it is somebody else's or nobody's by now.
    func extend(_ lock: FencedLock, for lease: Duration) async throws(CacheError) -> FencedLock?

    /// Gives the lock back; false when it was not held any more.
    @discardableResult
    func release(_ lock: FencedLock) async throws(CacheError) -> Bool
}
