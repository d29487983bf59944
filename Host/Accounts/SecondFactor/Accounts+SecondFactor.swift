public import TandemCore
import TandemStorage

extension Accounts {
    private static let recoveryCodeCount = 10

    // MARK: Switching on and off

    /// Makes a key for an authenticator app; it counts from `confirmTOTP` on.
    ///
    /// Needs a fresh proof. Where an app is set up already, it stays in force until the new one is confirmed.
    public func beginTOTP(_ principal: Principal) async throws -> TOTPEnrolment {
        try requireProof(of: principal, for: .secondFactorChange)
        return try await beginTOTP(of: principal.scope)
    }

    /// The same at the operator's command line.
    public func beginTOTP(of scope: UserScope) async throws -> TOTPEnrolment {
        try await database.write(scope) { [settings] transaction in
            guard let account = try Accounts.find(scope.user, in: transaction) else { throw AccountsError.unknownUser }
            // 160 bits, as RFC 4226 §4 recommends.
            let totp = TOTP(secret: SecureRandom.bytes(20))
            let id = transaction.nextID()
            let sealed = try transaction.seal(totp.secret, Accounts.seal("totp_secrets", "sealed", id))
            try transaction.execute(
                "DELETE FROM totp_secrets WHERE user_id = \(scope.user) AND is_confirmed = 0")
            try transaction.execute(
                """
                INSERT INTO totp_secrets (id, user_id, sealed, is_confirmed, last_step, created_at)
                VALUES (\(id), \(scope.user), \(sealed), 0, 0, \(transaction.now))
                """)
            return TOTPEnrolment(totp, issuer: settings.productName, account: account.email)
        }
    }

    /// Switches the second factor on with a first code of the app. Gives the recovery codes, to be shown once.
    ///
    /// Throws `invalid_code`, `too_many_attempts`, or `second_factor_state` when `beginTOTP` was not called.
    public func confirmTOTP(_ scope: UserScope, code: String) async throws -> [Secret] {
        let key = try accountKey(.enrolment, scope.user)
        let cache = credentials
        return try await database.write(scope) { [self] transaction -> Verdict<[Secret]> in
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            guard let pending = try totp(of: scope, isConfirmed: false, in: transaction) else {
                return .refuse(AccountsError(.secondFactorState, "Begin with a new key for the app."))
            }
            guard let step = pending.totp.acceptedStep(code, at: transaction.now, after: pending.lastStep) else {
                return .refuse(.invalidCode)
            }
            try transaction.forgive(key)
            try transaction.execute(
                "DELETE FROM totp_secrets WHERE user_id = \(scope.user) AND is_confirmed = 1")
            try transaction.execute(
                "UPDATE totp_secrets SET is_confirmed = 1, last_step = \(step) WHERE id = \(pending.id)")
            try services.audit.record(
                AuditEvent(.secondFactorOn, user: scope.user, actor: .person(scope.user)), in: transaction)
            if services.mailer != nil, let account = try Accounts.find(scope.user, in: transaction) {
                try post(AccountMails.secondFactorOn(settings, account), of: scope.user, in: transaction)
            }
            transaction.afterCommit { cache.forget(scope.user) }
            return .pass(try newRecoveryCodes(of: scope, in: transaction))
        }.get()
    }

    /// Switches the second factor off; needs a fresh proof, which is one with the second factor.
    public func disableSecondFactor(_ principal: Principal) async throws {
        try requireProof(of: principal, for: .secondFactorChange)
        try await disableSecondFactor(of: principal.scope, by: principal.actor)
    }

    /// The same at the operator's command line, for somebody who lost everything and proved otherwise who they are.
    public func disableSecondFactor(of scope: UserScope, by actor: AuditEvent.Actor) async throws {
        let cache = credentials
        try await database.write(scope) { [self] transaction in
            try transaction.execute("DELETE FROM totp_secrets WHERE user_id = \(scope.user)")
            try transaction.execute("DELETE FROM recovery_codes WHERE user_id = \(scope.user)")
            try services.audit.record(AuditEvent(.secondFactorOff, user: scope.user, actor: actor), in: transaction)
            if services.mailer != nil, let account = try Accounts.find(scope.user, in: transaction) {
                try post(AccountMails.secondFactorOff(settings, account), of: scope.user, in: transaction)
            }
            transaction.afterCommit { cache.forget(scope.user) }
        }
    }

    /// New recovery codes; the old ones are good no more. Needs a fresh proof and a second factor.
    public func renewRecoveryCodes(_ principal: Principal) async throws -> [Secret] {
        try requireProof(of: principal, for: .secondFactorChange)
        let scope = principal.scope
        return try await database.write(scope) { [self] transaction in
            guard try totp(of: scope, isConfirmed: true, in: transaction) != nil else {
                throw AccountsError(.secondFactorState, "There is no second factor to recover.")
            }
            return try newRecoveryCodes(of: scope, in: transaction)
        }
    }

    public func recoveryCodesLeft(_ scope: UserScope) async throws -> Int {
        try await database.read(scope) { transaction in
            try transaction.first(
                "SELECT count(*) AS rest FROM recovery_codes WHERE user_id = \(scope.user) AND used_at IS NULL")?
                .int("rest") ?? 0
        }
    }

    private func newRecoveryCodes(of scope: UserScope, in transaction: any WriteTransaction) throws -> [Secret] {
        try transaction.execute("DELETE FROM recovery_codes WHERE user_id = \(scope.user)")
        var codes: [Secret] = []
        for _ in 0..<Accounts.recoveryCodeCount {
            // 50 bits.
            let text = Base32.text(SecureRandom.bytes(7)).lowercased().prefix(10)
            try transaction.execute(
                """
                INSERT INTO recovery_codes (user_id, code_hash, created_at)
                VALUES (\(scope.user), \(try recoveryHash(String(text), scope)), \(transaction.now))
                """)
            codes.append(Secret("\(text.prefix(5))-\(text.suffix(5))"))
        }
        try services.audit.record(
            AuditEvent(.recoveryCodesMade, user: scope.user, actor: .person(scope.user)), in: transaction)
        return codes
    }

