import TandemCore
import TandemJSON

/// What is meant, beside how it is worded: tools whose sentences are near, and how sure all of it together makes.
extension PlanningPass {
    private static let proposals = 6
    private static let leastNear: Float = 0.35
    /// Tools of a trade that a part is so likely of come into question whatever their sentences say.
    private static let leastTrade: Float = 0.3
    private static let ofTrade = 2

    /// Of a part of the message; nil without a model or when there is nothing to compare.
    func meaning(_ segment: Range<Int>) -> SentenceMeaning? {
        guard let model = PlannerModel.linked, let first = segment.first, let last = segment.last else { return nil }
        let words = segment.count { message.tokens[$0].kind == .word || message.tokens[$0].kind == .number }
        guard words > 0, !planner.tools.isEmpty else { return nil }
        return SentenceMeaning(
            message.source[message.tokens[first].start..<message.tokens[last].end], words: words,
            tools: planner.meanings, model: model)
    }

    /// Adds tools, and templates of tools, that mean about the same as the message in other words.
    func propose(
        _ meaning: SentenceMeaning, _ candidates: inout [(tool: Int, templates: [Int], share: Float)]
    ) {
        let near = meaning.nearest(PlanningPass.proposals, above: PlanningPass.leastNear)
        let ofTrade = meaning.ofTrade(PlanningPass.ofTrade, above: PlanningPass.leastTrade)
        for tool in near + ofTrade.filter({ !near.contains($0) }) {
            let utterance = Int(meaning.template[tool])
            let places = planner.templatesOfUtterance[tool]
            let templates = places.indices.contains(utterance) ? Array(places[utterance].prefix(3)) : []
            if let known = candidates.firstIndex(where: { $0.tool == tool }) {
                for template in templates where !candidates[known].templates.contains(template) {
                    candidates[known].templates.append(template)
                }
            } else {
                candidates.append((tool, templates, 0))
            }
        }
    }

    /// A reading by meaning alone: what can be told by its form fills slots, the telling words the free one.
    func meant(
        _ toolIndex: Int, _ meaning: SentenceMeaning, _ message: Message, _ segment: Range<Int>,
        _ shape: SentenceShape, _ total: Float
    ) -> Reading? {
        guard
            meaning.near[toolIndex] >= PlanningPass.leastNear
                || meaning.trade(toolIndex)?.own ?? 0 >= PlanningPass.leastTrade
        else { return nil }
        let tool = planner.tools[toolIndex]
        let roles = [UInt8](repeating: 0, count: segment.count)
        var fills: [Alignment.Fill] = []
        if let open = tool.primaryOpenSlot, tool.slots[open].isRequired,
            let range = leftover(message, segment, roles)
        {
            fills.append(Alignment.Fill(slot: open, range: range, isTyped: false))
        }
        let filled = SlotFiller(
            message: message, segment: segment, context: context, tool: tool,
            prefersPast: shape.isPast || tool.looksBack
        ).fill(fills, roles: roles, implied: [:])
        return Reading(
            tool: toolIndex, confidence: 0.01, filled: filled, segment: segment, isFrame: true, roles: roles)
    }

    /// Weighs each reading against the others and against what no tool serves.
    func judge(
        _ best: inout [Int: Reading], _ meaning: SentenceMeaning, _ model: PlannerModel, _ shape: SentenceShape
    ) {
        let lessons = context.lessons
        var takenBack: Set<Int> = []
        var spaces: [Float] = [Float](repeating: 0, count: planner.meanings.spaceCount)
        for (tool, features) in features(best, meaning, shape) {
            guard let reading = best[tool] else { continue }
            var belief = model.belief(features)
            // What was just shown or named, and what the talk is about, was not in the sentences that it was learned from.
            if !lessons.isEmpty {
                let before = belief
                belief = learned(belief, tool, meaning)
                if belief < before { takenBack.insert(tool) }
            }
            if isContinued(reading) { belief = belief + (1 - belief) * 0.5 * min(1, reading.confidence) }
            if namesAddress(reading) { belief = max(belief, min(reading.confidence, 0.9)) }
            best[tool]?.belief = belief
            best[tool]?.features = features
            spaces[planner.meanings.spaces[tool]] += belief
        }
        // Several tools of one trade that are likely make it likely that one of them is meant: the likeliest. What leaves the
        // house must be likely by itself.
        var foremost: [Int: Int] = [:]
        for (tool, reading) in best {
            let space = planner.meanings.spaces[tool]
            if let known = foremost[space], (best[known]?.belief ?? 0, tool) >= (reading.belief, known) { continue }
            foremost[space] = tool
        }
        for (tool, reading) in best
        where planner.tools[tool].effect <= .write && foremost[planner.meanings.spaces[tool]] == tool {
            let others = min(1, spaces[planner.meanings.spaces[tool]]) - reading.belief
            best[tool]?.belief += max(0, min(others, reading.belief))
        }
        // Worded wholly as a tool's author wrote it, by its action and what it is done to: it is meant, whatever the words in
        // between may mean, and not less likely than what knows fewer of the words, or fits them worse.
        let said = best.mapValues { (own: ownWords($0), belief: $0.belief, confidence: $0.confidence) }
        for (tool, reading) in best
        where !reading.isFrame && reading.confidence >= 0.95 && reading.filled.missing.isEmpty
            && planner.tools[tool].effect <= .write && !takenBack.contains(tool) && accountsForAll(reading)
        {
            guard let own = said[tool]?.own else { continue }
            let rivals = said.values.lazy.filter { $0.own < own || $0.confidence < 0.85 * reading.confidence }
            best[tool]?.belief = max(
                reading.belief, own > 1 ? PlanningPass.wordedWholly : 0, rivals.map(\.belief).max() ?? 0)
        }
        // Said word for word as the tool's author wrote it, with nothing of the person's own in it: `what's next`, `clear my
        // grocery list`.
        for (tool, reading) in best {
            best[tool]?.belief = isSpelledOut(reading) ? 1 : min(reading.belief, 0.999)
            // What is to be left is not done, unless that is what the tool's author wrote.
            if shape.isDenied, !saysNot(reading, shape) { best[tool]?.belief = min(reading.belief, 0.2) }
        }
    }

