import TandemCore
import TandemJSON

/// Whether the words that a slot took are the kind of thing it holds.
extension SlotFiller {
    func plausibility(of items: [ItemListReader.Item]) -> Float {
        var lowest: Float = 1
        for item in items {
            let words = item.name.filter { message.tokens[$0].kind == .word }
            guard let first = words.first else {
                if context.shown?.isNumbered == true { lowest = min(lowest, 0.3) }
                continue
            }
            let token = message.tokens[first]
            var value: Float = 1
            if token.has(.deed), !token.has(.ware), words.count > 1 { value = 0.55 }
            if token.has(.verb), !token.has(.ware), !token.has(.past), !token.has(.gerund), words.count > 1,
                message.salience[first] > 0.25
            {
                value = 0.5
            }
            if token.has(.pronoun) || token.has(.question) || token.has(.auxiliary) { value = 0.4 }
            if token.has(.preposition) || words.contains(where: { message.tokens[$0].has(.pronoun) }) { value = 0.15 }
            // "the kids at 4pm": nothing is bought at a time of day.
            if item.name.contains(where: { message.tokens[$0].kind == .clock || message.temporals[$0]?.minutes != nil })
            {
                value = 0.4
            }
            if words.dropFirst().contains(where: { index in
                let token = message.tokens[index]
                return token.has(.verb) && !token.has(.ware) && !token.has(.gerund) && !token.has(.past)
                    && !token.has(.function) && message.salience[index] > 0.25
            }) {
                value = min(value, 0.55)
            }
            if words.count > 6 { value = min(value, 0.6) }
            if words.contains(where: { message.tokens[$0].surface == W.to }) { value = min(value, 0.6) }
            lowest = min(lowest, value)
        }
        return lowest
    }

    /// Names something of another trade that no tool speaks of: "the lights", "a flight".
    func isElsewhere(_ range: Range<Int>) -> Bool {
        range.contains { index in
            let token = message.tokens[index]
            return token.has(.elsewhere) && token.feature < 0 && !token.has(.quoted) && !token.has(.ware)
        }
    }

    func plausibility(ofReference range: Range<Int>) -> Float {
        guard let first = range.first else { return 1 }
        let token = message.tokens[first]
        // An order is no dish: "set an alarm".
        if tool.isAboutWares, token.has(.deed), !token.has(.ware), !token.has(.past), !token.has(.quoted),
            range.count > 1
        {
            return 0.35
        }
        // "I finished crying": nothing that one plans to do. A slip of a word that is known proves nothing.
        let isKnownDeed = token.has(.deed) && !token.has(.corrected)
        if range.count == 1, token.end - token.start > 5, !isKnownDeed, !token.has(.ware), !token.has(.quoted),
            message.source[token.start..<token.end].suffix(3).elementsEqual("ing".utf8)
        {
            return 0.4
        }
        if range.contains(where: { message.tokens[$0].surface == W.you }) { return 0.4 }
        if isIndefinite(before: first, range) { return 0.3 }
        // "milk 3 litres": a name and something else.
        if range.dropFirst().contains(where: { index in
            message.tokens[index].kind == .number && index + 1 < range.upperBound
                && message.tokens[index + 1].has(.unit)
        }) {
            return 0.4
        }
        if token.has(.quoted) || token.has(.deed) { return 1 }
        if token.has(.verb), !token.has(.ware), !token.has(.deed), range.count > 1, message.salience[first] > 0.3,
            message.tokens[first + 1].has(.pronoun)
        {
            return 0.5
        }
        if token.has(.auxiliary) || token.has(.preposition) || token.has(.pronoun) || token.has(.question) {
            return 0.35
        }
        let everything = Lexicon.shared.cluster("everything")
        if range.allSatisfy({ index in
            let token = message.tokens[index]
            return token.strong.intersects(everything) || token.has(.function)
                || token.feature >= 0 && tool.nounFeatures.contains(token.feature)
                || token.strong.intersects(tool.nouns.union(tool.topics))
        }) {
            return 0.35
        }
        return range.count > 8 ? 0.6 : 1
    }

