import Synchronization

/// A value that is set once and awaited by any number of tasks.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case open([UnsafeContinuation<Value, Never>])
        case set(Value)
    }

    private let state = Mutex(State.open([]))

    /// False when it was set before.
    @discardableResult
    func resolve(_ value: Value) -> Bool {
        let waiting = state.withLock { state -> [UnsafeContinuation<Value, Never>]? in
            guard case .open(let waiting) = state else { return nil }
            state = .set(value)
            return waiting
        }
        guard let waiting else { return false }
        for continuation in waiting { continuation.resume(returning: value) }
        return true
    }

    var isSet: Bool {
        state.withLock { state in
            if case .set = state { return true }
            return false
        }
    }

    func value() async -> Value {
        await withUnsafeContinuation { continuation in
            let value = state.withLock { state -> Value? in
                switch state {
                case .set(let value): return value
                case .open(var waiting):
                    waiting.append(continuation)
                    state = .open(waiting)
                    return nil
                }
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