    private static let wordedWholly: Float = 0.6

    /// Whose mail, of two services: what was learned is of mail as such, so where it believes both about equally the words decide.
    func settle(_ readings: inout [Reading], by meaning: SentenceMeaning) {
        guard let first = readings.first else { return }
        let rival = readings.dropFirst().prefix(4).firstIndex {
            meaning.sharesTrade($0.tool, first.tool) && first.belief - $0.belief < 0.05
                && $0.confidence > first.confidence
        }
        if let rival { readings.swapAt(0, rival) }
    }

    /// What the person showed before about the same words, or words that mean nearly the same.
    private func learned(_ belief: Float, _ tool: Int, _ meaning: SentenceMeaning) -> Float {
        let compiled = planner.tools[tool]
        var belief = belief
        for lesson in context.lessons.prefix(PlanningPass.mostLessons) {
            let likeness = meaning.likeness(to: lesson.text)
            guard likeness > 0.86 else { continue }
            if lesson.tool == compiled.id {
                if lesson.isWrong { return belief * 0.25 }
                // Being used to something makes nothing reach others or vanish.
                if compiled.effect <= .write { belief = max(belief, 0.5 + 0.5 * belief) }
                return max(belief, compiled.effect <= .write && likeness > 0.97 ? 0.9 : 0)
            }
            if !lesson.isWrong, likeness > 0.97 { return belief * 0.4 }
        }
        return belief
    }

    private static let mostLessons = 64

    /// Its own wording says "not", and of the same action, with nothing in it that could be anything: "don't text me after
    /// ten".
    private func saysNot(_ reading: Reading, _ shape: SentenceShape) -> Bool {
        guard reading.isNegative, planner.tools[reading.tool].primaryOpenSlot == nil, let verb = shape.mainVerb,
            reading.segment.contains(verb)
        else { return false }
        return reading.roles[verb - reading.segment.lowerBound] == 1
    }

    private func isSpelledOut(_ reading: Reading) -> Bool {
        !reading.isFrame && reading.confidence >= 0.9 && reading.filled.openTokens == 0
            && reading.filled.missing.isEmpty
    }

    /// Asks for something of a page by its address: the words of an address mean nothing by themselves.
    private func namesAddress(_ reading: Reading) -> Bool {
        !reading.isFrame && reading.confidence >= 0.6 && reading.filled.missing.isEmpty
            && planner.tools[reading.tool].effect == .read && message.text(reading.segment).contains("://")
    }

    /// Said of something from the conversation, or to the tool that was used last.
    private func isContinued(_ reading: Reading) -> Bool {
        if reading.filled.isResolved { return true }
        guard let recent = context.recentTools.first else { return false }
        return recent.prefix { $0 != "." } == planner.tools[reading.tool].id.prefix { $0 != "." }
    }

    func features(
        _ best: [Int: Reading], _ meaning: SentenceMeaning, _ shape: SentenceShape
    ) -> [(tool: Int, features: CandidateFeatures)] {
        best.map { tool, reading in
            var other: Float = 0
            var same: Float = 0
            for (rival, its) in best where rival != tool {
                if meaning.isSameSpace(rival, tool) {
                    same = max(same, its.confidence)
                } else {
                    other = max(other, its.confidence)
                }
            }
            let compiled = planner.tools[tool]
            let effect =
                switch compiled.effect {
                case .read: 0
                case .write: 1
                case .delete, .send, .spend: 2
                }
            let features = CandidateFeatures(
                confidence: reading.confidence, otherSpace: min(other, 1), sameSpace: min(same, 1),
                isFrame: reading.isFrame, isMissing: !reading.filled.missing.isEmpty,
                isUnresolved: reading.filled.isUnresolved, hasTyped: reading.filled.hasTyped,
                openShare: Float(reading.filled.openTokens) / Float(max(reading.segment.count, 1)),
                near: meaning.near[tool], few: meaning.few[tool], space: meaning.spaceNear(tool),
                otherNear: meaning.otherNear(tool), idle: meaning.idle.best, idleFew: meaning.idle.few,
                asking: meaning.asking, trade: meaning.trade(tool), shape: shape, effect: effect, words: meaning.words,
                takesNew: compiled.takesNew)
            return (tool, features)
        }
    }
}
