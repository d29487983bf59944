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

    /// The pending question, while it is fresh.
    var question: PendingQuestion? {
        guard let question = state.question, now.since(question.askedAt) <= PendingQuestion.lifetime else { return nil }
        return question
    }

    var planner: PlannerContext {
        PlannerContext(
            now: now, timeZone: timeZone, currency: currency, shown: state.shown, touched: state.touched,
            recentTools: state.tools)
    }
}
