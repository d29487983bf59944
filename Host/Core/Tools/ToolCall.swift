import Synchronization
public import TandemJSON

/// One call of one tool for one person, as the agent hands it to whoever provides the tool.
public struct ToolCall: Sendable {
    /// `grocery.add`.
    public var tool: String
    /// An object; the provider validates it against the tool's schema before the tool sees it.
    public var arguments: JSON
    public var origin: WriteOrigin
    /// Absolute, nanoseconds of `CLOCK_MONOTONIC`.
    public var deadlineNanoseconds: UInt64
    /// The same for every attempt at the same intended effect.
    public var idempotencyKey: String
    /// W3C `traceparent`, or empty.
    public var traceParent: String
    /// The state of an earlier `inputRequired`, with the person's answers.
    public var resumeState: [UInt8]
    public var answers: JSON?
    /// What this call may do: a write in a call limited to `read` is refused by the row interface.
    public var allowedEffect: Effect
    /// 0 for the agent's own calls, one more for each call from a tool to a tool.
    public var depth: Int
    /// 0 unless the call handles an event: then how many events led to it, one by the other's handler.
    public var eventDepth = 0
    /// Of the call of the agent's that this one follows from; nil: it is one itself, and none has followed yet.
    public var innerCalls: InnerCallCount?

    public init(
        tool: String, arguments: JSON, origin: WriteOrigin, deadlineNanoseconds: UInt64, idempotencyKey: String,
        traceParent: String = "", resumeState: [UInt8] = [], answers: JSON? = nil, allowedEffect: Effect, depth: Int = 0
    ) {
        self.tool = tool
        self.arguments = arguments
        self.origin = origin
        self.deadlineNanoseconds = deadlineNanoseconds
        self.idempotencyKey = idempotencyKey
        self.traceParent = traceParent
        self.resumeState = resumeState
        self.answers = answers
        self.allowedEffect = allowedEffect
        self.depth = depth
    }
}

/// The calls from tools to tools that follow from one call of the agent's, at whatever depth, counted together.
public final class InnerCallCount: Sendable {
    private let count = Atomic<Int>(0)

    public init() {}

    /// False, and nothing is counted, when there have been as many as may be.
    public func begin(atMost limit: Int) -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue > limit else { return true }
        count.wrappingSubtract(1, ordering: .relaxed)
        return false
    }
}

/// Somebody who provides tools: the plugin host, the built-in tools.
public protocol ToolProvider: Sendable {
    /// The tools that this person may use right now, in a stable order.
    func tools(for scope: UserScope) async throws -> [ToolDefinition]

    /// Calls one of them. Never throws: what goes wrong is an outcome. Honours task cancellation.
    func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome

    /// Why a tool would be refused these arguments; nil when they fit its schema. Cheap: asked before a person is.
    func refusal(of arguments: JSON, tool: String) -> ToolFailure?

    /// The tools show the texts of a person's rows as they are: see `CallProvenance`. False of code that nobody here knows.
    var showsRowsAsTheyAre: Bool { get }
}

extension ToolProvider {
    /// The arguments are looked at when the call is made.
    public func refusal(of arguments: JSON, tool: String) -> ToolFailure? { nil }

    public var showsRowsAsTheyAre: Bool { false }
}

/// How a tool calls another tool: answered by the agent, which checks state, schema, effect and policy.
public protocol ToolMediator: Sendable {
    func mediate(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome

    /// Whether the person could use that tool right now. Cheap.
    func isAvailable(tool: String, in scope: UserScope) async -> Bool
}
