public import TandemCore
import TandemJSON
public import TandemStorage

/// What somebody gives to get an account.
public struct SignUpRequest: Sendable {
    public var email: String
    public var fullName: String
    public var password: Secret
    /// The token of an invitation that came by text: the number becomes the account's.
    public var invitation: Secret?

    public init(email: String, fullName: String, password: Secret, invitation: Secret? = nil) {
        self.email = email
        self.fullName = fullName
        self.password = password
        self.invitation = invitation
    }
}

extension Accounts {
    /// Takes a request for an account, and sends a mail with a link that finishes it.
    ///
    /// The answer is the same when the address has an account already: then the mail says so. Throws `invalid_email`,
    /// `invalid_name`, `weak_password`, `too_many_attempts`, `busy` or `mail_unavailable`.
    public func signUp(_ request: SignUpRequest, from source: ClientSource) async throws {
        guard services.mailer != nil else { throw AccountsError.noMail }
        let (address, key) = try EmailAddress.read(request.email)
        let name = try Accounts.name(request.fullName)
        let text = try settings.passwords.accept(
            request.password.reveal(), words: [address, name], hasSecondFactor: false)
        let keys = [
            ThrottleKey(throttle: .messagesToTarget, target: try keyedHash(key, "throttle.sign_up")),
            ThrottleKey(throttle: .messagesFromSource, source: try throttleSource(source)),
        ]
        try await database.write(.system) { transaction -> Verdict<Void> in
            try transaction.admit(keys).map { .refuse(.wait($0)) } ?? .pass(())
        }.get()
        // Made for known addresses, too: the time must not tell.
        let hash = try await passwords.hash(text)
        let invitation = request.invitation.map { Digest.ofToken($0.reveal()) }
        let emailHash = try keyedHash(key, "sign_up.email")
        try await database.write(.system) { [self] transaction in
            if let row = try transaction.first("\(Accounts.selection) WHERE email_key = \(key)") {
                let account = try Accounts.account(row)
                return try post(AccountMails.signUpAgain(settings, account), of: account.id, in: transaction)
            }
            let id = transaction.nextID()
            let token = SecureRandom.token()
            let content: JSON = ["email": .string(address), "name": .string(name), "password": .string(hash)]
            let sealed = try transaction.seal(content.serialized(), Accounts.seal("sign_ups", "sealed", id))
            try transaction.execute("DELETE FROM sign_ups WHERE email_hash = \(emailHash)")
            try transaction.execute(
                """
                INSERT INTO sign_ups (id, token_hash, email_hash, invitation_hash, sealed, expires_at, created_at)
                VALUES (\(id), \(Digest.ofToken(token)), \(emailHash), \(invitation), \(sealed),
                \(transaction.now.advanced(by: settings.signUpLifetime)), \(transaction.now))
                """)
            try post(AccountMails.signUp(settings, to: address, token), of: nil, in: transaction)
        }
    }

