import Synchronization
import TandemCore
import TandemEmbedding

/// What a tool's example sentences mean, as vectors: each sentence as it stands, and with something typical in its slots.
///
/// Immutable; shared by all planners that have the tool.
final class PhraseVectors: Sendable {
    let rows: QuantisedRows
    /// The utterance that each row was made of.
    let templates: [Int32]

    /// Sentences beyond so many add nothing.
    private static let mostRows = 96

    private init(_ tool: ToolDefinition) {
        var rows = QuantisedRows()
        var templates: [Int32] = []
        let embedder = StaticEmbedder()
        for (index, utterance) in tool.utterances.enumerated() where rows.count < PhraseVectors.mostRows {
            for phrase in PhraseVectors.phrases(of: utterance.text, slots: tool.slots) {
                rows.append(embedder.embed(phrase))
                templates.append(Int32(index))
            }
        }
        rows.append(embedder.embed(tool.title))
        templates.append(-1)
        self.rows = rows
        self.templates = templates
    }

    /// A few plain sentences of a template: the shortest and the longest way to say it, each with and without words in the
    /// slots.
    static func phrases(of utterance: String, slots: [String: SlotDefinition]) -> [String] {
        guard let variants = try? TemplateParser.variants(of: utterance), let first = variants.first else { return [] }
        var phrases = [
            text(first, slots, withOptional: false, fills: true), text(first, slots, withOptional: true, fills: false),
        ]
        if variants.count > 1, let last = variants.last {
            phrases.append(text(last, slots, withOptional: true, fills: true))
        } else {
            phrases.append(text(first, slots, withOptional: true, fills: true))
        }
        var seen: Set<String> = []
        return phrases.filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    private static func text(
        _ pieces: [TemplateParser.Piece], _ slots: [String: SlotDefinition], withOptional: Bool, fills: Bool
    ) -> String {
        var words: [String] = []
        for (index, piece) in pieces.enumerated() where withOptional || !piece.isOptional {
            if let slot = piece.slot {
                if fills, let definition = slots[slot] { words.append(sample(definition.kind, index)) }
            } else if let word = piece.words.first {
                words.append(String(decoding: word, as: UTF8.self))
            }
        }
        return words.joined(separator: " ")
    }

    private static func sample(_ kind: SlotKind, _ place: Int) -> String {
        switch kind {
        case .items, .quantity: place % 2 == 0 ? "milk and bread" : "tomatoes"
        case .text: ""
        case .money: place % 2 == 0 ? "20 euros" : "12.50"
        case .date: "friday"
        case .dateTime: place % 2 == 0 ? "tomorrow at 5" : "friday"
        case .period: place % 2 == 0 ? "this month" : "last week"
        case .number: "3"
        case .duration: "an hour"
        case .choice(let choices): choices.first.map { $0.words.first ?? $0.value } ?? ""
        case .list: "anna"
        case .reference: "that"
        }
    }

    // MARK: Sharing

    private static let known = Mutex<[String: (ToolDefinition, PhraseVectors)]>([:])
    private static let mostKnown = 2048

    /// The vectors of a tool's sentences, made once for a definition. About 60 us for a tool.
    static func of(_ tool: ToolDefinition) -> PhraseVectors {
        let found = known.withLock { $0[tool.id] }
        if let found, found.0.utterances == tool.utterances, found.0.title == tool.title { return found.1 }
        let made = PhraseVectors(tool)
        known.withLock { known in
            if known.count >= mostKnown { known.removeAll() }
            known[tool.id] = (tool, made)
        }
        return made
    }
}
