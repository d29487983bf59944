import Logging
import TandemCore
import TandemJSON
import TandemStorage

extension SMSOutbox {
    /// Asks Twilio once about messages that were sent a while ago: their price is not in the reports, and a report may
    /// never have come. A few at a time.
    func followUp() async {
        do {
            let before = database.store.clock.now.advanced(by: .zero - timing.followUpAfter)
            let due = try await database.read(.system) { transaction in
                try transaction.query(
                    """
                    SELECT id, user_id, sid FROM sms_outbox
                    WHERE state = 3 AND followed_up = 0 AND sent_at <= \(before) ORDER BY sent_at LIMIT 20
                    """
                ).map { (try $0.recordID("id"), try $0.userID("user_id"), try $0.text("sid")) }
            }
            for (id, user, sid) in due {
                let message: TwilioClient.Message?
                do throws(TwilioClient.ListFailure) {
                    message = try await client.message(sid: sid)
                } catch {
                    // The next round tries again.
                    return
                }
                try await database.write(UserScope(authenticated: user)) { [self] transaction in
                    try transaction.execute("UPDATE sms_outbox SET followed_up = 1 WHERE id = \(id)")
                    guard let message else { return }
                    try settle(message.status, errorCode: message.errorCode, sid: sid, in: transaction)
                    try note(price: message.price, in: message.priceUnit, of: id, transaction)
                }
            }
        } catch {
            logger.error("messages could not be followed up", error: error)
        }
    }

    /// Twilio gives what it takes as a negative number.
    static func cost(_ price: String) -> String { price.hasPrefix("-") ? String(price.dropFirst()) : price }

    private func note(
        price: String?, in unit: String?, of id: RecordID, _ transaction: any WriteTransaction
    ) throws {
        guard let price, let unit,
            let row = try transaction.first("SELECT usage_id FROM sms_outbox WHERE id = \(id)"),
            let usage = try row.recordIDIfPresent("usage_id")
        else { return }
        do {
            try transaction.atomically {
                _ = try transaction.update(
                    SMSSchema.usage, usage,
                    set: ["price": .string(SMSOutbox.cost(price)), "currency": .string(unit)])
            }
        } catch let error as StorageError where error.code == .typeMismatch || error.code == .invalid {
            logger.warning("a price has another form than expected", error: error)
        }
    }
}
