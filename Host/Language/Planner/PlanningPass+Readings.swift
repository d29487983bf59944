import TandemCore
import TandemJSON

extension PlanningPass {
    private static let everything = Lexicon.shared.cluster("everything")
    private static let toolLimit = 12
    private static let templateLimit = 24

    /// The tools that the part may ask for, best first.
    mutating func readings(_ segment: Range<Int>) -> [Reading] {
        let trimmed = message.trimmed(segment)
        guard !trimmed.isEmpty else { return [] }
        let segment = trimmed.lowerBound..<segment.upperBound
        var soft = [Bool](repeating: false, count: message.tokens.count)
        let shape = SentenceShape(message.tokens, segment, soft: &soft)
        var total: Float = 0
        for index in segment {
            var weight = message.baseWeights[index]
            if soft[index] { weight = min(weight, 0.02) }
            if index == shape.mainVerb { weight *= 1.25 }
            message.weights[index] = weight
            total += weight
        }
        let meaning = meaning(segment)
        var candidates = shortlist(message, segment, shape)
        if let meaning { propose(meaning, &candidates) }
        guard !candidates.isEmpty else { return [] }
        let aligner = Aligner(message: message, segment: segment)
        var best: [Int: Reading] = [:]
        var highest: Float = 0
        for (tool, templates, share) in candidates {
            // All templates are aligned; only the two most promising are worked out.
            var first: (promise: Float, alignment: Alignment)?
            var second: (promise: Float, alignment: Alignment)?
            for index in templates {
                let template = planner.tools[tool].templates[index]
                let alignment = aligner.align(template, of: planner.tools[tool], index: index)
                guard alignment.templateCoverage > 0.3 else { continue }
                let promise = promise(tool, template, alignment, segment, shape, total)
                guard promise > 0.3, promise > highest * 0.8 else { continue }
                if promise > first?.promise ?? 0 {
                    second = first
                    first = (promise, alignment)
                } else if promise > second?.promise ?? 0 {
                    second = (promise, alignment)
                }
            }
            for entry in [first, second] {
                guard let entry else { continue }
                let reading = aligned(tool, entry.alignment, message, segment, shape, total)
                if reading.confidence > best[tool]?.confidence ?? 0 { best[tool] = reading }
                highest = max(highest, reading.confidence)
            }
            if let frame = framed(tool, message, segment, shape, total, share: share) {
                let other = best[tool]
                if let other {
                    let joint = max(other.confidence, frame.confidence) + 0.08 * min(other.confidence, frame.confidence)
                    best[tool] = other.confidence >= frame.confidence - 0.03 ? other : frame
                    best[tool]?.confidence = joint
                } else {
                    best[tool] = frame
                }
            }
            if best[tool] == nil, let meaning, let reading = meant(tool, meaning, message, segment, shape, total) {
                best[tool] = reading
            }
        }
        // Something that was just shown or named, and food for those whose trade it is.
        for (tool, reading) in best where reading.confidence > 0.5 {
            if reading.filled.isResolved { best[tool]?.confidence += 0.06 }
            if planner.tools[tool].isAboutWares, reading.filled.namesWare { best[tool]?.confidence += 0.06 }
        }
        // What the talk was about just now decides between readings that are about as good.
        if let recent = context.recentTools.first {
            let namespace = recent.prefix { $0 != "." }
            for (tool, reading) in best where reading.confidence > 0.5 {
                if planner.tools[tool].id.prefix(while: { $0 != "." }) == namespace {
                    best[tool]?.confidence = reading.confidence + 0.04
                }
            }
        }
        if let meaning, let model = PlannerModel.linked {
            judge(&best, meaning, model, shape)
        } else {
            for (tool, reading) in best { best[tool]?.belief = reading.confidence }
        }
        var readings = best.values.sorted {
            ($0.belief, $0.confidence, $1.tool) > ($1.belief, $1.confidence, $0.tool)
        }
        if let meaning { settle(&readings, by: meaning) }
        return readings
    }

