import Synchronization
import TandemCore

/// Decides whose message is worked on next: one turn at a time for a person, in order; a bounded number at once.
///
/// Taking messages in goes before answering them: a sender that gets no acknowledgement in time sends again or gives up,
/// while an answer may come a moment later. So each message that is being taken in halves the number of people whose
/// turns are worked on at once; and once many are, turns begin at a small fixed rate until it has been quiet for a moment
/// (commits are shared, so many acknowledgements end at the same instant and others follow). A flood is acknowledged at
/// full speed, and answers go on all the same.
///
/// Pure state behind a mutex; the loops that use it are the agent's. Safe from any thread.
final class TurnScheduler: Sendable {
    /// People whose turns may be worked on at once whatever arrives.
    static let fewest = 2
    /// With more messages than this being taken in, and for so many nanoseconds afterwards …
    static let fewArrivals = 4
    static let calm: UInt64 = 20_000_000
    /// … one turn begins in so many nanoseconds.
    static let spacing: UInt64 = 10_000_000

    private struct Handing {
        var worker: CheckedContinuation<UserScope?, Never>
        var scope: UserScope?
    }

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
        /// Messages that are being taken in.
        var arrivals = 0
        /// Instants of `CLOCK_MONOTONIC`: until when arrivals count as many, and when a turn began last.
        var pressedUntil: UInt64 = 0
        var lastBegin: UInt64 = 0
        /// Somebody will look again by the clock.
        var isTimed = false

        /// Gives waiting workers the people with work, as far as turns may begin now; sets `nextLook` when time alone is
        /// in the way and nobody has been told.
        mutating func handOut(_ workers: Int, nextLook: inout UInt64?) -> [Handing] {
            var handed: [Handing] = []
            while !waiting.isEmpty, head < ready.count {
                if pressedUntil > 0 {
                    let now = monotonicNanoseconds()
                    if now >= pressedUntil {
                        pressedUntil = 0
                        continue
                    }
                    guard active.count < TurnScheduler.fewest else { break }
                    let due = lastBegin + TurnScheduler.spacing
                    if now < due {
                        if !isTimed {
                            isTimed = true
                            nextLook = due
                        }
                        break
                    }
                    lastBegin = now
                } else if arrivals > 0 {
                    guard active.count < max(TurnScheduler.fewest, workers >> min(arrivals, 16)) else { break }
                }
                guard let scope = popReady() else { break }
                active.insert(scope)
                handed.append(Handing(worker: waiting.removeLast(), scope: scope))
            }
            return handed
        }

        private mutating func popReady() -> UserScope? {
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

        mutating func enqueue(_ scope: UserScope) {
            guard isQueued.insert(scope).inserted else { return }
            ready.append(scope)
        }
    }

    private let state = Mutex(State())
    private let workers: Int

    /// - Parameter workers: People whose turns are worked on at once while nothing arrives.
    init(workers: Int) { self.workers = max(workers, TurnScheduler.fewest) }

    /// Changes the state, then gives out what may begin.
    private func change(_ body: (inout State) -> Void) {
        var nextLook: UInt64?
        let handed = state.withLock { state -> [Handing] in
            body(&state)
            guard !state.isClosed else {
                defer { state.waiting = [] }
                return state.waiting.map { Handing(worker: $0, scope: nil) }
            }
            return state.handOut(workers, nextLook: &nextLook)
        }
        for handing in handed { handing.worker.resume(returning: handing.scope) }
        guard let nextLook else { return }
        Task { [self] in
            let now = monotonicNanoseconds()
            if nextLook > now { try? await Task.sleep(for: .nanoseconds(nextLook - now), tolerance: .zero) }
            change { $0.isTimed = false }
        }
    }

    /// There is work for this person. Never blocks.
    func wake(_ scope: UserScope) {
        change { state in
            if state.active.contains(scope) { state.again.insert(scope) } else { state.enqueue(scope) }
        }
    }

    /// The next person with work, who is then this worker's until `finish`; nil once closed.
    func next() async -> UserScope? {
        await withCheckedContinuation { continuation in
            change { $0.waiting.append(continuation) }
        }
    }

    /// The worker is done with this person for now.
    ///
    /// - Parameter hasMore: There is more to do for them, besides what `wake` said meanwhile.
    func finish(_ scope: UserScope, hasMore: Bool) {
        change { state in
            state.active.remove(scope)
            if state.again.remove(scope) != nil || hasMore { state.enqueue(scope) }
        }
    }

    /// A message is being taken in.
    func beginArrival() {
        state.withLock { state in
            state.arrivals += 1
            if state.arrivals > TurnScheduler.fewArrivals { state.pressedUntil = .max }
        }
    }

    /// It is durable, or was refused: workers that gave way may go on.
    func endArrival() {
        change { state in
            state.arrivals -= 1
            // From the last moment on at which many were on their way.
            if state.arrivals == TurnScheduler.fewArrivals {
                state.pressedUntil = monotonicNanoseconds() + TurnScheduler.calm
            }
        }
    }

    /// Wakes all waiting workers with nil; work that is not taken up stays in the database for the next start.
    func close() { change { $0.isClosed = true } }
}
