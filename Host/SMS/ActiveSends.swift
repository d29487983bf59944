import Synchronization

/// Counts what is under way and lets one task wait until there is none.
final class ActiveSends: Sendable {
    private struct State {
        var count = 0
        var waiting: UnsafeContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    func begin() { state.withLock { $0.count += 1 } }

    func end() {
        let waiting: UnsafeContinuation<Void, Never>? = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    func untilNone() async {
        await withUnsafeContinuation { continuation in
            let isNone = state.withLock { state in
                if state.count > 0 { state.waiting = continuation }
                return state.count == 0
            }
            if isNone { continuation.resume() }
        }
    }
}
