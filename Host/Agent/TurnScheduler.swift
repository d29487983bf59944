import Synchronization
import TandemCore

/// Decides whose message is worked on next: one turn at a time for a person, in order; a bounded number at once.
///
/// Pure state behind a mutex; the loops that use it are the agent's. Safe from any thread.
final class TurnScheduler: Sendable {
    private struct State {
        /// People with work that nobody has taken up, in order of arrival.
        var ready: [UserScope] = []
        var head = 0
        var isQueued: Set<UserScope> = []
        /// People whose turn is being worked on.
        var active: Set<UserScope> = []
        /// Of these, who got new work meanwhile.
        var again: Set<UserScope> = []
        var waiting: [CheckedContinuation<UserScope?, Never>] = []
        var isClosed = false

        mutating func popReady() -> UserScope? {
            guard head < ready.count else { return nil }
            let scope = ready[head]
            head += 1
            if head > 256, head * 2 > ready.count {
                ready.removeFirst(head)
                head = 0
            }
            isQueued.remove(scope)
            return scope
        }
    }

    private let state = Mutex(State())

    /// There is work for this person. Never blocks.
    func wake(_ scope: UserScope) {
        let resumed: CheckedContinuation<UserScope?, Never>? = state.withLock { state in
            guard !state.isClosed else { return nil }
            if state.active.contains(scope) {
                state.again.insert(scope)
                return nil
            }
            guard !state.isQueued.contains(scope) else { return nil }
            if let continuation = state.waiting.popLast() {
                state.active.insert(scope)
                return continuation
            }
            state.ready.append(scope)
            state.isQueued.insert(scope)
            return nil
        }
        resumed?.resume(returning: scope)
    }

    /// The next person with work, who is then this worker's until `finish`; nil once closed.
    func next() async -> UserScope? {
        await withCheckedContinuation { continuation in
            let found: UserScope?? = state.withLock { state in
                if state.isClosed { return .some(nil) }
                if let scope = state.popReady() {
                    state.active.insert(scope)
                    return scope
                }
                state.waiting.append(continuation)
                return nil
            }
            if let found { continuation.resume(returning: found) }
        }
    }

    /// The worker is done with this person; new work that came meanwhile makes them ready again.
    func finish(_ scope: UserScope) {
        let hasMore = state.withLock { state in
            state.active.remove(scope)
            return state.again.remove(scope) != nil
        }
        if hasMore { wake(scope) }
    }

    /// Wakes all waiting workers with nil; work that is not taken up stays in the database for the next start.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: nil) }
    }
}
