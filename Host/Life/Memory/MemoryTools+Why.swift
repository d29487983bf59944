import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// Why the last answer said what it said: the memories that it used, with the parts of their scores, or the tools.
extension MemoryTools {
    private static let useResult = Shape.result(
        [
            "id": Shape.string, "text": Shape.string, "since": Shape.string, "message": Shape.string,
            "channel": Shape.string, "score": ["type": "number"], "parts": ["type": "object"],
        ], required: ["id", "score", "parts"])

    static let whyDefinition = ToolDefinition(
        id: "memory.why", title: "Explain the last answer",
        description:
            "Says why the last answer was given: which memories it used, when the person said them, and the parts of "
            + "their scores; or which tools it called.",
        parameters: Shape.object([:]),
        result: Shape.result(
            ["memories": Shape.array(useResult), "tools": Shape.array(Shape.string), "handled_by": Shape.string],
            required: ["memories", "tools"]),
        effect: .read,
        utterances: [
            Utterance("why did you (say|answer|think) that"), Utterance("how do you know that"),
            Utterance("where did you get that from"), Utterance("explain your last answer"),
        ])

    /// An answer and how it came about.
    private struct Past {
        var message: RecordID
        var handledBy: String
        var tools: [String]
    }

    /// Earlier answers that are looked at.
    private static let mostPast = 8

    func why(_ request: ToolRequest) async throws -> ToolOutcome {
        let now = request.call.origin.turn
        guard let past = try await past(before: now, in: request.scope) else {
            return .value(["memories": [], "tools": []], "I have not said anything yet that I could explain.")
        }
        let uses = try await memory.uses(of: past.message, in: request.scope)
        let value: JSON = [
            "memories": .array(uses.map(MemoryTools.json)), "tools": .array(past.tools.map { .string($0) }),
            "handled_by": .string(past.handledBy),
        ]
        let known = uses.compactMap(\.memory)
        guard let first = known.first else {
            return .value(value, message(of: past, wasForgotten: !uses.isEmpty))
        }
        let when = MemoryTools.when(first, request.time)
        var message = Wording.line(
            "Because you told me \(when): ", first.content, known.count > 1 ? " (and \(known.count - 1) more)" : "")
        for use in uses { message += "\n" + MemoryTools.explained(use, request.time) }
        return .value(
            value, message, shown: ShownEntities(items: known.map(MemoryTools.item), isNumbered: false))
    }

    /// The last answer before a turn that was none of these explanations; nil when there is none, or no record of any.
    private func past(before turn: RecordID, in scope: UserScope) async throws -> Past? {
        try await memory.database.read(scope) { transaction in
            let rows: [UserRow]
            do {
                rows = try transaction.list(
                    "turns", where: [RowCondition("message", .less, .id(turn)), RowCondition("state", .equal, "done")],
                    order: [RowOrder("message", descending: true)], limit: MemoryTools.mostPast)
            } catch let error as StorageError where error.code == .unknownTable {
                return nil
            }
            for row in rows {
                guard let message = row.recordID("message") else { continue }
                let tools = (row["steps"].arrayValue ?? []).compactMap { $0["tool"]?.stringValue }
                if tools == ["memory.why"] { continue }
                return Past(message: message, handledBy: row.string("handled_by") ?? "local", tools: tools)
            }
            return nil
        }
    }

    private func message(of past: Past, wasForgotten: Bool) -> String {
        if wasForgotten {
            return "Because of something that you had told me; I have forgotten it since, as you wished."
        }
        guard let tool = past.tools.first else {
            return past.handledBy == "local"
                ? "That was only talk: I used nothing that I know of you."
                : Wording.line("Those were the words of the language model ", past.handledBy, "; it looked nothing up.")
        }
        let others = past.tools.count > 1 ? " and \(past.tools.count - 1) more" : ""
        return Wording.line(
            "It came from \"", tool.replacing(".", with: " "), "\"\(others), as your message asked; I used no memory.")
    }

    /// `today`, `yesterday`, `on 3 May`.
    static func when(_ memory: Memory, _ time: PersonTime) -> String {
        let day = time.say(time.date(of: memory.modifiedAt))
        return day == "today" || day == "yesterday" ? day : "on " + day
    }

    private static func explained(_ use: MemoryUse, _ time: PersonTime) -> String {
        let parts = use.parts.map { "\($0.name) \(rounded($0.value))" }.joined(separator: ", ")
        guard let memory = use.memory else { return "(forgotten since): \(parts)" }
        let channel = memory.channel.map { " by \($0)" } ?? ""
        return "\(Wording.clip(memory.content)) [\(when(memory, time))\(channel)]: \(parts) = \(rounded(use.total))"
    }

    /// With one digit after the point.
    private static func rounded(_ value: Double) -> String {
        let tenths = Int((abs(value) * 10).rounded())
        return "\(value < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10)"
    }

    private static func json(_ use: MemoryUse) -> JSON {
        var object: JSONObject = [
            "id": .string(use.memory?.id.description ?? ""), "score": .number((use.total * 100).rounded() / 100),
            "parts": .object(JSONObject(use.parts.map { ($0.name, .number($0.value)) })),
        ]
        if let memory = use.memory {
            object["text"] = .string(memory.content)
            object["since"] = .string(memory.validFrom.description)
            if let source = memory.sourceID { object["message"] = .string(source) }
            if let channel = memory.channel { object["channel"] = .string(channel) }
        }
        return .object(object)
    }
}
