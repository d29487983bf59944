import Synchronization
public import TandemCore
public import TandemStorage

/// The people: accounts, how they prove who they are, phone numbers, settings.
///
/// Safe from any thread. What is asked for on every message or request is answered from memory: it is at most two seconds
/// old where another process changed it, and never old where this one did.
public final class Accounts: Sendable {
    public let database: any Database
    public let settings: AccountSettings
    public let services: AccountServices
    let profiles = ProfileCache()
    let phones: PhoneCache
    let credentials: CredentialCache
    let passwords: PasswordHasher
    let tokenKeys: TokenKeys
    let verified = VerifiedTokens()
    let mailPump = MailPump()

    /// `prepare` comes before anything else.
    public init(
        database: any Database, settings: AccountSettings = AccountSettings(),
        services: AccountServices = AccountServices()
    ) {
        self.database = database
        self.settings = settings
        self.services = services
        phones = PhoneCache(news: services.news)
        credentials = CredentialCache(news: services.news)
        passwords = PasswordHasher(
            parameters: settings.passwordParameters, threads: settings.passwordThreads, queue: settings.passwordQueue)
        tokenKeys = TokenKeys(lifetime: settings.accessLifetime, age: settings.tokenKeyAge)
    }

    /// Registers the people's tables; the migrations must have run.
    public func prepare() async throws { try await database.register(Accounts.tables, owner: Accounts.owner) }

    // MARK: Accounts

    /// Makes an account.
    ///
    /// Throws `AccountsError` with code `invalid_email`, `email_taken` or `invalid_name`.
    @discardableResult
    public func createUser(email: String, fullName: String, role: Account.Role = .user) async throws -> Account {
        let (address, key) = try EmailAddress.read(email)
        let name = try Accounts.name(fullName)
        return try await database.write(.system) { [self] transaction in
            if try transaction.first("SELECT id FROM users WHERE email_key = \(key)") != nil {
                throw AccountsError(.emailTaken, "There is an account with that e-mail address already.")
            }
            return try insertUser(address, key, name, role, in: transaction)
        }
    }

    /// Makes an account with an id that was chosen before, in its scope's transaction.
    ///
    /// Throws as `createUser(email:fullName:role:)` does.
    public func createUser(
        _ id: UserID, email: String, fullName: String, in transaction: any WriteTransaction
    ) throws -> Account {
        let (address, key) = try EmailAddress.read(email)
        let name = try Accounts.name(fullName)
        let other = try transaction.asSystem {
            try transaction.first("SELECT id FROM users WHERE email_key = \(key)")
        }
        guard other == nil else {
            throw AccountsError(.emailTaken, "There is an account with that e-mail address already.")
        }
        return try insertUser(address, key, name, .user, id: id, in: transaction)
    }

    func insertUser(
        _ address: String, _ key: String, _ name: String, _ role: Account.Role, id: UserID? = nil,
        in transaction: any WriteTransaction
    ) throws -> Account {
        let account = Account(
            id: id ?? UserID(rawValue: transaction.nextID().rawValue), email: address, fullName: name, role: role,
            status: .active, createdAt: transaction.now)
        try transaction.execute(
            """
            INSERT INTO users (id, email, email_key, full_name, role, status, created_at, updated_at)
            VALUES (\(account.id), \(address), \(key), \(name), \(role.rawValue), \(account.status.rawValue),
            \(account.createdAt), \(account.createdAt))
            """)
        try services.audit.record(
            AuditEvent(.accountCreated, user: account.id, actor: .program, detail: ["role": role.rawValue]),
            in: transaction)
        return account
    }