    /// `a marathon`, `two cats`: not one that is known already. Dishes are spoken of so.
    private func isIndefinite(before first: Int, _ range: Range<Int>) -> Bool {
        let head = message.tokens[first]
        if first > segment.lowerBound, message.tokens[first - 1].surface == W.some, !head.has(.ware) { return true }
        if tool.isAboutWares {
            // "step 2 of the chili" is no thing to buy.
            if range.count > 1, message.pointers[first] != range.upperBound,
                range.contains(where: { message.tokens[$0].kind == .number })
            {
                return true
            }
            return range.count > 1 && head.has(.cardinal) && !range.contains { message.tokens[$0].has(.ware) }
        }
        if range.count > 1, head.has(.cardinal), head.surface != W.one { return true }
        guard first > segment.lowerBound else { return false }
        let article = message.tokens[first - 1]
        return !head.has(.deed) && (article.surface == W.a || article.surface == W.an || article.surface == W.some)
    }

    /// The free words are what a person feels or lives through: "a long break", "to cry".
    func isInner(_ range: Range<Int>) -> Bool {
        var count = 0
        var limit = 2
        // "to be honest"
        if let first = range.first(where: { message.tokens[$0].surface != W.to }), message.tokens[first].surface == W.be
        {
            return true
        }
        var found = false
        for index in range where message.tokens[index].kind == .word {
            let token = message.tokens[index]
            if token.has(.function) || token.has(.filler) || token.has(.quoted) { continue }
            count += 1
            if token.has(.inner) {
                found = true
            } else if token.has(.ware) || token.has(.deed) {
                return false
            }
            if token.has(.inner), token.has(.deed) { limit = 1 }
        }
        return found && count <= limit
    }

    /// Every word is known, and none is anything to eat or for the house.
    func isMisfit(_ range: Range<Int>) -> Bool {
        var count = 0
        for index in range where message.tokens[index].kind == .word {
            let token = message.tokens[index]
            if token.has(.function) || token.has(.filler) { continue }
            if !token.has(.known) || token.has(.corrected) || token.has(.ware) || token.has(.quoted) { return false }
            if token.has(.unit) || message.pointers[index] > 0 { return false }
            count += 1
        }
        return count > 0
    }

    /// No word but the small ones is there besides the range.
    private func isBare(outside range: Range<Int>) -> Bool {
        !segment.contains { index in
            let token = message.tokens[index]
            return !range.contains(index) && token.kind == .word && !token.has(.function) && !token.has(.filler)
        }
    }

    private static let places = Set(["store", "place", "shop"].map { wordHash($0.utf8) })
    private static let named = Set(["name", "nickname", "place", "city", "zone", "currency"].map { wordHash($0.utf8) })

    func plausibility(ofText ranges: [Range<Int>], _ slot: CompiledSlot) -> Float {
        guard let range = ranges.first, let first = range.first else { return 1 }
        let token = message.tokens[first]
        if slot.hints.contains(where: { SlotFiller.named.contains($0) }) {
            if message.tokens[range.lowerBound].has(.preposition) || token.has(.determiner) || token.has(.pronoun) {
                return 0.25
            }
            if first > segment.lowerBound, message.tokens[first - 1].has(.determiner) { return 0.25 }
            if token.kind == .number { return 0.25 }
            if range.count > 4 { return 0.5 }
            // "I'm in Paris", but not "I'm in trouble": with nothing else to go by, a common word is no name.
            if !token.has(.capitalised), token.has(.known), isBare(outside: range) { return 0.25 }
        }
        if range.allSatisfy({ message.tokens[$0].has(.function) || message.tokens[$0].isBreak }) { return 0.35 }
        // "4pm" is no place.
        if slot.hints.contains(where: { SlotFiller.places.contains($0) }),
            token.kind == .clock || token.kind == .number,
            message.temporals[first] != nil || message.tokens[range.upperBound - 1].has(.currencyWord)
        {
            return 0.25
        }
        // Only numbers, of a list that is there to be picked from.
        if context.shown?.isNumbered == true,
            range.allSatisfy({
                let token = message.tokens[$0]
                return token.kind == .number || token.has(.function) || token.isBreak
            })
        {
            return 0.35
        }
        // "do I have a soup", "I really like this": no words to look for.
        if tool.effect == .read,
            token.has(.pronoun) && token.has(.self1) || token.has(.auxiliary), range.count > 1
        {
            return 0.4
        }
        return 1
    }
}
