import Synchronization
public import TandemJSON

/// What simulated models answer: replies that were put in a row, then what a rule says.
public final class ModelScript: Sendable {
    public typealias Rule = @Sendable (JSON) -> ModelReply

    private struct State {
        var replies: [ModelReply] = []
        var bodies: [JSON] = []
        var violations: [String] = []
    }

    private let state = Mutex(State())
    private let rule: Rule

    public init(_ replies: [ModelReply] = [], rule: @escaping Rule = { _ in .text("All right.") }) {
        self.rule = rule
        state.withLock { $0.replies = replies }
    }

    public func add(_ replies: ModelReply...) { state.withLock { $0.replies += replies } }

    /// The requests, in order of arrival.
    public var bodies: [JSON] { state.withLock { $0.bodies } }

    /// How requests broke the contract.
    public var violations: [String] { state.withLock { $0.violations } }

    func note(_ violations: [String]) { state.withLock { $0.violations += violations } }

    func next(for body: JSON) -> ModelReply {
        let reply = state.withLock { state -> ModelReply? in
            state.bodies.append(body)
            return state.replies.isEmpty ? nil : state.replies.removeFirst()
        }
        return reply ?? rule(body)
    }
}
