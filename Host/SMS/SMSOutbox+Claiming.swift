import Logging
import TandemAccounts
import TandemAgent
import TandemCore
import TandemStorage

extension SMSOutbox {
    /// A message that this process alone hands over until its lease ends.
    struct Claim: Sendable {
        var id: RecordID
        var user: UserID
        var turn: RecordID
        var number: [UInt8]
        var to: String
        var sender: String
        var text: String
        var segments: Int
        var attempts: Int
        var checks: Int
        var retries: Int
        var createdAt: Timestamp
        /// Of the first request that may have reached Twilio; nil when there was none.
        var triedAt: Timestamp?
        /// An earlier attempt's outcome is not known.
        var isDoubtful: Bool
    }

    /// What a look at the outbox gave.
    struct Round: Sendable {
        var claims: [Claim] = []
        /// When the next message is due, if any waits.
        var nextDue: Timestamp?
    }

    /// Leases up to `limit` due messages, each person's oldest only.
    func claim(limit: Int) async throws -> Round {
        let now = database.store.clock.now
        let look = try await database.read(.system) { transaction in
            try transaction.first(
                """
                SELECT COUNT(*) AS waiting, MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS due
                FROM sms_outbox WHERE state < 3
                """)
        }
        metrics.waiting.set(try look?.double("waiting") ?? 0)
        let due = try look?.timestampIfPresent("due")
        guard let due, due <= now, limit > 0 else { return Round(nextDue: due) }
        return try await database.write(.system) { [self] transaction in
            var round = Round()
            let rows = try transaction.query(
                """
                SELECT * FROM sms_outbox AS o
                WHERE o.state < 3 AND o.due_at <= \(now) AND (o.lease_until IS NULL OR o.lease_until <= \(now))
                AND NOT EXISTS (
                SELECT 1 FROM sms_outbox AS p WHERE p.user_id = o.user_id AND p.id < o.id AND p.state < 3)
                ORDER BY o.due_at, o.id LIMIT \(limit)
                """)
            for row in rows {
                if let claim = try lease(row, now, transaction) { round.claims.append(claim) }
            }
            round.nextDue = rows.isEmpty ? nil : now
            return round
        }
    }

    /// Ends the leases of processes of this machine that are gone: what they had in hand counts as of unknown outcome at
    /// once, not only when its lease has run out.
    func releaseLeasesOfTheDead() async throws {
        let owners = try await database.read(.system) { transaction in
            try transaction.query(
                "SELECT DISTINCT lease_owner FROM sms_outbox WHERE state < 3 AND lease_owner IS NOT NULL"
            )
            .map { try $0.text("lease_owner") }
        }
        let dead = owners.filter { owner in
            guard owner != self.owner, let mark = owner.firstIndex(of: "#") else { return false }
            return !TurnHolder(text: String(owner[..<mark])).mayBeAlive
        }
        guard !dead.isEmpty else { return }
        try await database.write(.system) { transaction in
            try transaction.execute(
                """
                UPDATE sms_outbox SET lease_until = NULL, lease_owner = NULL
                WHERE state < 3 AND lease_owner IN \(list: dead)
                """)
        }
    }

    private func lease(_ row: SQLRow, _ now: Timestamp, _ transaction: any WriteTransaction) throws -> Claim? {
        let id = try row.recordID("id")
        let user = try row.userID("user_id")
        let number = try row.blob("number")
        let createdAt = try row.timestamp("created_at")
        let before = OutboxState(rawValue: try row.int64("state")) ?? .pending
        let isDoubtful = before != .pending
        // A code may go to a number that did not exist lately: it may exist again, and be somebody's.
        let isNotice = try row.int64("ordinal") == SMSOutbox.noticeOrdinal
        let isFarewell = try row.int64("ordinal") == SMSOutbox.farewellOrdinal
        let consent = try SMSConsents.state(of: number, in: transaction)
        if consent != .welcome, !isDoubtful, !isFarewell, !(isNotice && consent == .unreachable) {
            try close(id, .suppressed, in: transaction)
            return nil
        }
        if now.since(createdAt) > timing.longestAge {
            try close(id, .failed, in: transaction)
            logger.error("a message was given up after a day", metadata: ["sms.outbox": .stringConvertible(id)])
            return nil
        }
        let to: [UInt8]
        let text: [UInt8]
        do {
            guard let sealedTo = try row.blobIfPresent("sealed_to"), let sealed = try row.blobIfPresent("sealed_text")
            else {
                try close(id, .failed, in: transaction)
                return nil
            }
            to = try transaction.open(sealedTo, SMSOutbox.seal("sealed_to", id), for: user)
            text = try transaction.open(sealed, SMSOutbox.seal("sealed_text", id), for: user)
        } catch let error as StorageError where error.code == .keyMissing || error.code == .sealBroken {
            // The person was erased, and their key with them.
            try close(id, .suppressed, in: transaction)
            return nil
        }
        // What was queued for a number that may be somebody else's by now goes nowhere; what proves a number may.
        if !isDoubtful, !isNotice,
            let recipient = PhoneNumber(String(decoding: to, as: UTF8.self)),
            try directory?.mayReceive(recipient, of: UserScope(authenticated: user), in: transaction) == false
        {
            try close(id, .suppressed, in: transaction)
            return nil
        }
        // Durable before the request leaves: whoever finds it so later knows that it may have left.
        let triedAt = try row.timestampIfPresent("tried_at")
        let lease = now.advanced(by: timing.lease)
        let leased = try transaction.execute(
            """
            UPDATE sms_outbox SET state = \(OutboxState.sending.rawValue), lease_until = \(lease),
            lease_owner = \(owner), tried_at = COALESCE(tried_at, \(now)), attempts = attempts + 1
            WHERE id = \(id) AND (lease_until IS NULL OR lease_until <= \(now))
            """)
        guard leased == 1 else { return nil }
        return Claim(
            id: id, user: user, turn: try row.recordID("turn"), number: number, to: String(decoding: to, as: UTF8.self),
            sender: try row.text("sender"), text: String(decoding: text, as: UTF8.self),
            segments: try row.int("segments"), attempts: try row.int("attempts") + 1, checks: try row.int("checks"),
            retries: try row.int("retries"), createdAt: createdAt, triedAt: triedAt, isDoubtful: isDoubtful)
    }

    /// Ends a message that is not sent, and forgets its text.
    func close(
        _ id: RecordID, _ state: OutboxState, errorCode: Int? = nil, in transaction: any WriteTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE sms_outbox SET state = \(state.rawValue), sealed_to = NULL, sealed_text = NULL, lease_until = NULL,
            lease_owner = NULL, error_code = \(errorCode.sqlValue) WHERE id = \(id)
            """)
    }
}
