public import TandemCore
import TandemJSON
public import TandemStorage

/// Numbers are lent by carriers, and given to somebody else some weeks after they were given up. What was verified once is
/// therefore trusted only while it is used.
extension Accounts {
    /// How the database knows a verified number.
    struct PhoneState: Sendable {
        var user: UserID
        /// Whether the account is served.
        var isActive: Bool
        var lastSeenAt: Timestamp?
        var suspension: PhoneSuspension?
    }

    /// How often a number's last sign of life is written down.
    private static let seenInterval: Duration = .seconds(86_400)
    /// Twilio's "Unknown destination handset" (https://www.twilio.com/docs/api/errors/30005).
    private static let unknownHandset = 30005

    func phoneState(of hash: [UInt8], in transaction: any ReadTransaction) throws -> PhoneState? {
        let row = try transaction.first(
            """
            SELECT p.user_id, u.status, s.last_seen_at, s.suspension FROM phone_index p
            JOIN users u ON u.id = p.user_id LEFT JOIN phone_states s ON s.phone_hash = p.phone_hash
            WHERE p.phone_hash = \(hash)
            """)
        guard let row else { return nil }
        return PhoneState(
            user: try row.userID("user_id"), isActive: try row.text("status") == Account.Status.active.rawValue,
            lastSeenAt: try row.timestampIfPresent("last_seen_at"),
            suspension: try row.textIfPresent("suspension").map { PhoneSuspension(rawValue: $0) ?? .silence })
    }

    // MARK: Who writes

    /// Whose a number is that has just written to us; the text counts as its sign of life.
    ///
    /// By keyed hash; from memory when it was asked for within two seconds. A text that is no number is nobody's.
    public func recognise(phone text: some StringProtocol & Sendable) async throws -> PhoneRecognition {
        guard let number = PhoneNumber(text) else { return .stranger }
        let hash = try hash(number)
        let (cached, generation) = phones.find(hash)
        if let cached { return cached }
        let state = try await database.read(.system) { [self] in try phoneState(of: hash, in: $0) }
        let answer = try await answer(state, hash)
        phones.remember(hash, answer, generation: generation)
        return answer
    }

    private func answer(_ state: PhoneState?, _ hash: [UInt8]) async throws -> PhoneRecognition {
        guard let state, state.isActive else { return .stranger }
        guard state.suspension == nil else { return .unproven }
        let now = database.store.clock.now
        if let last = state.lastSeenAt {
            if now.since(last) > settings.phoneSilence {
                try await suspend(hash, .silence)
                return .unproven
            }
            if now.since(last) < Accounts.seenInterval { return .owner(UserScope(authenticated: state.user)) }
        }
        try await database.write(.system) { [self] transaction in
            try seen(hash, of: state.user, isProof: false, in: transaction)
        }
        return .owner(UserScope(authenticated: state.user))
    }

    /// Whose a number is: the scope of the active account that verified it; nil for anybody else.
    public func identify(phone text: some StringProtocol & Sendable) async throws -> UserScope? {
        guard case .owner(let scope) = try await recognise(phone: text) else { return nil }
        return scope
    }

    /// Whether a text for a person may go to a number: it is theirs, and nobody else can have got it meanwhile.
    ///
    /// To be asked right before sending; what was queued before a number was suspended must not go out after.
    public func mayReceive(
        _ number: PhoneNumber, of scope: UserScope, in transaction: any ReadTransaction
    ) throws -> Bool {
        guard let state = try phoneState(of: try hash(number), in: transaction) else { return false }
        guard state.user == scope.user, state.suspension == nil else { return false }
        return state.lastSeenAt.map { database.store.clock.now.since($0) <= settings.phoneSilence } ?? true
    }

    /// Notes how a person was recognised; in the transaction that stores their message.
    public func logIdentification(
        channel: String, method: String, outcome: String, externalID: String?, in transaction: any WriteTransaction
    ) throws {
        try transaction.insert(
            "user_identification_logs",
            [
                "channel": .string(channel), "method": .string(method), "outcome": .string(outcome),
                "external_id": externalID.map { .string($0) } ?? .null,
            ])
    }

    /// Writes down a sign of life; with a proof a suspension ends.
    func seen(_ hash: [UInt8], of user: UserID, isProof: Bool, in transaction: any WriteTransaction) throws {
        let now = transaction.now
        try transaction.execute(
            """
            INSERT INTO phone_states (phone_hash, user_id, last_seen_at) VALUES (\(hash), \(user), \(now))
            ON CONFLICT (phone_hash) DO UPDATE SET last_seen_at = excluded.last_seen_at, user_id = excluded.user_id
            """)
        if isProof {
            try transaction.execute(
                "UPDATE phone_states SET suspended_at = NULL, suspension = NULL WHERE phone_hash = \(hash)")
        }
    }

    // MARK: Doubt

    /// Notes that the carrier could not deliver to a number. After error 30005 it identifies nobody and gets nothing until
    /// its owner proves it anew. True when that was it.
    @discardableResult
    public func noteUndeliverable(_ number: PhoneNumber, errorCode: Int) async throws -> Bool {
        guard errorCode == Accounts.unknownHandset else { return false }
        return try await suspend(try hash(number), .unknownToCarrier)
    }

