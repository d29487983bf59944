import Synchronization
import TandemCore
import TandemStorage

/// A turn that is taken up again in a moment, when its person may have said the rest of it.
struct WaitForMore: Error {
    var time: Duration
}

/// Messages that mean something together.
struct Joined: Sendable {
    var read: (Interpretation, handledBy: String)
    /// Those after the first.
    var turns: [RecordID]
    var text: String
}

extension AgentCore {
    /// What a message means together with those that follow it closely, when it means nothing by itself.
    ///
    /// Each message keeps its place and its id; the answer is that of the first. Nil: they do not belong together.
    /// Throws `WaitForMore` once, while more may be on its way.
    func join(
        _ work: TurnWork, _ interpreter: Interpreter, _ scope: UserScope
    ) async throws -> Joined? {
        let store = store
        let window = services.limits.joinTime
        let following = try await services.database.read(scope) {
            try store.following(work, within: window, in: $0)
        }
        guard !following.isEmpty else {
            let age = services.clock.now.since(work.receivedAt)
            let isFirst = held.withLock { $0.insert(work.turn).inserted }
            guard isFirst, age >= .zero, age < window else { return nil }
            throw WaitForMore(time: window - age)
        }
        var text = work.text
        var joined: [RecordID] = []
        for next in following {
            text += " " + next.text
            joined.append(next.turn)
            let read = await interpreter.interpret(text)
            if case .steps = read.0 { return Joined(read: read, turns: joined, text: text) }
            if case .model = read.0 { return Joined(read: read, turns: joined, text: text) }
        }
        return nil
    }
}
