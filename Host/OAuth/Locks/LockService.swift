/// Locks across the processes of an installation, with leases and fencing tokens.
///
/// A holder that stalls beyond its lease loses the lock without noticing; what it then writes is refused by its fence:
/// whoever stores something under a lock compares fences in the same transaction. Kept in the database here; a cache
/// server may take it over as long as its fences grow.
public protocol LockService: Sendable {
    /// Takes the lock; nil while somebody else holds it. Never waits for them.
    func acquire(_ name: String, lease: Duration) async throws -> HeldLock?

    /// Lengthens the lease from now on; false: the lock was lost.
    func extend(_ lock: HeldLock, lease: Duration) async throws -> Bool

    /// Gives it back; nothing happens when it was lost.
    func release(_ lock: HeldLock) async
}

/// A lock that is held until its lease ends.
public struct HeldLock: Sendable, Hashable {
    public var name: String
    /// Greater than that of every earlier holder.
    public var fence: Int64
    /// Told apart from the others that hold locks.
    public var owner: String

    public init(name: String, fence: Int64, owner: String) {
        self.name = name
        self.fence = fence
        self.owner = owner
    }
}
