import TandemCore
import TandemJSON

/// Turns spans of the message into arguments: completes what the template did not mention and cuts out of free words what
/// other slots take.
struct SlotFiller {
    let message: Message
    let segment: Range<Int>
    let context: PlannerContext
    let tool: CompiledTool
    let prefersPast: Bool

    struct Result {
        var arguments = JSONObject()
        var missing: [String] = []
        /// Tokens that became part of an argument.
        var used: [Bool]
        /// Several values for one slot: one call each.
        var distributed: (slot: String, values: [JSON])?
        var pointsToNothing = false
        /// How plausible the free words are as what the slot holds, 0…1.
        var plausibility: Float = 1
        var hasOpenText = false
        var openTokens = 0
        var filled = 0
        /// A slot that must be there and is told by its form was found.
        var hasTypedRequired = false
        /// The free words name food or household goods, or something from the conversation.
        var namesWare = false
        /// The free words begin with something to do.
        var startsWithDeed = false
        /// The free words say what one feels or lives through.
        var isInner = false
        /// All the free words are known, and none is for eating or the house.
        var isMisfit = false
        /// A reference was resolved from the conversation.
        var isResolved = false
        /// A thing is named that belongs to another trade, and no tool speaks of it.
        var isElsewhere = false
        /// The same of a few free words.
        var isTextElsewhere = false
        /// Something told by its form was found.
        var hasTyped = false
        /// A date ahead was said.
        var hasFutureDate = false
        /// A reference is named by words, and the conversation has nothing of its kind.
        var isUnresolved = false
    }

    enum W {
        static let `for` = wordHash("for")
        static let at = wordHash("at")
        static let to = wordHash("to")
        static let that = wordHash("that")
        static let of = wordHash("of")
        static let with = wordHash("with")
        static let on = wordHash("on")
        static let the = wordHash("the")
        static let a = wordHash("a")
        static let an = wordHash("an")
        static let asWord = wordHash("as")
        static let s = wordHash("'s")
        static let some = wordHash("some")
        static let about = wordHash("about")
        static let cost = wordHash("cost")
        static let you = wordHash("you")
        static let one = wordHash("one")
        static let be = wordHash("be")
        static let not = wordHash("not")
    }

    func fill(_ fills: [Alignment.Fill], roles: [UInt8], implied: JSONObject) -> Result {
        var result = Result(used: [Bool](repeating: false, count: segment.count))
        var values: [Int: JSON] = [:]
        var open: [(slot: Int, pieces: [Range<Int>])] = []
        let aligner = Aligner(message: message, segment: segment)
        for fill in fills.reversed() where values[fill.slot] == nil {
            let slot = tool.slots[fill.slot]
            if fill.isTyped, !slot.isOpen {
                guard let value = typed(slot, fill.range, aligner) else { continue }
                mark(fill.range, &result)
                if case .choice = slot.kind, let all = aligner.choices(slot, fill.range.lowerBound)?.values,
                    all.count > 1
                {
                    result.distributed = (slot.name, all.map { .string($0) })
                } else {
                    values[fill.slot] = value
                }
            } else {
                open.append((fill.slot, [fill.range]))
            }
        }
        // What other slots take out of the free words.
        for slotIndex in typedOrder() where values[slotIndex] == nil {
            for index in open.indices {
                if let value = extract(
                    slotIndex, from: &open[index].pieces, openSlot: open[index].slot, aligner, &result)
                {
                    values[slotIndex] = value
                    break
                }
            }
            if values[slotIndex] == nil, let value = elsewhere(slotIndex, roles, open, aligner, &result) {
                values[slotIndex] = value
            }
        }
        for (slotIndex, pieces) in open {
            build(slotIndex, pieces, &values, &result)
        }
        result.filled = values.count
        result.startsWithDeed = open.contains { entry in
            guard let first = entry.pieces.first.map({ nominal($0) })?.first else { return false }
            return message.tokens[first].has(.deed) && !message.tokens[first].has(.ware)
        }
        result.hasTypedRequired = values.contains { entry in
            let slot = tool.slots[entry.key]
            guard slot.isRequired, !slot.isOpen else { return false }
            // A bare number is told from others only by its place.
            switch slot.kind {
            case .money:
                return entry.value["currency"] != nil || entry.value["amount"]?.stringValue?.utf8.contains(46) == true
            default: return true
            }
        }
        result.namesWare = open.contains { entry in
            entry.pieces.contains { $0.contains { message.tokens[$0].has(.ware) || message.pointers[$0] > 0 } }
        }
        result.isInner = open.contains { $0.pieces.contains { isInner($0) } }
        if tool.isAboutWares, !open.isEmpty {
            result.isMisfit = open.allSatisfy { $0.pieces.allSatisfy { isMisfit($0) } }
        }
        pointed(roles, &values, &result)
        if !result.pointsToNothing { impliedReference(&values, &result) }
        result.hasTyped = values.keys.contains { !tool.slots[$0].isOpen }
        if result.isInner, result.hasTyped { result.isInner = false }
        let today = message.reader.today.description
        result.hasFutureDate = values.contains { entry in
            switch tool.slots[entry.key].kind {
            case .date, .dateTime: (entry.value.stringValue ?? "") > today
            default: false
            }
        }
        for slotIndex in tool.slots.indices {
            if let value = values[slotIndex] { result.arguments[tool.slots[slotIndex].name] = value }
        }
        for (name, value) in implied where result.arguments[name] == nil { result.arguments[name] = value }
        result.missing = tool.required.filter { result.arguments[$0] == nil && result.distributed?.slot != $0 }
        return result
    }

