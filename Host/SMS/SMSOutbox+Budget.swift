import TandemAgent
import TandemCore
import TandemStorage

extension SMSOutbox {
    /// The last text of a day whose segments are used up.
    static let lastOfDay =
        "That was the last text for today. Everything you send is still done; answers are on the web."

    /// The text within the person's segments of the day (UTC): as it is, or the last notice in its place, or none.
    ///
    /// Codes and other notices of ours do not come this way: nobody is locked out by a budget.
    func withinDay(
        _ text: String, limit: Int, of message: OutboundMessage, in transaction: any WriteTransaction
    ) throws -> (text: String, state: OutboxState, segments: Int) {
        let day = transaction.now.millisecondsSinceEpoch / 86_400_000 * 86_400_000
        let row = try transaction.first(
            """
            SELECT CAST(coalesce(sum(segments), 0) AS BIGINT) AS used FROM sms_outbox
            WHERE user_id = \(message.scope.user) AND created_at >= \(day)
            """)
        let used = try row?.int("used") ?? 0
        let segments = SMSText.segments(of: text)
        // There is always room left for the notice.
        if used + segments + SMSText.segments(of: SMSOutbox.lastOfDay) <= limit { return (text, .pending, segments) }
        metrics.handedOver.with("day_used_up").increment()
        // The notice takes what is left, so that nothing comes after it.
        return used < limit ? (SMSOutbox.lastOfDay, .pending, limit - used) : ("", .suppressed, 0)
    }
}
