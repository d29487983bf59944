import TandemCore
import TandemJSON

extension PlanningPass {
    private enum W {
        static let and = wordHash("and")
        static let also = wordHash("also")
        static let plus = wordHash("plus")
        static let too = wordHash("too")
    }

    /// A bare digit after a numbered list, `and eggs` after an addition.
    func followUp(_ segment: Range<Int>) -> [PlannedCall]? {
        picked(segment) ?? opened(segment) ?? continued(segment) ?? accomplished(segment)
    }

    /// `I called the dentist`, when "call the dentist" is among the things to do that were shown or named.
    private func accomplished(_ segment: Range<Int>) -> [PlannedCall]? {
        guard !context.touched.isEmpty || context.shown != nil else { return nil }
        let words = message.trimmed(segment).filter { index in
            let token = message.tokens[index]
            return token.kind == .word && !token.has(.filler)
        }
        guard let head = words.first, (2...10).contains(words.count) else { return nil }
        let subject = message.tokens[head]
        guard subject.has(.self1), subject.has(.pronoun), message.tokens[words[1]].has(.past) else { return nil }
        let said = words.dropFirst().compactMap { index -> UInt64? in
            let token = message.tokens[index]
            return token.has(.function) ? nil : token.lemma
        }
        guard said.count > 1, let segmentEnd = segment.last, message.tokens[segmentEnd].byte != 63 else { return nil }
        let items = context.touched + (context.shown?.items ?? [])
        let complete = Lexicon.shared.cluster("complete")
        for item in items.prefix(50) where ReferenceResolver.lemmas(item.label) == said {
            guard
                let tool = planner.tools.first(where: { tool in
                    tool.effect == .write && tool.actsOn == item.type && tool.verbs.intersects(complete)
                        && !tool.isAboutWares
                }),
                let slot = tool.slots.first(where: { if case .reference = $0.kind { true } else { false } })
            else { continue }
            return [
                PlannedCall(
                    tool: tool.id, arguments: [slot.name: .string("#" + item.id)], confidence: 0.9,
                    text: message.text(message.trimmed(segment)))
            ]
        }
        return nil
    }

    private func picked(_ segment: Range<Int>) -> [PlannedCall]? {
        guard let shown = context.shown, shown.isNumbered, let select = shown.select,
            let tool = planner.tools.first(where: { $0.id == select }),
            let slot = tool.slots.first(where: { if case .reference = $0.kind { true } else { false } }),
            case .reference(let entity) = slot.kind
        else { return nil }
        var ids: [String] = []
        var index = segment.lowerBound
        while index < segment.upperBound {
            let token = message.tokens[index]
            if token.isBreak || token.has(.filler) || token.surface == W.and {
                index += 1
                continue
            }
            let end = message.pointers[index]
            guard end > index, end <= segment.upperBound,
                token.kind == .number || token.has(.determiner) || token.has(.ordinal)
                    || token.has(.cardinal) || token.byte == 35 || token.has(.known) && !token.has(.pronoun),
                case .ids(let found) = ReferenceResolver(context: context).resolve(
                    index..<end, entity: entity, in: message)
            else { return nil }
            ids += found
            index = end
        }
        guard !ids.isEmpty, ids.count <= 20 else { return nil }
        let text = message.text(message.trimmed(segment))
        if slot.takesSeveral, ids.count > 1 {
            let arguments: JSON = [slot.name: .array(ids.map { .string("#" + $0) })]
            let missing = tool.required.filter { $0 != slot.name }
            return [PlannedCall(tool: tool.id, arguments: arguments, confidence: 0.97, text: text, missing: missing)]
        }
        return ids.map { id in
            let arguments: JSON = [slot.name: .string("#" + id)]
            let missing = tool.required.filter { $0 != slot.name }
            return PlannedCall(tool: tool.id, arguments: arguments, confidence: 0.97, text: text, missing: missing)
        }
    }

    /// The tool that `and butter` continues: the last one, or, after a list was shown, the one that adds to it.
    private func continuable(_ recent: String) -> CompiledTool? {
        guard let tool = planner.tools.first(where: { $0.id == recent }) else { return nil }
        guard tool.effect == .read, let shown = context.shown?.items.first?.type else { return tool }
        let namespace = recent.prefix { $0 != "." }
        let adders = planner.tools.filter { other in
            guard let open = other.primaryOpenSlot, case .items = other.slots[open].kind else { return false }
            return other.takesNew && other.id.prefix(while: { $0 != "." }) == namespace
                && shown.hasPrefix(namespace + ".")
        }
        return adders.count == 1 ? adders[0] : tool
    }

    private func continued(_ segment: Range<Int>) -> [PlannedCall]? {
        guard let recent = context.recentTools.first, let tool = continuable(recent), tool.effect <= .write,
            let open = tool.primaryOpenSlot
        else { return nil }
        switch tool.slots[open].kind {
        case .items, .list, .quantity, .reference: break
        default: return nil
        }
        let trimmed = message.trimmed(segment)
        guard let first = trimmed.first, let last = trimmed.last, trimmed.count <= 30 else { return nil }
        let begins = [W.and, W.also, W.plus].contains(message.tokens[first].surface)
        let ends = [W.also, W.too].contains(message.tokens[last].surface)
        guard begins || ends else { return nil }
        let rest = (begins ? first + 1 : first)..<trimmed.upperBound
        guard !rest.isEmpty,
            !rest.contains(where: {
                let token = message.tokens[$0]
                return token.has(.verb) && !token.has(.ware) && !token.has(.function) || token.has(.question)
                    || token.has(.self1) || token.has(.negation)
            })
        else { return nil }
        let filler = SlotFiller(message: message, segment: segment, context: context, tool: tool, prefersPast: false)
        let filled = filler.fill(
            [Alignment.Fill(slot: open, range: rest, isTyped: false)],
            roles: [UInt8](repeating: 0, count: segment.count), implied: [:])
        guard filled.missing.isEmpty, filled.plausibility > 0.6 else { return nil }
        let text = message.text(trimmed)
        guard let distributed = filled.distributed else {
            return [PlannedCall(tool: tool.id, arguments: .object(filled.arguments), confidence: 0.85, text: text)]
        }
        return distributed.values.map { value in
            var arguments = filled.arguments
            arguments[distributed.slot] = value
            return PlannedCall(tool: tool.id, arguments: .object(arguments), confidence: 0.85, text: text)
        }
    }
}
