public import TandemCore
import TandemStorage

extension Accounts {
    /// Gives an account a password. For the operator and for those who have just proven who they are.
    ///
    /// Ends all sessions but `current`, and takes back links that would set another. Throws `weak_password` or `busy`.
    public func setPassword(
        _ password: String, of scope: UserScope, except current: RecordID? = nil,
        by actor: AuditEvent.Actor = .staff(nil)
    ) async throws {
        let hash = try await newHash(password, for: scope)
        try await database.write(scope) { [self] transaction in
            try store(hash, of: scope, except: current, by: actor, as: .passwordChanged, in: transaction)
        }
    }

    /// Changes the password of somebody who gives the current one; other sessions end.
    ///
    /// Throws `invalid_credentials`, `too_many_attempts`, `weak_password` or `busy`.
    public func changePassword(from old: String, to new: String, of principal: Principal) async throws {
        let scope = principal.scope
        try await provePassword(old, of: scope)
        if principal.hasSecondFactor { try requireProof(of: principal, for: .passwordChange) }
        try await setPassword(new, of: scope, except: principal.session, by: principal.actor)
    }

    public func hasPassword(_ scope: UserScope) async throws -> Bool {
        try await database.read(scope) { transaction in
            try transaction.first("SELECT user_id FROM account_credentials WHERE user_id = \(scope.user)") != nil
        }
    }

    /// Checks the password of somebody who is signed in. Throws `invalid_credentials` or `too_many_attempts`.
    func provePassword(_ password: String, of scope: UserScope) async throws {
        let key = try accountKey(.passwordOnDevice, scope.user)
        let stored = try await database.write(scope) { transaction -> Verdict<String?> in
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            return .pass(
                try transaction.first(
                    "SELECT password_hash FROM account_credentials WHERE user_id = \(scope.user)"
                )?.textIfPresent("password_hash"))
        }.get()
        guard let text = PasswordRules.normalised(password),
            case .right = try await passwords.check(text, against: stored)
        else { throw AccountsError(.invalidCredentials, "That is not the password.") }
        try await database.write(scope) { try $0.forgive(key) }
    }

    private func newHash(_ password: String, for scope: UserScope) async throws -> String {
        let (words, hasSecondFactor) = try await database.read(scope) { transaction in
            guard let account = try Accounts.find(scope.user, in: transaction) else { throw AccountsError.unknownUser }
            return ([account.email, account.fullName], try !Accounts.secondFactors(of: scope, in: transaction).isEmpty)
        }
        let text = try settings.passwords.accept(password, words: words, hasSecondFactor: hasSecondFactor)
        return try await passwords.hash(text)
    }

    private func store(
        _ hash: String, of scope: UserScope, except current: RecordID?, by actor: AuditEvent.Actor,
        as event: AuditEvent.Name, in transaction: any WriteTransaction
    ) throws {
        guard let account = try Accounts.find(scope.user, in: transaction) else { throw AccountsError.unknownUser }
        try transaction.execute(
            """
            INSERT INTO account_credentials (user_id, password_hash, changed_at)
            VALUES (\(scope.user), \(hash), \(transaction.now))
            ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at
            """)
        try transaction.execute(
            "DELETE FROM one_time_codes WHERE user_id = \(scope.user) AND purpose = \(CodePurpose.passwordReset.rawValue)"
        )
        try transaction.execute("DELETE FROM login_challenges WHERE user_id = \(scope.user)")
        try transaction.execute("DELETE FROM known_devices WHERE user_id = \(scope.user)")
        try endAllSessions(of: scope, except: current, reason: "password_changed", by: actor, in: transaction)
        try services.audit.record(AuditEvent(event, user: scope.user, actor: actor), in: transaction)
        if services.mailer != nil {
            try post(AccountMails.passwordChanged(settings, account), of: scope.user, in: transaction)
        }
    }

    // MARK: Reset

    /// Sends a link for a new password, if the address has an account; that it has is not said, nor shown by the time.
    ///
    /// Always open, also while sign-ins have to wait: so nobody can lock the owner out. Throws `mail_unavailable` or
    /// `too_many_attempts`.
    public func requestPasswordReset(email: String, from source: ClientSource) async throws {
        guard services.mailer != nil else { throw AccountsError.noMail }
        let (_, key) = try EmailAddress.read(email)
        let keys = [
            ThrottleKey(throttle: .messagesToTarget, target: try keyedHash(key, "throttle.reset")),
            ThrottleKey(throttle: .messagesFromSource, source: try throttleSource(source)),
        ]
        try await database.write(.system) { [self] transaction -> Verdict<Void> in
            if let wait = try transaction.admit(keys) { return .refuse(.wait(wait)) }
            guard
                let account = try transaction.first("\(Accounts.selection) WHERE email_key = \(key)").map(
                    Accounts.account), account.status == .active, account.role != .service
            else { return .pass(()) }
            let token = try issueLink(
                .passwordReset, for: account.id, lifetime: settings.linkLifetime, in: transaction)
            try post(AccountMails.passwordReset(settings, account, token), of: account.id, in: transaction)
            return .pass(())
        }.get()
    }

    /// Sets a new password with a link's token, which is used up by it; all sessions end.
    ///
    /// The second factor stays on. Throws `invalid_code`, `weak_password` (the link stays good) or `busy`.
    public func resetPassword(_ token: Secret, to password: String, from source: ClientSource) async throws {
        let scope = UserScope(
            authenticated: try await linkOwner(token, .passwordReset, from: source))
        let hash = try await newHash(password, for: scope)
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            guard try redeemLink(token, .passwordReset, of: scope, in: transaction) != nil else {
                return .refuse(.invalidCode)
            }
            // The mailbox is theirs.
            try markEmailVerified(scope, in: transaction)
            if let account = try Accounts.find(scope.user, in: transaction) {
                try transaction.forgetThrottles(
                    of: try throttleTarget(email: try EmailAddress.read(account.email).key))
            }
            try store(
                hash, of: scope, except: nil, by: .person(scope.user), as: .passwordReset, in: transaction)
            return .pass(())
        }.get()
    }
}
