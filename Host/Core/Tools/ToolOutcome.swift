public import TandemJSON

/// What a tool gave back, in process or over any boundary.
public enum ToolOutcome: Sendable, Hashable {
    case value(ToolValue)
    /// The tool could not do it; the text is for the person and the model.
    case failure(ToolFailure)
    /// The tool needs answers before it goes on; no thread waits meanwhile.
    case inputRequired(InputRequest)
    /// A connection to a service is missing or no longer valid.
    case authRequired(grant: String, message: String)
    /// Long work began; its result comes as a message of its own.
    case accepted(job: String, message: String)
}

public struct ToolValue: Sendable, Hashable {
    /// By the tool's result schema.
    public var value: JSON
    /// For the person: the first line stands alone (about 150 GSM-7 characters), further lines are details for `more`.
    public var message: String
    /// What was shown, in the order of its numbering.
    public var shown: ShownEntities?
    /// The trust of `value` and `message`: never better than the tool's declaration.
    public var trust: TrustLabel

    public init(value: JSON, message: String, shown: ShownEntities? = nil, trust: TrustLabel = .system) {
        self.value = value
        self.message = message
        self.shown = shown
        self.trust = trust
    }
}

/// The things an answer named, so that `2`, `the first one` and `that` can be understood next.
///
/// JSON form: `{"select":"grocery.bought","items":[{"type":"grocery.item","id":"123","label":"milk"}]}`.
public struct ShownEntities: Sendable, Hashable {
    public struct Item: Sendable, Hashable {
        /// E.g. `grocery.item`.
        public var type: String
        public var id: String
        public var label: String
        /// Whose words the label is. Set by the agent from the outcome that showed it.
        public var trust: TrustLabel

        public init(type: String, id: String, label: String, trust: TrustLabel = .system) {
            self.type = type
            self.id = id
            self.label = label
            self.trust = trust
        }
    }

    /// The tool that a bare digit calls on the item of that number, if any.
    public var select: String?
    public var items: [Item]
    /// The items were shown with numbers; false: they were only touched ("that", "it").
    public var isNumbered: Bool

    public init(items: [Item], select: String? = nil, isNumbered: Bool = true) {
        self.items = items
        self.select = select
        self.isNumbered = isNumbered
    }
}

public struct ToolFailure: Sendable, Hashable, Error {
    /// A status of the ABI (`tandem/base.h`), negative.
    public var status: Int32
    /// Stable, lower case: `not_found`, `invalid_amount`, `timeout`.
    public var code: String
    /// For the person: what was wrong and what to do, in one short sentence.
    public var message: String
    public var isRetryable: Bool
    public var retryAfterMilliseconds: Int?

    public init(
        status: Int32 = -100, code: String, message: String, isRetryable: Bool = false,
        retryAfterMilliseconds: Int? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.isRetryable = isRetryable
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }
}

/// A question to the person, and what the tool needs to go on once it is answered.
public struct InputRequest: Sendable, Hashable {
    /// The question, short: `Which one? 1 oat milk, 2 whole milk`.
    public var message: String
    /// The name the answer gets in the retried call's `answers`.
    public var field: String
    /// JSON Schema of the answer; a string by default.
    public var schema: JSON
    /// Answers by digit: 1 is the first.
    public var options: [Option]
    /// Opaque; given back unchanged with the answer.
    public var resumeState: [UInt8]

    public struct Option: Sendable, Hashable {
        public var value: JSON
        public var label: String

        public init(value: JSON, label: String) {
            self.value = value
            self.label = label
        }
    }

    public init(
        message: String, field: String, schema: JSON = ["type": "string"], options: [Option] = [],
        resumeState: [UInt8] = []
    ) {
        self.message = message
        self.field = field
        self.schema = schema
        self.options = options
        self.resumeState = resumeState
    }
}
