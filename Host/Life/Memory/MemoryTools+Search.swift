import TandemCore
import TandemJSON
import TandemMemory

/// Search over everything that the person has: memories, notes, what was written and answered, rows of plugins.
extension MemoryTools {
    static let foundResult = Shape.result(
        [
            "kind": Shape.choice("Where it is.", ["memory", "note", "message", "plugin", "other"]),
            "source": Shape.string, "id": Shape.string, "text": Shape.string, "at": Shape.string,
            "trust": Shape.string,
        ], required: ["kind", "id", "text", "at", "trust"])

    static let searchDefinition = ToolDefinition(
        id: "memory.search", title: "Search everything",
        description:
            "Searches all that the person has by words and meaning: memories, notes, earlier messages, and what integrations "
            + "keep. For one place alone its own search is better.",
        parameters: Shape.object(
            ["query": Shape.text("What to find: the plumber's offer.", upTo: 400)], required: ["query"]),
        result: Shape.result(["found": Shape.array(foundResult)], required: ["found"]), effect: .read,
        utterances: [
            Utterance("search everything for {query}"), Utterance("look everywhere for {query}"),
            Utterance("search all my (things|stuff|data) for {query}"), Utterance("find everything about {query}"),
            Utterance("what do I have about {query}"), Utterance("where did I (write|mention) [about] {query}"),
            Utterance("when did I mention {query}"), Utterance("what did we say about {query}"),
        ],
        slots: ["query": SlotDefinition(.text, required: true)])

    func search(_ request: ToolRequest) async throws -> ToolOutcome {
        guard let query = request.line("query") else { throw ToolFailure.empty("What should I look for?") }
        let found = try await memory.search.find(
            query, limit: 8, now: request.time.now, before: request.call.origin.turn, in: request.scope)
        guard !found.isEmpty else {
            return .value(["found": []], Wording.line("I found nothing about \"", query, "\" anywhere."))
        }
        return .value(
            ["found": .array(found.map { MemoryTools.json($0, query) })],
            Wording.numbered(found.count == 1 ? "Found:" : "Found \(found.count):", MemoryTools.lines(found, query)),
            shown: MemoryTools.shown(found))
    }

    /// What notes and plugins have about a question: beside memories only what is about as good.
    func others(_ query: String, beside found: [RecalledMemory], _ request: ToolRequest) async throws -> [FoundText] {
        let others = try await memory.search.find(
            query, kinds: ["note", "plugin", "other"], limit: 3, now: request.time.now, in: request.scope)
        guard let best = found.first else { return others }
        let least = 0.8 * (best.score.total - best.score.standing)
        return others.filter { $0.score.total - $0.score.standing >= least }
    }

    static func lines(_ found: [FoundText], _ query: String) -> [String] {
        found.map { hit in
            let source =
                switch hit.kind {
                case "memory": ""
                case "note": "note: "
                case "message": "message: "
                default: hit.owner.isEmpty ? "" : "\(hit.owner): "
                }
            return source + Wording.clip(hit.excerpt(for: query, length: 90))
        }
    }

    static func shown(_ found: [FoundText]) -> ShownEntities {
        let items = found.compactMap { hit -> ShownEntities.Item? in
            let label = Wording.clip(hit.excerpt(for: "", length: 60))
            return switch hit.kind {
            case "memory": ShownEntities.Item(type: entity, id: hit.id.description, label: label, trust: hit.trust)
            case "note":
                ShownEntities.Item(type: NoteItem.entity, id: hit.id.description, label: label, trust: hit.trust)
            default: nil
            }
        }
        return ShownEntities(items: items, isNumbered: false)
    }

    static func json(_ hit: FoundText, _ query: String) -> JSON {
        [
            "kind": .string(hit.kind), "source": .string(hit.owner.isEmpty ? hit.kind : hit.owner),
            "id": .string(hit.id.description), "text": .string(hit.excerpt(for: query, length: 300)),
            "at": .string(hit.at.description), "trust": .string(hit.trust.rawValue),
        ]
    }
}
