import TandemCore
import TandemJSON

/// What free words say, without what belongs to the tool: its topic, its verbs, names of its things.
extension SlotFiller {
    func build(
        _ slotIndex: Int, _ pieces: [Range<Int>], _ values: inout [Int: JSON], _ result: inout Result
    ) {
        let slot = tool.slots[slotIndex]
        let reader = ItemListReader(message: message)
        for piece in pieces { mark(piece, &result) }
        let trimmed = pieces.map { reader.trimmed(withoutTopic(reader.trimmed($0))) }.filter { !$0.isEmpty }
        guard !trimmed.isEmpty else { return }
        result.openTokens += trimmed.reduce(0) { $0 + $1.count }
        switch slot.kind {
        case .items:
            let items = trimmed.flatMap { reader.members($0) }.compactMap { reader.item($0) }
            guard !items.isEmpty else { return }
            values[slotIndex] = .array(items.map { reader.json($0) })
            if items.contains(where: { isElsewhere($0.name) }) { result.isElsewhere = true }
            result.plausibility = min(result.plausibility, plausibility(of: items))
        case .quantity:
            guard let first = trimmed.first else { return }
            if message.pointers[first.lowerBound] == first.upperBound,
                case .ids(let ids) = ReferenceResolver(context: context).resolve(
                    first, entity: tool.actsOn ?? "", in: message), let id = ids.first
            {
                values[slotIndex] = ["name": .string("#" + id)]
                return
            }
            let members = reader.members(first).compactMap { reader.item($0) }
            guard let item = members.first else { return }
            result.plausibility = min(result.plausibility, plausibility(of: members))
            if members.count > 1 {
                result.distributed = (slot.name, members.map { reader.json($0) })
            } else {
                values[slotIndex] = reader.json(item)
            }
        case .list:
            let members = trimmed.flatMap { reader.members($0) }
            values[slotIndex] = .array(members.map { .string(message.text($0)) })
            result.hasOpenText = true
        case .reference(let entity): reference(slotIndex, entity, trimmed, &values, &result)
        default:
            let cleaned = trimmed.count == 1 ? [clean(trimmed[0])] : trimmed.map { reader.trimmed($0) }
            let text = cleaned.filter { !$0.isEmpty }.map { message.text($0) }.joined(separator: " ")
            guard !text.isEmpty else { return }
            let plausible = plausibility(ofText: cleaned, slot)
            // `do I have a soup recipe`: the choice that was found says it all.
            if tool.effect == .read, !slot.isRequired, plausible < 0.5, !values.isEmpty { return }
            values[slotIndex] = .string(text)
            result.hasOpenText = true
            result.plausibility = min(result.plausibility, plausible)
            if let only = cleaned.first, cleaned.count == 1, only.count <= 3, let first = only.first,
                !message.tokens[first].has(.deed), isElsewhere(only)
            {
                result.isTextElsewhere = true
                // "a joke" is none that we were told before.
                if only.count == 1, first > 0, message.tokens[first - 1].surface == W.a { result.isElsewhere = true }
            }
        }
    }

    /// Without a closing "from my list" or "to the tasks", which says where, not what; likewise at the front.
    private func withoutTopic(_ range: Range<Int>) -> Range<Int> {
        let tokens = message.tokens
        func isTopic(_ token: Token) -> Bool {
            guard token.kind == .word, !token.has(.quoted), !token.has(.function) else { return false }
            if token.feature >= 0,
                tool.nounFeatures.contains(token.feature) || tool.topicFeatures.contains(token.feature)
            {
                return true
            }
            return token.strong.intersects(tool.nouns)
        }
        var upper = range.upperBound
        var index = upper
        while index > range.lowerBound, isTopic(tokens[index - 1]) { index -= 1 }
        if index < upper {
            let topics = index
            while index > range.lowerBound, tokens[index - 1].has(.determiner) { index -= 1 }
            if index > range.lowerBound + 1, tokens[index - 1].has(.preposition) || tokens[index - 1].has(.absorbed) {
                upper = index - 1
            } else if index < topics, index > range.lowerBound, tokens[index - 1].has(.absorbed) {
                upper = index - 1
            }
        }
        var lower = range.lowerBound
        index = lower
        if index < upper, tokens[index].has(.preposition) {
            index += 1
            while index < upper, tokens[index].has(.determiner) { index += 1 }
            let topics = index
            while index < upper, isTopic(tokens[index]) { index += 1 }
            if index > topics, index < upper { lower = index }
        }
        return lower..<upper
    }

