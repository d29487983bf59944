import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// Explicit memory by text: remember, recall, show, forget. The person sees and steers all of it.
struct MemoryTools: Toolbox {
    let memory: LongTermMemory
    let proposals: MemoryProposals

    /// The entity type of memories in `shown`.
    static let entity = "memory.memory"

    private static let reference = SlotDefinition(.reference(entity: entity), required: true)
    static let memoryResult = Shape.result(
        ["id": Shape.string, "text": Shape.string, "since": Shape.string], required: ["id", "text"])
    private static let several = Shape.result(["memories": Shape.array(memoryResult)], required: ["memories"])
    private static let recalled = Shape.result(
        ["memories": Shape.array(memoryResult), "others": Shape.array(foundResult)], required: ["memories"])

    static let definitions: [ToolDefinition] =
        [
            ToolDefinition(
                id: "memory.remember", title: "Remember something",
                description:
                    "Keeps a fact that the person wants remembered, in their words: codes, names, preferences, where things are. "
                    + "Not for things to do: those are tasks.",
                parameters: Shape.object(
                    [
                        "text": Shape.text(
                            "The fact, as said: my locker code is 4512.", upTo: LongTermMemory.longestText)
                    ],
                    required: ["text"]),
                result: Shape.result(["memory": memoryResult, "outcome": Shape.string], required: ["memory"]),
                effect: .write,
                utterances: [
                    Utterance("remember [that] {text}"), Utterance("please remember [that] {text}"),
                    Utterance("keep in mind [that] {text}"), Utterance("don't forget [that] {text}"),
                    Utterance("memorize [that] {text}"), Utterance("for future reference {text}"),
                    Utterance("you should know [that] {text}"),
                ],
                slots: ["text": SlotDefinition(.text, required: true)]),
            ToolDefinition(
                id: "memory.recall", title: "Recall",
                description:
                    "Finds what the person asked to remember, by a question or words; also what their notes and "
                    + "integrations have about it.",
                parameters: Shape.object(
                    ["query": Shape.text("What to find: locker code.", upTo: 400)], required: ["query"]),
                result: recalled, effect: .read,
                utterances: [
                    Utterance("what do you know about {query}"), Utterance("what's my {query}"),
                    Utterance("what is my {query}"),
                    Utterance("what did I (tell you|say) about {query}"), Utterance("do you (remember|know) {query}"),
                    Utterance("where (is|are) my {query}"), Utterance("where did I (put|park|leave) {query}"),
                    Utterance("who is my {query}"), Utterance("when is my {query}"), Utterance("recall {query}"),
                    Utterance("tell me what my {query} is"), Utterance("what have I told you about {query}"),
                ],
                slots: ["query": SlotDefinition(.text, required: true)]),
            ToolDefinition(
                id: "memory.list", title: "Show what is remembered",
                description: "Lists what is remembered about the person, newest first.", parameters: Shape.object([:]),
                result: several, effect: .read,
                utterances: [
                    Utterance("what do you (know|remember) about me"), Utterance("what do you remember"),
                    Utterance("(show|list) [me] [all] [my|your] memories"), Utterance("what have you remembered"),
                    Utterance("show me what you know"),
                ]),
            ToolDefinition(
                id: "memory.show", title: "Show a memory",
                description: "Shows one memory in full, and when the person said it.",
                parameters: Shape.object(["memory": Shape.reference("memory")], required: ["memory"]),
                result: Shape.result(["memory": memoryResult], required: ["memory"]), effect: .read,
                utterances: [
                    Utterance("show [me] [the] memory {memory}"), Utterance("when did I tell you [about] {memory}"),
                    Utterance("why do you (know|think|say) {memory}"),
                ],
                slots: ["memory": reference], actsOn: entity),
            ToolDefinition(
                id: "memory.forget", title: "Forget something",
                description: "Forgets one thing that was remembered, with its older versions; it can be undone.",
                parameters: Shape.object(["memory": Shape.reference("memory")], required: ["memory"]),
                result: Shape.result(["forgotten": memoryResult], required: ["forgotten"]), effect: .write,
                utterances: [
                    Utterance("forget [about] {memory}"), Utterance("forget that {memory}"),
                    Utterance("forget my {memory}"),
                    Utterance("you can forget {memory}"), Utterance("delete the memory [about] {memory}"),
                    Utterance("don't remember {memory} any more"),
                ],
                slots: ["memory": reference], actsOn: entity),
            ToolDefinition(
                id: "memory.clear", title: "Forget everything",
                description: "Forgets all that was remembered about the person.",
                parameters: Shape.object([:]),
                result: Shape.result(["forgotten": Shape.integer], required: ["forgotten"]),
                effect: .delete,
                utterances: [
                    Utterance("forget everything [about me]"),
                    Utterance("(delete|clear|erase|wipe) [all] (my|your) memories"),
                    Utterance("(clear|erase|wipe) your memory"), Utterance("forget all [you know] about me"),
                ]),
        ] + [whyDefinition, searchDefinition] + proposalDefinitions

