import TandemCore
import TandemJSON

extension PlanningPass {
    private static func hashes(_ words: String) -> Set<UInt64> {
        Set(words.split(separator: " ").map { wordHash($0.utf8) })
    }

    /// Words that ask to see something.
    private static let openers = hashes(
        "read open show view see play watch display tell more details detail expand hear")
    /// Words between them and what is to be seen.
    private static let joints = hashes("me us about of on to the let get give a bit what does is in up for")
    /// Words for one thing of any list.
    private static let things = hashes(
        "one item number no result entry link hit thing page article site website story picture image")
    private static let last = wordHash("last"), and = wordHash("and")

    /// `read 1`, `open the second one`, `more about the last video`: things of the numbered list that was shown last, whatever
    /// they are. The tool is the one that the list selects with, when that only reads, unless the verb is another's.
    func opened(_ segment: Range<Int>) -> [PlannedCall]? {
        guard let shown = context.shown, shown.isNumbered, !shown.items.isEmpty else { return nil }
        var index = segment.lowerBound
        var verbs = ClusterSet()
        var isAsked = false
        while index < segment.upperBound {
            let token = message.tokens[index]
            let isOpener = token.kind == .word && Self.openers.contains(token.surface)
            guard isOpener || token.isBreak || token.has(.filler) || isAsked && Self.joints.contains(token.surface)
            else {
                break
            }
            if isOpener {
                verbs.formUnion(token.strong)
                isAsked = true
            }
            // "the" belongs to what follows.
            if token.has(.determiner), !isOpener { break }
            index += 1
        }
        guard isAsked else { return nil }
        var items: [ShownEntities.Item] = []
        while index < segment.upperBound {
            let token = message.tokens[index]
            if token.isBreak || token.has(.filler) || token.surface == Self.and {
                index += 1
                continue
            }
            guard let (number, end) = place(index, shown.items.count, segment.upperBound),
                shown.items.indices.contains(number - 1)
            else { return nil }
            items.append(shown.items[number - 1])
            index = end
        }
        guard let type = items.first?.type, items.count <= 9, items.allSatisfy({ $0.type == type }),
            let (tool, slot) = opener(of: type, shown.select, verbs)
        else { return nil }
        let text = message.text(message.trimmed(segment))
        return items.map { item in
            PlannedCall(
                tool: tool.id, arguments: [slot.name: .string("#" + item.id)], confidence: 0.97, text: text)
        }
    }

    /// `2`, `#2`, `2nd`, `the second`, `the last one`, `video 2`, `the second video`.
    private func place(_ start: Int, _ count: Int, _ limit: Int) -> (number: Int, end: Int)? {
        let tokens = message.tokens
        var index = start
        if tokens[index].has(.determiner), index + 1 < limit { index += 1 }
        let token = tokens[index]
        if token.byte == 35 || token.kind == .number {
            let place = token.byte == 35 ? index + 1 : index
            guard place < limit, let number = tokens[place].number.integer, message.pointers[index] > index else {
                return nil
            }
            return (number, named(message.pointers[index], limit))
        }
        guard token.kind == .word else { return nil }
        if token.surface == Self.last { return (count, named(index + 1, limit)) }
        if token.has(.ordinal), token.number.units > 0 {
            return (Int(token.number.units), named(index + 1, limit))
        }
        let next = index + 1
        if isName(token), next < limit, tokens[next].kind == .number || tokens[next].has(.cardinal),
            let number = tokens[next].number.integer
        {
            return (number, next + 1)
        }
        if token.has(.cardinal), (1...12).contains(token.number.units) {
            return (Int(token.number.units), index + 1)
        }
        return nil
    }

    /// Past the word for such a thing, where one follows.
    private func named(_ index: Int, _ limit: Int) -> Int {
        index < limit && message.tokens[index].kind == .word && isName(message.tokens[index]) ? index + 1 : index
    }

    private func isName(_ token: Token) -> Bool {
        if Self.things.contains(token.surface) || Self.things.contains(token.lemma) { return true }
        guard let type = context.shown?.items.first?.type else { return false }
        return planner.tools.contains { tool in
            tool.slots.contains { slot in
                guard case .reference(type) = slot.kind else { return false }
                return slot.entityNoun == token.lemma || slot.entityClusters.intersects(token.strong)
            }
        }
    }

    private func opener(
        of type: String, _ select: String?, _ verbs: ClusterSet
    ) -> (tool: CompiledTool, slot: CompiledSlot)? {
        let all = planner.tools.compactMap { tool -> (tool: CompiledTool, slot: CompiledSlot)? in
            guard tool.effect == .read,
                let slot = tool.slots.first(where: { if case .reference(type) = $0.kind { true } else { false } }),
                tool.required.allSatisfy({ $0 == slot.name })
            else { return nil }
            return (tool, slot)
        }
        let selecting = all.first { $0.tool.id == select }
        let reads = Lexicon.shared.cluster("read_v")
        if verbs.intersects(reads), selecting.map({ !$0.tool.verbs.intersects(reads) }) ?? true,
            let reader = all.first(where: { $0.tool.verbs.intersects(reads) })
        {
            return reader
        }
        if let selecting { return selecting }
        let shows = Lexicon.shared.cluster("show")
        return all.first { $0.tool.verbs.intersects(shows) } ?? all.first
    }
}
