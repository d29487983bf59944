import Synchronization

/// Work that several callers want at the same time and that is done once for all of them.
///
/// The work goes on when callers give up, since others, and the service, count on its end.
final class SharedFlights<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var waiting: [Key: [UInt64: CheckedContinuation<Value?, Never>]] = [:]
        var cancelled: Set<UInt64> = []
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    /// The result of the work under way for this key, or of `work`, started now; nil when the caller was cancelled.
    func join(_ key: Key, _ work: @escaping @Sendable () async -> Value) async -> Value? {
        let id = state.withLock { state in
            state.last += 1
            return state.last
        }
        let value = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
                let (isCancelled, isFirst) = state.withLock { state in
                    if state.cancelled.contains(id) { return (true, false) }
                    let isFirst = state.waiting[key] == nil
                    state.waiting[key, default: [:]][id] = continuation
                    return (false, isFirst)
                }
                if isCancelled { continuation.resume(returning: nil) }
                if isFirst { start(key, work) }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                state.cancelled.insert(id)
                return state.waiting[key]?.removeValue(forKey: id)
            }
            waiting?.resume(returning: nil)
        }
        state.withLock { _ = $0.cancelled.remove(id) }
        return value
    }

    /// Does the work unless it is under way, without waiting for it.
    func begin(_ key: Key, _ work: @escaping @Sendable () async -> Value) {
        let isFirst = state.withLock { state in
            guard state.waiting[key] == nil else { return false }
            state.waiting[key] = [:]
            return true
        }
        if isFirst { start(key, work) }
    }

    private func start(_ key: Key, _ work: @escaping @Sendable () async -> Value) {
        Task { [self] in
            let value = await work()
            let waiting = state.withLock { $0.waiting.removeValue(forKey: key) } ?? [:]
            for continuation in waiting.values { continuation.resume(returning: value) }
        }
    }
}