    // MARK: Candidates

    private func shortlist(_ message: Message, _ segment: Range<Int>, _ shape: SentenceShape) -> [(
        tool: Int, templates: [Int], share: Float
    )] {
        var evidence = [Float](repeating: 0, count: planner.tools.count)
        var present = [Bool](repeating: false, count: planner.vocabulary.count)
        var strong = ClusterSet()
        var weak = ClusterSet()
        var hasMoney = false
        for index in segment {
            let token = message.tokens[index]
            if message.monies[index]?.currency != nil || message.monies[index]?.looksLikePrice == true {
                hasMoney = true
            }
            guard token.kind == .word, !token.has(.absorbed), !token.has(.quoted) else { continue }
            // What is to be done finds tools that share no topic word with the message.
            let factor: Float = index == shape.mainVerb ? 2.5 : 1
            if token.feature >= 0 {
                present[Int(token.feature)] = true
                if !token.has(.function) {
                    for posting in planner.byFeature[Int(token.feature)] {
                        evidence[Int(posting.tool)] += posting.weight * token.certainty * factor
                    }
                }
            }
            guard !token.has(.function) || token.has(.auxiliary) else { continue }
            strong.formUnion(token.strong)
            weak.formUnion(token.weak)
            token.strong.visit { cluster in
                for posting in planner.byCluster[cluster] { evidence[Int(posting.tool)] += posting.weight * factor }
            }
            token.weak.visit { cluster in
                for posting in planner.byCluster[cluster] {
                    evidence[Int(posting.tool)] += posting.weight * 0.4 * factor
                }
            }
        }
        if hasMoney {
            for (index, tool) in planner.tools.enumerated()
            where tool.slots.contains(where: { $0.kind == .money }) { evidence[index] += 0.8 }
        }
        for template in planner.plain where template.words.allSatisfy({ $0.isPresent(in: present) }) {
            evidence[template.tool] += 0.8
        }
        let order = evidence.indices.filter { evidence[$0] > 0.25 }.sorted {
            (evidence[$0], $1) > (evidence[$1], $0)
        }.prefix(PlanningPass.toolLimit)
        var scored: [(bound: Float, tool: Int, template: Int)] = []
        var shares: [Int: Float] = [:]
        for tool in order {
            let compiled = planner.tools[tool]
            var bestOfTool: (bound: Float, tool: Int, template: Int)?
            for (index, template) in compiled.templates.enumerated() {
                var found: Float = 0
                var content: Float = 0
                template.elements.withUnsafeBufferPointer { elements in
                    for index in elements.indices where elements[index].slot < 0 && elements[index].weight > 0 {
                        var quality: Float = 0
                        if elements[index].isPresent(in: present) {
                            quality = 1
                        } else if elements[index].strong.intersects(strong) {
                            quality = 0.85
                        } else if elements[index].strong.intersects(weak) || elements[index].weak.intersects(strong) {
                            quality = 0.55
                        }
                        let own = quality * elements[index].weight
                        found += own
                        if !elements[index].isOptional, elements[index].weight >= 0.4 { content += own }
                    }
                }
                if template.contentWeight > 0 {
                    shares[tool] = max(shares[tool] ?? 0, min(1, content / template.contentWeight))
                }
                let named = template.requiredWeight - template.slotWeight
                let bound = named > 0 ? found / (named + 0.2) : 0.3
                if bound > bestOfTool?.bound ?? 0 { bestOfTool = (bound, tool, index) }
                if bound >= 0.35 { scored.append((bound + 0.05 * found, tool, index)) }
            }
            if let bestOfTool, bestOfTool.bound < 0.35 { scored.append(bestOfTool) }
        }
        scored.sort { ($0.bound, $1.tool, $1.template) > ($1.bound, $0.tool, $0.template) }
        var grouped: [Int: [Int]] = [:]
        for entry in scored.prefix(PlanningPass.templateLimit) {
            grouped[entry.tool, default: []].append(entry.template)
        }
        return order.map { ($0, grouped[$0] ?? [], shares[$0] ?? 0) }
    }

