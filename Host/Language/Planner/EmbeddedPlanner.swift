public import TandemCore

/// Finds out, without a language model, which tools a message asks for and with which arguments.
///
/// Built once from the definitions of a set of tools; immutable and safe to use from any thread. Two kinds of evidence
/// are joined: the alignment of the message with the tools' example sentences, and the words of the message against all
/// that a tool's sentences, title and namespace speak of, so that wordings nobody wrote down find their tool. Words match
/// by lemma, by meaning (`Lexicon`) and in spite of typing slips; values never do.
///
/// What writes must be clearer than what reads; what deletes, sends or spends clearer still. Questions, doubts, denials
/// and other people's words plan no write.
public struct EmbeddedPlanner: Sendable {
    /// At most this many bytes of a message are looked at.
    public static let considered = 1664

    /// What is wrong with single utterances; they are ignored, all others work.
    public let diagnostics: [TemplateDiagnostic]

    let tools: [CompiledTool]
    let vocabulary: Vocabulary
    /// Tools and weights by vocabulary index and by group of words.
    let byFeature: [[Posting]]
    let byCluster: [[Posting]]
    let distinct: [Float]
    let clusterDistinct: [Float]
    /// Templates without a telling word, like `what is my {query}`: found by all their small words together.
    let plain: [PlainTemplate]
    /// Groups of words that some tool speaks of.
    let spokenVerbs: ClusterSet
    /// What the tools' sentences mean.
    let meanings: ToolMeanings
    /// By tool, the templates of each of its utterances.
    let templatesOfUtterance: [[[Int]]]

    /// How much a group of verbs tells tools apart, 0.5…1.
    func distinctiveness(of clusters: ClusterSet) -> Float {
        var least: Float = 1
        clusters.visit { least = min(least, clusterDistinct[$0]) }
        return least
    }

    struct PlainTemplate: Sendable {
        var tool: Int
        var words: [TemplateElement]
    }

    struct Posting: Sendable {
        var tool: Int32
        var weight: Float
    }

    /// Compiles the tools; about 0.2 ms each at most.
    public init(tools definitions: [ToolDefinition]) {
        let compiler = ToolCompiler(definitions)
        meanings = ToolMeanings(definitions)
        templatesOfUtterance = compiler.tools.map { tool in
            var places: [[Int]] = []
            for (index, template) in tool.templates.enumerated() {
                while places.count <= template.utterance { places.append([]) }
                places[template.utterance].append(index)
            }
            return places
        }
        tools = compiler.tools
        vocabulary = compiler.vocabulary
        diagnostics = compiler.diagnostics
        var byFeature = [[Posting]](repeating: [], count: compiler.vocabulary.count)
        var byCluster = [[Posting]](repeating: [], count: 128)
        distinct = (0..<compiler.vocabulary.count).map { compiler.distinctiveness(Int32($0)) }
        var verbs = ClusterSet()
        var plain: [PlainTemplate] = []
        for (index, tool) in compiler.tools.enumerated() {
            verbs.formUnion(tool.verbs)
            var features: [Int32: Float] = [:]
            var clusters: [Int: Float] = [:]
            for template in tool.templates {
                let words = template.elements.filter { $0.slot < 0 && !$0.isOptional && !$0.isColon }
                if !words.isEmpty,
                    words.allSatisfy({ $0.flags.contains(.function) && $0.number == nil })
                {
                    plain.append(PlainTemplate(tool: index, words: words))
                }
                for element in template.elements where element.slot < 0 && element.weight > 0.3 {
                    for feature in element.features {
                        features[feature] = max(features[feature] ?? 0, element.weight)
                    }
                    element.strong.visit { clusters[$0] = max(clusters[$0] ?? 0, element.weight * 0.7) }
                    element.weak.visit { clusters[$0] = max(clusters[$0] ?? 0, element.weight * 0.3) }
                }
            }
            for feature in tool.topicFeatures where features[feature] == nil { features[feature] = 0.5 }
            tool.topics.visit { if clusters[$0] == nil { clusters[$0] = 0.3 } }
            for (feature, weight) in features {
                byFeature[Int(feature)].append(Posting(tool: Int32(index), weight: weight))
            }
            for (cluster, weight) in clusters { byCluster[cluster].append(Posting(tool: Int32(index), weight: weight)) }
        }
        self.byFeature = byFeature
        clusterDistinct = (0..<128).map { cluster in
            var single = ClusterSet()
            single.insert(cluster)
            return compiler.distinctiveness(count: compiler.tools.count { $0.verbs.intersects(single) })
        }
        self.byCluster = byCluster
        spokenVerbs = verbs
        self.plain = plain
    }

    /// What the message asks for. Deterministic; no I/O; below a millisecond for any input.
    public func plan(_ text: String, context: PlannerContext) -> PlanVerdict {
        guard var pass = pass(text, context: context) else { return .unclear(best: nil) }
        return pass.verdict()
    }

    /// All tools that a whole message may ask for, with what is known about each: what the model is made from.
    package func candidates(_ text: String, context: PlannerContext) -> [(
        tool: String, belief: Float, features: [Float]
    )] {
        guard var pass = pass(text, context: context) else { return [] }
        return pass.candidates().map { (tools[$0.tool].id, $0.belief, $0.features?.values ?? []) }
    }

    /// The message read, ready to be weighed; nil when nothing in it may be planned.
    func pass(_ text: String, context: PlannerContext) -> PlanningPass? {
        let source = Array(text.utf8.prefix(EmbeddedPlanner.considered))
        var tokens = Tokenizer.tokens(of: source, limit: EmbeddedPlanner.considered)
        stripOuterQuotes(&tokens)
        guard tokens.contains(where: { !$0.isBreak }) else { return nil }
        vocabulary.annotate(&tokens, source: source)
        if SmallTalk.looksInjected(tokens, source: source) || isRepetition(tokens) { return nil }
        let (today, minutes) = LocalZone(identifier: context.timeZone).local(context.now)
        let reader = TemporalReader(today: today, nowMinutes: minutes, monthFirst: context.currency == "USD")
        let message = Message(
            source: source, tokens: tokens, reader: reader, money: MoneyReader(home: context.currency))
        return PlanningPass(planner: self, message: message, context: context)
    }

    /// One word over and over.
    private func isRepetition(_ tokens: [Token]) -> Bool {
        let words = tokens.lazy.filter { $0.kind == .word }
        guard let first = words.first, words.count >= 4 else { return false }
        return words.allSatisfy { $0.surface == first.surface }
    }

    /// A message wholly in quotes is meant as it stands.
    private func stripOuterQuotes(_ tokens: inout [Token]) {
        guard tokens.count > 2, tokens.first?.byte == 34, tokens.last?.byte == 34,
            tokens.count(where: { $0.byte == 34 && $0.kind == .punctuation }) == 2
        else {
            return
        }
        tokens.removeFirst()
        tokens.removeLast()
        for index in tokens.indices { tokens[index].flags.subtract(.quoted) }
    }
}
