import Logging
import Synchronization
import TandemAccounts
public import TandemAgent
public import TandemCore
public import TandemEgress
import TandemJSON
public import TandemStorage

/// Where a message of ours stands.
enum OutboxState: Int64 {
    case pending = 0
    /// A replica is handing it over, or died doing so.
    case sending = 1
    /// The request went out and no answer came back.
    case unknown = 2
    case sent = 3
    case failed = 4
    /// The person does not want it.
    case suppressed = 5
}

/// Answers by SMS: stored in the turn's last transaction, handed to Twilio afterwards, once.
///
/// Twilio's interface has no idempotency key. So before a request leaves, the attempt is durable; when its outcome is not
/// known – no answer, or the process died – the messages that Twilio has for the number are looked through before
/// anything is sent again. A person's messages leave in their order. Several processes may send from one database: each
/// row is leased.
public final class SMSOutbox: DeliveryChannel {
    public static let channelName = "sms"
    static let mediaNotice = "I can't see pictures yet, only text. What should I know about it?"
    static let mediaLine = "\n(I can't see pictures yet.)"

    /// Waits and tries; the standard suits Twilio.
    public struct Timing: Sendable {
        /// Longer than a request may take: afterwards another process looks after the message.
        public var lease: Duration = .seconds(25)
        /// Before each look at what Twilio has, when an outcome is not known.
        public var checks: [Duration] = [.seconds(2), .seconds(8)]
        public var firstBackOff: Duration = .seconds(1)
        public var longestBackOff: Duration = .seconds(300)
        /// Twilio may know better later: how long after an unreachable handset, and within which age.
        public var lateRetry: Duration = .seconds(300)
        public var lateRetryAge: Duration = .seconds(3600)
        /// A message that could not be handed over within this is given up.
        public var longestAge: Duration = .seconds(86_400)
        /// When Twilio is asked once for a message's price, and for its state where no report came.
        public var followUpAfter: Duration = .seconds(43_200)
        public var followUpEvery: Duration = .seconds(60)
        /// How often other processes' messages are looked for.
        public var poll: Duration = .seconds(5)
        public var atOnce = 8

        public init() {}
    }

    public let name = SMSOutbox.channelName
    let database: any Database
    let client: TwilioClient
    let account: Configuration.Twilio
    let statusCallback: String?
    let directory: (any SenderDirectory)?
    let timing: Timing
    let metrics: SMSMetrics
    let logger = Logger(label: "tandem.sms")
    let owner: String
    let signal = WakeSignal()
    let invitations = Mutex<[Invitation]>([])