    // MARK: By alignment

    /// What the alignment could come to at best.
    private func promise(
        _ tool: Int, _ template: CompiledTemplate, _ alignment: Alignment, _ segment: Range<Int>,
        _ shape: SentenceShape,
        _ total: Float
    ) -> Float {
        guard total > 0 else { return 0 }
        var explained: Float = 0
        for index in segment {
            switch alignment.roles[index - segment.lowerBound] {
            case 1: explained += message.weights[index]
            case 3: explained += message.weights[index] * 0.7
            case 2: explained += message.weights[index] * (1 - 0.45 * message.salience[index])
            default: if message.isTyped[index] { explained += message.weights[index] }
            }
        }
        let isMislinked = alignment.fills.contains { !$0.isTyped && self.isMislinked($0, alignment.roles, segment) }
        return power(min(alignment.templateCoverage, 1), 0.7) * min(1, explained / total) * (isMislinked ? 0.96 : 1)
            * manner(planner.tools[tool], template, shape, isPriced: message.hasMoney(segment))
    }

    private func aligned(
        _ toolIndex: Int, _ alignment: Alignment, _ message: Message, _ segment: Range<Int>, _ shape: SentenceShape,
        _ total: Float
    ) -> Reading {
        let tool = planner.tools[toolIndex]
        let templateIndex = alignment.template
        let template = tool.templates[templateIndex]
        let filler = SlotFiller(
            message: message, segment: segment, context: context, tool: tool,
            prefersPast: shape.isPast || tool.looksBack)
        let filled = filler.fill(alignment.fills, roles: alignment.roles, implied: template.implied)
        let coverage = coverage(tool, message, segment, alignment.roles, filled, total)
        var confidence = power(min(alignment.templateCoverage, 1), 0.7) * coverage
        let isPriced = capturesMoney(tool, message, segment, shape)
        if alignment.matchedContent < min(0.45, max(0.2, 0.85 * template.contentWeight)), !isPriced {
            confidence *= 0.7
        }
        // Free words take anything: then the words that say what it is about must be there.
        if filled.openTokens > 0, template.contentWeight > 0, !filled.hasTypedRequired {
            let share = min(1, alignment.matchedContent / template.contentWeight)
            if share < 0.85 { confidence *= 0.3 + 0.7 * share }
        } else if filled.openTokens > 0, template.contentWeight > 0 {
            confidence *= 0.7 + 0.3 * min(1, alignment.matchedContent / template.contentWeight)
        }
        confidence *= manner(tool, template, shape, isPriced: isPriced)
        if filled.openTokens == 0, template.contentWeight > 0 {
            let share = min(1, alignment.matchedContent / template.contentWeight)
            if share < 0.3 {
                confidence *= 0.65
            } else if share < 0.6, tool.effect != .read {
                confidence *= 0.75
            }
        }
        // Only small words, and a name for something that nobody has mentioned: `the {expense} was {date}`.
        if filled.isUnresolved, tool.effect != .read, !template.hasVerb, template.contentWeight < 0.4 {
            confidence *= 0.5
        }
        // `{description} costs {amount} {frequency}`: not without saying how often.
        if template.elements.contains(where: { $0.slot >= 0 && !$0.isOptional && lacks(filled, tool.slots[$0.slot]) }) {
            confidence *= PlanningPass.withoutChoice
        }
        confidence *= sense(tool, template, filled, shape)
        if template.needsSelf, !segment.contains(where: { message.tokens[$0].has(.self1) }) { confidence *= 0.4 }
        // `at the pub` belongs to the wording that says "at".
        for fill in alignment.fills where !fill.isTyped && isMislinked(fill, alignment.roles, segment) {
            confidence *= 0.96
        }
        // `help me start {task}` without any.
        if filled.filled == 0, tool.effect != .read, template.slotWeight > 0, !filled.pointsToNothing {
            confidence *= 0.8
        }
        confidence += 0.05 * literalShare(message, segment, alignment.roles, total)
        confidence *= completeness(
            tool, filled, anchor: anchor(message, segment, alignment.roles),
            namesTopic: namesTopic(tool, message, segment, alignment.roles), hasMoney: message.hasMoney(segment),
            hasAction: template.hasVerb)
        return Reading(
            tool: toolIndex, confidence: confidence, filled: filled, segment: segment,
            isNegative: template.isNegative, roles: alignment.roles)
    }