    private func recoveryHash(_ code: String, _ scope: UserScope) throws -> [UInt8] {
        try keyedHash("\(scope.user)\u{0}\(code)", "recovery")
    }

    // MARK: Asking for it

    /// What can be given as second factor; empty when the account has none.
    static func secondFactors(of scope: UserScope, in transaction: any ReadTransaction) throws -> [ProofMethod] {
        let row = try transaction.first(
            """
            SELECT (SELECT count(*) FROM totp_secrets WHERE user_id = \(scope.user) AND is_confirmed = 1) AS apps,
            (SELECT count(*) FROM recovery_codes WHERE user_id = \(scope.user) AND used_at IS NULL) AS codes,
            (SELECT count(*) FROM phone_index p LEFT JOIN phone_states s ON s.phone_hash = p.phone_hash
            WHERE p.user_id = \(scope.user) AND s.suspended_at IS NULL) AS phones
            """)
        guard let row, try row.int("apps") > 0 else { return [] }
        var methods: [ProofMethod] = [.totp]
        if try row.int("phones") > 0 { methods.append(.sms) }
        if try row.int("codes") > 0 { methods.append(.recovery) }
        return methods
    }

    private func totp(
        of scope: UserScope, isConfirmed: Bool, in transaction: any ReadTransaction
    ) throws -> (id: RecordID, totp: TOTP, lastStep: Int64)? {
        let row = try transaction.first(
            """
            SELECT id, sealed, last_step FROM totp_secrets
            WHERE user_id = \(scope.user) AND is_confirmed = \(isConfirmed)
            """)
        guard let row else { return nil }
        let id = try row.recordID("id")
        let secret = try transaction.open(try row.blob("sealed"), Accounts.seal("totp_secrets", "sealed", id))
        return (id, TOTP(secret: secret), try row.int64("last_step"))
    }

    /// Judges a code in the person's scope; nil when it is right, and then it is used up. A wrong one counts.
    ///
    /// Tries are few: per known device, and for all unknown ones together, since whoever is here has the password already.
    func judge(
        _ proof: Proof, of scope: UserScope, device: [UInt8]?, in transaction: any WriteTransaction
    ) throws -> AccountsError? {
        let key = try accountKey(
            proof.method == .recovery ? .recoveryCode : .secondFactor, scope.user, device: device ?? [])
        if let wait = try transaction.admit([key]) { return .wait(wait) }
        let isRight: Bool
        switch proof {
        case .password: isRight = false
        case .totp(let code): isRight = try useTOTP(code, of: scope, in: transaction)
        case .sms(let code):
            isRight =
                try redeemCode(code, .secondFactor, target: "sms", of: scope, in: transaction) != nil
                && Accounts.secondFactors(of: scope, in: transaction).contains(.sms)
        case .mail(let code):
            isRight = try redeemCode(code, .stepUp, target: "mail", of: scope, in: transaction) != nil
        case .recovery(let code): isRight = try useRecoveryCode(code, of: scope, in: transaction)
        }
        guard isRight else { return .invalidCode }
        try transaction.forgive(key)
        return nil
    }

    private func useTOTP(_ code: String, of scope: UserScope, in transaction: any WriteTransaction) throws -> Bool {
        guard let found = try totp(of: scope, isConfirmed: true, in: transaction),
            let step = found.totp.acceptedStep(code, at: transaction.now, after: found.lastStep)
        else { return false }
        let changed = try transaction.execute(
            "UPDATE totp_secrets SET last_step = \(step) WHERE id = \(found.id) AND last_step < \(step)")
        return changed == 1
    }

    private func useRecoveryCode(
        _ text: String, of scope: UserScope, in transaction: any WriteTransaction
    ) throws -> Bool {
        let code = String(text.lowercased().unicodeScalars.filter { $0 != "-" && $0 != " " })
        let used = try transaction.execute(
            """
            UPDATE recovery_codes SET used_at = \(transaction.now)
            WHERE user_id = \(scope.user) AND code_hash = \(try recoveryHash(code, scope)) AND used_at IS NULL
            """)
        guard used == 1 else { return false }
        try services.audit.record(
            AuditEvent(.recoveryCodeUsed, user: scope.user, actor: .person(scope.user)), in: transaction)
        if services.mailer != nil, let account = try Accounts.find(scope.user, in: transaction) {
            try post(AccountMails.recoveryCodeUsed(settings, account), of: scope.user, in: transaction)
        }
        return true
    }

    /// Sends a code by text as the second factor, to the primary number, unless that is suspended.
    func sendSecondFactor(to scope: UserScope) async throws {
        guard let texts = services.texts else { throw AccountsError.noTexts }
        let key = try accountKey(.messagesOfAccount, scope.user)
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            guard try Accounts.secondFactors(of: scope, in: transaction).contains(.sms),
                let number = try trustedNumbers(of: scope, in: transaction).first
            else { return .refuse(AccountsError(.unknownPhone, "There is no proven number to send a code to.")) }
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            let code = try issueCode(.secondFactor, target: "sms", for: scope, in: transaction)
            try texts.send(
                "\(code) is your \(settings.productName) code to sign in. Nobody of us will ask you for it.",
                to: number, of: scope, in: transaction)
            return .pass(())
        }.get()
    }

    /// Sends the code for a step up by text.
    public func sendStepUpText(to principal: Principal) async throws { try await sendSecondFactor(to: principal.scope) }
}
