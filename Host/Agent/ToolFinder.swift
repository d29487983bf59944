import Synchronization
import TandemCore
import TandemEmbedding
import TandemJSON
import TandemLanguage
import TandemMemory
import TandemModels

/// Which tools a model is told of in one turn.
///
/// Every declaration is paid for in every request, and among two hundred a model chooses worse than among twenty. So it is
/// told of those that the owner's words may need, and of the names of all others, which it can ask for (`FindTool`). What it
/// may call is not decided here: that is the directory's and the policy's.
struct ToolOffer: Sendable {
    /// Those that are declared from the first request on; nil: all.
    var chosen: Set<String>?

    static let everything = ToolOffer(chosen: nil)

    func holds(_ tool: String) -> Bool { chosen?.contains(tool) ?? true }
}

/// How a model asks for declarations that it has not been given: a tool of the host that nobody carries out.
enum FindTool {
    static let id = "host.tools"
    /// Of a namespace that is asked for as a whole so many are given.
    static let most = 16

    /// - Parameter tools: All that the person may use: their names are the same in each request.
    static func definition(for tools: [ToolDefinition]) -> ToolDefinition {
        var names: [(namespace: Substring, verbs: [Substring])] = []
        var places: [Substring: Int] = [:]
        for tool in tools {
            let namespace = tool.id.prefix { $0 != "." }
            let verb = tool.id.dropFirst(namespace.count + 1)
            if let place = places[namespace] {
                names[place].verbs.append(verb)
            } else {
                places[namespace] = names.count
                names.append((namespace, [verb]))
            }
        }
        let list = names.map { "\($0.namespace): \($0.verbs.joined(separator: " "))" }.joined(separator: "; ")
        return ToolDefinition(
            id: id, title: "More tools",
            description: """
                Gives you tools that are not declared here. Use it before you say that something cannot be done, and \
                together with other calls. There are, as namespace: names; \(list).
                """,
            parameters: [
                "type": "object", "additionalProperties": false, "required": ["tools"],
                "properties": [
                    "tools": [
                        "type": "array", "minItems": 1, "maxItems": 16,
                        "items": [
                            "type": "string",
                            "description": "A namespace and a name with a point between them, or a namespace alone.",
                        ],
                    ]
                ],
            ], effect: .read, undo: .rows)
    }

    /// The tools that a call of it names, in the directory's order; and what is not there.
    static func answer(
        to arguments: JSON, among tools: [ToolDefinition]
    ) -> (found: [String], unknown: [String]) {
        let wanted = (arguments["tools"]?.arrayValue ?? []).prefix(16).compactMap(\.stringValue)
        var found: Set<String> = []
        var unknown: [String] = []
        for name in wanted {
            let matching = tools.lazy.filter { $0.id == name || $0.namespace == name }.prefix(most).map(\.id)
            if matching.isEmpty { unknown.append(String(name.prefix(64))) } else { found.formUnion(matching) }
        }
        return (tools.map(\.id).filter(found.contains), unknown)
    }
}

/// Finds the tools that a message may need: by the words that it has in common with their declarations, and by the likeness
/// of its parts to their example sentences (the embedded table; `StaticEmbedder`).
///
/// A generous choice, not a decision: `Tests/TandemApplicationTests/HeldOutTests` measures how often the tool that is meant
/// is among those chosen. Made once for all tools of the host, on the first message that a model is asked about.
final class ToolFinder: Sendable {
    /// Tokens of all declarations together up to which a model is told of every tool: then nothing ever changes in what
    /// providers cache.
    static let everythingBelow = 5000
    /// Tokens of the declarations that are chosen.
    static let budget = 3500

    private let made = Mutex<Index?>(nil)

