/// What is known about one tool as the reading of a message, as numbers.
struct CandidateFeatures: Sendable {
    static let count = 35

    var values: [Float]

    init(
        confidence: Float, otherSpace: Float, sameSpace: Float, isFrame: Bool, isMissing: Bool, isUnresolved: Bool,
        hasTyped: Bool, openShare: Float, near: Float, few: Float, space: Float, otherNear: Float, idle: Float,
        idleFew: Float, asking: Float, trade: (own: Float, other: Float, none: Float)?, shape: SentenceShape,
        effect: Int, words: Int, takesNew: Bool
    ) {
        let sure = min(confidence, 1)
        let ask = max(-2, min(2, asking / 3))
        values = [
            sure, max(0, sure - 0.8) * 5, confidence > 0 ? 1 : 0, sure - otherSpace, sure - sameSpace,
            isFrame ? 1 : 0, isMissing ? 1 : 0, isUnresolved ? 1 : 0, hasTyped ? 1 : 0, openShare,
            near, few, space, near - otherNear, space - otherNear, idle, near - idle, idleFew, ask, ask * sure,
            (near - idle) * sure,
            shape.isQuestion ? 1 : 0, shape.isTold ? 1 : 0, shape.isDeclarative ? 1 : 0, shape.isPast ? 1 : 0,
            shape.isNegated || shape.isHypothetical || shape.isReported || shape.isAboutOthers || shape.isIdle ? 1 : 0,
            effect == 1 ? 1 : 0, effect > 1 ? 1 : 0, Float(min(words, 24)) / 12, takesNew ? 1 : 0,
        ]
        // Of a tool of others nothing is known beforehand.
        if let trade {
            values += [1, trade.own, trade.other, trade.none, trade.own.squareRoot()]
        } else {
            values += [0, 0, 0, 0, 0]
        }
    }
}