    /// `make it {amount}`: the pointer that the template has as a word says which thing.
    private func pointed(_ roles: [UInt8], _ values: inout [Int: JSON], _ result: inout Result) {
        for index in tool.slots.indices where values[index] == nil && tool.slots[index].isRequired {
            guard case .reference(let entity) = tool.slots[index].kind else { continue }
            for token in segment where roles[token - segment.lowerBound] == 1 && message.pointers[token] == token + 1 {
                switch ReferenceResolver(context: context).resolve(token..<token + 1, entity: entity, in: message) {
                case .ids(let ids):
                    guard let id = ids.first else { continue }
                    values[index] = .string("#" + id)
                    result.isResolved = true
                    return
                default: result.pointsToNothing = true
                }
            }
        }
    }

    /// `4 stars`, right after a recipe: said of what the talk is about.
    private func impliedReference(_ values: inout [Int: JSON], _ result: inout Result) {
        guard !values.isEmpty, let last = context.touched.first, let recent = context.recentTools.first,
            recent.prefix(while: { $0 != "." }) == tool.id.prefix(while: { $0 != "." })
        else { return }
        for index in tool.slots.indices where values[index] == nil && tool.slots[index].isRequired {
            guard case .reference(last.type) = tool.slots[index].kind else { continue }
            values[index] = .string("#" + last.id)
            result.isResolved = true
            return
        }
    }

    func mark(_ range: Range<Int>, _ result: inout Result) {
        for index in range where segment.contains(index) { result.used[index - segment.lowerBound] = true }
    }

    /// Slots that are read, not taken as words; those most easily told first.
    private func typedOrder() -> [Int] {
        func rank(_ kind: SlotKind) -> Int {
            switch kind {
            case .money: 0
            case .dateTime, .date: 1
            case .period: 2
            case .duration: 3
            case .choice: 4
            case .number: 5
            default: 9
            }
        }
        return tool.slots.indices.filter { rank(tool.slots[$0].kind) < 9 }.sorted {
            (rank(tool.slots[$0].kind), $0) < (rank(tool.slots[$1].kind), $1)
        }
    }

    // MARK: Typed values

    private func typed(_ slot: CompiledSlot, _ range: Range<Int>, _ aligner: Aligner) -> JSON? {
        let index = range.lowerBound
        switch slot.kind {
        case .number: return message.numbers[index].map { number($0.value) }
        case .money: return message.monies[index].map(money)
        case .date, .dateTime, .period: return message.temporals[index].flatMap { temporal($0, slot.kind) }
        case .duration: return message.durations[index].map { .integer(Int64($0.minutes)) }
        case .choice: return aligner.choice(slot, index).map { .string($0.value) }
        default: return nil
        }
    }

    func number(_ value: Decimal) -> JSON {
        value.scale == 0 ? .integer(value.units) : .number(value.double)
    }

    private func money(_ reading: MoneyReader.Reading) -> JSON {
        var object = JSONObject()
        object["amount"] = .string(reading.amount.text(minimumScale: reading.amount.scale > 0 ? 2 : 0))
        if let currency = reading.currency { object["currency"] = .string(currency) }
        return .object(object)
    }