    func run(_ request: ToolRequest) async throws -> ToolOutcome {
        switch request.call.tool {
        case "memory.remember": try await remember(request)
        case "memory.recall": try await recall(request)
        case "memory.list": try await list(request)
        case "memory.show": try await show(request)
        case "memory.forget": try await forget(request)
        case "memory.clear": try await clear(request)
        case "memory.why": try await why(request)
        case "memory.search": try await search(request)
        case "memory.proposals": try await listProposals(request)
        case "memory.keep_proposal": try await keepProposal(request)
        case "memory.decline_proposal": try await declineProposal(request)
        default: throw ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that.")
        }
    }

    private func remember(_ request: ToolRequest) async throws -> ToolOutcome {
        let text = MemoryTools.statement(request.line("text") ?? "")
        guard !text.isEmpty else { throw ToolFailure.empty("What should I remember?") }
        let result = try await memory.remember(NewMemory(text), in: request.scope, origin: request.call.origin)
        let (head, outcome, tail): (String, JSON, String)
        switch result {
        case .added: (head, outcome, tail) = ("I'll remember: ", "added", ".")
        case .refreshed: (head, outcome, tail) = ("I know, and keep it: ", "known", ".")
        case .replaced(_, let older):
            (head, outcome, tail) = ("Updated: ", "updated", ". (Before: \(Wording.clip(older.content, to: 45)))")
        }
        return .value(
            ["memory": MemoryTools.json(result.memory), "outcome": outcome],
            Wording.line(head, result.memory.content, tail), shown: .touched([MemoryTools.item(result.memory)]))
    }

    /// Without the mark at the end.
    private static func statement(_ text: String) -> String {
        var rest = Substring(text)
        while let last = rest.last, ".,;! ".contains(last) { rest = rest.dropLast() }
        return String(rest)
    }

    private func recall(_ request: ToolRequest) async throws -> ToolOutcome {
        guard let query = request.line("query") else { throw ToolFailure.empty("What would you like to know?") }
        let found = try await memory.recall(query, limit: 5, now: request.time.now, in: request.scope)
        let others = try await others(query, beside: found, request)
        let value: JSON = [
            "memories": .array(found.map { MemoryTools.json($0.memory) }),
            "others": .array(others.map { MemoryTools.json($0, query) }),
        ]
        guard let first = found.first else {
            guard !others.isEmpty else {
                return .value(
                    value, Wording.line("I have nothing about \"", query, "\" yet. Tell me: remember that ..."))
            }
            return .value(
                value, Wording.numbered("You told me nothing, but I found:", MemoryTools.lines(others, query)),
                shown: MemoryTools.shown(others))
        }
        try? await memory.noteUse(found, turn: request.call.origin.turn, in: request.scope)
        let also = others.isEmpty ? "" : "\nAlso: " + MemoryTools.lines(others, query).joined(separator: "; ")
        if found.count == 1 {
            let whole = "You told me: \(Wording.oneLine(first.memory.content))."
            let message =
                Wording.septets(whole) <= Wording.firstLineLimit
                ? whole : Wording.clip(whole, to: Wording.firstLineLimit) + "\n" + first.memory.content
            return .value(value, message + also, shown: .touched([MemoryTools.item(first.memory)]))
        }
        return .value(
            value, Wording.numbered("You told me:", found.map { $0.memory.content }) + also,
            shown: ShownEntities(items: found.map { MemoryTools.item($0.memory) }, select: "memory.show"))
    }

