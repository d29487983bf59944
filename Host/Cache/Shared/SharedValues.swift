import Synchronization
import TandemCore

/// Values of all processes together. While the shared store is away everything misses and nothing is kept; what was removed
/// meanwhile is removed when it is back, before anything is read.
public final class SharedValues: Sendable {
    private struct State {
        var removals: Set<CacheKey> = []
        /// More than could be remembered: everything has to go.
        var isSpoilt = false
        var isCatchingUp = false
    }

    private static let maxRemovals = 20_000
    private let store: any ValueStore
    private let removeAll: @Sendable () async throws(CacheError) -> Void
    private let state = Mutex(State())
    private let metrics: CacheMetrics

    init(
        store: any ValueStore, metrics: CacheMetrics, removeAll: @escaping @Sendable () async throws(CacheError) -> Void
    ) {
        self.store = store
        self.metrics = metrics
        self.removeAll = removeAll
    }

    /// What is kept; nil when nothing is, or nobody can say.
    public func value(of key: CacheKey) async -> CachedValue? {
        guard !isDoubtful(key) else { return nil }
        do throws(CacheError) {
            let value = try await store.value(of: key)
            metrics.values.with(value == nil ? "miss" : "hit").increment()
            return value
        } catch {
            metrics.values.with("away").increment()
            return nil
        }
    }

    /// Keeps a value, or that there is none. When that fails, nothing is kept.
    public func set(_ key: CacheKey, to bytes: [UInt8]?, for lifetime: Duration) async {
        guard !isDoubtful(key) else { return }
        do throws(CacheError) {
            try await store.set(key, to: bytes, for: lifetime)
        } catch {
            // It may have been kept all the same, or an older value may still be there.
            note(key)
        }
    }

    /// Keeps a value if what is there is still of that version, or still nothing; nil when it is not. Throws where nobody
    /// can say.
    public func replace(
        _ key: CacheKey, _ expected: ValueVersion?, with bytes: [UInt8]?, for lifetime: Duration
    ) async throws(CacheError) -> ValueVersion? {
        guard !isDoubtful(key) else { throw CacheError(.unavailable, "what was removed is not removed yet") }
        return try await store.replace(key, expected, with: bytes, for: lifetime)
    }

    public func remove(_ key: CacheKey) async {
        do throws(CacheError) {
            try await store.remove(key)
        } catch {
            note(key)
        }
    }

    private func isDoubtful(_ key: CacheKey) -> Bool {
        state.withLock { $0.isSpoilt || (!$0.removals.isEmpty && $0.removals.contains(key)) }
    }

    private func note(_ key: CacheKey) {
        metrics.fallbacks.with("value").increment()
        state.withLock { state in
            if state.removals.count < SharedValues.maxRemovals {
                state.removals.insert(key)
            } else {
                state.isSpoilt = true
            }
        }
    }

    /// The store is back: does what could not be done.
    func catchUp() async {
        let mayBegin = state.withLock { state in
            defer { state.isCatchingUp = true }
            return !state.isCatchingUp
        }
        guard mayBegin else { return }
        defer { state.withLock { $0.isCatchingUp = false } }
        while true {
            let (isSpoilt, keys) = state.withLock { ($0.isSpoilt, Array($0.removals.prefix(256))) }
            do throws(CacheError) {
                if isSpoilt {
                    try await removeAll()
                    state.withLock { state in
                        state.isSpoilt = false
                        state.removals.removeAll()
                    }
                } else {
                    guard !keys.isEmpty else { return }
                    for key in keys { try await store.remove(key) }
                    state.withLock { $0.removals.subtract(keys) }
                }
            } catch {
                return
            }
        }
    }
}