    func offer(
        for words: String, context: TurnContext, reading: [LanguageCall], directory: ToolDirectory,
        among all: [ToolDefinition]
    ) -> ToolOffer {
        let tools = directory.definitions.filter { !$0.isOwnersAlone }
        let costs = tools.map { TokenEstimate.tokens(of: $0) }
        guard costs.reduce(0, +) > ToolFinder.everythingBelow else { return .everything }
        let index = index(of: all)
        var chosen: Set<String> = []
        var left = ToolFinder.budget
        let places = Dictionary(tools.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        func take(_ tool: String) {
            guard let place = places[tool], !chosen.contains(tool), costs[place] <= left || chosen.count < 3 else {
                return
            }
            left -= costs[place]
            chosen.insert(tool)
        }
        for call in reading { take(call.tool) }
        let rankings = index.rankings(words: words, context: context).map { ranking in
            ranking.filter { places[$0] != nil }
        }
        // The best of each part of the message first, then the next best of each.
        for rank in 0..<(rankings.map(\.count).max() ?? 0) {
            guard left > 40 else { break }
            for ranking in rankings where rank < ranking.count { take(ranking[rank]) }
        }
        return ToolOffer(chosen: chosen)
    }

    private func index(of all: [ToolDefinition]) -> Index {
        let known = made.withLock { $0 }
        if let known, known.isOf(all) { return known }
        let index = Index(all)
        made.withLock { $0 = index }
        return index
    }

    // MARK: The index

    private struct Index: Sendable {
        let tools: [ToolDefinition]
        private let embedder = StaticEmbedder()
        private var vectors: VectorStore
        /// Of each vector.
        private var owners: [Int32] = []
        private var postings: [String: [Int32]] = [:]
        private let namespaces: [Int]

        /// Example sentences of one tool that count.
        private static let mostSentences = 16
        private static let mostParts = 6

        init(_ tools: [ToolDefinition]) {
            self.tools = tools
            vectors = VectorStore(dimensions: embedder.dimensions)
            var numbers: [String: Int] = [:]
            for tool in tools where numbers[tool.namespace] == nil { numbers[tool.namespace] = numbers.count }
            namespaces = tools.map { numbers[$0.namespace] ?? 0 }
            for (number, tool) in tools.enumerated() {
                let owner = Int32(number)
                var sentences = [tool.title, Index.firstSentence(tool.description)]
                sentences += tool.utterances.prefix(Index.mostSentences).map { Index.plain($0.text) }
                for sentence in sentences where !sentence.isEmpty {
                    vectors.append(embedder.embed(sentence))
                    owners.append(owner)
                }
                var text = sentences.joined(separator: " ")
                text += " " + tool.description + " " + tool.id.map { $0.isLetter ? String($0) : " " }.joined()
                for name in tool.parameters["properties"]?.objectValue?.map(\.key) ?? [] {
                    text += " " + name.replacing("_", with: " ")
                }
                for stem in Set(TextAnalyzer.stems(text)) { postings[stem, default: []].append(owner) }
            }
        }

        /// Arrays that were not changed since are the same ones.
        func isOf(_ other: [ToolDefinition]) -> Bool {
            tools.count == other.count
                && tools.withUnsafeBufferPointer { left in
                    other.withUnsafeBufferPointer { left.baseAddress == $0.baseAddress }
                } || tools == other
        }

        /// Tool ids from the most to the least likely: for the message as a whole, then for each of its parts.
        func rankings(words: String, context: TurnContext) -> [[String]] {
            var texts = [words]
            let parts = Index.parts(of: words)
            if parts.count > 1 { texts += parts }
            let before = context.state.exchanges.last?.person
            let types = Set(
                (context.state.touched + (context.state.shown?.items ?? [])).map(\.type))
            let recent = Set(context.state.tools)
            let recentNamespaces = Set(recent.map { $0.prefix { $0 != "." } })
            var bonus = [Float](repeating: 0, count: tools.count)
            let earlier = before.map { scores(of: $0) }
            for (number, tool) in tools.enumerated() {
                if let type = tool.actsOn, types.contains(type) { bonus[number] += 0.2 }
                if recent.contains(tool.id) {
                    bonus[number] += 0.2
                } else if recentNamespaces.contains(tool.id.prefix { $0 != "." }) {
                    bonus[number] += 0.1
                }
                if let earlier { bonus[number] += 0.15 * earlier[number] }
            }
            return texts.map { text in
                var scores = scores(of: text)
                // What belongs to a likely tool is likelier itself: a mail is found and read before it is answered.
                var best: [Int: Float] = [:]
                for (number, score) in scores.enumerated() {
                    best[namespaces[number]] = max(best[namespaces[number]] ?? 0, score)
                }
                for number in scores.indices {
                    scores[number] += 0.3 * (best[namespaces[number]] ?? 0) + bonus[number]
                }
                return scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }.map { tools[$0].id }
            }
        }

        /// Of each tool: the likeness of its likest sentence, from 0 to 1, and the share of the words that it knows,
        /// weighted by how rare they are.
        private func scores(of text: String) -> [Float] {
            var likeness = [Float](repeating: 0, count: tools.count)
            for (place, value) in vectors.dots(embedder.embed(text)).enumerated() {
                let owner = Int(owners[place])
                likeness[owner] = max(likeness[owner], value)
            }
            var shared = [Float](repeating: 0, count: tools.count)
            var whole: Float = 0
            for stem in Set(TextAnalyzer.stems(text)) {
                let posting = postings[stem] ?? []
                // A word that no tool knows is a name or a thing: it tells the tools apart no more than it would.
                guard !posting.isEmpty else { continue }
                let weight = Float(tools.count + 1) / Float(posting.count)
                let rarity = Float(weight.exponent) + weight.significand - 1
                whole += rarity
                for owner in posting { shared[Int(owner)] += rarity }
            }
            guard whole > 0 else { return likeness }
            return likeness.indices.map { likeness[$0] + 0.5 * shared[$0] / whole }
        }

        private static func firstSentence(_ text: String) -> String {
            String(text.prefix(while: { $0 != "." }))
        }

        /// An example sentence without its slots and signs.
        private static func plain(_ text: String) -> String {
            var plain = ""
            var depth = 0
            for character in text {
                switch character {
                case "{": depth += 1
                case "}": depth -= 1
                case "[", "]", "(", ")", "|": plain.append(" ")
                default: if depth == 0 { plain.append(character) }
                }
            }
            return plain
        }

        /// The message's parts that may ask for things of their own.
        private static func parts(of words: String) -> [String] {
            var parts: [String] = []
            var current: [Substring] = []
            func close() {
                if current.count > 1 { parts.append(current.joined(separator: " ")) }
                current = []
            }
            for line in words.split(whereSeparator: { ".!?;,\n".contains($0) }) {
                for word in line.split(whereSeparator: \.isWhitespace) {
                    if ["and", "then", "also", "plus", "but"].contains(word.lowercased()) {
                        close()
                    } else {
                        current.append(word)
                    }
                }
                close()
            }
            return Array(parts.prefix(mostParts))
        }
    }
}
