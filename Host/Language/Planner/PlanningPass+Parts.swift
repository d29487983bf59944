import TandemCore

/// Which parts a message is of: each way to cut it is worth what its readings are worth, less what they leave unexplained.
extension PlanningPass {
    struct Part {
        var range: Range<Int>
        var reading: Reading?
        var isPlanned: Bool
    }

    mutating func best(_ segment: Range<Int>, _ cuts: [RequestSplitter.Cut]) -> [Part] {
        if cuts.isEmpty { return [part(segment)] }
        if cuts.count > 4 {
            // Long messages: only at line and sentence ends.
            var parts: [Part] = []
            var start = segment.lowerBound
            let ends = cuts.filter(\.isHard)
            for cut in ends.prefix(10) where cut.before > start {
                parts.append(part(start..<cut.before))
                start = cut.after
            }
            if ends.count <= 10, start < segment.upperBound { parts.append(part(start..<segment.upperBound)) }
            return parts
        }
        var memo: [Int: Part] = [:]
        var ways: [(parts: [Part], value: Float)] = []
        for mask in 0..<(1 << cuts.count) {
            var parts: [Part] = []
            var start = segment.lowerBound
            var value: Float = 1
            var isHard = true
            func add(_ range: Range<Int>, hard: Bool) {
                guard !range.isEmpty else { return }
                let key = range.lowerBound << 16 | range.upperBound
                let part = memo[key] ?? self.part(range)
                memo[key] = part
                parts.append(part)
                let worth: Float =
                    part.isPlanned
                    ? part.reading.map { 0.5 + 0.5 * $0.belief } ?? 0
                    : isSmallTalk(range) ? 0.9 : hard ? 0.45 : 0.2
                value = min(value, worth)
            }
            for (index, cut) in cuts.enumerated() where mask >> index & 1 == 1 {
                add(start..<cut.before, hard: isHard && cut.isHard)
                isHard = cut.isHard
                start = cut.after
            }
            add(start..<segment.upperBound, hard: isHard && mask != 0)
            if !parts.contains(where: \.isPlanned) { value *= 0.3 }
            if mask != 0, parts.allSatisfy({ $0.isPlanned && $0.reading?.filled.missing.isEmpty == true }) {
                value += value > 0.85 ? 0.08 : 0
            }
            if mask != 0, let whole = memo[segment.lowerBound << 16 | segment.upperBound],
                isOneText(whole, parts, cuts)
            {
                value -= 0.4
            }
            ways.append((parts, value - 0.02 * Float(parts.count - 1)))
        }
        let known = claims(memo.values)
        func worth(_ way: (parts: [Part], value: Float)) -> Float {
            let left = way.parts.reduce(0) { $0 + self.left($1, known) }
            let isSpanned = way.parts.count == 1 && left < 1 && spans(way.parts[0], cuts)
            return way.value + (isSpanned ? 0.3 : 0) - PlanningPass.perWordLeft * left
        }
        var best: (parts: [Part], worth: Float) = ([], -.infinity)
        for way in ways {
            let worth = worth(way)
            if worth > best.worth { best = (way.parts, worth) }
        }
        return best.parts
    }

    // MARK: What is left

    /// What a way to cut the message loses for each whole word that none of its readings accounts for.
    private static let perWordLeft: Float = 0.25
    /// Words that say less are no loss.
    private static let leastContent: Float = 0.4

    /// How much of what was said the part's reading leaves out, in whole words: those that are neither of its wording nor in an
    /// argument, and those that it takes as free text although the reading of a piece of it knows them for its own.
    private func left(_ part: Part, _ claims: [(range: Range<Int>, words: [Int])]) -> Float {
        if !part.isPlanned, isSmallTalk(part.range) { return 0 }
        let inner = claims.filter { $0.range.count < part.range.count && part.range.contains($0.range.lowerBound) }
        var left: Float = 0
        for index in part.range where message.baseWeights[index] >= PlanningPass.leastContent {
            guard part.isPlanned, let reading = part.reading, reading.segment.contains(index) else {
                left += min(message.baseWeights[index], 1)
                continue
            }
            if !accounts(reading, for: index)
                || !isInWording(index, reading) && inner.contains(where: { $0.words.contains(index) })
            {
                left += min(message.baseWeights[index], 1)
            }
        }
        return left
    }

    /// The words that readings which would be planned have in their own wording, where more than one thing speaks for it.
    private func claims(_ parts: some Sequence<Part>) -> [(range: Range<Int>, words: [Int])] {
        parts.compactMap { part in
            guard part.isPlanned, let reading = part.reading, reading.filled.missing.isEmpty,
                ownWords(reading) + (reading.filled.hasTypedRequired ? 1 : 0) > 1 || isAddressed(reading.segment)
            else { return nil }
            return (part.range, reading.segment.filter { isOwnWord($0, reading) })
        }
    }

