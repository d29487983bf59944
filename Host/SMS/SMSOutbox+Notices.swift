public import TandemAccounts
public import TandemCore
public import TandemStorage

extension SMSOutbox {
    /// The `ordinal` of texts that answer no message.
    static let noticeOrdinal: Int64 = -1
    /// The `ordinal` of the text that confirms that there will be no more.
    static let farewellOrdinal: Int64 = -2

    /// Queues a text of our own to a number that need not be the person's yet, such as a code that proves that it is; in
    /// the transaction that made it. A number that opted out gets nothing.
    public func enqueue(
        notice text: String, to number: PhoneNumber, of scope: UserScope, in transaction: any WriteTransaction
    ) throws {
        try enqueue(notice: text, to: number, of: scope, ordinal: SMSOutbox.noticeOrdinal, in: transaction)
    }

    /// The one text that a number still gets after it asked for no more.
    func enqueueFarewell(to number: PhoneNumber, of scope: UserScope, in transaction: any WriteTransaction) throws {
        try enqueue(
            notice: "Alright, no more texts from me. If you ever want me back, text START.", to: number, of: scope,
            ordinal: SMSOutbox.farewellOrdinal, in: transaction)
    }

    private func enqueue(
        notice text: String, to number: PhoneNumber, of scope: UserScope, ordinal: Int64,
        in transaction: any WriteTransaction
    ) throws {
        let id = transaction.nextID()
        let user = scope.user
        let text = SMSText.prepared(text)
        let hash = try SMSConsents.hash(number, database.store.keyring)
        let sealedTo = try transaction.seal(Array(number.e164.utf8), SMSOutbox.seal("sealed_to", id), for: user)
        let sealedText = try transaction.seal(Array(text.utf8), SMSOutbox.seal("sealed_text", id), for: user)
        let now = transaction.now
        try transaction.execute(
            """
            INSERT INTO sms_outbox (id, user_id, turn, ordinal, state, due_at, created_at, number, sender, sealed_to,
            sealed_text, segments)
            VALUES (\(id), \(user), \(id), \(ordinal), \(OutboxState.pending.rawValue), \(now), \(now),
            \(hash), \(account.numbers.first ?? ""), \(sealedTo), \(sealedText), \(SMSText.segments(of: text)))
            """)
        transaction.afterCommit { [weak self] in self?.wake() }
    }
}