    static func name(_ text: String) throws -> String {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !words.isEmpty, words.utf8.count <= 200, !words.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
            throw AccountsError(.invalidName, "A name has 1 to 200 letters.")
        }
        return words
    }

    /// The account with an address, in whatever case; nil when there is none.
    public func user(email: String) async throws -> Account? {
        guard let key = try? EmailAddress.read(email).key else { return nil }
        return try await database.read(.system) { transaction in
            try transaction.first("\(Accounts.selection) WHERE email_key = \(key)").map(Accounts.account)
        }
    }

    public func user(_ id: UserID) async throws -> Account? {
        try await database.read(.system) { try Accounts.find(id, in: $0) }
    }

    static func find(_ id: UserID, in transaction: any ReadTransaction) throws -> Account? {
        try transaction.first("\(Accounts.selection) WHERE id = \(id)").map(Accounts.account)
    }

    /// All accounts, oldest first.
    public func users() async throws -> [Account] {
        try await database.read(.system) { transaction in
            try transaction.query("\(Accounts.selection) ORDER BY id").map(Accounts.account)
        }
    }

    /// Serves or stops serving an account, whose sessions end then. Takes effect at once here, within two seconds in other
    /// processes.
    public func setStatus(
        _ status: Account.Status, of user: UserID, by actor: AuditEvent.Actor = .staff(nil)
    ) async throws {
        let scope = UserScope(authenticated: user)
        let phones = phones
        let cache = credentials
        try await database.write(scope) { [self] transaction in
            let changed = try transaction.execute(
                "UPDATE users SET status = \(status.rawValue), updated_at = \(transaction.now) WHERE id = \(user)")
            guard changed == 1 else { throw AccountsError.unknownUser }
            if status == .disabled {
                try endAllSessions(of: scope, reason: "account_disabled", by: actor, in: transaction)
            }
            try services.audit.record(
                AuditEvent(.statusChanged, user: user, actor: actor, detail: ["status": status.rawValue]),
                in: transaction)
            transaction.afterCommit {
                phones.invalidate()
                cache.forget(user)
            }
        }
        await tellOthers()
    }

    /// Changes what an account may do; at once here, within two seconds in other processes.
    ///
    /// Throws `forbidden` between people and services: a service never had a password, and a person never had keys.
    public func setRole(
        _ role: Account.Role, of user: UserID, by actor: AuditEvent.Actor = .staff(nil)
    ) async throws {
        let cache = credentials
        try await database.write(UserScope(authenticated: user)) { [services] transaction in
            guard let account = try Accounts.find(user, in: transaction) else { throw AccountsError.unknownUser }
            guard AccessProfile.of(account.role).proof == AccessProfile.of(role).proof else {
                throw AccountsError(
                    .forbidden, "A person's account cannot become a service's, nor the other way round.")
            }
            try transaction.execute(
                "UPDATE users SET role = \(role.rawValue), updated_at = \(transaction.now) WHERE id = \(user)")
            try services.audit.record(
                AuditEvent(
                    .roleChanged, user: user, actor: actor,
                    detail: ["from": account.role.rawValue, "to": role.rawValue]), in: transaction)
            transaction.afterCommit { cache.forget(user) }
        }
        await tellOthers()
    }

    /// Removes a person with all of their rows, and destroys their keys.
    @discardableResult
    public func delete(_ scope: UserScope, by actor: AuditEvent.Actor? = nil) async throws -> ErasureReport {
        let phones = phones
        let cache = credentials
        let report = try await database.write(scope) { [self] transaction in
            let account = try Accounts.find(scope.user, in: transaction)
            let numbers = try transaction.list("user_phone_numbers", limit: 1000).compactMap { row in
                row.string("phone_number").flatMap { PhoneNumber($0) }
            }
            let report = try transaction.eraseUser()
            // What is kept under hashes, since it is also kept for people without an account.
            for number in numbers { try forgetInvitation(number, in: transaction) }
            try transaction.forgetThrottles(of: try accountTarget(scope.user))
            if let account {
                let key = try EmailAddress.read(account.email).key
                for purpose in ["throttle.email", "throttle.reset", "throttle.sign_up", "throttle.change"] {
                    try transaction.forgetThrottles(of: try keyedHash(key, purpose))
                }
                try transaction.execute(
                    "DELETE FROM sign_ups WHERE email_hash = \(try keyedHash(key, "sign_up.email"))")
            }
            try transaction.execute("DELETE FROM users WHERE id = \(scope.user)")
            try services.audit.record(
                AuditEvent(.accountErased, user: scope.user, actor: actor ?? .staff(nil)), in: transaction)
            try services.onErasure?(scope.user, actor ?? .staff(nil), report, transaction)
            transaction.afterCommit {
                phones.invalidate()
                cache.forget(scope.user)
            }
            return report
        }
        await tellOthers()
        return report
    }

    static let selection: SQL = "SELECT id, email, full_name, role, status, created_at FROM users"

    static func account(_ row: SQLRow) throws -> Account {
        Account(
            id: try row.userID("id"), email: try row.text("email"), fullName: try row.text("full_name"),
            role: role(try row.text("role")), status: Account.Status(rawValue: try row.text("status")) ?? .disabled,
            createdAt: try row.timestamp("created_at"))
    }

    /// A role that this version does not know may do what everybody may.
    static func role(_ text: String) -> Account.Role { Account.Role(rawValue: text) ?? .user }

    // MARK: Housekeeping

    /// Forgets what is over: codes, challenges, sessions, devices, counters, keys. Returns the number of rows.
    ///
    /// To be called now and then; nothing relies on it.
    @discardableResult
    public func prune() async throws -> Int {
        try await database.write(.system) { [self] transaction in
            let now = transaction.now
            // An ended session stays a while, so that its owner can be told why.
            let ended = now.advanced(by: .seconds(-30 * 86_400))
            let idle = now.advanced(by: .zero - settings.sessionIdleLifetime)
            let statements: [SQL] = [
                "DELETE FROM one_time_codes WHERE expires_at <= \(now)",
                "DELETE FROM login_challenges WHERE expires_at <= \(now)",
                "DELETE FROM sign_ups WHERE expires_at <= \(now)",
                "DELETE FROM phone_invitations WHERE expires_at <= \(now)",
                "DELETE FROM known_devices WHERE expires_at <= \(now)",
                "DELETE FROM account_sessions WHERE expires_at <= \(now) OR ended_at <= \(ended) OR last_seen_at <= \(idle)",
                "DELETE FROM channel_proofs WHERE proved_at <= \(now.advanced(by: .zero - settings.proofLifetime))",
                """
                DELETE FROM login_throttles WHERE blocked_until <= \(now)
                AND updated_at <= \(now.advanced(by: .seconds(-2 * 86_400))) AND kind <> \(Throttle.invitation.name)
                """,
                "DELETE FROM login_throttles WHERE updated_at <= \(now.advanced(by: .zero - Throttle.invitation.memory))",
                "DELETE FROM invitation_days WHERE day < \(now.millisecondsSinceEpoch / 86_400_000 - 7)",
            ]
            var count = try tokenKeys.prune(in: transaction)
            for statement in statements { count += try transaction.execute(statement) }
            return count
        }
    }
}
