import TandemCore
import TandemJSON
import TandemStorage

/// The outbox of mails: written in the transaction that caused them, sent soon after, kept until the server took them.
extension Accounts {
    private static let mailAttempts = 8
    /// How long a process may take for one mail before another may try.
    private static let mailLease: Duration = .seconds(120)

    /// Queues a mail in the transaction that caused it.
    ///
    /// - Parameter user: Whose account it concerns, whose erasure takes it back; nil for somebody who has none yet.
    func post(_ mail: Mail, of user: UserID?, in transaction: any WriteTransaction) throws {
        let id = transaction.nextID()
        let content: JSON = ["to": .string(mail.to), "subject": .string(mail.subject), "text": .string(mail.text)]
        let sealed = try transaction.seal(
            content.serialized(), Accounts.seal("mail_outbox", "sealed", id), for: user)
        try transaction.execute(
            """
            INSERT INTO mail_outbox (id, user_id, sealed, attempts, due_at, created_at)
            VALUES (\(id), \(user), \(sealed), 0, \(transaction.now), \(transaction.now))
            """)
        transaction.afterCommit { [weak self] in
            guard let self else { return }
            Task { await self.deliverMail() }
        }
    }

    /// Sends what is due; returns how many the server took. Runs after each new mail by itself; whoever runs the host
    /// calls it now and then, for what failed before.
    @discardableResult
    public func deliverMail() async -> Int {
        guard let mailer = services.mailer else { return 0 }
        return await mailPump.run { [self] in
            var delivered = 0
            var turns = 0
            // Each mail's time moves with every try, so this ends.
            while turns < 1000, let next = try? await claimMail() {
                turns += 1
                do {
                    try await mailer.send(next.mail, id: "\(next.id)")
                    try await settleMail(next.id, after: nil)
                    delivered += 1
                } catch {
                    let isFinal = (error as? MailError)?.isFinal ?? false
                    try? await settleMail(next.id, after: isFinal ? Accounts.mailAttempts : next.attempts)
                }
            }
            return delivered
        }
    }

    private func claimMail() async throws -> (id: RecordID, mail: Mail, attempts: Int)? {
        try await database.write(.system) { transaction in
            let row = try transaction.first(
                """
                SELECT id, user_id, sealed, attempts FROM mail_outbox
                WHERE due_at <= \(transaction.now) ORDER BY due_at, id LIMIT 1
                """)
            guard let row else { return nil }
            let id = try row.recordID("id")
            let attempts = try row.int("attempts") + 1
            let lease = transaction.now.advanced(by: Accounts.mailLease)
            try transaction.execute(
                "UPDATE mail_outbox SET attempts = \(attempts), due_at = \(lease) WHERE id = \(id)")
            let bytes = try transaction.open(
                try row.blob("sealed"), Accounts.seal("mail_outbox", "sealed", id),
                for: try row.recordIDIfPresent("user_id").map { UserID(rawValue: $0.rawValue) })
            let content = try JSON(parsing: bytes)
            let mail = Mail(
                to: content["to"]?.stringValue ?? "", subject: content["subject"]?.stringValue ?? "",
                text: content["text"]?.stringValue ?? "")
            return (id, mail, attempts)
        }
    }

    /// - Parameter attempts: How many have failed; nil when it was taken.
    private func settleMail(_ id: RecordID, after attempts: Int?) async throws {
        try await database.write(.system) { transaction in
            guard let attempts, attempts < Accounts.mailAttempts else {
                try transaction.execute("DELETE FROM mail_outbox WHERE id = \(id)")
                return
            }
            // 15 s, 1 min, 4 min … about an hour at the most, a day in all.
            let wait = min(Duration.seconds(15) * (1 << (2 * (attempts - 1))), .seconds(4 * 3600))
            try transaction.execute(
                "UPDATE mail_outbox SET due_at = \(transaction.now.advanced(by: wait)) WHERE id = \(id)")
        }
    }
}
