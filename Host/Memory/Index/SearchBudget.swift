import Synchronization
import TandemCore

/// Bounds what the search indexes of all people hold together: the one that was not used for longest goes first.
///
/// Safe from any thread.
public final class SearchBudget: Sendable {
    private struct Key: Hashable {
        var index: ObjectIdentifier
        var user: UserID
    }

    private struct Held {
        var bytes: Int
        var usedAt: UInt64
        var drop: @Sendable () -> Void
    }

    private struct State {
        var held: [Key: Held] = [:]
        var bytes = 0
    }

    /// Bytes at most; the index that is being searched stays, however large.
    public let limit: Int
    private let state = Mutex(State())

    public init(limit: Int = 256 << 20) { self.limit = limit }

    /// Bytes held now.
    public var size: Int { state.withLock { $0.bytes } }

    /// The number of indexes held.
    public var count: Int { state.withLock { $0.held.count } }

    /// An index was used, and holds so much now; others may have to go.
    ///
    /// - Parameters:
    ///   - bytes: Nil: as many as before.
    ///   - drop: Lets go of it; called without any lock of the budget held.
    func used(_ index: AnyObject, of user: UserID, bytes: Int?, drop: @escaping @Sendable () -> Void) {
        let key = Key(index: ObjectIdentifier(index), user: user)
        let doomed = state.withLock { state -> [@Sendable () -> Void] in
            let known = state.held[key]?.bytes ?? 0
            let bytes = bytes ?? known
            state.bytes += bytes - known
            state.held[key] = Held(bytes: bytes, usedAt: monotonicNanoseconds(), drop: drop)
            var doomed: [@Sendable () -> Void] = []
            while state.bytes > limit, state.held.count > 1,
                let oldest = state.held.filter({ $0.key != key }).min(by: { $0.value.usedAt < $1.value.usedAt })
            {
                state.bytes -= oldest.value.bytes
                state.held[oldest.key] = nil
                doomed.append(oldest.value.drop)
            }
            return doomed
        }
        for drop in doomed { drop() }
    }

    /// An index was let go of.
    func dropped(_ index: AnyObject, of user: UserID) {
        let key = Key(index: ObjectIdentifier(index), user: user)
        state.withLock { state in
            if let held = state.held.removeValue(forKey: key) { state.bytes -= held.bytes }
        }
    }
}
