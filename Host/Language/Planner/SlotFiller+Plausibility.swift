import TandemCore
import TandemJSON

/// Whether the words that a slot took are the kind of thing it holds.
extension SlotFiller {
    func plausibility(of items: [ItemListReader.Item]) -> Float {
        var lowest: Float = 1
        for item in items {
            let words = item.name.filter { message.tokens[$0].kind == .word }
            guard let first = words.first else { continue }
            let token = message.tokens[first]
            var value: Float = 1
            if token.has(.deed), !token.has(.ware), words.count > 1 { value = 0.55 }
            if token.has(.verb), !token.has(.ware), !token.has(.past), !token.has(.gerund), words.count > 1,
                message.salience[first] > 0.25
            {
                value = 0.5
            }
            if token.has(.pronoun) || token.has(.question) || token.has(.auxiliary) { value = 0.4 }
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
            return 0.5
        }
        if token.has(.quoted) || token.has(.deed) { return 1 }
        if token.has(.verb), !token.has(.ware), !token.has(.deed), range.count > 1, message.salience[first] > 0.3,
            message.tokens[first + 1].has(.pronoun)
        {
            return 0.5
        }
        // "I finished crying": nothing that one plans to do.
        if range.count == 1, token.end - token.start > 5, token.lemma != token.surface, !token.has(.ware),
            message.source[token.start..<token.end].suffix(3).elementsEqual("ing".utf8)
        {
            return 0.4
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

    /// No word but the small ones is there besides the range.
    private func isBare(outside range: Range<Int>) -> Bool {
        !segment.contains { index in
            let token = message.tokens[index]
            return !range.contains(index) && token.kind == .word && !token.has(.function) && !token.has(.filler)
        }
    }

    private static let named = Set(["name", "nickname", "place", "city", "zone", "currency"].map { wordHash($0.utf8) })

    func plausibility(ofText ranges: [Range<Int>], _ slot: CompiledSlot) -> Float {
        guard let range = ranges.first, let first = range.first else { return 1 }
        let token = message.tokens[first]
        if slot.hints.contains(where: { SlotFiller.named.contains($0) }) {
            if message.tokens[range.lowerBound].has(.preposition) || token.has(.determiner) || token.has(.pronoun) {
                return 0.25
            }
            if first > segment.lowerBound, message.tokens[first - 1].has(.determiner) { return 0.25 }
            if range.count > 4 { return 0.5 }
            // "I'm in Paris", but not "I'm in trouble": with nothing else to go by, a common word is no name.
            if !token.has(.capitalised), token.has(.known), isBare(outside: range) { return 0.25 }
        }
        if range.allSatisfy({ message.tokens[$0].has(.function) || message.tokens[$0].isBreak }) { return 0.35 }
        return 1
    }
}
