public import TandemCore
import TandemStorage

extension Accounts {
    /// When a person showed that their address is theirs; nil when they have not yet.
    public func emailVerifiedAt(_ scope: UserScope) async throws -> Timestamp? {
        try await database.read(scope) { transaction in
            try transaction.first("SELECT verified_at FROM verified_emails WHERE user_id = \(scope.user)")?
                .timestamp("verified_at")
        }
    }

    func markEmailVerified(_ scope: UserScope, in transaction: any WriteTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO verified_emails (user_id, verified_at) VALUES (\(scope.user), \(transaction.now))
            ON CONFLICT (user_id) DO NOTHING
            """)
    }

    /// Sends a link to the person's address. Throws `mail_unavailable` or `too_many_attempts`.
    public func sendEmailVerification(to scope: UserScope) async throws {
        guard services.mailer != nil else { throw AccountsError.noMail }
        let key = try accountKey(.messagesOfAccount, scope.user)
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            guard let account = try Accounts.find(scope.user, in: transaction) else { return .refuse(.unknownUser) }
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            // Bound to the address: a link that an older one got proves nothing about the new one.
            let token = try issueLink(
                .emailVerification, for: scope.user, detail: account.email, lifetime: settings.linkLifetime,
                in: transaction)
            try post(AccountMails.emailVerification(settings, account, token), of: scope.user, in: transaction)
            return .pass(())
        }.get()
    }

    /// Takes the link of `sendEmailVerification`; no session is needed. Throws `invalid_code` or `too_many_attempts`.
    public func verifyEmail(_ token: Secret, from source: ClientSource) async throws {
        let scope = UserScope(authenticated: try await linkOwner(token, .emailVerification, from: source))
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            guard let address = try redeemLink(token, .emailVerification, of: scope, in: transaction),
                let account = try Accounts.find(scope.user, in: transaction), account.email == address
            else { return .refuse(.invalidCode) }
            try markEmailVerified(scope, in: transaction)
            return .pass(())
        }.get()
    }

    /// Sends a code to a new address; `confirmEmailChange` puts it in the old one's place.
    ///
    /// Needs a fresh proof. That the address has an account is not said: the code just never does. Throws
    /// `invalid_email`, `step_up_required`, `mail_unavailable` or `too_many_attempts`.
    public func beginEmailChange(_ principal: Principal, to email: String) async throws {
        try requireProof(of: principal, for: .newEmail)
        guard services.mailer != nil else { throw AccountsError.noMail }
        let (address, addressKey) = try EmailAddress.read(email)
        let keys = [
            ThrottleKey(throttle: .messagesToTarget, target: try keyedHash(addressKey, "throttle.change")),
            try accountKey(.messagesOfAccount, principal.user),
        ]
        let scope = principal.scope
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            if let wait = try transaction.admit(keys) { return .refuse(.wait(wait)) }
            let code = try issueCode(.emailChange, target: addressKey, for: scope, in: transaction)
            try post(AccountMails.emailChange(settings, to: address, code), of: scope.user, in: transaction)
            return .pass(())
        }.get()
    }

    /// Takes the code that the new address got; the old one is told. Throws `invalid_code` or `email_taken`.
    public func confirmEmailChange(_ principal: Principal, to email: String, code: String) async throws {
        let (address, addressKey) = try EmailAddress.read(email)
        let scope = principal.scope
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            guard let account = try Accounts.find(scope.user, in: transaction),
                try redeemCode(code, .emailChange, target: addressKey, of: scope, in: transaction) != nil
            else { return .refuse(.invalidCode) }
            do {
                // Whoever else has the address may be invisible in this scope: the unique key tells.
                _ = try transaction.atomically {
                    try transaction.execute(
                        """
                        UPDATE users SET email = \(address), email_key = \(addressKey), updated_at = \(transaction.now)
                        WHERE id = \(scope.user)
                        """)
                }
            } catch let error as StorageError where error.code == .unique {
                return .refuse(AccountsError(.emailTaken, "There is an account with that e-mail address already."))
            }
            try transaction.execute(
                """
                INSERT INTO verified_emails (user_id, verified_at) VALUES (\(scope.user), \(transaction.now))
                ON CONFLICT (user_id) DO UPDATE SET verified_at = excluded.verified_at
                """)
            // Links that the old mailbox holds open nothing any more.
            try transaction.execute(
                """
                DELETE FROM one_time_codes WHERE user_id = \(scope.user)
                AND purpose IN \(list: [CodePurpose.passwordReset.rawValue, CodePurpose.emailVerification.rawValue])
                """)
            try services.audit.record(
                AuditEvent(.emailChanged, user: scope.user, actor: principal.actor), in: transaction)
            if services.mailer != nil {
                try post(AccountMails.emailChanged(settings, account), of: scope.user, in: transaction)
            }
            return .pass(())
        }.get()
    }
}
