import TandemCore
import TandemJSON

/// One call as a handler sees it: arguments that fit the schema, with the person's answers put in.
struct ToolRequest: Sendable {
    let call: ToolCall
    let scope: UserScope
    /// What the call was given, the answer to an earlier question included.
    var arguments: JSONObject
    let time: PersonTime
    /// What the handler asked to keep when it asked its question.
    let memo: JSONObject
    /// The ids that were offered by number in that question.
    let offered: [String]
    /// The field that was just answered.
    let answered: String?

    init(call: ToolCall, scope: UserScope, time: PersonTime) {
        self.call = call
        self.scope = scope
        self.time = time
        var arguments = call.arguments.objectValue ?? [:]
        var memo: JSONObject = [:]
        var offered: [String] = []
        var answered: String?
        if !call.resumeState.isEmpty, let state = try? JSON(parsing: call.resumeState) {
            if let kept = state["arguments"]?.objectValue {
                for (key, value) in kept { arguments[key] = value }
            }
            memo = state["memo"]?.objectValue ?? [:]
            offered = (state["options"]?.arrayValue ?? []).compactMap(\.stringValue)
            if let field = state["field"]?.stringValue, let answer = call.answers?[field] {
                arguments[field] = ToolRequest.resolve(answer, offered: offered)
                answered = field
            }
        }
        self.arguments = arguments
        self.memo = memo
        self.offered = offered
        self.answered = answered
    }

    /// A digit among the offered options means that option.
    private static func resolve(_ answer: JSON, offered: [String]) -> JSON {
        let number: Int?
        switch answer {
        case .integer(let value): number = Int(exactly: value)
        case .string(let text): number = Int(text.trimmed)
        default: number = nil
        }
        guard let number, offered.indices.contains(number - 1) else { return answer }
        return .string(offered[number - 1])
    }

    /// A text argument on one line without white space at the ends; nil when it is missing or empty.
    func line(_ key: String) -> String? {
        guard let text = arguments[key]?.stringValue else { return nil }
        let line = Wording.oneLine(text)
        return line.isEmpty ? nil : line
    }

    /// A text argument with its line ends and tabs but no other control characters, without white space at the ends; nil
    /// when it is missing or empty.
    func text(_ key: String) -> String? {
        guard let given = arguments[key]?.stringValue else { return nil }
        let kept = given.unicodeScalars.filter { scalar in
            scalar == "\n" || scalar == "\t" || (scalar.value >= 32 && !(127...159).contains(scalar.value))
        }
        let text = String(String.UnicodeScalarView(kept)).trimmed
        return text.isEmpty ? nil : text
    }

    func flag(_ key: String) -> Bool { arguments[key]?.boolValue ?? false }

    /// A day or instant argument.
    ///
    /// - Throws: `invalid_date` when there is one that cannot be read.
    func when(_ key: String) throws(ToolFailure) -> DayOrInstant? {
        guard let text = arguments[key]?.stringValue else { return nil }
        guard let value = DayOrInstant(text.trimmed) else {
            throw ToolFailure(
                code: "invalid_date", message: "I did not get that date. Say it like 31 March or tomorrow.")
        }
        return value
    }

    /// A question whose answer comes back as the argument `field`.
    ///
    /// - Parameter words: what else counts as an answer, in lower case, beside the options; nil: any text.
    func asking(
        _ message: String, field: String, options: [(value: String, label: String)] = [], words: [String]? = nil,
        memo: JSONObject = [:]
    ) -> Asking {
        ToolRequest.asking(message, field: field, options: options, words: words, arguments: arguments, memo: memo)
    }

    /// The same outside of a call, for arguments that a later call will have.
    static func asking(
        _ message: String, field: String, options: [(value: String, label: String)] = [], words: [String]? = nil,
        arguments: JSONObject, memo: JSONObject = [:]
    ) -> Asking {
        let state: JSON = [
            "arguments": .object(arguments), "field": .string(field), "memo": .object(memo),
            "options": .array(options.map { .string($0.value) }),
        ]
        let schema: JSON =
            words.map { words in
                let all = options.map(\.value) + words
                return ["type": "string", "enum": .array(all.map { .string($0) })]
            } ?? ["type": "string", "minLength": 1, "maxLength": 4000]
        return Asking(
            request: InputRequest(
                message: message, field: field, schema: schema,
                options: options.map { InputRequest.Option(value: .string($0.value), label: $0.label) },
                resumeState: state.serialized()))
    }
}

/// Ends a handler with a question to the person; what it wrote in the open transaction is rolled back.
struct Asking: Error {
    var request: InputRequest
}

extension ToolFailure {
    /// Nothing that fits; also for what belongs to somebody else.
    static func notFound(_ noun: String, _ words: String?) -> ToolFailure {
        guard let words, !words.hasPrefix("#") else {
            return ToolFailure(status: -8, code: "not_found", message: "That \(noun) is not there any more.")
        }
        return ToolFailure(
            status: -8, code: "not_found", message: Wording.line("I found no \(noun) like \"", words, "\"."))
    }

    static func empty(_ message: String) -> ToolFailure { ToolFailure(status: -1, code: "empty", message: message) }

    static func tooMany(_ message: String) -> ToolFailure {
        ToolFailure(status: -21, code: "too_many", message: message)
    }
}
