import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// What the person is at, and the way back to it: focus areas, and `what was I doing`.
struct FocusTools: Toolbox {
    let memory: LongTermMemory

    /// The entity type of areas in `shown`.
    static let entity = "focus.area"

    private static let areaResult = Shape.result(
        ["id": Shape.string, "name": Shape.string, "state": Shape.string, "since": Shape.string],
        required: ["id", "name", "state"])
    private static let longest = LongTermMemory.longestFocusName

    static let definitions: [ToolDefinition] = [
        ToolDefinition(
            id: "focus.set", title: "Focus on something",
            description:
                "Sets what the person is at for a while, such as a project: what is remembered meanwhile belongs to it. "
                + "Not for a single thing to do: that is a task.",
            parameters: Shape.object(
                ["area": Shape.text("What it is: the tax return.", upTo: longest)], required: ["area"]),
            result: Shape.result(["area": areaResult], required: ["area"]), effect: .write,
            utterances: [
                Utterance("my focus [now] is {area}"), Utterance("set my focus (to|on) {area}"),
                Utterance("focus on {area}"), Utterance("let me focus on {area}"), Utterance("I'm focusing on {area}"),
                Utterance("help me [to] focus on {area}"), Utterance("new focus area {area}"),
                Utterance("switch [my] focus to {area}"),
            ],
            slots: ["area": SlotDefinition(.text, required: true)]),
        ToolDefinition(
            id: "focus.list", title: "Show focus areas",
            description: "Lists what the person is at: the current focus area first.", parameters: Shape.object([:]),
            result: Shape.result(["areas": Shape.array(areaResult)], required: ["areas"]), effect: .read,
            utterances: [
                Utterance("what are my focus areas"), Utterance("(show|list) [me] my focus areas"),
                Utterance("what is my focus"), Utterance("what am I focusing on"),
            ]),
        ToolDefinition(
            id: "focus.end", title: "End a focus",
            description: "Closes a focus area: the current one, or the one that is named.",
            parameters: Shape.object(["area": Shape.reference("focus area")]),
            result: Shape.result(["closed": areaResult], required: ["closed"]), effect: .write,
            utterances: [
                Utterance("end my focus"), Utterance("stop focusing [on {area}]"),
                Utterance("close the focus area {area}"), Utterance("I'm done focusing [on {area}]"),
            ],
            slots: ["area": SlotDefinition(.reference(entity: entity))], actsOn: entity),
        ToolDefinition(
            id: "focus.resume", title: "Where was I",
            description:
                "Brings the person back to what they were doing: focus area, the task that was spoken of last, and what they "
                + "wrote last.", parameters: Shape.object([:]),
            result: Shape.result(
                ["focus": Shape.nullableString, "task": Shape.nullableString, "said": Shape.array(Shape.string)],
                required: ["said"]), effect: .read,
            utterances: [
                Utterance("what was I doing"), Utterance("what was I (working on|up to|about to do)"),
                Utterance("where was I"), Utterance("where were we"), Utterance("what were we talking about"),
                Utterance("(get|bring) me back on track"), Utterance("I got distracted"), Utterance("I lost my thread"),
            ]),
    ]

    func run(_ request: ToolRequest) async throws -> ToolOutcome {
        switch request.call.tool {
        case "focus.set": try await set(request)
        case "focus.list": try await list(request)
        case "focus.end": try await end(request)
        case "focus.resume": try await resume(request)
        default: throw ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that.")
        }
    }

    private func set(_ request: ToolRequest) async throws -> ToolOutcome {
        guard var name = request.line("area") else { throw ToolFailure.empty("What would you like to focus on?") }
        while let last = name.last, ".,;!".contains(last) { name.removeLast() }
        let before = try await memory.focusAreas(in: request.scope).first { $0.state == .current }
        let area = try await memory.focus(on: name, in: request.scope, origin: request.call.origin)
        let tail = before.map { $0.id == area.id ? "" : " (\(Wording.clip($0.name, to: 40)) stays open)" } ?? ""
        return .value(
            ["area": FocusTools.json(area)], Wording.line("Focus: ", area.name, "\(tail)."),
            shown: .touched([FocusTools.item(area)]))
    }

    private func list(_ request: ToolRequest) async throws -> ToolOutcome {
        let areas = try await memory.focusAreas(in: request.scope).filter { $0.state != .closed }
        guard !areas.isEmpty else {
            return .value(["areas": []], "No focus area yet. Say: my focus is ...")
        }
        let names = areas.prefix(9).map { area in
            Wording.clip(area.name, to: 45) + (area.state == .current ? " (now)" : "")
        }
        return .value(
            ["areas": .array(areas.map(FocusTools.json))], Wording.numbered("Focus areas:", names),
            shown: ShownEntities(items: areas.prefix(9).map(FocusTools.item)))
    }

