import TandemAccounts
import TandemCore
import TandemStorage

/// Whether a number may be sent to.
enum ConsentState: Int64 {
    case welcome = 0
    /// The person said STOP.
    case optedOut = 1
    /// Twilio said that the number does not exist or takes no texts; a message from it, or one that reached it, ends this.
    case unreachable = 2
}

/// The state of each number, by keyed hash. All functions run within the caller's transaction.
enum SMSConsents {
    static func hash(_ number: PhoneNumber, _ keyring: Keyring) throws -> [UInt8] {
        try keyring.lookupHash(number.e164, purpose: "sms.number")
    }

    static func state(of number: [UInt8], in transaction: any ReadTransaction) throws -> ConsentState {
        let row = try transaction.first("SELECT state FROM sms_consents WHERE number = \(number)")
        return try row.flatMap { ConsentState(rawValue: try $0.int64("state")) } ?? .welcome
    }

    /// Records a change with its source, and drops what waits to be sent to a number that wants nothing more.
    ///
    /// - Returns: Whether the state changed.
    @discardableResult
    static func set(
        _ state: ConsentState, for number: [UInt8], source: String, in transaction: any WriteTransaction
    ) throws -> Bool {
        let old = try SMSConsents.state(of: number, in: transaction)
        // An opt-out ends by the person's word only.
        if old == .optedOut, state == .unreachable { return false }
        guard old != state else { return false }
        let now = transaction.now
        try transaction.execute(
            """
            INSERT INTO sms_consents (number, state, changed_at, source)
            VALUES (\(number), \(state.rawValue), \(now), \(source))
            ON CONFLICT (number) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at,
            source = excluded.source
            """)
        if state == .optedOut {
            // Whoever the number belongs to.
            try transaction.asSystem {
                _ = try transaction.execute(
                    """
                    UPDATE sms_outbox SET state = \(OutboxState.suppressed.rawValue), sealed_to = NULL, sealed_text = NULL
                    WHERE number = \(number) AND state = \(OutboxState.pending.rawValue)
                    """)
            }
        }
        return true
    }
}