    func reference(
        _ slotIndex: Int, _ entity: String, _ pieces: [Range<Int>], _ values: inout [Int: JSON], _ result: inout Result
    ) {
        let reader = ItemListReader(message: message)
        let resolver = ReferenceResolver(context: context)
        let slot = tool.slots[slotIndex]
        var found: [JSON] = []
        for piece in pieces.flatMap({ reader.members($0) }) {
            let member = withoutEntity(withoutCopula(piece), slot)
            switch resolver.resolve(member, entity: entity, in: message) {
            case .ids(let ids):
                found += ids.map { .string("#" + $0) }
                result.isResolved = true
            case .dangling: result.pointsToNothing = true
            case .words:
                let range = nominal(member)
                guard let first = range.first else { continue }
                // "…, it was 6.49": a remark, not a thing.
                if !found.isEmpty, message.tokens[first].has(.pronoun) || message.tokens[first].has(.auxiliary) {
                    continue
                }
                // "…, stop counting it" speaks of the same.
                if let last = range.last, last > first, !found.isEmpty, message.pointers[last] == last + 1,
                    message.tokens[last].has(.pointer)
                {
                    continue
                }
                found.append(.string(message.text(range)))
                result.plausibility = min(result.plausibility, plausibility(ofReference: range))
                if range.count <= 4, !message.tokens[first].has(.deed), isElsewhere(range) { result.isElsewhere = true }
            }
        }
        if !found.isEmpty, !result.isResolved { result.isUnresolved = !resolver.knows(entity) }
        if found.count == 1 {
            values[slotIndex] = found[0]
        } else if found.count > 1, slot.takesSeveral {
            values[slotIndex] = .array(found)
        } else if found.count > 1 {
            result.distributed = (slot.name, found)
        }
    }

    /// `1 and 2 are`: without the verb.
    private func withoutCopula(_ range: Range<Int>) -> Range<Int> {
        let last = message.tokens[range.upperBound - 1]
        guard range.count > 1, last.has(.auxiliary), !last.has(.quoted) else { return range }
        return range.lowerBound..<range.upperBound - 1
    }

    /// Without the word for such a thing: `passport task`, `the second note`, `task 2`.
    private func withoutEntity(_ range: Range<Int>, _ slot: CompiledSlot) -> Range<Int> {
        guard slot.entityNoun != 0, range.count > 1 else { return range }
        let tokens = message.tokens
        func isEntity(_ token: Token) -> Bool {
            token.kind == .word && !token.has(.quoted)
                && (token.lemma == slot.entityNoun || token.strong.intersects(slot.entityClusters))
        }
        if isEntity(tokens[range.upperBound - 1]), !tokens[range.upperBound - 2].has(.determiner) {
            return range.lowerBound..<range.upperBound - 1
        }
        if isEntity(tokens[range.lowerBound]), tokens[range.lowerBound + 1].kind == .number {
            return range.lowerBound + 1..<range.upperBound
        }
        return range
    }

    /// Without article: "the milk" → "milk".
    func nominal(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        if lower + 1 < range.upperBound, message.tokens[lower].has(.preposition), !message.tokens[lower].has(.quoted) {
            lower += 1
        }
        while lower + 1 < range.upperBound, message.tokens[lower].has(.determiner), !message.tokens[lower].has(.quoted)
        {
            lower += 1
        }
        var upper = range.upperBound
        while upper - 1 > lower,
            message.tokens[upper - 1].has(.preposition) || message.tokens[upper - 1].has(.auxiliary),
            !message.tokens[upper - 1].has(.quoted)
        {
            upper -= 1
        }
        return ItemListReader(message: message).trimmed(lower..<upper)
    }

    /// Free text without what only links it to the request: "that", "to", a closing preposition, quotes around it.
    private func clean(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        let tokens = message.tokens
        while lower + 1 < upper,
            tokens[lower].surface == W.that || tokens[lower].surface == W.to
                || tokens[lower].surface == W.about && tokens[lower].has(.preposition) || tokens[lower].surface == W.of
                || tokens[lower].surface == W.asWord
        { lower += 1 }
        // `eating out` is whole.
        while upper - 1 > lower, tokens[upper - 1].has(.preposition) || tokens[upper - 1].has(.conjunction),
            !tokens[upper - 2].has(.gerund)
        { upper -= 1 }
        // `write this down: …`
        if upper - lower > 2, tokens[lower].has(.pointer), tokens[lower + 1].has(.absorbed), tokens[lower + 2].isBreak {
            lower += 2
        }
        if upper - lower <= 4, upper - lower > 1,
            tokens[lower].surface == W.the || tokens[lower].surface == W.a || tokens[lower].surface == W.an
                || tokens[lower].surface == W.some, !(tokens[lower].has(.capitalised) && lower > segment.lowerBound),
            // `the sky is blue` is whole.
            !tokens[lower..<upper].contains(where: { $0.has(.auxiliary) && !$0.has(.quoted) })
        {
            lower += 1
        }
        return ItemListReader(message: message).trimmed(lower..<upper)
    }
}
