import TandemCore
import TandemJSON

/// Turns tool definitions into templates over a vocabulary, with weights that tell how much a word says.
struct ToolCompiler {
    var vocabulary = Vocabulary()
    var tools: [CompiledTool] = []
    var diagnostics: [TemplateDiagnostic] = []
    /// Number of tools by vocabulary index.
    private var toolCounts: [Int] = []
    private var clusterCounts = [Int](repeating: 0, count: 128)

    init(_ definitions: [ToolDefinition]) {
        for definition in definitions { tools.append(compile(definition)) }
        findBackward(definitions)
        weigh()
    }

    private mutating func compile(_ definition: ToolDefinition) -> CompiledTool {
        let tool = CompiledTool(id: definition.id, effect: definition.effect)
        tool.actsOn = definition.actsOn
        tool.required = definition.parameters["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
        for name in definition.slots.keys.sorted() {
            guard let slot = definition.slots[name] else { continue }
            var compiled = compile(slot, name, isRequired: slot.isRequired || tool.required.contains(name))
            compiled.takesSeveral = ToolCompiler.isArray(definition.parameters["properties"]?[name])
            tool.slots.append(compiled)
        }
        for slot in tool.slots where slot.isRequired && !tool.required.contains(slot.name) {
            tool.required.append(slot.name)
        }
        var seen: Set<[Int]> = []
        for (place, utterance) in definition.utterances.enumerated() {
            do throws(TemplateParser.Failure) {
                for variant in try TemplateParser.variants(of: utterance.text) {
                    if let missing = variant.first(where: { $0.slot != nil && tool.slot(named: $0.slot ?? "") == nil })
                    {
                        throw TemplateParser.Failure(message: "no slot is declared for {\(missing.slot ?? "")}")
                    }
                    let template = compile(variant, tool: tool, implied: utterance.arguments)
                    template.utterance = place
                    let key = template.elements.flatMap {
                        [$0.slot, Int($0.features.first ?? -1), $0.isOptional ? 1 : 0]
                    }
                    if seen.insert(key).inserted || !utterance.arguments.isEmpty { tool.templates.append(template) }
                }
            } catch {
                diagnostics.append(
                    TemplateDiagnostic(tool: definition.id, utterance: utterance.text, message: error.message))
            }
        }
        topics(of: definition, tool)
        let wares = ["grocery", "recipe", "ingredient", "meal"].map { Lexicon.shared.cluster($0) }
        tool.isAboutWares = wares.contains { tool.topics.intersects($0) }
        tool.tellingChoices = tool.slots.indices.filter { slot in
            guard case .choice = tool.slots[slot].kind else { return false }
            let named = tool.templates.count { $0.elements.contains { $0.slot == slot && !$0.isOptional } }
            return named * 2 > tool.templates.count
        }
        let open = tool.slots.indices.filter { tool.slots[$0].isOpen }
        tool.primaryOpenSlot = open.first { tool.slots[$0].isRequired } ?? usage(open, tool)
        let makers = ["add", "create", "save", "jot", "memorise", "remind"].map { Lexicon.shared.cluster($0) }
        if let primary = tool.primaryOpenSlot, makers.contains(where: { tool.verbs.intersects($0) }) {
            switch tool.slots[primary].kind {
            case .items, .list, .text: tool.takesNew = true
            default: break
            }
        }
        let removers = ["remove", "clear", "forget"].map { Lexicon.shared.cluster($0) }
        tool.isRemover = removers.contains { tool.verbs.intersects($0) }
        return tool
    }

    /// Whether a schema lets its value be an array, by itself or among others.
    private static func isArray(_ schema: JSON?) -> Bool {
        guard let schema else { return false }
        if schema["type"] == "array" || schema["type"]?.arrayValue?.contains("array") == true { return true }
        let branches = (schema["anyOf"]?.arrayValue ?? []) + (schema["oneOf"]?.arrayValue ?? [])
        return branches.contains { $0["type"] == "array" }
    }

    /// The open slot that the templates use most.
    private func usage(_ open: [Int], _ tool: CompiledTool) -> Int? {
        open.max { left, right in
            func count(_ slot: Int) -> Int { tool.templates.count { $0.slots.contains(slot) } }
            return (count(left), right) < (count(right), left)
        }
    }

    private func compile(_ slot: SlotDefinition, _ name: String, isRequired: Bool) -> CompiledSlot {
        var compiled = CompiledSlot(name: name, kind: slot.kind, isRequired: isRequired, hints: [])
        let nameWords = name.split(separator: "_").map(String.init)
        compiled.hints = (slot.hints + nameWords).flatMap { lemmas($0) }
        if case .reference(let entity) = slot.kind {
            compiled.entityNoun = lemmas(String(entity.split(separator: ".").last ?? "")).first ?? 0
            compiled.entityClusters =
                Lexicon.shared.words[compiled.entityNoun]?.strong.intersection(Lexicon.shared.nounClusters)
                ?? ClusterSet()
        }
        if case .choice(let choices) = slot.kind {
            for choice in choices {
                let spoken = choice.value.split(whereSeparator: { $0 == "_" || $0 == "-" }).joined(separator: " ")
                for words in [spoken] + choice.words {
                    let sequence = lemmas(words)
                    if !sequence.isEmpty { compiled.choices.append((sequence, choice.value)) }
                }
            }
            compiled.choices.sort { $0.words.count > $1.words.count }
        }
        return compiled
    }

    private func lemmas(_ text: String) -> [UInt64] {
        let bytes = Array(text.utf8)
        var tokens = Tokenizer.tokens(of: bytes)
        vocabulary.annotate(&tokens, source: bytes, isTemplate: true)
        return tokens.filter { $0.kind == .word || $0.kind == .number }.map { $0.kind == .word ? $0.lemma : $0.surface }
    }

    private mutating func compile(
        _ variant: [TemplateParser.Piece], tool: CompiledTool, implied: JSONObject
    ) -> CompiledTemplate {
        // Tokens with placeholders for slots, so that phrases join across them.
        var spellings: [[UInt8]] = []
        var source: [UInt8] = []
        var tokens: [Token] = []
        for piece in variant {
            let spelling = piece.words.first ?? Array("{}".utf8)
            var token = Token(kind: piece.slot == nil ? .word : .number, start: 0, end: 0)
            if piece.slot == nil {
                token = Tokenizer.tokens(of: spelling).first ?? token
                token.surface = wordHash(spelling)
            }
            token.start = source.count
            source += spelling
            token.end = source.count
            source.append(32)
            spellings.append(spelling)
            tokens.append(token)
        }
        vocabulary.annotate(&tokens, source: source, isTemplate: true)
        // A phrase does not join what is optional with what is not.
        for index in tokens.indices where tokens[index].has(.absorbed) {
            let head = tokens[index].third
            guard variant[head].isOptional != variant[index].isOptional else { continue }
            for part in [head, index] {
                tokens[part] = annotated(spellings[part])
            }
        }
        let template = CompiledTemplate(implied: implied)
        for (index, piece) in variant.enumerated() {
            var element = TemplateElement(isOptional: piece.isOptional)
            if let name = piece.slot {
                element.slot = tool.slot(named: name) ?? -1
                template.slots.append(element.slot)
                template.elements.append(element)
                continue
            }
            let token = tokens[index]
            if piece.words == [[58]] {
                element.isColon = true
                element.isOptional = true
                element.weight = 0
                template.elements.append(element)
                continue
            }
            if token.has(.absorbed) { continue }
            if token.kind == .number || token.kind == .clock {
                element.number = token.number
                element.features = []
                template.elements.append(element)
                continue
            }
            for (position, word) in piece.words.enumerated() {
                var read = token
                if position > 0 {
                    read = annotated(word)
                }
                let isKnown = Lexicon.shared.words[wordHash(word)] != nil
                let lemma = read.lemma
                element.features.append(vocabulary.insert(lemma: lemma, spelling: word, isKnown: isKnown))
                element.strong.formUnion(read.strong)
                element.weak.formUnion(read.weak)
                element.flags = position == 0 ? read.flags : element.flags.intersection(read.flags)
            }
            template.elements.append(element)
        }
        shape(template, tool: tool)
        return template
    }

    private func annotated(_ word: [UInt8]) -> Token {
        var single = [Token(kind: .word, start: 0, end: word.count)]
        single[0].surface = wordHash(word)
        vocabulary.annotate(&single, source: word, isTemplate: true)
        return single[0]
    }

    /// What kind of sentence it is, and which of its words say what is done to what.
    private func shape(_ template: CompiledTemplate, tool: CompiledTool) {
        let words = template.elements.filter { $0.slot < 0 && !$0.isColon }
        let lexicon = Lexicon.shared
        if let first = template.elements.first, first.slot < 0 {
            template.isQuestion =
                first.flags.contains(.question) || first.flags.contains(.auxiliary) && isSubject(template)
                || first.strong.intersects(lexicon.cluster("sum")) && !first.flags.contains(.verb)
            template.isStatement = first.flags.contains(.pronoun) && !first.flags.contains(.question)
        }
        let copula = wordHash("be")
        if let first = template.elements.first, !template.isQuestion,
            first.slot >= 0 || first.flags.contains(.determiner) || template.isStatement
        {
            template.isDeclarative = words.contains {
                $0.features.contains { vocabulary.lemmas[Int($0)] == copula } || $0.flags.contains(.verb)
            }
        }
        let your = wordHash("your")
        template.asksWithWord = template.isQuestion && template.elements[0].flags.contains(.question)
        template.isAboutUs = words.contains { $0.features.contains { vocabulary.lemmas[Int($0)] == your } }
        template.isPast = words.contains { $0.flags.contains(.past) }
        template.hasCopula = words.contains { $0.features.contains { vocabulary.lemmas[Int($0)] == copula } }
        if template.elements.count > 2, template.elements[0].flags.contains(.verb), template.elements[2].slot >= 0 {
            let object = template.elements[1]
            template.needsSelf = object.slot < 0 && !object.isOptional && object.flags.contains(.self1)
        }
        template.isHypothetical = words.contains { $0.flags.contains(.hypothetical) }
        template.isNegative = words.contains { $0.flags.contains(.negation) }
        // `my list` names the list, it does not list.
        for index in template.elements.indices.dropFirst() where template.elements[index].slot < 0 {
            let nouns = template.elements[index].strong.intersection(lexicon.nounClusters)
            var before = index - 1
            while before > 0, template.elements[before].isOptional, template.elements[before].slot < 0 { before -= 1 }
            guard !nouns.isEmpty, template.elements[before].flags.contains(.determiner) else { continue }
            template.elements[index].strong = nouns
            template.elements[index].weak.subtract(lexicon.verbClusters)
        }
        var sawVerb = false
        for element in template.elements where element.slot < 0 && !element.isOptional && !element.isColon {
            let isFunction = element.flags.contains(.function) || element.flags.contains(.filler)
            if isFunction { continue }
            if !sawVerb, element.flags.contains(.verb) || element.strong.intersects(lexicon.verbClusters) {
                sawVerb = true
                if element.flags.contains(.verb), !element.strong.intersects(lexicon.nounClusters) {
                    template.hasVerb = true
                }
                tool.verbs.formUnion(element.strong.intersection(lexicon.verbClusters))
                tool.weakVerbs.formUnion(element.weak.intersection(lexicon.verbClusters))
                tool.verbFeatures.formUnion(element.features)
                if !element.flags.contains(.verb) {
                    tool.nounFeatures.formUnion(element.features)
                    tool.nouns.formUnion(element.strong.intersection(lexicon.nounClusters))
                }
            } else {
                tool.nounFeatures.formUnion(element.features)
                tool.nouns.formUnion(element.strong.intersection(lexicon.nounClusters))
            }
        }
        if template.isDeclarative { tool.hasDeclarative = true }
        if template.isQuestion { tool.hasQuestion = true }
        if template.isStatement { tool.hasStatement = true }
    }

    /// "do you remember …", not "do {task} later".
    private func isSubject(_ template: CompiledTemplate) -> Bool {
        guard template.elements.count > 1 else { return false }
        let second = template.elements[1]
        return second.slot < 0 && (second.flags.contains(.pronoun) || second.flags.contains(.determiner))
    }

    private mutating func topics(of definition: ToolDefinition, _ tool: CompiledTool) {
        let idWords = definition.id.split(whereSeparator: { $0 == "." || $0 == "_" }).joined(separator: " ")
        for (text, isTopic) in [(definition.title, false), (String(definition.namespace), true), (idWords, false)] {
            let bytes = Array(text.utf8)
            var tokens = Tokenizer.tokens(of: bytes)
            vocabulary.annotate(&tokens, source: bytes, isTemplate: true)
            for token in tokens where token.kind == .word && !token.has(.function) && !token.has(.filler) {
                let spelling = Vocabulary.fold(bytes[token.start..<token.end])
                let isKnown = Lexicon.shared.words[wordHash(spelling)] != nil
                let index = vocabulary.insert(lemma: token.lemma, spelling: spelling, isKnown: isKnown)
                tool.topicFeatures.insert(index)
                tool.topics.formUnion(token.strong)
                if isTopic { tool.nounFeatures.insert(index) }
            }
        }
    }

    /// Which reading tools are about what has been, by the tense of their examples: `what did I spend`, not `what is on my
    /// calendar`.
    private func findBackward(_ definitions: [ToolDefinition]) {
        var spaces: [String: (past: Int, all: Int)] = [:]
        var own: [(past: Int, all: Int)] = []
        for (index, definition) in definitions.enumerated() where tools[index].effect == .read {
            let isSaid = definition.utterances.map { " \($0.text) ".contains("did ") }
            let past = tools[index].templates.count { template in
                template.isPast && !template.hasCopula
                    || isSaid.indices.contains(template.utterance) && isSaid[template.utterance]
            }
            own.append((past, tools[index].templates.count))
            let sum = spaces[definition.namespace] ?? (0, 0)
            spaces[definition.namespace] = (sum.past + past, sum.all + tools[index].templates.count)
        }
        var next = 0
        for (index, definition) in definitions.enumerated() where tools[index].effect == .read {
            let (past, all) = own[next]
            next += 1
            let space = spaces[definition.namespace] ?? (0, 0)
            tools[index].looksBack = past * 10 >= all * 3 && past > 0 || space.past * 5 >= space.all && space.past > 1
        }
    }

    // MARK: Weights

    private mutating func weigh() {
        toolCounts = [Int](repeating: 0, count: vocabulary.count)
        for tool in tools {
            var seen: Set<Int32> = []
            var clusters = ClusterSet()
            for template in tool.templates {
                for element in template.elements where element.slot < 0 {
                    seen.formUnion(element.features)
                    clusters.formUnion(element.strong)
                }
            }
            for index in seen { toolCounts[Int(index)] += 1 }
            clusters.visit { clusterCounts[$0] += 1 }
        }
        for tool in tools.indices {
            for template in tools[tool].templates.indices { weigh(tools[tool].templates[template]) }
        }
    }

    /// How much an occurrence of the word tells apart, 0.5…1 for words with meaning of their own.
    func distinctiveness(_ feature: Int32) -> Float { distinctiveness(count: toolCounts[Int(feature)]) }

    func distinctiveness(count tools: Int) -> Float {
        let count = Float(max(1, tools))
        let all = Float(max(2, self.tools.count))
        return 1 - 0.5 * Float.log(count) / Float.log(all + 1)
    }

    private func weigh(_ template: CompiledTemplate) {
        var content: Float = 0
        for index in template.elements.indices where template.elements[index].slot < 0 {
            let element = template.elements[index]
            let weight = weight(of: element)
            template.elements[index].weight = weight
            if !element.isOptional, weight >= 0.4 { content += weight }
        }
        // Little to go by: then the small words count for more.
        let boost: Float = content < 1.1 ? 2.2 : content < 1.8 ? 1.4 : 1
        let count = template.elements.count
        for index in template.elements.indices where template.elements[index].slot < 0 {
            // A small word that opens the stretch of a slot is what tells where it begins.
            let element = template.elements[index]
            if element.flags.contains(.preposition), index + 1 < count, template.elements[index + 1].slot >= 0,
                index > 0
            {
                template.elements[index].weight = 0.2
            }
        }
        for index in template.elements.indices where template.elements[index].slot < 0 {
            if template.elements[index].weight < 0.4 { template.elements[index].weight *= boost }
            if !template.elements[index].isOptional { template.requiredWeight += template.elements[index].weight }
        }
        for element in template.elements where element.slot >= 0 && !element.isOptional {
            template.requiredWeight += TemplateElement.slotWeight
        }
        template.contentWeight = content
    }

    private func weight(of element: TemplateElement) -> Float {
        if element.isColon { return 0 }
        if element.number != nil { return 0.6 }
        let flags = element.flags
        if flags.contains(.negation) { return 0.8 }
        if flags.contains(.determiner) { return flags.contains(.self1) ? 0.1 : 0.06 }
        if flags.contains(.question) { return 0.45 }
        if flags.contains(.function) { return flags.contains(.preposition) ? 0.15 : 0.2 }
        if flags.contains(.filler) { return 0.05 }
        return element.features.map { distinctiveness($0) }.max() ?? 0.5
    }
}

extension Float {
    /// Natural logarithm to three digits, without the C library: weights only.
    static func log(_ value: Float) -> Float {
        guard value > 0 else { return 0 }
        let exponent = value.exponent
        let m = value.significand - 1
        let series = m * (0.99949 + m * (-0.49190 + m * (0.28947 + m * (-0.13606 + m * 0.03215))))
        return Float(exponent) * 0.693147 + series
    }
}