    private func list(_ request: ToolRequest) async throws -> ToolOutcome {
        let all = try await memory.all(limit: 20, in: request.scope)
        guard !all.isEmpty else {
            return .value(["memories": []], "Nothing yet. Tell me: remember that my locker code is ...")
        }
        return .value(
            ["memories": .array(all.map(MemoryTools.json))],
            Wording.numbered("I remember:", all.map { Wording.clip($0.content, to: 45) }),
            shown: ShownEntities(items: all.map(MemoryTools.item), select: "memory.show"))
    }

    private func show(_ request: ToolRequest) async throws -> ToolOutcome {
        let found = try await resolve(request)
        let tail = " (you told me \(MemoryTools.when(found, request.time)))"
        let content = Wording.oneLine(found.content)
        let room = Wording.firstLineLimit - Wording.septets(tail)
        var message = Wording.clip(content, to: room) + tail
        if Wording.septets(content) > room { message += "\n" + found.content }
        return .value(
            ["memory": MemoryTools.json(found)], message, shown: .touched([MemoryTools.item(found)]))
    }

    private func forget(_ request: ToolRequest) async throws -> ToolOutcome {
        let found = try await resolve(request)
        guard let gone = try await memory.forget(found.id, in: request.scope, origin: request.call.origin) else {
            throw ToolFailure.notFound("memory", "#")
        }
        return .value(["forgotten": MemoryTools.json(gone)], Wording.line("Forgotten: ", gone.content, "."))
    }

    private func clear(_ request: ToolRequest) async throws -> ToolOutcome {
        let count = try await memory.forgetAll(in: request.scope, origin: request.call.origin)
        return .value(
            ["forgotten": .integer(Int64(count))],
            count == 0
                ? "There was nothing to forget." : "Forgotten: all \(Wording.count(count, "thing")) I knew about you.")
    }

    // MARK: - Shared

    /// The memory that is meant by `#ID` or by words; asks when two are about equally near.
    private func resolve(_ request: ToolRequest) async throws -> Memory {
        guard let words = request.line("memory") else { throw ToolFailure.empty("Which one? Say a word of it.") }
        if words.hasPrefix("#") {
            guard let id = RecordID(String(words.dropFirst())),
                let found = try await memory.memory(id, in: request.scope)
            else { throw ToolFailure.notFound("memory", words) }
            return found
        }
        let found = try await memory.recall(words, limit: 6, now: request.time.now, in: request.scope)
        guard let first = found.first else {
            throw ToolFailure(
                status: -8, code: "not_found", message: Wording.line("I have nothing about \"", words, "\"."))
        }
        let near = found.filter { $0.score.total >= first.score.total * 0.7 }
        guard near.count > 1 else { return first.memory }
        throw request.choice(
            "memory", items: near.map { Referable(id: $0.memory.id.description, label: $0.memory.content) })
    }

    static func json(_ memory: Memory) -> JSON {
        [
            "id": .string(memory.id.description), "text": .string(memory.content),
            "since": .string(memory.validFrom.description),
        ]
    }

    static func item(_ memory: Memory) -> ShownEntities.Item {
        ShownEntities.Item(type: entity, id: memory.id.description, label: Wording.clip(memory.content))
    }
}