    /// One of a few words that the wording has a place for, and none of them was said.
    private func lacks(_ filled: SlotFiller.Result, _ slot: CompiledSlot) -> Bool {
        guard case .choice = slot.kind else { return false }
        return filled.arguments[slot.name] == nil && filled.distributed?.slot != slot.name
    }

    private static let withoutChoice: Float = 0.6

    /// The small word before a slot's words is not the template's.
    private func isMislinked(_ fill: Alignment.Fill, _ roles: [UInt8], _ segment: Range<Int>) -> Bool {
        var index = fill.range.lowerBound
        if message.tokens[index].has(.preposition), !message.tokens[index].has(.absorbed) { return true }
        while index > segment.lowerBound, message.tokens[index - 1].has(.determiner) { index -= 1 }
        guard index > segment.lowerBound else { return false }
        let before = message.tokens[index - 1]
        return before.has(.preposition) && !before.has(.absorbed) && roles[index - 1 - segment.lowerBound] == 0
    }

    private func power(_ value: Float, _ exponent: Float) -> Float {
        guard value > 0 else { return 0 }
        // exp(exponent · ln value) by the series of the exponential; enough for scores.
        let x = exponent * Float.log(value)
        let y = 1 + x / 64
        let y2 = y * y
        let y4 = y2 * y2
        let y8 = y4 * y4
        let y16 = y8 * y8
        let y32 = y16 * y16
        return max(0, min(1, y32 * y32))
    }

    /// The share of the message's weight that the reading explains.
    private func coverage(
        _ tool: CompiledTool, _ message: Message, _ segment: Range<Int>, _ roles: [UInt8],
        _ filled: SlotFiller.Result, _ total: Float
    ) -> Float {
        guard total > 0 else { return 0 }
        var explained: Float = 0
        for index in segment {
            let local = index - segment.lowerBound
            switch roles[local] {
            case 1: explained += message.weights[index]
            case 3: explained += message.weights[index] * 0.7
            default:
                if tool.primaryOpenSlot == nil, message.tokens[index].strong.intersects(PlanningPass.everything) {
                    explained += message.weights[index]
                } else if filled.used[local] {
                    explained += message.weights[index] * (1 - 0.45 * message.salience[index])
                }
            }
        }
        let share = min(1, explained / total)
        guard tool.primaryOpenSlot == nil, share < 1 else { return share }
        // What takes no words has no use for those that no tool speaks of: "what is the currency of Japan".
        var foreign: Float = 0
        for index in segment where roles[index - segment.lowerBound] == 0 {
            let token = message.tokens[index]
            guard token.kind == .word, token.feature < 0, token.strong.isEmpty, !token.has(.function) else { continue }
            if !filled.used[index - segment.lowerBound] { foreign += message.weights[index] }
        }
        return share * (1 - 0.6 * min(1, foreign / total))
    }

    /// The part of the message that is the template's own words: between two readings that explain all, the one that says
    /// more of it.
    private func literalShare(_ message: Message, _ segment: Range<Int>, _ roles: [UInt8], _ total: Float) -> Float {
        guard total > 0 else { return 0 }
        var weight: Float = 0
        for index in segment where roles[index - segment.lowerBound] == 1 { weight += message.weights[index] }
        return weight / total
    }

