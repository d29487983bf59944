public import TandemCore
import TandemStorage

extension Accounts {
    /// What is known before the password is checked.
    private struct Admission: Sendable {
        var account: Account?
        var hash: String?
        var device: [UInt8]?
        var keys: [ThrottleKey]
    }

    /// Checks an address and a password, and opens a session or asks for the second factor.
    ///
    /// The same work, the same counters and the same answer whether the address has an account or not. Throws
    /// `invalid_credentials`, `too_many_attempts`, `busy`, or `account_disabled` after the right password.
    public func logIn(email: String, password: String, from source: ClientSource) async throws -> LoginOutcome {
        let key = (try? EmailAddress.read(email).key) ?? String(email.lowercased().prefix(254))
        let target = try throttleTarget(email: key)
        let here = try throttleSource(source)
        let admission = try await database.write(.system) { transaction -> Verdict<Admission> in
            var admission = Admission(keys: [])
            if let row = try transaction.first(
                """
                SELECT u.id, u.email, u.full_name, u.role, u.status, u.created_at, c.password_hash
                FROM users u LEFT JOIN account_credentials c ON c.user_id = u.id WHERE u.email_key = \(key)
                """)
            {
                let account = try Accounts.account(row)
                admission.account = account
                // Programs come with keys.
                if account.role != .service { admission.hash = try row.textIfPresent("password_hash") }
                admission.device = try Accounts.knownDevice(source, of: account.id, in: transaction)
            }
            if let device = admission.device {
                admission.keys = [ThrottleKey(throttle: .passwordOnDevice, target: target, source: device)]
            } else {
                admission.keys = [
                    ThrottleKey(throttle: .passwordHere, target: target, source: here),
                    ThrottleKey(throttle: .passwordAnywhere, target: target),
                    ThrottleKey(throttle: .passwordsFromSource, source: here),
                ]
            }
            if let wait = try transaction.admit(admission.keys) { return .refuse(.wait(wait)) }
            return .pass(admission)
        }.get()
        guard let text = PasswordRules.normalised(password),
            case .right(let upgraded) = try await passwords.check(text, against: admission.hash),
            let account = admission.account, let hash = admission.hash
        else {
            try await noteFailedLogin(of: admission.account?.id)
            throw AccountsError.invalidCredentials
        }
        return try await finishLogin(account, hash: hash, upgraded: upgraded, admission, source)
    }

    private func finishLogin(
        _ account: Account, hash: String, upgraded: String?, _ admission: Admission, _ source: ClientSource
    ) async throws -> LoginOutcome {
        enum Step: Sendable {
            case opened(OpenedSession)
            case challenge(LoginChallenge)
        }
        let step = try await database.write(account.scope) { [self] transaction -> Verdict<Step> in
            // Both may have changed while the password was being checked.
            let current = try transaction.first(
                """
                SELECT u.status, c.password_hash FROM users u JOIN account_credentials c ON c.user_id = u.id
                WHERE u.id = \(account.id)
                """)
            guard let current, try current.textIfPresent("password_hash") == hash else {
                return .refuse(.invalidCredentials)
            }
            guard try current.text("status") == Account.Status.active.rawValue else {
                return .refuse(AccountsError(.accountDisabled, "This account has been closed by the operator."))
            }
            if let first = admission.keys.first { try transaction.forgive(first) }
            try transaction.takeBack(admission.keys.dropFirst())
            if let upgraded {
                try transaction.execute(
                    "UPDATE account_credentials SET password_hash = \(upgraded) WHERE user_id = \(account.id)")
            }
            let methods = try Accounts.secondFactors(of: account.scope, in: transaction)
            guard methods.isEmpty else {
                return .pass(.challenge(try openChallenge(for: account.scope, methods: methods, in: transaction)))
            }
            let session = try openSession(
                for: account.scope, methods: [.password], from: source, device: admission.device, in: transaction)
            return .pass(.opened(session))
        }.get()
        switch step {
        case .opened(let session): return .signedIn(try await tokens(of: session))
        case .challenge(let challenge): return .secondFactorNeeded(challenge)
        }
    }