    private func isInWording(_ index: Int, _ reading: Reading) -> Bool {
        let role = reading.roles[index - reading.segment.lowerBound]
        return role == 1 || role == 3
    }

    private func accounts(_ reading: Reading, for index: Int) -> Bool {
        isInWording(index, reading) || reading.filled.used[index - reading.segment.lowerBound]
    }

    /// Every whole word of the part is of the reading's wording or in an argument.
    func accountsForAll(_ reading: Reading) -> Bool {
        reading.segment.allSatisfy {
            message.baseWeights[$0] < PlanningPass.leastContent || accounts(reading, for: $0)
        }
    }

    private func isOwnWord(_ index: Int, _ reading: Reading) -> Bool {
        reading.roles[index - reading.segment.lowerBound] == 1
            && message.baseWeights[index] >= PlanningPass.leastContent
    }

    /// How many whole words of the message the reading has in its own wording.
    func ownWords(_ reading: Reading) -> Int { reading.segment.count { isOwnWord($0, reading) } }

    /// The template has words of its own on both sides of a cut: the wording was meant as one.
    private func spans(_ whole: Part, _ cuts: [RequestSplitter.Cut]) -> Bool {
        guard whole.isPlanned, let reading = whole.reading, !reading.isFrame, reading.confidence > 0.6,
            reading.filled.plausibility > 0.9
        else { return false }
        return cuts.allSatisfy { cut in
            var before = false
            var after = false
            for (offset, role) in reading.roles.enumerated() where role == 1 {
                let index = reading.segment.lowerBound + offset
                guard message.baseWeights[index] > 0.4 else { continue }
                if index < cut.before { before = true }
                if index >= cut.after { after = true }
            }
            return before && after
        }
    }

    /// `remind me to call Anna and buy milk`: the second half continues the free text of the first.
    private func isOneText(_ whole: Part, _ parts: [Part], _ cuts: [RequestSplitter.Cut]) -> Bool {
        guard whole.isPlanned, let reading = whole.reading, reading.filled.hasOpenText,
            !cuts.contains(where: \.isHard), reading.filled.plausibility > 0.6,
            let first = parts.first?.reading, first.tool == reading.tool,
            !first.filled.hasTypedRequired || tellsDeed(first)
        else { return false }
        return parts.dropFirst().contains { part in
            guard let other = part.reading else { return true }
            if other.tool == reading.tool || isAddressed(part.range) { return false }
            // Only its verb speaks for it.
            let isTold = message.tokens[other.segment.lowerBound].has(.self1) && other.filled.hasTypedRequired
            let telling = ownWords(other) + (isTold ? 1 : 0)
            return telling < 2
        }
    }

    /// Its free words say that something is done: one more deed goes on with them, which it does not with the name of a thing.
    private func tellsDeed(_ reading: Reading) -> Bool {
        reading.segment.contains { index in
            let token = message.tokens[index]
            return token.has(.verb) && !token.has(.ware) && !token.has(.function) && !isOwnWord(index, reading)
        }
    }

    /// Begins by turning to us: "remind me", "show me", "note that", "how much". Nobody's own deeds are told like that.
    private func isAddressed(_ range: Range<Int>) -> Bool {
        guard let head = range.first(where: { !message.tokens[$0].isBreak && !message.tokens[$0].has(.filler) }),
            head + 1 < range.upperBound
        else { return false }
        let token = message.tokens[head]
        if token.has(.question) { return true }
        let next = range.first { $0 > head && !message.tokens[$0].has(.absorbed) }
        return token.has(.verb) && !token.has(.gerund) && !token.has(.past)
            && next.map { PlanningPass.turning.contains(message.tokens[$0].surface) } == true
    }

    private static let turning = Set(["me", "us", "that"].map { wordHash($0.utf8) })

    private func isSmallTalk(_ range: Range<Int>) -> Bool {
        range.allSatisfy { message.baseWeights[$0] < 0.01 } || SmallTalk.reply(to: message.tokens, in: range) != nil
    }

    /// How sure it must be, by what it would do.
    static let bars: (read: Float, write: Float, reach: Float) = (0.55, 0.55, 0.7)

    private mutating func part(_ range: Range<Int>) -> Part {
        let readings = readings(range)
        guard let first = readings.first else { return Part(range: range, reading: nil, isPlanned: false) }
        let tool = planner.tools[first.tool]
        let bar: Float
        switch tool.effect {
        case .read: bar = PlanningPass.bars.read
        case .write: bar = PlanningPass.bars.write
        case .delete, .send, .spend: bar = PlanningPass.bars.reach
        }
        var isPlanned = first.belief >= bar
        // Nothing said of whom, what or which: no order to send or to delete.
        if tool.effect > .write, !first.filled.missing.isEmpty, first.filled.filled == 0,
            !first.filled.pointsToNothing
        {
            isPlanned = false
        }
        return Part(range: range, reading: first, isPlanned: isPlanned)
    }
}
