/// Reads an amount at a token: digits, words, fractions, `a dozen`, `two and a half`, `1.5k`.
struct NumberReader {
    struct Reading {
        var value: Decimal
        var end: Int
        /// It was the article: "a pack".
        var isArticle = false
        var isOrdinal = false
    }

    private static let and = wordHash("and")
    private static let a = wordHash("a")
    private static let an = wordHash("an")
    private static let of = wordHash("of")
    private static let couple = wordHash("couple")
    private static let k = wordHash("k")
    private static let million = wordHash("million")
    private static let half = wordHash("half")
    private static let quarter = wordHash("quarter")
    private static let quarters = wordHash("quarters")
    private static let third = wordHash("third")
    private static let thirds = wordHash("thirds")
    private static let point = wordHash("point")

    /// - Parameter allowArticle: `a`/`an` before a unit counts as 1.
    static func read(_ tokens: [Token], at start: Int, allowArticle: Bool = false) -> Reading? {
        guard start < tokens.count else { return nil }
        let token = tokens[start]
        switch token.kind {
        case .number: return digits(tokens, start)
        case .date where token.byte == 47 && token.third == 0 && token.second > 1 && token.second <= 16:
            return Reading(
                value: Decimal(numerator: Int64(token.first), denominator: Int64(token.second)), end: start + 1)
        case .word: break
        default: return nil
        }
        if token.surface == a || token.surface == an { return article(tokens, start, allowArticle) }
        guard token.has(.cardinal), !token.has(.absorbed) else {
            if token.surface == couple { return Reading(value: Decimal(2), end: afterOf(tokens, start + 1)) }
            return nil
        }
        return words(tokens, start)
    }

    private static func afterOf(_ tokens: [Token], _ index: Int) -> Int {
        index < tokens.count && tokens[index].surface == of ? index + 1 : index
    }

    private static func digits(_ tokens: [Token], _ start: Int) -> Reading {
        var value = tokens[start].number
        var end = start + 1
        guard end < tokens.count else { return Reading(value: value, end: end) }
        let next = tokens[end]
        if next.surface == k, !next.has(.spaceBefore), let product = value.multiplied(by: Decimal(1000)) {
            return Reading(value: product, end: end + 1)
        }
        if next.kind == .word, next.has(.cardinal), [100, 1000, 12].contains(next.number.units),
            let product = value.multiplied(by: next.number)
        {
            value = product
            end += 1
        } else if next.surface == million, let product = value.multiplied(by: Decimal(1_000_000)) {
            value = product
            end += 1
        } else if next.kind == .date, next.byte == 47, next.third == 0, next.first < next.second, next.second <= 16,
            let sum = value.adding(Decimal(numerator: Int64(next.first), denominator: Int64(next.second)))
        {
            return Reading(value: sum, end: end + 1)
        }
        if let fraction = fractionTail(tokens, end), let sum = value.adding(fraction.value) {
            return Reading(value: sum, end: fraction.end)
        }
        return Reading(value: value, end: end)
    }

    /// `and a half`, `and three quarters`, `1/2`.
    private static func fractionTail(_ tokens: [Token], _ index: Int) -> (value: Decimal, end: Int)? {
        guard index + 1 < tokens.count, tokens[index].surface == and else { return nil }
        var at = index + 1
        if tokens[at].surface == a { at += 1 }
        guard at < tokens.count else { return nil }
        if tokens[at].surface == half { return (Decimal(units: 5, scale: 1), at + 1) }
        if tokens[at].surface == quarter { return (Decimal(units: 25, scale: 2), at + 1) }
        if tokens[at].kind == .date, tokens[at].byte == 47, tokens[at].third == 0, tokens[at].first < tokens[at].second,
            tokens[at].second <= 16
        {
            return (
                Decimal(numerator: Int64(tokens[at].first), denominator: Int64(tokens[at].second)), at + 1
            )
        }
        return nil
    }

    private static func article(_ tokens: [Token], _ start: Int, _ allowArticle: Bool) -> Reading? {
        guard start + 1 < tokens.count else { return nil }
        let next = tokens[start + 1]
        if next.surface == couple { return Reading(value: Decimal(2), end: afterOf(tokens, start + 2)) }
        if next.surface == half || next.surface == quarter || next.has(.cardinal) && next.number.units >= 12 {
            if let reading = words(tokens, start + 1) { return reading }
        }
        if next.surface == third {
            return Reading(value: Decimal(numerator: 1, denominator: 3), end: start + 2)
        }
        return allowArticle && next.has(.unit)
            ? Reading(value: Decimal(1), end: start + 1, isArticle: true) : nil
    }

    private static func words(_ tokens: [Token], _ start: Int) -> Reading? {
        var index = start
        var total: Int64 = 0
        var current: Int64 = 0
        var seen = false
        let first = tokens[start]
        if first.number.units < 0 {  // half, quarter
            let part = first.surface == half ? Decimal(units: 5, scale: 1) : Decimal(units: 25, scale: 2)
            guard first.surface == half || first.surface == quarter else { return nil }
            var at = start + 1
            if at < tokens.count, tokens[at].surface == a || tokens[at].surface == an { at += 1 }
            if at < tokens.count, tokens[at].has(.cardinal), tokens[at].number.units == 12,
                let product = part.multiplied(by: Decimal(12))
            {
                return Reading(value: product, end: afterOf(tokens, at + 1))
            }
            return Reading(value: part, end: at)
        }
        while index < tokens.count, tokens[index].kind == .word, tokens[index].has(.cardinal), index - start < 8 {
            let value = tokens[index].number.units
            if value < 0 { break }
            if value == 100 {
                current = max(current, 1) * 100
            } else if value == 1000 {
                total += max(current, 1) * 1000
                current = 0
            } else if value == 12, tokens[index].surface != wordHash("twelve") {
                current = max(current, 1) * 12
            } else if seen, current % 100 != 0 {
                guard current % 10 == 0, current % 100 >= 20, value < 10 else { break }
                current += value
            } else {
                current += value
            }
            seen = true
            index += 1
            if index + 1 < tokens.count, tokens[index].surface == and, tokens[index + 1].has(.cardinal),
                tokens[index + 1].number.units > 0, current >= 100 || total > 0
            {
                index += 1
            }
        }
        guard seen else { return nil }
        var value = Decimal(units: total + current, scale: 0)
        if index + 1 < tokens.count, tokens[index].surface == point, tokens[index + 1].has(.cardinal),
            (0..<10).contains(tokens[index + 1].number.units),
            let sum = value.adding(Decimal(units: tokens[index + 1].number.units, scale: 1))
        {
            value = sum
            index += 2
        }
        if let fraction = fractionTail(tokens, index), let sum = value.adding(fraction.value) {
            return Reading(value: sum, end: fraction.end)
        }
        // `three quarters`, `two thirds`
        if index < tokens.count, tokens[index].surface == quarters {
            return Reading(value: Decimal(numerator: value.units, denominator: 4), end: index + 1)
        }
        if index < tokens.count, tokens[index].surface == thirds {
            return Reading(value: Decimal(numerator: value.units, denominator: 3), end: index + 1)
        }
        if first.surface != a, index == start + 1, tokens[start].number.units == 12 { index = afterOf(tokens, index) }
        return Reading(value: value, end: index)
    }
}
