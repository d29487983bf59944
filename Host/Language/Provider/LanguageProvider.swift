public import TandemCore
public import TandemJSON

/// Whoever turns a conversation and a set of tools into text and tool calls: the embedded planner, or a language model.
///
/// A turn is a loop: the agent asks, runs the calls that come back, appends their results as messages and asks again until
/// a response has no calls. Implementations keep no state between requests. Calls may be made at the same time.
public protocol LanguageProvider: Sendable {
    /// `local`, `gemini` …: stable, for metrics and for `handled_by`.
    var name: String { get }

    /// One step. Honours task cancellation; throws `LanguageError`.
    func respond(to request: LanguageRequest) async throws -> LanguageResponse

    /// The same step as it is made: text in pieces, then the calls, then `.finished` with the whole response, once.
    ///
    /// A provider that cannot stream gives the response in one piece; that is the default.
    func stream(_ request: LanguageRequest) -> AsyncThrowingStream<LanguageEvent, any Error>
}

extension LanguageProvider {
    public func stream(_ request: LanguageRequest) -> AsyncThrowingStream<LanguageEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let response = try await respond(to: request)
                    if let text = response.text { continuation.yield(.text(text)) }
                    for call in response.calls { continuation.yield(.call(call)) }
                    continuation.yield(.finished(response))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

/// A piece of a streamed response.
public enum LanguageEvent: Sendable {
    /// More of the text.
    case text(String)
    /// A complete call.
    case call(LanguageCall)
    /// The provider failed under way and another one begins: the text given so far is void. Calls never are.
    case restarted
    /// The end: everything together, with the usage.
    case finished(LanguageResponse)
}

public struct LanguageRequest: Sendable {
    /// Standing instructions; the embedded planner needs none.
    public var instructions: String
    /// Oldest first; the last one is what is to be answered.
    public var messages: [LanguageMessage]
    /// The tools that the person may use now, or of many those that a model is told of.
    public var tools: [ToolDefinition]
    /// All of them, for the embedded planner, where a model is told of fewer; nil: `tools`.
    public var allTools: [ToolDefinition]?
    public var context: PlannerContext
    /// At most this much text, in tokens of the provider; nil for its default.
    public var outputLimit: Int?
    /// Chooses how the provider may use tools.
    public var toolUse: ToolUse
    /// For whom and for which turn it is asked: what budgets and usage go by. Nil: nobody's.
    public var account: LanguageAccount?

    public enum ToolUse: Sendable, Hashable {
        case automatic
        /// Text only.
        case none
        /// At least one call.
        case required
    }

    public init(
        instructions: String = "", messages: [LanguageMessage], tools: [ToolDefinition], context: PlannerContext,
        outputLimit: Int? = nil, toolUse: ToolUse = .automatic, account: LanguageAccount? = nil,
        allTools: [ToolDefinition]? = nil
    ) {
        self.instructions = instructions
        self.messages = messages
        self.tools = tools
        self.allTools = allTools
        self.context = context
        self.outputLimit = outputLimit
        self.toolUse = toolUse
        self.account = account
    }
}

/// Whose request it is.
public struct LanguageAccount: Sendable, Hashable {
    public var scope: UserScope
    /// The turn or job that asks: a budget per turn counts over all of its requests.
    public var turn: RecordID?
    /// Nobody waits for it: it may not use up what conversations need.
    public var isSilent: Bool

    public init(scope: UserScope, turn: RecordID? = nil, isSilent: Bool = false) {
        self.scope = scope
        self.turn = turn
        self.isSilent = isSilent
    }
}

/// One entry of the conversation.
public enum LanguageMessage: Sendable, Hashable {
    case person(String)
    /// What we said, and the calls that were asked for with it.
    case assistant(text: String?, calls: [LanguageCall])
    /// What a call gave back; `call` is its id.
    case result(call: String, tool: String, value: JSON, trust: TrustLabel, isError: Bool)
}

/// A tool call as a provider asks for it: to be checked against schema and policy before anything runs.
public struct LanguageCall: Sendable, Hashable {
    /// Unique within the turn; the result refers to it.
    public var id: String
    public var tool: String
    public var arguments: JSON
    /// 0…1 where the provider knows it; 1 for models that do not say.
    public var confidence: Double
    /// The part of the message that asks for it, where known.
    public var text: String
    /// Required arguments that the message does not give.
    public var missing: [String]
    /// Opaque data that the provider wants back with the result (e.g. a thought signature).
    public var continuation: JSON?

    public init(
        id: String, tool: String, arguments: JSON, confidence: Double = 1, text: String = "", missing: [String] = [],
        continuation: JSON? = nil
    ) {
        self.id = id
        self.tool = tool
        self.arguments = arguments
        self.confidence = confidence
        self.text = text
        self.missing = missing
        self.continuation = continuation
    }
}

public struct LanguageResponse: Sendable, Hashable {
    public var text: String?
    /// To be run; independent ones may run at once.
    public var calls: [LanguageCall]
    public var usage: LanguageUsage
    public var finish: Finish
    /// Who of several made it, for `handled_by`; nil: the provider that was asked.
    public var handledBy: String?
    /// One line to be added to the answer: that it is less than usual, and why. Said once, not with each answer.
    public var note: String?

    public enum Finish: Sendable, Hashable {
        case complete
        /// Not understood well enough to act; the closest reading, never to be run unasked.
        case unclear(LanguageCall?)
        /// Cut off at a limit.
        case truncated
        /// The provider declined.
        case refused
    }

    public init(
        text: String? = nil, calls: [LanguageCall] = [], usage: LanguageUsage = LanguageUsage(),
        finish: Finish = .complete, handledBy: String? = nil, note: String? = nil
    ) {
        self.text = text
        self.calls = calls
        self.usage = usage
        self.finish = finish
        self.handledBy = handledBy
        self.note = note
    }
}

/// What a response cost, in the provider's tokens; all zero for the embedded planner.
public struct LanguageUsage: Sendable, Hashable {
    public var input: Int
    public var output: Int
    public var cached: Int

    public init(input: Int = 0, output: Int = 0, cached: Int = 0) {
        self.input = input
        self.output = output
        self.cached = cached
    }
}

public struct LanguageError: Error, Sendable, Hashable {
    public enum Code: Sendable, Hashable {
        case unavailable
        case rateLimited
        case timeout
        /// What came back cannot be used, or ended early.
        case invalidResponse
        /// The provider refuses this request.
        case rejected
        /// The provider refuses the operator's key, or the model is none of its own: no request will do.
        case unauthorized
    }

    public var code: Code
    /// What was tried; no message text, no key.
    public var message: String
    public var retryAfterMilliseconds: Int?

    public init(_ code: Code, _ message: String, retryAfterMilliseconds: Int? = nil) {
        self.code = code
        self.message = message
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }
}
