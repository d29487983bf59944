import TandemCore

/// How a thing is said, against what a tool would do about it.
extension PlanningPass {
    /// Asked, told, doubted, denied: what may follow from it.
    func manner(
        _ tool: CompiledTool, _ template: CompiledTemplate?, _ shape: SentenceShape, isPriced: Bool = false
    ) -> Float {
        let isQuestion = template?.isQuestion ?? (tool.hasQuestion && !shape.isStatement)
        let isStatement = template?.isStatement ?? tool.hasStatement
        let isNegative = template?.isNegative ?? false
        var factor: Float = 1
        let writes = tool.effect != .read
        if shape.isDeclarative, !isPriced {
            if let template, !template.isDeclarative { factor *= 0.5 }
            if template == nil { factor *= 0.65 }
        }
        if shape.isNegated, !isNegative { factor *= writes ? 0.3 : 0.6 }
        if shape.isReported { factor *= 0.4 }
        if shape.isIdle { factor *= 0.4 }
        // `put yourself in my shoes` asks for nothing.
        if template?.asksWithWord == true, !shape.isQuestion, !shape.hasQuestionWord { factor *= 0.6 }
        // "can we get …" asks for it, not about it.
        if isQuestion, template != nil, template?.asksWithWord == false, shape.isPolite { factor *= 0.6 }
        if shape.isHypothetical, !(isQuestion && template?.isHypothetical == true) {
            factor *= writes ? 0.4 : 0.5
        }
        if writes, shape.isQuestion, !isQuestion { factor *= 0.5 }
        if !writes, shape.isStatement, !shape.isQuestion, shape.isPast, !isStatement { factor *= 0.5 }
        if isQuestion, !shape.isQuestion, shape.isStatement { factor *= 0.8 }
        // "I remember when …" tells, "remember that …" asks.
        if shape.isTold, !shape.isPast, !shape.isQuestion, !isStatement { factor *= 0.6 }
        if shape.isAboutOthers, writes { factor *= 0.4 }
        if shape.isAboutUs, template?.isAboutUs != true { factor *= 0.5 }
        return factor
    }

    /// What was said of the past or of oneself, against what would be written.
    func sense(
        _ tool: CompiledTool, _ template: CompiledTemplate?, _ filled: SlotFiller.Result, _ shape: SentenceShape
    ) -> Float {
        guard tool.effect != .read else { return 1 }
        var factor: Float = 1
        // "we had lasagne on friday" plans nothing for the next one.
        if filled.hasFutureDate, shape.isPast, shape.isStatement, template?.isPast != true { factor *= 0.5 }
        // "I'm done" tells how one feels as well.
        if filled.filled == 0, tool.actsOn != nil, shape.isTold, context.recentTools.isEmpty {
            factor *= 0.7
        }
        // "I lost 20 euros": money that was not spent.
        if let verb = shape.mainVerb, PlanningPass.unspent.contains(message.tokens[verb].lemma),
            tool.verbs.intersects(PlanningPass.spends),
            tool.slots.contains(where: { $0.kind == .money && $0.isRequired }),
            !tool.verbFeatures.contains(message.tokens[verb].feature)
        {
            factor *= 0.6
        }
        return factor
    }

    private static let spends = Lexicon.shared.cluster("spend")

    /// What else happens to money.
    static let unspent = Set(
        ["lose", "win", "find", "earn", "owe", "save", "steal", "want", "need", "wish", "make", "sell", "see"]
            .map { wordHash($0.utf8) })
}
