import TandemJSON

/// Splits an enumeration into its members and reads amounts: `2 litres of milk, eggs and some bread`.
struct ItemListReader {
    let message: Message

    private enum W {
        static let and = wordHash("and")
        static let plus = wordHash("plus")
        static let also = wordHash("also")
        static let of = wordHash("of")
        static let well = wordHash("well")
        static let x = wordHash("x")
        static let bit = wordHash("bit")
        static let few = wordHash("few")
        static let lot = wordHash("lot")
        static let lots = wordHash("lots")
        static let plenty = wordHash("plenty")
        static let a = wordHash("a")
        static let more = wordHash("more")
        static let extra = wordHash("extra")
        static let little = wordHash("little")
        static let then = wordHash("then")
        static let couple = wordHash("couple")
        static let an = wordHash("an")
        static let n = wordHash("n")
    }

    /// Names that contain "and": the words on either side.
    private static let compounds: Set<[UInt64]> = Set(
        [
            ("mac", "cheese"), ("macaroni", "cheese"), ("fish", "chips"), ("half", "half"), ("salt", "vinegar"),
            ("sweet", "sour"), ("butter", "jelly"), ("cookies", "cream"), ("gin", "tonic"), ("black", "white"),
            ("head", "shoulders"), ("m", "m"), ("ben", "jerry"), ("arm", "hammer"), ("pork", "beans"),
            ("bacon", "egg"), ("ham", "cheese"), ("sour", "cream"), ("oil", "vinegar"), ("surf", "turf"),
            ("bread", "butter"), ("rice", "peas"), ("bubble", "squeak"), ("pb", "j"), ("bed", "breakfast"),
        ].map { [wordHash($0.0.utf8), wordHash($0.1.utf8)] })

    /// The members, trimmed, in order; none is empty.
    func members(_ range: Range<Int>) -> [Range<Int>] {
        var members: [Range<Int>] = []
        var start = range.lowerBound
        var index = start
        func close(_ end: Int) {
            let member = trimmed(start..<end)
            if !member.isEmpty { members.append(member) }
        }
        while index < range.upperBound {
            if let length = separator(index, in: range, start: start) {
                close(index)
                index += length
                start = index
            } else {
                index += 1
            }
        }
        close(range.upperBound)
        return members
    }

    private func separator(_ index: Int, in range: Range<Int>, start: Int) -> Int? {
        let tokens = message.tokens
        let token = tokens[index]
        if token.has(.quoted), token.byte != 34 { return nil }
        switch token.kind {
        case .newline: return 1
        case .punctuation:
            switch token.byte {
            case 44, 59, 43, 38, 42: return 1
            case 45: return token.has(.spaceBefore) || index == range.lowerBound ? 1 : nil
            case 46, 41:
                // `1. milk`
                return index == start + 1 && tokens[start].kind == .number ? 1 : nil
            default: return nil
            }
        case .number:
            // A number of an enumeration: `1) milk`, at the start of a line.
            guard index == start, index + 1 < range.upperBound, tokens[index + 1].kind == .punctuation,
                tokens[index + 1].byte == 41 || tokens[index + 1].byte == 46,
                index + 2 < range.upperBound, tokens[index + 2].has(.spaceBefore)
            else { return nil }
            return 2
        case .word:
            if token.surface == W.and || token.surface == W.plus || isShortAnd(index, in: range) {
                guard index > start, index + 1 < range.upperBound else { return 1 }
                if ItemListReader.compounds.contains([tokens[index - 1].surface, tokens[index + 1].surface]) {
                    return nil
                }
                // `two and a half`
                if let number = message.numbers[start], number.end > index { return nil }
                for earlier in start..<index {
                    if let number = message.numbers[earlier], number.end > index + 1 { return nil }
                }
                return tokens[index + 1].surface == W.then || tokens[index + 1].surface == W.also ? 2 : 1
            }
            if token.surface == W.well, index > start, tokens[index - 1].isWord(wordHash("as")),
                index + 1 < range.upperBound, tokens[index + 1].isWord(wordHash("as"))
            {
                return 2
            }
            return nil
        default: return nil
        }
    }

    /// `milk n eggs`: between words.
    private func isShortAnd(_ index: Int, in range: Range<Int>) -> Bool {
        let tokens = message.tokens
        return tokens[index].surface == W.n && index > range.lowerBound && index + 1 < range.upperBound
            && tokens[index - 1].kind == .word && tokens[index + 1].kind != .punctuation
    }

