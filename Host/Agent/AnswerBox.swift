import Synchronization

/// The answer of one turn, on its way to the one task that waits for it; it may be given before anybody waits.
final class AnswerBox: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Answer?, Never>)
        /// Nil: there will be none in this process.
        case given(Answer?)
    }

    private let state = Mutex(State.empty)

    /// The first answer counts. Never blocks.
    func give(_ answer: Answer?) {
        let waiting: CheckedContinuation<Answer?, Never>? = state.withLock { state in
            switch state {
            case .empty:
                state = .given(answer)
                return nil
            case .waiting(let continuation):
                state = .given(answer)
                return continuation
            case .given:
                return nil
            }
        }
        waiting?.resume(returning: answer)
    }

    /// Nil when there will be none in this process, and at once when the task is cancelled. To be called once.
    func wait() async -> Answer? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let given: Answer?? = state.withLock { state in
                    if case .given(let answer) = state { return .some(answer) }
                    state = .waiting(continuation)
                    return nil
                }
                if let given { continuation.resume(returning: given) }
            }
        } onCancel: {
            give(nil)
        }
    }
}