    /// - Parameters:
    ///   - publicBase: Where Twilio can report to (`TANDEM_PUBLIC_URL`); nil asks for no reports.
    ///   - http: What sends the requests.
    ///   - directory: Told when Twilio says that a number has opted out.
    public init(
        account: Configuration.Twilio, publicBase: WebAddress?, database: any Database, http: any HTTPClient,
        twilio: WebAddress, directory: (any SenderDirectory)? = nil, timing: Timing = Timing(),
        metrics: MetricsRegistry
    ) {
        self.database = database
        self.account = account
        client = TwilioClient(client: http, account: account, base: twilio)
        statusCallback = publicBase?.appending("/webhook/sms/status")
        self.directory = directory
        self.timing = timing
        self.metrics = SMSMetrics(metrics)
        owner = TurnHolder.current.text + "#" + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    // MARK: - In

    public func enqueue(_ message: OutboundMessage, in transaction: any WriteTransaction) throws {
        guard let address = ReplyAddress(message.address) else {
            throw StorageError(.invalid, "the address is none of this channel", operation: "enqueue an SMS")
        }
        var text = SMSText.prepared(message.text)
        if address.mediaCount > 0, message.ordinal == 0 { text += SMSOutbox.mediaLine }
        if text.utf16.count > TwilioClient.maxBodyCharacters {
            text = String(text.prefix(TwilioClient.maxBodyCharacters / 2))
        }
        let id = transaction.nextID()
        let user = message.scope.user
        var state = OutboxState.pending
        var segments = SMSText.segments(of: text)
        if let limit = account.daySegments {
            (text, state, segments) = try withinDay(text, limit: limit, of: message, in: transaction)
        }
        let number = try SMSConsents.hash(address.to, database.store.keyring)
        var sealedTo: [UInt8]?
        var sealedText: [UInt8]?
        if state == .pending {
            sealedTo = try transaction.seal(Array(address.to.e164.utf8), SMSOutbox.seal("sealed_to", id), for: user)
            sealedText = try transaction.seal(Array(text.utf8), SMSOutbox.seal("sealed_text", id), for: user)
        }
        let sender = account.numbers.contains(address.from) ? address.from : account.numbers.first ?? address.from
        let now = transaction.now
        // The same turn and ordinal again is the same message: a turn that is run again must not send it twice.
        let added = try transaction.execute(
            """
            INSERT INTO sms_outbox (id, user_id, turn, ordinal, state, due_at, created_at, number, sender, sealed_to,
            sealed_text, segments)
            VALUES (\(id), \(user), \(message.turn), \(message.ordinal), \(state.rawValue), \(now),
            \(now), \(number), \(sender), \(sealedTo), \(sealedText), \(segments))
            ON CONFLICT (user_id, turn, ordinal) DO NOTHING
            """)
        guard added == 1, message.ordinal == 0 else { return }
        try directory?.noteRecognised(turn: message.turn, in: transaction)
        try transaction.insert(
            SMSSchema.usage,
            [
                "direction": "in", "segments": .integer(Int64(max(1, min(address.segments, 100)))),
                "status": "received", "turn": .id(message.turn),
            ])
    }

    public func wake() { signal.signal() }

    /// Answers an unknown number once. Kept in memory only: a number of nobody is not stored.
    ///
    /// - Parameter link: Where they can get an account.
    func invite(_ number: PhoneNumber, from: String, link: Secret?) {
        invitations.withLock { waiting in
            if waiting.count < 200 { waiting.append(Invitation(number: number, from: from, link: link)) }
        }
        signal.signal()
    }

    /// An answer to a number of nobody.
    struct Invitation: Sendable {
        var number: PhoneNumber
        /// The one of our numbers that they wrote to.
        var from: String
        var link: Secret?
    }

    static func seal(_ column: String, _ id: RecordID) -> SealContext {
        SealContext(table: "sms_outbox", column: column, row: id.rawValue)
    }

    // MARK: - Reports

    /// Takes in what Twilio says of a message; idempotent, in any order, a final state stays.
    func apply(_ status: MessageStatus, errorCode: Int?, to sid: String) async throws {
        let user = try await database.read(.system) { transaction in
            try transaction.first("SELECT user_id FROM sms_outbox WHERE sid = \(sid)").map { try $0.userID("user_id") }
        }
        let scope = user.map { AccessScope.user(UserScope(authenticated: $0)) } ?? .system
        let isNew: Bool? = try await database.write(scope) { [self] transaction in
            // Its message was noted as sent since we looked: whoever did so has not seen this report.
            if user == nil, try transaction.first("SELECT 1 AS one FROM sms_outbox WHERE sid = \(sid)") != nil {
                return nil
            }
            let added = try transaction.execute(
                """
                INSERT INTO sms_reports (sid, status, error_code, received_at)
                VALUES (\(sid), \(status.rawValue), \(errorCode ?? 0), \(transaction.now)) ON CONFLICT DO NOTHING
                """)
            guard added == 1, user != nil else { return false }
            try settle(status, errorCode: errorCode, sid: sid, in: transaction)
            return true
        }
        guard let isNew else { return try await apply(status, errorCode: errorCode, to: sid) }
        if isNew, status.isFailure { signal.signal() }
    }

    /// Moves a sent message on, and does what its error asks for. Within the person's scope.
    func settle(
        _ status: MessageStatus, errorCode: Int?, sid: String, in transaction: any WriteTransaction
    ) throws {
        guard
            let row = try transaction.first(
                """
                SELECT id, user_id, status, number, retries, created_at, usage_id, sealed_to FROM sms_outbox
                WHERE sid = \(sid) AND state = \(OutboxState.sent.rawValue)
                """),
            MessageStatus(try row.textIfPresent("status") ?? "").isFollowed(by: status)
        else { return }
        let id = try row.recordID("id")
        try transaction.execute(
            "UPDATE sms_outbox SET status = \(status.rawValue), error_code = \(errorCode.sqlValue) WHERE id = \(id)")
        if let usage = try row.recordIDIfPresent("usage_id") {
            try transaction.update(
                SMSSchema.usage, usage,
                set: [
                    "status": .string(status.rawValue),
                    "error_code": errorCode.map { .integer(Int64($0)) } ?? .null,
                ])
        }
        guard status.isFinal else { return }
        if status == .delivered {
            let number = try row.blob("number")
            if try SMSConsents.state(of: number, in: transaction) == .unreachable {
                try SMSConsents.set(.welcome, for: number, source: "delivered", in: transaction)
            }
        }
        var isSentAgain = false
        if status.isFailure {
            let code = errorCode ?? 0
            let action = TwilioErrorAction(code: code)
            try react(to: action, number: try row.blob("number"), sid: sid, in: transaction)
            if action == .badNumber, let directory, let sealed = try row.blobIfPresent("sealed_to") {
                let user = try row.userID("user_id")
                let to = try transaction.open(sealed, SMSOutbox.seal("sealed_to", id), for: user)
                // Here, since the same report never comes again; of somebody else's number the next message brings another.
                if let number = PhoneNumber(String(decoding: to, as: UTF8.self)),
                    try !directory.noteUndeliverable(
                        number, errorCode: code, of: UserScope(authenticated: user), in: transaction)
                {
                    transaction.afterCommit {
                        Task { try? await directory.noteUndeliverable(number, errorCode: code) }
                    }
                }
            }
            if action == .optOut, let sealed = try row.blobIfPresent("sealed_to") {
                let to = try transaction.open(sealed, SMSOutbox.seal("sealed_to", id), for: try row.userID("user_id"))
                if let number = PhoneNumber(String(decoding: to, as: UTF8.self)) {
                    try directory?.noteOptOut(number, true, in: transaction)
                }
            }
            let age = transaction.now.since(try row.timestamp("created_at"))
            if action == .retryOnce || action == .slowDown, try row.int("retries") == 0, age < timing.lateRetryAge {
                let due = transaction.now.advanced(by: timing.lateRetry)
                try transaction.execute(
                    """
                    UPDATE sms_outbox SET state = \(OutboxState.pending.rawValue), due_at = \(due), retries = 1,
                    attempts = 0, checks = 0, tried_at = NULL, sid = NULL, status = NULL, usage_id = NULL
                    WHERE id = \(id) AND sealed_text IS NOT NULL
                    """)
                isSentAgain = true
            }
            transaction.afterCommit { [metrics, logger] in
                metrics.failures.with(String(code)).increment()
                logger.warning(
                    "a message was not delivered",
                    metadata: [
                        "sms.sid": .string(sid), "sms.status": .string(status.rawValue),
                        "sms.error": .stringConvertible(code),
                    ])
            }
        }
        if !isSentAgain {
            try transaction.execute(
                "UPDATE sms_outbox SET sealed_to = NULL, sealed_text = NULL WHERE id = \(id)")
        }
    }

    /// What an error says about the number, kept for all further messages to it.
    func react(
        to action: TwilioErrorAction, number: [UInt8], sid: String?, in transaction: any WriteTransaction
    ) throws {
        switch action {
        case .optOut:
            try SMSConsents.set(.optedOut, for: number, source: "error 21610", in: transaction)
        case .badNumber:
            try SMSConsents.set(.unreachable, for: number, source: "delivery error", in: transaction)
        default: break
        }
    }
}
