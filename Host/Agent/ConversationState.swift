import TandemCore
import TandemJSON
import TandemStorage

/// What a conversation carries from one message to the next: small, persisted with each turn's end, sealed at rest.
struct ConversationState: Sendable, Equatable {
    /// The last numbered list, for `2` and `the first one`.
    var shown: ShownEntities?
    /// What was last named, newest first, for `that` and `it`.
    var touched: [ShownEntities.Item] = []
    /// The rest of the last answer, for `more`.
    var rest: String = ""
    var question: PendingQuestion?
    /// The last tools that were called, newest first.
    var tools: [String] = []
    /// The last few messages and answers, oldest first; kept where a model may be asked.
    var exchanges: [Exchange] = []
    /// What confirmations and corrections showed.
    var learned = LearnedWays()

    /// What the person wrote and what we said to it, without questions for a confirmation.
    struct Exchange: Sendable, Equatable {
        var person: String
        var answer: String
        /// Of the answer: with words of others in it, no model that has tools sees it again.
        var trust: TrustLabel
        var turn: RecordID?
    }

    /// Enough that what is not in the summary yet is among them.
    static let mostExchanges = 6
    static let longestExchange = 320

    mutating func note(_ exchange: Exchange) {
        func cut(_ text: String) -> String {
            text.utf8.count <= ConversationState.longestExchange
                ? text : String(text.prefix(ConversationState.longestExchange / 2)) + "..."
        }
        exchanges.append(
            Exchange(
                person: cut(exchange.person), answer: exchange.trust > .system ? "" : cut(exchange.answer),
                trust: exchange.trust, turn: exchange.turn))
        exchanges = Array(exchanges.suffix(ConversationState.mostExchanges))
    }

    static let touchedLimit = 12

    /// Takes over what an outcome showed or touched.
    mutating func note(_ entities: ShownEntities?, tool: String, trust: TrustLabel) {
        tools = Array(([tool] + tools).prefix(4))
        guard var entities, !entities.items.isEmpty else { return }
        // Whose words the labels are is not the tool's to say better than its outcome.
        for index in entities.items.indices { entities.items[index].trust = max(trust, entities.items[index].trust) }
        if entities.isNumbered { shown = entities }
        var items = Array(entities.items.prefix(ConversationState.touchedLimit))
        for item in touched where !items.contains(where: { $0.type == item.type && $0.id == item.id }) {
            items.append(item)
        }
        touched = Array(items.prefix(ConversationState.touchedLimit))
    }
}

/// A question that a tool asked, or the host for a number that a call lacks; the person's next message answers it.
struct PendingQuestion: Sendable, Equatable {
    var tool: String
    var arguments: JSON
    var field: String
    var schema: JSON
    var options: [InputRequest.Option]
    var resumeState: [UInt8]
    var askedAt: Timestamp
    /// The least trusted source of the arguments that the tool has already.
    var label = TrustLabel.owner
    /// Of a question of the host's own: the words that asked for the call. Its answer is one of the arguments.
    var words: String?

    /// After this a message is taken as a new request.
    static let lifetime = Duration.seconds(60 * 60)
}

extension ConversationState {
    var json: JSON {
        var object: JSONObject = [:]
        if let shown { object["shown"] = shown.json }
        if !touched.isEmpty { object["touched"] = ShownEntities(items: touched, isNumbered: false).json }
        if !rest.isEmpty { object["rest"] = .string(rest) }
        if let learned = learned.json { object["learned"] = learned }
        if !tools.isEmpty { object["tools"] = .array(tools.map { .string($0) }) }
        if !exchanges.isEmpty {
            object["exchanges"] = .array(
                exchanges.map {
                    [
                        "person": .string($0.person), "answer": .string($0.answer),
                        "trust": .string($0.trust.rawValue), "turn": $0.turn.map { .id($0) } ?? .null,
                    ]
                })
        }
        if let question {
            var stored: JSONObject = [
                "tool": .string(question.tool), "arguments": question.arguments, "field": .string(question.field),
                "schema": question.schema,
                "options": .array(question.options.map { ["value": $0.value, "label": .string($0.label)] }),
                "resume": .array(question.resumeState.map { .integer(Int64($0)) }),
                "at": .integer(question.askedAt.millisecondsSinceEpoch), "label": .string(question.label.rawValue),
            ]
            if let words = question.words { stored["words"] = .string(words) }
            object["question"] = .object(stored)
        }
        return .object(object)
    }

    /// Reads what `json` wrote; what cannot be read is left out, since a conversation goes on without its state.
    init(json: JSON) {
        shown = json["shown"].flatMap { ShownEntities(json: $0) }
        touched = json["touched"].flatMap { ShownEntities(json: $0) }?.items ?? []
        rest = json["rest"]?.stringValue ?? ""
        learned = LearnedWays(json: json["learned"])
        tools = (json["tools"]?.arrayValue ?? []).compactMap(\.stringValue)
        exchanges = (json["exchanges"]?.arrayValue ?? []).compactMap { exchange in
            guard let person = exchange["person"]?.stringValue, let answer = exchange["answer"]?.stringValue,
                let trust = exchange["trust"]?.stringValue.flatMap(TrustLabel.init(rawValue:))
            else { return nil }
            return Exchange(
                person: person, answer: answer, trust: trust,
                turn: exchange["turn"]?.stringValue.flatMap { RecordID($0) })
        }
        if let stored = json["question"], let tool = stored["tool"]?.stringValue,
            let field = stored["field"]?.stringValue, let asked = stored["at"]?.int64Value
        {
            question = PendingQuestion(
                tool: tool, arguments: stored["arguments"] ?? [:], field: field, schema: stored["schema"] ?? true,
                options: (stored["options"]?.arrayValue ?? []).compactMap { option in
                    guard let value = option["value"], let label = option["label"]?.stringValue else { return nil }
                    return InputRequest.Option(value: value, label: label)
                },
                resumeState: (stored["resume"]?.arrayValue ?? []).compactMap { byte in
                    byte.int64Value.flatMap { UInt8(exactly: $0) }
                },
                askedAt: Timestamp(millisecondsSinceEpoch: asked),
                label: stored["label"].map { $0.stringValue.flatMap(TrustLabel.init(rawValue:)) ?? .untrusted }
                    ?? .owner, words: stored["words"]?.stringValue)
        }
    }
}
