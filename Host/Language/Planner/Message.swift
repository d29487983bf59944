import TandemCore

/// A message read once for all tools: tokens, and every typed expression by its first token.
final class Message {
    let source: [UInt8]
    let tokens: [Token]
    /// Expression with a date or time that begins at the token, longest.
    let temporals: [Temporal?]
    let monies: [MoneyReader.Reading?]
    let durations: [(minutes: Int, end: Int)?]
    let numbers: [NumberReader.Reading?]
    /// End of a pointer to something named before ("it", "the second one", "2", "#3"), or 0.
    let pointers: [Int]
    /// How much is lost when the token is not explained.
    var weights: [Float]
    /// The same before politeness and the action of the part in hand are taken into account.
    var baseWeights: [Float]
    /// How much the token says about intent rather than content, 0…1.
    var salience: [Float]
    /// Part of a date, an amount of money or a span of time.
    let isTyped: [Bool]
    let reader: TemporalReader

    init(source: [UInt8], tokens: [Token], reader: TemporalReader, money: MoneyReader) {
        self.source = source
        self.tokens = tokens
        self.reader = reader
        let count = tokens.count
        var temporals = [Temporal?](repeating: nil, count: count)
        var monies = [MoneyReader.Reading?](repeating: nil, count: count)
        var durations = [(minutes: Int, end: Int)?](repeating: nil, count: count)
        var numbers = [NumberReader.Reading?](repeating: nil, count: count)
        var pointers = [Int](repeating: 0, count: count)
        var isTyped = [Bool](repeating: false, count: count)
        for index in 0..<count {
            let token = tokens[index]
            switch token.kind {
            case .newline, .punctuation:
                if token.byte == 35, index + 1 < count, tokens[index + 1].kind == .number {
                    pointers[index] = index + 2
                }
                continue
            default: break
            }
            if token.kind == .word, !token.has(.known) { continue }
            temporals[index] = reader.read(tokens, at: index)
            if token.kind == .currency || token.kind == .number || token.has([.cardinal]) || token.has(.currencyWord)
                || token.kind == .date || token.has(.determiner)
            {
                monies[index] = money.read(tokens, at: index, bare: true)
                numbers[index] = NumberReader.read(tokens, at: index)
                durations[index] = reader.duration(tokens, at: index)
            }
            pointers[index] = Message.pointer(tokens, index)
            let end = max(temporals[index]?.end ?? 0, monies[index]?.end ?? 0, durations[index]?.end ?? 0)
            if end > index { for position in index..<min(end, count) { isTyped[position] = true } }
        }
        self.temporals = temporals
        self.monies = monies
        self.durations = durations
        self.numbers = numbers
        self.pointers = pointers
        self.isTyped = isTyped
        weights = .init(repeating: 0, count: count)
        baseWeights = weights
        salience = weights
    }

    private static let the = wordHash("the"), number = wordHash("number"), item = wordHash("item"), no = wordHash("no")
    private static let one = wordHash("one"), ones = wordHash("ones"), all = wordHash("all"), of = wordHash("of")
    private static let them = wordHash("them"), both = wordHash("both"), it = wordHash("it"), that = wordHash("that")
    private static let this = wordHash("this"), those = wordHash("those"), these = wordHash("these")
    private static let thing = wordHash("thing"), everything = wordHash("everything"), last = wordHash("last")

    private static func pointer(_ tokens: [Token], _ index: Int) -> Int {
        let token = tokens[index]
        let next = index + 1 < tokens.count ? tokens[index + 1] : nil
        switch token.kind {
        case .number:
            guard token.number.integer != nil, token.first <= 3 else { return 0 }
            if let next, next.kind == .word, !next.has(.spaceBefore), !next.has(.function) {
                return ["st", "nd", "rd", "th"].contains { wordHash($0.utf8) == next.surface } ? index + 2 : 0
            }
            return index + 1
        case .word: break
        default: return 0
        }
        switch token.surface {
        case it, them, both: return index + 1
        case that, this, those, these:
            guard let next else { return index + 1 }
            if next.surface == one || next.surface == ones || next.surface == thing { return index + 2 }
            return next.isBreak || next.kind == .number || next.kind == .currency || next.has(.cardinal)
                || next.has(.function) || next.has(.filler) || next.has(.absorbed) ? index + 1 : 0
        case all:
            if let next, next.surface == of, index + 2 < tokens.count, tokens[index + 2].has(.pointer) {
                return index + 3
            }
            return next == nil || next?.isBreak == true ? index + 1 : next?.has(.pointer) == true ? index + 2 : 0
        case number, item, no:
            if let next, next.kind == .number || next.has(.cardinal), next.number.integer != nil { return index + 2 }
            return 0
        case the:
            guard let next else { return 0 }
            if next.surface == one || next.surface == ones { return index + 2 }
            if next.has(.ordinal) || next.surface == last {
                if index + 2 < tokens.count, tokens[index + 2].surface == one || tokens[index + 2].surface == item {
                    return index + 3
                }
                return index + 2 >= tokens.count || tokens[index + 2].isBreak || tokens[index + 2].has(.conjunction)
                    ? index + 2 : 0
            }
            return 0
        default: break
        }
        if token.has(.ordinal), token.number.units > 0, let next, next.surface == one { return index + 2 }
        if token.has(.cardinal), (1...12).contains(token.number.units), next == nil || next?.isBreak == true {
            return index + 1
        }
        return 0
    }

    /// An amount with its currency is in it.
    func hasMoney(_ segment: Range<Int>) -> Bool { segment.contains { monies[$0]?.currency != nil } }

    func text(_ range: Range<Int>) -> String {
        guard !range.isEmpty, range.upperBound <= tokens.count else { return "" }
        return String(
            decoding: source[tokens[range.lowerBound].start..<tokens[range.upperBound - 1].end], as: UTF8.self)
    }

    /// Without blanks and closing punctuation at the edges.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, tokens[lower].isBreak { lower += 1 }
        while upper > lower, tokens[upper - 1].isBreak { upper -= 1 }
        return lower..<upper
    }
}
