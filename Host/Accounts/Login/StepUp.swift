public import TandemCore
import TandemStorage

/// What needs a proof of the last few minutes, and not only a session that may lie open somewhere.
public enum StepUp: String, Sendable, Hashable, CaseIterable {
    case export
    case erasure
    case dataImport = "data_import"
    case newNumber = "new_number"
    /// The first message to somebody that the assistant has not written to for this person.
    case newRecipient = "new_recipient"
    case newEmail = "new_email"
    case passwordChange = "password_change"
    case secondFactorChange = "second_factor_change"
    case apiKey = "api_key"
}

extension Accounts {
    /// Throws `step_up_required` unless the session's person proved within `proofLifetime` that it is them.
    public func requireProof(of principal: Principal, for action: StepUp) throws {
        let now = database.store.clock.now
        guard let provedAt = principal.provedAt, provedAt <= now,
            now.since(provedAt) < settings.proofLifetime
        else {
            throw AccountsError(
                .stepUpRequired,
                principal.hasSecondFactor
                    ? "Prove that it is you first: with a code of your authenticator app."
                    : "Prove that it is you first: with your password.")
        }
    }

    /// What proves a person's presence now: the second factor where there is one, else the password or a code by mail.
    public func proofMethods(of scope: UserScope) async throws -> [ProofMethod] {
        let hasMail = services.mailer != nil
        return try await database.read(scope) { transaction in
            let factors = try Accounts.secondFactors(of: scope, in: transaction)
            if !factors.isEmpty { return factors }
            let hasPassword =
                try transaction.first("SELECT user_id FROM account_credentials WHERE user_id = \(scope.user)") != nil
            return (hasPassword ? [.password] : []) + (hasMail ? [.mail] : [])
        }
    }

    /// Proves anew that it is the session's person; good for `proofLifetime`.
    ///
    /// Throws `invalid_code`, `invalid_credentials`, `too_many_attempts`, or `forbidden` for keys, and for a method that
    /// does not do for this account: a password alone where there is a second factor.
    public func stepUp(_ principal: Principal, with proof: Proof, from source: ClientSource) async throws {
        guard let session = principal.session else {
            throw AccountsError(.forbidden, "A key cannot prove that somebody is there.")
        }
        try await prove(proof, of: principal.scope, from: source)
        let cache = credentials
        try await database.write(principal.scope) { [services] transaction in
            try transaction.execute(
                "UPDATE account_sessions SET proved_at = \(transaction.now) WHERE id = \(session) AND ended_at IS NULL")
            try services.audit.record(
                AuditEvent(
                    .stepUp, user: principal.user, actor: principal.actor, subject: session,
                    detail: ["method": proof.method.rawValue]), in: transaction)
            transaction.afterCommit { cache.forget(session: session) }
        }
    }

    /// Proves within a conversation by text that it is the number's owner; good for `proofLifetime`, for that channel.
    ///
    /// A number can be borrowed or faked, so a code by text does not do: it takes the app, a recovery code or a code by mail.
    public func stepUp(_ scope: UserScope, channel: String, with proof: Proof) async throws {
        switch proof {
        case .totp, .recovery, .mail: break
        case .password, .sms: throw Accounts.wrongMethod
        }
        try await prove(proof, of: scope, from: ClientSource())
        try await database.write(scope) { [services] transaction in
            try transaction.execute(
                """
                INSERT INTO channel_proofs (user_id, channel, proved_at)
                VALUES (\(scope.user), \(channel), \(transaction.now))
                ON CONFLICT (user_id, channel) DO UPDATE SET proved_at = excluded.proved_at
                """)
            try services.audit.record(
                AuditEvent(
                    .stepUp, user: scope.user, actor: .person(scope.user),
                    detail: ["method": proof.method.rawValue, "channel": channel]), in: transaction)
        }
    }

    /// Whether the person proved within `proofLifetime`, over this channel, that it is them.
    public func hasProof(of scope: UserScope, channel: String) async throws -> Bool {
        let now = database.store.clock.now
        let provedAt = try await database.read(scope) { transaction in
            try transaction.first(
                "SELECT proved_at FROM channel_proofs WHERE user_id = \(scope.user) AND channel = \(channel)"
            )?.timestamp("proved_at")
        }
        guard let provedAt, provedAt <= now else { return false }
        return now.since(provedAt) < settings.proofLifetime
    }

    /// Sends a code by mail, for a step up without an app at hand. Throws `mail_unavailable` or `too_many_attempts`.
    public func sendProofCode(to scope: UserScope) async throws {
        guard services.mailer != nil else { throw AccountsError.noMail }
        let key = try accountKey(.messagesOfAccount, scope.user)
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            guard let account = try Accounts.find(scope.user, in: transaction) else { return .refuse(.unknownUser) }
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            let code = try issueCode(.stepUp, target: "mail", for: scope, in: transaction)
            try post(AccountMails.proofCode(settings, account, code), of: scope.user, in: transaction)
            return .pass(())
        }.get()
    }

    private static let wrongMethod = AccountsError(.forbidden, "That does not prove enough here. Use another way.")

    private func prove(_ proof: Proof, of scope: UserScope, from source: ClientSource) async throws {
        let methods = try await proofMethods(of: scope)
        // Whoever has an app and has it not at hand takes a recovery code or a text; mail is for those without.
        guard methods.contains(proof.method) else { throw Accounts.wrongMethod }
        if case .password(let text) = proof { return try await provePassword(text, of: scope) }
        try await database.write(scope) { [self] transaction -> Verdict<Void> in
            let device = try Accounts.knownDevice(source, of: scope.user, in: transaction)
            if let refusal = try judge(proof, of: scope, device: device, in: transaction) {
                try services.audit.record(
                    AuditEvent(
                        .stepUpFailed, user: scope.user, actor: .anyone, detail: ["method": proof.method.rawValue]),
                    in: transaction)
                return .refuse(refusal)
            }
            return .pass(())
        }.get()
    }
}