    func temporal(_ temporal: Temporal, _ kind: SlotKind) -> JSON? {
        let range = prefersPast && !temporal.isFixed ? temporal.past : temporal.future
        var lead = temporal.lead
        if lead == .none, temporal.start > segment.lowerBound,
            let found = TemporalReader.W.leads[message.tokens[temporal.start - 1].surface]
        {
            lead = found
        }
        switch kind {
        case .period:
            var (from, to) = (range.from, range.to)
            if lead == .since, to < message.reader.today { to = message.reader.today }
            if lead == .since, temporal.lead != .since {
                from = temporal.isFixed ? temporal.future.from : temporal.past.from
                to = message.reader.today
            }
            return ["from": .string(from.description), "to": .string(to.description)]
        case .date, .dateTime:
            let day: CivilDate
            if temporal.isDay {
                day = range.from
            } else if prefersPast {
                day = range.from
            } else if lead == .until, range.from > message.reader.today {
                // Until next week: till it begins.
                day = range.from
            } else if lead == .by || lead == .until || range.from <= message.reader.today {
                day = range.to
            } else {
                day = range.from
            }
            guard case .dateTime = kind else {
                if temporal.offset != nil || temporal.isTimeOnly { return .string(day.description) }
                return .string(day.description)
            }
            let zone = LocalZone(identifier: context.timeZone)
            if let offset = temporal.offset {
                let milliseconds = context.now.millisecondsSinceEpoch + Int64(offset) * 60_000
                return .string(Timestamp(millisecondsSinceEpoch: milliseconds).description)
            }
            guard let minutes = temporal.minutes else { return .string(day.description) }
            return .string(zone.instant(day, minutes: minutes).description)
        default: return nil
        }
    }

    // MARK: Out of free words

    private func extract(
        _ slotIndex: Int, from pieces: inout [Range<Int>], openSlot: Int, _ aligner: Aligner, _ result: inout Result
    ) -> JSON? {
        let slot = tool.slots[slotIndex]
        for pieceIndex in pieces.indices {
            let piece = ItemListReader(message: message).trimmed(pieces[pieceIndex])
            guard !piece.isEmpty else { continue }
            for index in piece {
                guard let (end, value) = candidate(slot, index, piece, openSlot, aligner) else { continue }
                var lower = index
                let upper = end
                // The small word before it goes, too.
                while lower > piece.lowerBound, isLink(message.tokens[lower - 1], slot) { lower -= 1 }
                if lower == piece.lowerBound, upper == piece.upperBound {
                    // All there is: a choice is also what is meant, anything else leaves nothing.
                    if case .choice = slot.kind { return value }
                    if tool.slots[openSlot].isRequired { continue }
                }
                if case .choice = slot.kind, !leaves(piece, without: lower..<upper, isLinked: lower < index, slot) {
                    return value
                }
                mark(lower..<upper, &result)
                var rest: [Range<Int>] = []
                if lower > piece.lowerBound { rest.append(piece.lowerBound..<lower) }
                if upper < piece.upperBound { rest.append(upper..<piece.upperBound) }
                pieces.replaceSubrange(pieceIndex...pieceIndex, with: rest)
                return value
            }
        }
        return nil
    }

    /// Whether a choice found in free words is no part of what they say: `call the bank, high priority` but not
    /// `new shoes` or `at the cinema`.
    private func leaves(_ piece: Range<Int>, without cut: Range<Int>, isLinked: Bool, _ slot: CompiledSlot) -> Bool {
        let hasRest = piece.contains { index in
            let token = message.tokens[index]
            return !cut.contains(index) && !token.isBreak && !token.has(.function) && !token.has(.filler)
        }
        guard hasRest else { return false }
        let hasHint = cut.upperBound < piece.upperBound && slot.hints.contains(message.tokens[cut.upperBound].lemma)
        return isLinked || hasHint || cut.lowerBound == piece.lowerBound
            || message.tokens[cut.lowerBound].strong.intersects(SlotFiller.urgency)
    }

    private static let urgency = Lexicon.shared.cluster("urgent")

    private func isLink(_ token: Token, _ slot: CompiledSlot) -> Bool {
        switch slot.kind {
        case .money:
            return token.surface == W.for || token.surface == W.at || token.surface == W.of || token.byte == 64
                || token.lemma == W.cost || token.byte == 45 || token.byte == 58
        case .choice:
            return token.surface == W.with || token.surface == W.asWord || token.surface == W.on
                || token.surface == W.at
                || token.byte == 58 || token.byte == 45 || token.byte == 44
        case .number, .duration: return token.surface == W.for || token.surface == W.with || token.surface == W.of
        default: return false
        }
    }