    /// A word of the tool's topic, not only of its action, was recognised.
    private func namesTopic(_ tool: CompiledTool, _ message: Message, _ segment: Range<Int>, _ roles: [UInt8]) -> Bool {
        segment.contains { index in
            roles[index - segment.lowerBound] == 1 && message.weights[index] > 0.3
                && topicQuality(tool, message.tokens[index]) >= 0.5
                && verbQuality(tool, message.tokens[index]) < 0.8
        }
    }

    /// How much the most telling word that the tool explains tells: 1 for a word of one tool alone.
    private func anchor(_ message: Message, _ segment: Range<Int>, _ roles: [UInt8]) -> Float {
        var best: Float = 0
        for index in segment where roles[index - segment.lowerBound] == 1 {
            let token = message.tokens[index]
            guard token.kind == .word, !token.has(.function), !token.has(.filler) else { continue }
            var own = token.feature >= 0 ? planner.distinct[Int(token.feature)] : 0.7
            if token.has(.verb), !token.strong.isEmpty { own = min(own, planner.distinctiveness(of: token.strong)) }
            best = max(best, own)
        }
        return best
    }

    private func completeness(
        _ tool: CompiledTool, _ filled: SlotFiller.Result, anchor: Float, namesTopic: Bool, hasMoney: Bool,
        hasAction: Bool
    ) -> Float {
        var factor: Float = 0.25 + 0.75 * filled.plausibility
        if !filled.missing.isEmpty {
            if filled.pointsToNothing {
                // "break it down" says what to do, "forget it" nothing.
                factor *= namesTopic || anchor > 0.84 ? 0.95 : 0.5
            } else {
                if filled.isUnresolved, tool.effect != .read { factor *= 0.8 }
                factor *= anchor < 0.75 ? 0.5 : namesTopic || filled.filled > 0 ? 0.82 : 0.62
            }
        }
        if filled.missing.isEmpty, filled.pointsToNothing, filled.filled == 0, !namesTopic { factor *= 0.45 }
        if filled.isInner, !namesTopic { factor *= 0.4 }
        // Only a word that many tools share, and free words: they should be the kind of thing the tool is about.
        if filled.openTokens > 0, tool.isAboutWares, !filled.namesWare, !filled.hasTypedRequired, !namesTopic {
            factor *=
                tool.isRemover || filled.startsWithDeed || filled.isElsewhere
                    || filled.isUnresolved && tool.effect != .read && !filled.hasTyped
                ? 0.55 : anchor < 0.85 ? 0.6 : 0.68
            if filled.isMisfit { factor *= 0.75 }
        } else if filled.openTokens > 0, tool.isAboutWares, !filled.namesWare, !filled.hasTypedRequired, !hasAction,
            tool.effect != .read
        {
            // `nuke the grocery list`: a place and a word that is neither a thing for it nor a known action.
            factor *= 0.6
        } else if tool.isRemover, filled.openTokens > 0, anchor < 0.8, !namesTopic, !filled.isResolved {
            // "delete my account": a word of many tools, and nothing that says which.
            factor *= 0.6
        }
        if filled.isElsewhere || filled.isTextElsewhere && tool.effect != .read && !filled.hasTyped, !namesTopic {
            factor *= 0.55
        }
        // A name for something that nobody has mentioned yet: a tool that makes something new is as likely.
        if filled.isUnresolved, tool.effect != .read { factor *= 0.95 }
        // A price that the tool has no use for.
        if hasMoney, !tool.slots.contains(where: { $0.kind == .money }) { factor *= 0.75 }
        return factor
    }

    // MARK: By topic and action

