import Synchronization
import TandemCore

/// Calls that take longer than their person is kept waiting: they go on, and whoever goes on with the turn waits for them.
final class OngoingCalls: Sendable {
    private let calls = Mutex<[String: Task<ToolOutcome, Never>]>([:])

    func contains(_ key: String) -> Bool { calls.withLock { $0[key] != nil } }

    /// Makes a call, or waits for the one of this key that goes on already.
    ///
    /// - Parameter patience: An instant of `CLOCK_MONOTONIC`; nil: however long it takes.
    /// - Returns: Nil when it goes on beyond it.
    func run(
        _ key: String, patience: UInt64?, _ body: @escaping @Sendable () async -> ToolOutcome
    ) async -> ToolOutcome? {
        let call = calls.withLock { calls in
            if let known = calls[key] { return known }
            let made = Task { await body() }
            calls[key] = made
            return made
        }
        let box = OneShotBox<ToolOutcome?>()
        let waiting = Task { box.give(await call.value) }
        let clock = patience.map { patience in
            Task {
                let now = monotonicNanoseconds()
                if patience > now { try? await Task.sleep(for: .nanoseconds(patience - now)) }
                if !Task.isCancelled { box.give(nil) }
            }
        }
        let outcome = await withTaskCancellationHandler {
            await box.wait()
        } onCancel: {
            // The process ends, or its turn is another's: the call ends, and with it the waiting.
            call.cancel()
        }
        clock?.cancel()
        if outcome != nil {
            calls.withLock { _ = $0.removeValue(forKey: key) }
            await waiting.value
        }
        return outcome
    }

    /// Ends all of them: nobody will wait for them in this process.
    func cancelAll() {
        let all = calls.withLock { calls in
            defer { calls = [:] }
            return calls.values.map { $0 }
        }
        for call in all { call.cancel() }
    }
}
