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
    /// Of what was said longer ago.
    var summary: ConversationSummary?

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

    /// What was said before, without what others wrote: the summary, then the last exchanges that are not in it.
    var history: [LanguageMessage] {
        var messages: [LanguageMessage] = []
        if let text = summary?.promptText {
            messages = [
                .person("[What we said longer ago, in short]\n" + text), .assistant(text: "(Noted.)", calls: []),
            ]
        }
        let least = state.exchanges.count - TurnContext.leastExchanges
        for (index, exchange) in state.exchanges.enumerated() {
            let isFolded = summary.map { summary in exchange.turn.map { $0 <= summary.upTo } ?? false } ?? false
            if index < least, isFolded { continue }
            messages += TurnContext.messages(of: exchange)
        }
        return messages
    }

    /// Exchanges that are given as they were said, whatever a summary has.
    static let leastExchanges = 3

    private static func messages(of exchange: ConversationState.Exchange) -> [LanguageMessage] {
        [
            .person(exchange.person),
            .assistant(
                text: exchange.answer.isEmpty ? "(An answer with words of others.)" : exchange.answer, calls: []),
        ]
    }
}