    /// The same in a transaction of the person who was written to. False when the number is somebody else's, of whom this
    /// transaction may know nothing: then the other is to be asked.
    public func noteUndeliverable(
        _ number: PhoneNumber, errorCode: Int, of scope: UserScope, in transaction: any WriteTransaction
    ) throws -> Bool {
        guard errorCode == Accounts.unknownHandset else { return true }
        let hash = try hash(number)
        guard let state = try phoneState(of: hash, in: transaction), state.user == scope.user else { return false }
        if state.suspension == nil { try suspend(hash, state, .unknownToCarrier, in: transaction) }
        return true
    }

    @discardableResult
    private func suspend(_ hash: [UInt8], _ reason: PhoneSuspension) async throws -> Bool {
        try await database.write(.system) { [self] transaction in
            guard let state = try phoneState(of: hash, in: transaction), state.suspension == nil else { return false }
            // Somebody may have proven it between the look and this.
            if reason == .silence, let last = state.lastSeenAt,
                transaction.now.since(last) <= settings.phoneSilence
            {
                return false
            }
            try suspend(hash, state, reason, in: transaction)
            return true
        }
    }

    private func suspend(
        _ hash: [UInt8], _ state: PhoneState, _ reason: PhoneSuspension, in transaction: any WriteTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO phone_states (phone_hash, user_id, last_seen_at, suspended_at, suspension)
            VALUES (\(hash), \(state.user), \(transaction.now), \(transaction.now), \(reason.rawValue))
            ON CONFLICT (phone_hash) DO UPDATE SET suspended_at = excluded.suspended_at,
            suspension = excluded.suspension
            """)
        try services.audit.record(
            AuditEvent(.phoneSuspended, user: state.user, actor: .program, detail: ["reason": reason.rawValue]),
            in: transaction)
        let phones = phones
        transaction.afterCommit { phones.invalidate() }
    }

    // MARK: Proof

    /// Sends a code to a number that a person says is theirs, new or to be proven anew.
    ///
    /// Needs a fresh proof of the person. The same answer whoever's the number is. Throws `step_up_required`,
    /// `invalid_phone`, `too_many_attempts` or `texts_unavailable`.
    public func beginPhoneVerification(_ principal: Principal, number text: String) async throws {
        try requireProof(of: principal, for: .newNumber)
        try await beginPhoneVerification(of: principal.scope, number: text)
    }

    func beginPhoneVerification(of scope: UserScope, number text: String) async throws {
        guard let texts = services.texts else { throw AccountsError.noTexts }
        let number = try PhoneNumber(validating: text)
        let keys = [
            ThrottleKey(throttle: .messagesToTarget, target: try keyedHash(number.e164, "invitation")),
            try accountKey(.messagesOfAccount, scope.user),
        ]
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            if let wait = try transaction.admit(keys) { return .refuse(.wait(wait)) }
            let code = try issueCode(.phoneVerification, target: number.e164, for: scope, in: transaction)
            try texts.send(
                "\(code) is your \(settings.productName) code for this number. If you did not ask for it, ignore it.",
                to: number, of: scope, in: transaction)
            return .pass(())
        }.get()
    }

    /// Takes the code that the number got: it is the person's now.
    ///
    /// Where it was another account's that has to prove it anew, it leaves that one. Throws `invalid_code` or
    /// `phone_taken`.
    @discardableResult
    public func confirmPhone(
        _ scope: UserScope, number text: String, code: String, label: String? = nil
    ) async throws -> AccountPhone {
        let number = try PhoneNumber(validating: text)
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            let detail = try redeemCode(
                code, .phoneVerification, target: number.e164, of: scope, in: transaction)
            return detail == nil ? .refuse(.invalidCode) : .pass(())
        }.get()
        return try await attachPhone(number.e164, to: scope, verified: true, label: label)
    }

    static let phoneTaken = AccountsError(.phoneTaken, "That number belongs to another account.")

    /// Takes a number out of the index for a person who has just proven it, where its account has to prove it anew.
    ///
    /// In the system's scope: neither of the two may see the other's rows. Throws `phone_taken`.
    func makeRoom(for scope: UserScope, _ number: PhoneNumber) async throws {
        let hash = try hash(number)
        let phones = phones
        let formerOwner = try await database.write(.system) { [self] transaction -> UserID? in
            guard let state = try phoneState(of: hash, in: transaction), state.user != scope.user else { return nil }
            let isSilent = state.lastSeenAt.map { transaction.now.since($0) > settings.phoneSilence } ?? false
            guard state.suspension != nil || isSilent else { throw Accounts.phoneTaken }
            try transaction.execute("DELETE FROM phone_states WHERE phone_hash = \(hash)")
            try transaction.execute("DELETE FROM phone_index WHERE phone_hash = \(hash)")
            transaction.afterCommit { phones.invalidate() }
            return state.user
        }
        if let formerOwner { try await release(number, from: formerOwner) }
    }

    /// Tells a former owner, whose rows the new owner's transaction cannot touch.
    ///
    /// From the index on the number was not theirs any more: this only brings their own list up to date.
    private func release(_ number: PhoneNumber, from user: UserID) async throws {
        try await database.write(UserScope(authenticated: user)) { [self] transaction in
            try transaction.update(
                "user_phone_numbers", where: [RowCondition("phone_number", .equal, .string(number.e164))],
                set: ["verified_at": .null])
            try services.audit.record(AuditEvent(.phoneReleased, user: user, actor: .program), in: transaction)
            if services.mailer != nil, let account = try Accounts.find(user, in: transaction) {
                try post(AccountMails.phoneReleased(settings, account), of: user, in: transaction)
            }
        }
    }
}