    /// Makes the account that a mail's link finishes, and signs it in.
    ///
    /// With a good invitation the number that got it becomes the account's first. Throws `invalid_code` or
    /// `too_many_attempts`.
    public func finishSignUp(_ token: Secret, from source: ClientSource) async throws -> SessionTokens {
        let hash = Digest.ofToken(token.reveal())
        let key = ThrottleKey(throttle: .linksFromSource, source: try throttleSource(source))
        let (account, number) = try await database.write(.system) {
            [self] transaction -> Verdict<(Account, PhoneNumber?)> in
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            guard
                let row = try transaction.first(
                    """
                    SELECT id, sealed, invitation_hash FROM sign_ups
                    WHERE token_hash = \(hash) AND expires_at > \(transaction.now)
                    """)
            else { return .refuse(.invalidCode) }
            let id = try row.recordID("id")
            let content = try JSON(
                parsing: try transaction.open(try row.blob("sealed"), Accounts.seal("sign_ups", "sealed", id)))
            guard try transaction.execute("DELETE FROM sign_ups WHERE id = \(id)") == 1,
                let email = content["email"]?.stringValue, let name = content["name"]?.stringValue,
                let password = content["password"]?.stringValue
            else { return .refuse(.invalidCode) }
            let (address, emailKey) = try EmailAddress.read(email)
            // Somebody made the account in another way meanwhile.
            guard try transaction.first("SELECT id FROM users WHERE email_key = \(emailKey)") == nil else {
                return .refuse(.invalidCode)
            }
            let account = try insertUser(address, emailKey, name, .user, in: transaction)
            try transaction.execute(
                """
                INSERT INTO account_credentials (user_id, password_hash, changed_at)
                VALUES (\(account.id), \(password), \(transaction.now))
                """)
            try transaction.execute(
                "INSERT INTO verified_emails (user_id, verified_at) VALUES (\(account.id), \(transaction.now))")
            try transaction.takeBack([key])
            let invitation = try row.blobIfPresent("invitation_hash")
            return .pass((account, try invitation.flatMap { try redeemInvitation($0, in: transaction) }))
        }.get()
        if let number {
            // It may have become another account's since; then this one begins without.
            do {
                try await attachPhone(number.e164, to: account.scope, verified: true)
            } catch let error as AccountsError where error.code == .phoneTaken {}
        }
        let opened = try await database.write(account.scope) { [self] transaction in
            try openSession(
                for: account.scope, methods: [.password, .mail], from: source, device: nil, in: transaction)
        }
        return try await tokens(of: opened)
    }

    // MARK: Invitations by text

    /// A link for a number that nobody has, which wrote to us; nil when it had one lately, or when today's are used up.
    ///
    /// The text with it is the caller's, in the transaction's other writes. The link proves the number to `signUp`.
    public func invite(_ number: PhoneNumber, in transaction: any WriteTransaction) throws -> Secret? {
        let target = try keyedHash(number.e164, "invitation")
        let day = transaction.now.millisecondsSinceEpoch / 86_400_000
        let sent = try transaction.first("SELECT sent FROM invitation_days WHERE day = \(day)")?.int("sent") ?? 0
        guard sent < settings.invitationsPerDay,
            try transaction.admit([ThrottleKey(throttle: .invitation, target: target)]) == nil
        else { return nil }
        try transaction.execute(
            """
            INSERT INTO invitation_days (day, sent) VALUES (\(day), 1)
            ON CONFLICT (day) DO UPDATE SET sent = invitation_days.sent + 1
            """)
        let token = SecureRandom.token()
        let id = transaction.nextID()
        let sealed = try transaction.seal(Array(number.e164.utf8), Accounts.seal("phone_invitations", "sealed", id))
        try transaction.execute("DELETE FROM phone_invitations WHERE phone_hash = \(target)")
        try transaction.execute(
            """
            INSERT INTO phone_invitations (id, phone_hash, token_hash, sealed, expires_at, created_at)
            VALUES (\(id), \(target), \(Digest.ofToken(token)), \(sealed),
            \(transaction.now.advanced(by: settings.invitationLifetime)), \(transaction.now))
            """)
        return Secret("\(settings.publicAddress)/join#\(token)")
    }

    private func redeemInvitation(_ hash: [UInt8], in transaction: any WriteTransaction) throws -> PhoneNumber? {
        let row = try transaction.first(
            """
            SELECT id, sealed FROM phone_invitations WHERE token_hash = \(hash) AND expires_at > \(transaction.now)
            """)
        guard let row else { return nil }
        let id = try row.recordID("id")
        let bytes = try transaction.open(try row.blob("sealed"), Accounts.seal("phone_invitations", "sealed", id))
        try transaction.execute("DELETE FROM phone_invitations WHERE id = \(id)")
        return PhoneNumber(String(decoding: bytes, as: UTF8.self))
    }

    /// Forgets what was kept under a number before it was somebody's.
    func forgetInvitation(_ number: PhoneNumber, in transaction: any WriteTransaction) throws {
        let target = try keyedHash(number.e164, "invitation")
        try transaction.execute("DELETE FROM phone_invitations WHERE phone_hash = \(target)")
        try transaction.forgetThrottles(of: target)
    }
}
