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
