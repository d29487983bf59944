import TandemCore
import TandemJSON

/// One message through the planner: cutting it into requests, weighing the readings of each.
struct PlanningPass {
    let planner: EmbeddedPlanner
    let message: Message
    let context: PlannerContext
    private var soft: [Bool]

    struct Reading {
        var tool: Int
        /// How well words and form fit.
        var confidence: Float
        /// The probability that it is what is asked for, all told.
        var belief: Float = 0
        var features: CandidateFeatures?
        var filled: SlotFiller.Result
        var segment: Range<Int>
        var isFrame = false
        /// Its wording says "not" itself: "don't text me after ten".
        var isNegative = false
        var roles: [UInt8] = []
    }

    init(planner: EmbeddedPlanner, message: Message, context: PlannerContext) {
        self.planner = planner
        self.message = message
        self.context = context
        soft = [Bool](repeating: false, count: message.tokens.count)
    }

    mutating func verdict() -> PlanVerdict {
        let whole = message.trimmed(0..<message.tokens.count)
        guard !whole.isEmpty else { return .unclear(best: nil) }
        let segment = whole.lowerBound..<message.tokens.count
        if let reply = SmallTalk.reply(to: message.tokens, in: segment) { return .smallTalk(reply) }
        if let calls = followUp(segment) { return .calls(calls) }
        weigh(segment)
        let cuts = RequestSplitter(message: message, spokenVerbs: planner.spokenVerbs).cuts(segment)
        let parts = best(segment, cuts)
        var calls: [PlannedCall] = []
        var closest: Reading?
        for part in parts {
            if let reading = part.reading, part.isPlanned {
                // `… is too big, break it down`: the same thing said twice.
                if reading.filled.pointsToNothing, calls.last?.tool == planner.tools[reading.tool].id { continue }
                calls += self.calls(reading)
            } else if let reading = part.reading, reading.belief > (closest?.belief ?? 0.1) {
                closest = reading
            }
        }
        // `not today, park the dentist until monday`: the same thing, said twice, once with less.
        if calls.count > 1 {
            calls = calls.enumerated().filter { index, call in
                guard call.arguments.objectValue?.isEmpty == true else { return true }
                return !calls.indices.contains {
                    $0 != index && calls[$0].tool == call.tool && calls[$0].arguments != call.arguments
                }
            }.map(\.element)
        }
        if !calls.isEmpty { return .calls(calls) }
        return .unclear(best: closest.flatMap { self.calls($0).first })
    }

    /// The readings of the message as a whole.
    mutating func candidates() -> [Reading] {
        let whole = message.trimmed(0..<message.tokens.count)
        guard !whole.isEmpty else { return [] }
        let segment = whole.lowerBound..<message.tokens.count
        if SmallTalk.reply(to: message.tokens, in: segment) != nil { return [] }
        weigh(segment)
        return readings(segment)
    }

    // MARK: Weights

    mutating func weigh(_ segment: Range<Int>) {
        for index in segment {
            let token = message.tokens[index]
            message.baseWeights[index] = weight(token)
            message.weights[index] = message.baseWeights[index]
            message.salience[index] = salience(token)
        }
    }

    private func weight(_ token: Token) -> Float {
        switch token.kind {
        case .punctuation, .newline, .currency: return 0
        case .number, .clock, .date: return 0.8
        case .word: break
        }
        if token.has(.absorbed) { return 0 }
        if token.has(.quoted) { return 0.8 }
        if token.has(.filler) { return 0 }
        if token.has(.negation) { return 0.7 }
        if token.has(.question) { return PlanningPass.particular.contains(token.surface) ? 0.8 : 0.45 }
        if token.has(.determiner) { return 0.05 }
        if token.has(.function) { return token.has(.preposition) ? 0.1 : 0.12 }
        if PlanningPass.light.contains(token.lemma) { return 0.25 }
        return token.feature >= 0 ? 0.55 + 0.45 * planner.distinct[Int(token.feature)] : 1
    }

    /// Questions for something particular.
    private static let particular = Set(["who", "when", "where", "why", "whose"].map { wordHash($0.utf8) })

    /// Words that say little whatever the tools are.
    private static let light = Set(
        [
            "thing", "stuff", "last", "previous", "one", "item", "bit", "way", "time", "new", "old", "current", "far",
        ].map { wordHash($0.utf8) })

    private func salience(_ token: Token) -> Float {
        guard token.kind == .word, !token.has(.function), !token.has(.quoted), !token.has(.filler) else { return 0 }
        if token.feature >= 0 { return 0.6 * planner.distinct[Int(token.feature)] * token.certainty }
        return token.strong.intersects(planner.spokenVerbs) ? 0.3 : 0
    }

    // MARK: Parts

    struct Part {
        var range: Range<Int>
        var reading: Reading?
        var isPlanned: Bool
    }

    private mutating func best(_ segment: Range<Int>, _ cuts: [RequestSplitter.Cut]) -> [Part] {
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
        var best: [Part] = []
        var bestValue: Float = -1
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
            if mask == 0, let whole = parts.first?.reading, parts[0].isPlanned, spans(whole, cuts) { value += 0.3 }
            if mask != 0, parts.allSatisfy({ $0.isPlanned && $0.reading?.filled.missing.isEmpty == true }) {
                value += value > 0.85 ? 0.08 : 0
            }
            if mask != 0, let whole = memo[segment.lowerBound << 16 | segment.upperBound],
                isOneText(whole, parts, cuts)
            {
                value -= 0.4
            }
            value -= 0.02 * Float(parts.count - 1)
            if value > bestValue {
                bestValue = value
                best = parts
            }
        }
        return best
    }

    /// The template has words of its own on both sides of a cut: the wording was meant as one.
    private func spans(_ reading: Reading, _ cuts: [RequestSplitter.Cut]) -> Bool {
        guard !reading.isFrame, reading.confidence > 0.6, reading.filled.plausibility > 0.9 else { return false }
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
            parts.first?.reading?.tool == reading.tool
        else { return false }
        return parts.dropFirst().contains { part in
            guard let other = part.reading else { return true }
            if other.tool == reading.tool { return false }
            // Only its verb speaks for it.
            let telling = other.roles.enumerated().count { offset, role in
                role == 1
                    && message.baseWeights[min(other.segment.lowerBound + offset, message.baseWeights.count - 1)] > 0.4
            }
            return telling < 2
        }
    }

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

    // MARK: Calls

    private func calls(_ reading: Reading) -> [PlannedCall] {
        let tool = planner.tools[reading.tool]
        let text = message.text(message.trimmed(reading.segment))
        func call(_ arguments: JSONObject) -> PlannedCall {
            PlannedCall(
                tool: tool.id, arguments: .object(arguments),
                confidence: (Double(min(reading.belief, 0.99)) * 1000).rounded() / 1000, text: text,
                missing: reading.filled.missing)
        }
        guard let distributed = reading.filled.distributed else { return [call(reading.filled.arguments)] }
        return distributed.values.prefix(20).map { value in
            var arguments = reading.filled.arguments
            arguments[distributed.slot] = value
            return call(arguments)
        }
    }
}