    /// Without a template: the words name the tool's action and topic, the rest fills its slots.
    private func framed(
        _ toolIndex: Int, _ message: Message, _ segment: Range<Int>, _ shape: SentenceShape, _ total: Float,
        share: Float
    ) -> Reading? {
        let tool = planner.tools[toolIndex]
        var roles = [UInt8](repeating: 0, count: segment.count)
        var action: Float = 0
        var topic: Float = 0
        var conflict = false
        for index in segment {
            let token = message.tokens[index]
            guard token.kind == .word, !token.has(.quoted), !token.has(.absorbed), !token.has(.filler),
                !token.has(.function) || token.has(.auxiliary) && index == shape.mainVerb
            else { continue }
            let local = index - segment.lowerBound
            if tool.primaryOpenSlot == nil, token.strong.intersects(PlanningPass.everything) {
                roles[local] = 1
                continue
            }
            if index == shape.mainVerb {
                let quality = verbQuality(tool, token)
                if quality > 0 {
                    action = max(action, quality)
                    roles[local] = 1
                } else if !token.strong.isEmpty || token.has(.deed) {
                    conflict = true
                }
                if quality >= 0.8 { continue }
            }
            let quality = topicQuality(tool, token)
            if quality >= 0.5 {
                topic = max(topic, quality)
                roles[local] = 1
            } else if action == 0, index != shape.mainVerb, shape.mainVerb == nil, verbQuality(tool, token) >= 0.8 {
                action = 0.7
                roles[local] = 1
            }
        }
        if shape.isQuestion, action == 0, tool.hasQuestion, !conflict { action = 0.5 }
        var isTerse = false
        if action == 0, topic > 0.6, !conflict, shape.mainVerb == nil, tool.effect == .write {
            if tool.takesNew, isHeading(message, segment, roles) {
                action = 0.6
                isTerse = true
            }
            // `budget 50 euros for food`
            if tool.slots.contains(where: { $0.isRequired && !$0.isOpen }),
                tool.slots.allSatisfy({ !$0.isRequired || !$0.isOpen })
            {
                action = 0.45
                isTerse = true
            }
        }
        let isPriced =
            action == 0 && topic == 0 && !conflict && shape.mainVerb == nil
            && capturesMoney(tool, message, segment, shape)
        guard action > 0 || topic > 0.6 || isPriced else { return nil }
        var strength = 0.5 * action + 0.5 * topic
        if isPriced {
            strength = 0.8
            isTerse = true
        }
        if topic == 0, !isPriced { strength = 0.5 * action }
        if conflict { strength *= 0.5 }
        guard strength > 0.3 else { return nil }
        var fills: [Alignment.Fill] = []
        if !isTerse { strength *= 0.55 + 0.45 * share }
        if let open = tool.primaryOpenSlot, let range = leftover(message, segment, roles) {
            if !tool.slots[open].isRequired { strength *= 0.8 }
            fills.append(Alignment.Fill(slot: open, range: range, isTyped: false))
        }
        let filler = SlotFiller(
            message: message, segment: segment, context: context, tool: tool,
            prefersPast: shape.isPast || tool.looksBack)
        let filled = filler.fill(fills, roles: roles, implied: [:])
        let coverage = coverage(tool, message, segment, roles, filled, total)
        var confidence = strength * coverage * 0.95
        if tool.tellingChoices.contains(where: { lacks(filled, tool.slots[$0]) }) {
            confidence *= PlanningPass.withoutChoice
        }
        confidence *= isPriced ? 1 : manner(tool, nil, shape)
        confidence *= sense(tool, nil, filled, shape)
        confidence *= completeness(
            tool, filled, anchor: anchor(message, segment, roles),
            namesTopic: namesTopic(tool, message, segment, roles), hasMoney: message.hasMoney(segment), hasAction: true)
        return Reading(
            tool: toolIndex, confidence: confidence, filled: filled, segment: segment, isFrame: true, roles: roles)
    }

