public import TandemJSON

/// A question to the person: throw it; when the answer comes, the tool is called again with the same arguments.
///
///     guard let size = context.answer("size") else {
///         throw Ask("Which size?", field: "size", options: ["small", "large"])
///     }
///
/// No task waits meanwhile, and rows that the first call wrote stay written: ask before writing.
public struct Ask: Error, Sendable, Hashable {
    public struct Option: Sendable, Hashable, ExpressibleByStringLiteral {
        public var value: JSON
        public var label: String

        public init(_ label: String, value: JSON) {
            self.value = value
            self.label = label
        }

        /// The label is the value.
        public init(stringLiteral value: String) { self.init(value, value: .string(value)) }
    }

    /// The question, without the options: they are added with their numbers.
    public var question: String
    /// The name of the answer: `context.answer("which")`.
    public var field: String
    /// JSON Schema of the answer.
    public var schema: JSON
    public var options: [Option]
    /// Given back unchanged as `context.resumeState`; at most 64 KiB.
    public var state: JSON?

    public init(
        _ question: String, field: String = "answer", options: [Option] = [], schema: JSON = ["type": "string"],
        state: JSON? = nil
    ) {
        self.question = question
        self.field = field
        self.schema = schema
        self.options = options
        self.state = state
    }

    /// `Which one? 1 oat milk, 2 whole milk`.
    public var message: String {
        options.isEmpty ? question : question + " " + numbered(options.map(\.label))
    }

    var detail: JSON {
        var detail: JSONObject = ["field": .string(field), "schema": schema]
        if !options.isEmpty {
            detail["options"] = .array(options.map { ["value": $0.value, "label": .string($0.label)] })
        }
        return .object(detail)
    }
}

/// A connection to a service is missing or no longer valid; the host sends the person a way to grant it.
public struct AuthRequired: Error, Sendable, Hashable {
    public var grant: String
    public var message: String

    public init(grant: String, _ message: String) {
        self.grant = grant
        self.message = message
    }
}