    /// Without filler, punctuation and loose small words at the edges.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        func isLoose(_ token: Token) -> Bool {
            (token.isBreak && token.byte != 40) || (token.has(.filler) && !token.has(.quoted))
                || (token.has(.absorbed) && token.third < range.lowerBound)
        }
        while lower < upper, isLoose(message.tokens[lower]) || message.tokens[lower].byte == 40 { lower += 1 }
        while upper > lower {
            let token = message.tokens[upper - 1]
            guard isLoose(token) || token.has(.conjunction) || token.isWord(wordHash("as")) else { break }
            upper -= 1
        }
        return lower..<upper
    }

    struct Item {
        var name: Range<Int>
        var quantity: Decimal?
        var unit: String?
    }

    func item(_ range: Range<Int>) -> Item? {
        let tokens = message.tokens
        var index = range.lowerBound
        var upper = range.upperBound
        var quantity: Decimal?
        var unit: String?
        index = skipVague(index, upper)
        if index < upper, let number = NumberReader.read(tokens, at: index, allowArticle: true), number.end <= upper {
            // A number that is all there is names the thing.
            if number.end < upper {
                quantity = number.value
                index = number.end
            }
        }
        if quantity != nil, index + 1 < upper, tokens[index].surface == W.x || tokens[index].byte == 120,
            tokens[index].kind == .punctuation || tokens[index].kind == .word
        {
            index += 1
            if let second = message.numbers[index], second.end < upper, let factor = quantity,
                let product = factor.multiplied(by: second.value)
            {
                quantity = product
                index = second.end
            }
        }
        if quantity != nil, let found = unitName(index, upper) {
            unit = found.name
            index = found.end
        }
        if index < upper, tokens[index].surface == W.of, quantity != nil { index += 1 }
        index = skipVague(index, upper)
        if quantity == nil { (quantity, unit, upper) = trailing(index, upper) }
        let name = trimmed(index..<upper)
        guard !name.isEmpty else { return nil }
        return Item(name: name, quantity: quantity, unit: unit)
    }

    private func unitName(_ index: Int, _ upper: Int) -> (name: String, end: Int)? {
        guard index < upper else { return nil }
        let token = message.tokens[index]
        guard token.kind == .word, token.has(.unit), token.first >= 0, !token.has(.corrected) else { return nil }
        let isGlued = !token.has(.spaceBefore) && !token.has(.hyphenBefore)
        // A unit needs something that it is a unit of.
        guard index + 1 < upper, !message.tokens[index + 1].isBreak || isGlued else { return nil }
        return (Lexicon.shared.unitNames[token.first], index + 1)
    }

    /// Some, any, the, a bit of, lots of.
    private func skipVague(_ start: Int, _ upper: Int) -> Int {
        let tokens = message.tokens
        var index = start
        while index < upper {
            let token = tokens[index]
            let next = index + 1 < upper ? tokens[index + 1] : nil
            if token.surface == W.a || token.surface == W.an {
                if let next,
                    next.surface == W.bit || next.surface == W.few || next.surface == W.lot
                        || next.surface == W.little
                {
                    index += 2
                    if index < upper, tokens[index].surface == W.of { index += 1 }
                    continue
                }
                if let next, next.has(.unit) || next.has(.cardinal) || next.surface == W.couple { return index }
                index += 1
                continue
            }
            if token.has(.self1), token.has(.pronoun), index + 1 < upper {
                index += 1
                continue
            }
            if token.surface == W.lots || token.surface == W.plenty || token.surface == W.few {
                index += 1
                if index < upper, tokens[index].surface == W.of { index += 1 }
                continue
            }
            if index + 1 < upper,
                token.has(.determiner) || token.surface == W.more || token.surface == W.extra
                    || token.has(.filler)
            {
                index += 1
                continue
            }
            break
        }
        return index
    }

    /// `milk 2l`, `eggs x 6`, `eggs (6)`.
    private func trailing(_ lower: Int, _ upper: Int) -> (Decimal?, String?, Int) {
        let tokens = message.tokens
        var end = upper
        if end - 1 > lower, tokens[end - 1].kind == .punctuation, tokens[end - 1].byte == 41 { end -= 1 }
        var unit: String?
        var at = end - 1
        if at > lower, tokens[at].has(.unit), tokens[at].first >= 0, tokens[at - 1].kind == .number {
            unit = Lexicon.shared.unitNames[tokens[at].first]
            at -= 1
        }
        guard at > lower, tokens[at].kind == .number else { return (nil, nil, upper) }
        let value = tokens[at].number
        var nameEnd = at
        let before = tokens[nameEnd - 1]
        let isMarked =
            unit != nil || before.surface == W.x || before.byte == 120 && before.kind == .punctuation
            || before.byte == 40 || before.kind == .punctuation
        if before.surface == W.x || before.kind == .punctuation { nameEnd -= 1 }
        guard nameEnd > lower, isMarked || at == end - 1 else { return (nil, nil, upper) }
        return (value, unit, nameEnd)
    }

    func json(_ item: Item) -> JSON {
        var object = JSONObject()
        object["name"] = .string(message.text(item.name))
        if let quantity = item.quantity { object["quantity"] = .string(quantity.text()) }
        if let unit = item.unit { object["unit"] = .string(unit) }
        return .object(object)
    }
}