    /// `groceries: apples, pears`, `milk to the shopping list`: the place that it goes to, without a verb.
    private func isHeading(_ message: Message, _ segment: Range<Int>, _ roles: [UInt8]) -> Bool {
        guard let topic = segment.first(where: { roles[$0 - segment.lowerBound] == 1 }) else { return false }
        if let colon = segment.first(where: { message.tokens[$0].byte == 58 && message.tokens[$0].kind == .punctuation }
        ),
            topic < colon
        {
            return true
        }
        var index = topic
        while index > segment.lowerBound, message.tokens[index - 1].has(.determiner) { index -= 1 }
        guard index > segment.lowerBound + 1 else { return false }
        let link = message.tokens[index - 1].surface
        return PlanningPass.destinations.contains(link)
    }

    private static let destinations = Set(["to", "onto", "on", "for", "into"].map { wordHash($0.utf8) })

    /// `lunch was 14 euros`: a price and a few words, for the tool whose business that is.
    private func capturesMoney(
        _ tool: CompiledTool, _ message: Message, _ segment: Range<Int>, _ shape: SentenceShape
    ) -> Bool {
        if let verb = shape.mainVerb, !message.tokens[verb].has(.past), verbQuality(tool, message.tokens[verb]) < 0.5 {
            return false
        }
        if let verb = shape.mainVerb, PlanningPass.unspent.contains(message.tokens[verb].lemma) { return false }
        guard tool.effect == .write, segment.count <= 10, !shape.isQuestion, !shape.isAboutOthers,
            !shape.isHypothetical,
            tool.slots.contains(where: { $0.kind == .money && $0.isRequired }),
            tool.verbs.intersects(Lexicon.shared.cluster("spend")),
            !segment.contains(where: {
                message.tokens[$0].has(.question) || message.tokens[$0].has(.negation) || message.salience[$0] > 0.5
            })
        else { return false }
        return segment.contains { message.monies[$0]?.currency != nil || message.monies[$0]?.looksLikePrice == true }
    }

    private func verbQuality(_ tool: CompiledTool, _ token: Token) -> Float {
        if token.feature >= 0, tool.verbFeatures.contains(token.feature) { return token.certainty }
        if token.strong.intersects(tool.verbs) { return 0.85 * token.certainty }
        if token.weak.intersects(tool.verbs) { return 0.5 * token.certainty }
        return 0
    }

    private func topicQuality(_ tool: CompiledTool, _ token: Token) -> Float {
        if token.feature >= 0, tool.nounFeatures.contains(token.feature) {
            return (0.6 + 0.4 * planner.distinct[Int(token.feature)]) * token.certainty
        }
        if token.feature >= 0, tool.topicFeatures.contains(token.feature) { return 0.6 * token.certainty }
        if token.strong.intersects(tool.nouns) { return 0.75 * token.certainty }
        if token.strong.intersects(tool.topics) { return 0.55 * token.certainty }
        return 0
    }

    /// The weightiest stretch of words that neither the action nor the topic took.
    func leftover(_ message: Message, _ segment: Range<Int>, _ roles: [UInt8]) -> Range<Int>? {
        var best: Range<Int>?
        var bestWeight: Float = 0.3
        var start = segment.lowerBound
        func close(_ end: Int) {
            guard end > start else { return }
            var lower = start
            var upper = end
            func isLoose(_ token: Token) -> Bool {
                token.isBreak && token.byte != 34 || token.has(.filler)
                    || token.has(.function) && !token.has(.pointer) && !token.has(.quoted)
            }
            while lower < upper, isLoose(message.tokens[lower]) || message.weights[lower] < 0.03 { lower += 1 }
            while upper > lower, isLoose(message.tokens[upper - 1]) { upper -= 1 }
            guard lower < upper else { return }
            var weight: Float = 0
            for index in lower..<upper { weight += message.weights[index] }
            if message.pointers[lower] > 0 { weight += 0.3 }
            if weight > bestWeight {
                bestWeight = weight
                best = lower..<upper
            }
        }
        for index in segment where roles[index - segment.lowerBound] == 1 {
            close(index)
            start = index + 1
        }
        close(segment.upperBound)
        return best
    }
}