    /// Gives the second factor of a sign-in.
    ///
    /// Throws `invalid_code`, `too_many_attempts`, or `invalid_credentials` when the sign-in is over and must begin anew.
    public func finishLogIn(
        _ challenge: Secret, with proof: Proof, from source: ClientSource
    ) async throws -> SessionTokens {
        let token = Digest.ofToken(challenge.reveal())
        let row = try await database.read(.system) { [database] transaction in
            try transaction.first(
                """
                SELECT c.user_id, c.expires_at FROM login_challenges c JOIN users u ON u.id = c.user_id
                WHERE c.token_hash = \(token) AND u.status = 'active'
                """
            ).flatMap { row in
                try row.timestamp("expires_at") > database.store.clock.now ? try row.userID("user_id") : nil
            }
        }
        guard let user = row else { throw Accounts.challengeOver }
        let scope = UserScope(authenticated: user)
        let opened = try await database.write(scope) { [self] transaction -> Verdict<OpenedSession> in
            // Counted before it is judged, and by the transaction's order: parallel tries do not add up to more.
            let isOpen = try transaction.execute(
                """
                UPDATE login_challenges SET attempts_left = attempts_left - 1
                WHERE token_hash = \(token) AND attempts_left > 0 AND expires_at > \(transaction.now)
                """)
            guard isOpen == 1 else { return .refuse(Accounts.challengeOver) }
            let device = try Accounts.knownDevice(source, of: user, in: transaction)
            if let refusal = try judge(proof, of: scope, device: device, in: transaction) { return .refuse(refusal) }
            try transaction.execute("DELETE FROM login_challenges WHERE token_hash = \(token)")
            return .pass(
                try openSession(
                    for: scope, methods: [.password, proof.method], from: source, device: device, in: transaction))
        }
        return try await tokens(of: try opened.get())
    }

    /// Sends the code of a sign-in by text, to the person's primary number.
    public func sendLoginCode(_ challenge: Secret) async throws {
        let token = Digest.ofToken(challenge.reveal())
        let user = try await database.read(.system) { [database] transaction in
            try transaction.first(
                """
                SELECT user_id FROM login_challenges
                WHERE token_hash = \(token) AND attempts_left > 0 AND expires_at > \(database.store.clock.now)
                """)?.userID("user_id")
        }
        guard let user else { throw Accounts.challengeOver }
        try await sendSecondFactor(to: UserScope(authenticated: user))
    }

    private static let challengeOver = AccountsError(.invalidCredentials, "That sign-in took too long. Begin again.")

    private func openChallenge(
        for scope: UserScope, methods: [ProofMethod], in transaction: any WriteTransaction
    ) throws -> LoginChallenge {
        let token = SecureRandom.token()
        let expiresAt = transaction.now.advanced(by: settings.codeLifetime)
        try transaction.execute(
            """
            INSERT INTO login_challenges (token_hash, user_id, attempts_left, expires_at, created_at)
            VALUES (\(Digest.ofToken(token)), \(scope.user), 5, \(expiresAt), \(transaction.now))
            """)
        return LoginChallenge(token: Secret(token), expiresAt: expiresAt, methods: methods)
    }

    private func noteFailedLogin(of user: UserID?) async throws {
        try await database.write(.system) { [services] transaction in
            try services.audit.record(
                AuditEvent(.loginFailed, user: user, actor: .anyone, detail: ["method": "password"]), in: transaction)
        }
    }

    /// The hash of the source's device token where it is one of the person's.
    static func knownDevice(
        _ source: ClientSource, of user: UserID, in transaction: any WriteTransaction
    ) throws -> [UInt8]? {
        guard let token = source.deviceToken?.reveal(), token.utf8.count <= 128 else { return nil }
        let hash = Digest.ofToken(token)
        let row = try transaction.first(
            """
            SELECT token_hash FROM known_devices
            WHERE token_hash = \(hash) AND user_id = \(user) AND expires_at > \(transaction.now)
            """)
        return row == nil ? nil : hash
    }
}
