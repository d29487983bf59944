import TandemCore
import TandemLanguage

/// What is known when a message is read.
struct TurnContext: Sendable {
    var state: ConversationState
    /// Open and not expired, oldest first.
    var confirmations: [Confirmation]
    var now: Timestamp
    var timeZone: String
    var currency: String
    /// Whose budget a model's work counts towards.
    var account: LanguageAccount?

    /// The pending question, while it is fresh.
    var question: PendingQuestion? {
        guard let question = state.question, now.since(question.askedAt) <= PendingQuestion.lifetime else { return nil }
        return question
    }

    var planner: PlannerContext {
        PlannerContext(
            now: now, timeZone: timeZone, currency: currency, shown: state.shown, touched: state.touched,
            recentTools: state.tools, lessons: state.learned.lessons)
    }

    /// The same for a model that has tools: of what others named only that it is there, not how.
    var modelPlanner: PlannerContext {
        func redacted(_ items: [ShownEntities.Item]) -> [ShownEntities.Item] {
            items.enumerated().map { index, item in
                guard item.trust > .system else { return item }
                var item = item
                item.label = "number \(index + 1)"
                return item
            }
        }
        var shown = state.shown
        if let items = shown?.items { shown?.items = redacted(items) }
        return PlannerContext(
            now: now, timeZone: timeZone, currency: currency, shown: shown, touched: redacted(state.touched),
            recentTools: state.tools)
    }

    /// What was said before, without what others wrote.
    var history: [LanguageMessage] {
        state.exchanges.flatMap { exchange -> [LanguageMessage] in
            [
                .person(exchange.person),
                .assistant(
                    text: exchange.answer.isEmpty ? "(An answer with words of others.)" : exchange.answer, calls: []),
            ]
        }
    }
}