    private func end(_ request: ToolRequest) async throws -> ToolOutcome {
        var id: RecordID?
        if request.line("area") != nil {
            let areas = try await memory.focusAreas(in: request.scope).filter { $0.state != .closed }
            let items = areas.map { Referable(id: $0.id.description, label: $0.name) }
            if let words = request.line("area"), words.hasPrefix("#") {
                id = RecordID(String(words.dropFirst()))
                guard areas.contains(where: { $0.id == id }) else { throw ToolFailure.notFound("focus area", words) }
            } else {
                id =
                    areas[
                        try request.resolve(
                            "area", among: items, noun: "focus area", ignoring: ["focus", "area", "areas"])
                    ].id
            }
        }
        guard let area = try await memory.endFocus(id, in: request.scope, origin: request.call.origin) else {
            throw ToolFailure(status: -8, code: "not_found", message: "There is no focus to end right now.")
        }
        return .value(["closed": FocusTools.json(area)], Wording.line("Closed: ", area.name, ". Well done."))
    }

    // MARK: - The way back

    /// What was written longer ago is another day's.
    private static let recent = Duration.seconds(36 * 3600)

    private func resume(_ request: ToolRequest) async throws -> ToolOutcome {
        let area = try await memory.focusAreas(in: request.scope).first { $0.state == .current }
        let time = request.time
        let turn = request.call.origin.turn
        let (task, said) = try await memory.database.read(request.scope) { transaction in
            let rows = Rows(transaction)
            let task = try rows.focus(in: time).flatMap { try rows.task($0) }
            return (task?.isDone == false ? task?.title : nil, try FocusTools.said(before: turn, time, in: transaction))
        }
        let value: JSON = [
            "focus": area.map { .string($0.name) } ?? .null, "task": task.map { .string($0) } ?? .null,
            "said": .array(said.map { .string($0.text) }),
        ]
        var parts: [String] = []
        if let area { parts.append("Your focus: \(Wording.clip(area.name, to: 50))") }
        if let task { parts.append("the task: \(Wording.clip(task, to: 50))") }
        if let last = said.first {
            parts.append("\(FocusTools.ago(last.at, time)) you wrote: \(Wording.clip(last.text, to: 60))")
        }
        guard !parts.isEmpty else {
            return .value(value, "I see nothing open. What would you like to do now?")
        }
        var message = Wording.line("", parts.joined(separator: "; "), ".")
        for more in said.dropFirst() { message += "\n\(FocusTools.ago(more.at, time)): \(Wording.clip(more.text))" }
        return .value(value, message, shown: area.map { .touched([FocusTools.item($0)]) })
    }

    /// The last things that the person wrote and that were no questions, newest first.
    private static func said(
        before turn: RecordID, _ time: PersonTime, in transaction: any ReadTransaction
    ) throws -> [(text: String, at: Timestamp)] {
        let rows: [UserRow]
        do {
            rows = try transaction.list(
                "messages", where: [RowCondition("id", .less, .id(turn)), RowCondition("direction", .equal, "in")],
                order: [RowOrder("id", descending: true)], limit: 20)
        } catch let error as StorageError where error.code == .unknownTable {
            return []
        }
        var said: [(text: String, at: Timestamp)] = []
        for row in rows where said.count < 3 && time.now.since(row.createdAt) <= recent {
            let text = row.string("text") ?? ""
            // A word or a code answers something; it is nothing that one does.
            guard text.split(whereSeparator: \.isWhitespace).count >= 2, StatementKind(text) != .question,
                text.contains(where: \.isLetter)
            else { continue }
            said.append((Wording.oneLine(text), row.createdAt))
        }
        return said
    }

    private static func ago(_ instant: Timestamp, _ time: PersonTime) -> String {
        let minutes = Int(time.now.since(instant).components.seconds) / 60
        if minutes < 1 { return "just now" }
        if minutes < 60 { return "\(minutes) min ago" }
        return minutes < 24 * 60 ? "\(Wording.count(minutes / 60, "hour")) ago" : "yesterday"
    }

    // MARK: - Shared

    static func json(_ area: FocusArea) -> JSON {
        [
            "id": .string(area.id.description), "name": .string(area.name), "state": .string(area.state.rawValue),
            "since": .string(area.activeAt.description),
        ]
    }

    static func item(_ area: FocusArea) -> ShownEntities.Item {
        ShownEntities.Item(type: entity, id: area.id.description, label: Wording.clip(area.name))
    }
}