    private func candidate(
        _ slot: CompiledSlot, _ index: Int, _ piece: Range<Int>, _ openSlot: Int, _ aligner: Aligner
    ) -> (end: Int, value: JSON)? {
        var end = aligner.typedEnd(slot, index)
        if case .number = slot.kind, end > piece.upperBound, let number = message.numbers[index] { end = number.end }
        guard end > index, end <= piece.upperBound, !message.tokens[index].has(.quoted) else { return nil }
        let isLast = end == piece.upperBound
        let isFirst = index == piece.lowerBound
        let isItems: Bool
        switch tool.slots[openSlot].kind {
        case .items, .quantity: isItems = true
        default: isItems = false
        }
        switch slot.kind {
        case .date, .dateTime, .period:
            guard let temporal = message.temporals[index] else { return nil }
            // `friday's concert`, `may` in the middle.
            if end < message.tokens.count, message.tokens[end].surface == W.s { return nil }
            if !isLast, !isFirst, temporal.lead == .none, !temporal.isFixed { return nil }
            if isFirst, !isLast, temporal.lead == .none, !temporal.isFixed, message.tokens[end].kind == .word,
                !message.tokens[end].has(.function), !message.tokens[end].has(.verb)
            {
                return nil
            }
        case .money:
            guard let money = message.monies[index] else { return nil }
            let isLinked = index > piece.lowerBound && isLink(message.tokens[index - 1], slot)
            if money.currency == nil {
                // `bought 2, 3` after a numbered list.
                if !isLinked, !slot.isRequired, !money.looksLikePrice, context.shown?.isNumbered == true { return nil }
                guard isLinked || (money.looksLikePrice && (isLast || isFirst)) || (!isItems && (isLast || isFirst))
                else { return nil }
                if isItems, !isLinked, !money.looksLikePrice { return nil }
                // `for 4 people` is no price.
                if end < piece.upperBound, message.tokens[end].kind == .word, !message.tokens[end].has(.function),
                    !message.tokens[end].has(.filler), message.tokens[end].byte == 0, isItems
                {
                    return nil
                }
            }
        case .duration:
            guard isLast || isFirst else { return nil }
        case .choice:
            guard isLast || isFirst || (index > piece.lowerBound && isLink(message.tokens[index - 1], slot)) else {
                return nil
            }
            if end < piece.upperBound, isFirst, message.tokens[end].kind == .word, !isChoiceAlone(slot, index, end) {
                return nil
            }
        case .number:
            if isItems { return numberWithHint(slot, index, end, piece) }
            guard
                let found = numberWithHint(slot, index, end, piece)
                    ?? (isLast && !isFirst ? linked(slot, index, end) : nil)
            else { return nil }
            return found
        default: return nil
        }
        guard let value = typed(slot, index..<end, aligner) else { return nil }
        return (end, value)
    }

    /// `urgent: call the bank` but not `food for the dog`.
    private func isChoiceAlone(_ slot: CompiledSlot, _ index: Int, _ end: Int) -> Bool {
        guard end < message.tokens.count else { return true }
        let next = message.tokens[end]
        return next.isBreak || next.has(.deed) || slot.hints.contains(next.lemma)
    }

    private func numberWithHint(_ slot: CompiledSlot, _ index: Int, _ end: Int, _ piece: Range<Int>) -> (Int, JSON)? {
        guard let reading = message.numbers[index] else { return nil }
        let after = reading.end < segment.upperBound ? message.tokens[reading.end] : nil
        let isPeople = after.map { $0.strong.intersects(Lexicon.shared.cluster("serving")) } ?? false
        if let after, slot.hints.contains(after.lemma) || (isPeople && wantsPeople(slot)) {
            return (min(max(end, reading.end + 1), piece.upperBound), number(reading.value))
        }
        if index > segment.lowerBound, slot.hints.contains(message.tokens[index - 1].lemma) {
            return (end, number(reading.value))
        }
        return nil
    }

    private func wantsPeople(_ slot: CompiledSlot) -> Bool {
        slot.hints.contains { Lexicon.shared.words[$0]?.strong.intersects(Lexicon.shared.cluster("serving")) == true }
    }

    private func linked(_ slot: CompiledSlot, _ index: Int, _ end: Int) -> (Int, JSON)? {
        guard index > segment.lowerBound, message.tokens[index - 1].surface == W.for,
            let reading = message.numbers[index]
        else { return nil }
        return (end, number(reading.value))
    }

    /// A typed expression outside of what the template and the free words took.
    private func elsewhere(
        _ slotIndex: Int, _ roles: [UInt8], _ open: [(slot: Int, pieces: [Range<Int>])], _ aligner: Aligner,
        _ result: inout Result
    ) -> JSON? {
        let slot = tool.slots[slotIndex]
        for index in segment {
            let local = index - segment.lowerBound
            guard !result.used[local], !open.contains(where: { $0.pieces.contains { $0.contains(index) } }) else {
                continue
            }
            if roles[local] == 1 {
                guard case .choice = slot.kind else { continue }
            }
            let end = aligner.typedEnd(slot, index)
            guard end > index else { continue }
            let span = index..<end
            if span.contains(where: { result.used[$0 - segment.lowerBound] }) { continue }
            if case .money = slot.kind, message.monies[index]?.currency == nil, !slot.isRequired,
                message.monies[index]?.looksLikePrice != true || context.shown?.isNumbered == true
            {
                continue
            }
            guard let value = typed(slot, span, aligner) else { continue }
            mark(span, &result)
            return value
        }
        return nil
    }
}
