import Synchronization
import TandemCore

/// Cancels calls that outlive their deadline, so that a tool that hangs does not hold its person's messages up.
///
/// A provider that keeps to the deadline itself never notices; one that hangs must at least honour cancellation.
final class CallWatch: Sendable {
    /// What a provider may take beyond the deadline to end in its own way.
    static let grace: UInt64 = 1_000_000_000
    static let interval = Duration.milliseconds(250)

    private struct Call: Sendable {
        let deadline: UInt64
        let cancel: @Sendable () -> Void
    }

    private struct State {
        var next: UInt64 = 0
        var calls: [UInt64: Call] = [:]
    }

    private let state = Mutex(State())

    /// Runs the call; cancels it some time after the deadline (nanoseconds of `CLOCK_MONOTONIC`), or with the caller's task.
    func run<Result: Sendable>(until deadline: UInt64, _ call: @escaping @Sendable () async -> Result) async -> Result {
        let task = Task { await call() }
        let id = state.withLock { state in
            state.next += 1
            let limit = deadline < .max - CallWatch.grace ? deadline + CallWatch.grace : .max
            state.calls[state.next] = Call(deadline: limit) { task.cancel() }
            return state.next
        }
        defer { state.withLock { _ = $0.calls.removeValue(forKey: id) } }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Looks at the calls until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let now = monotonicNanoseconds()
            for call in state.withLock({ state in state.calls.values.filter { $0.deadline < now } }) { call.cancel() }
            try? await Task.sleep(for: CallWatch.interval)
        }
    }
}
