public import TandemCore
import TandemStorage

extension Accounts {
    /// Makes a key for a service account. Gives its text, which is shown once and kept nowhere.
    ///
    /// - Parameter lifetime: At most two years; nil for 90 days.
    ///
    /// Throws `unknown_user`, `forbidden` for accounts of people, `invalid_key` for scopes beyond the role's.
    public func createKey(
        for user: UserID, name: String, scopes: PermissionSet, lifetime: Duration? = nil,
        by actor: AuditEvent.Actor = .staff(nil)
    ) async throws -> (key: APIKey, text: Secret) {
        let longest = Duration.seconds(2 * 366 * 86_400)
        let lifetime = lifetime ?? .seconds(90 * 86_400)
        guard lifetime > .zero, lifetime <= longest else {
            throw AccountsError(.invalidKey, "A key lasts at most two years.")
        }
        guard let name = ClientSource.printable(name, limit: 80) else {
            throw AccountsError(.invalidKey, "A key needs a name, to know later what it is for.")
        }
        let text = APIKeyText.random()
        let scope = UserScope(authenticated: user)
        let key = try await database.write(scope) { [services] transaction in
            guard let account = try Accounts.find(user, in: transaction) else { throw AccountsError.unknownUser }
            guard account.role == .service else {
                throw AccountsError(.forbidden, "Keys are for service accounts; people sign in.")
            }
            guard !scopes.all.isEmpty, scopes.isSubset(of: AccessProfile.of(account.role).permissions) else {
                let allowed = AccessProfile.of(account.role).permissions.text
                throw AccountsError(.invalidKey, "A key's scopes are one or more of: \(allowed).")
            }
            let key = APIKey(
                id: transaction.nextID(), prefix: APIKeyText.prefix + text.id, name: name, scopes: scopes,
                createdAt: transaction.now, expiresAt: transaction.now.advanced(by: lifetime))
            try transaction.execute(
                """
                INSERT INTO api_keys (id, user_id, public_id, secret_hash, name, scopes, created_at, expires_at)
                VALUES (\(key.id), \(user), \(text.id), \(Digest.ofToken(text.text)), \(name), \(scopes.text),
                \(key.createdAt), \(key.expiresAt))
                """)
            try services.audit.record(
                AuditEvent(
                    .keyCreated, user: user, actor: actor, subject: key.id, detail: ["scopes": scopes.text]),
                in: transaction)
            return key
        }
        return (key, Secret(text.text))
    }

    /// The keys of an account, newest first.
    public func keys(of scope: UserScope) async throws -> [APIKey] {
        try await database.read(scope) { transaction in
            try transaction.query("\(Accounts.keySelection) WHERE user_id = \(scope.user) ORDER BY id DESC").map(
                Accounts.key)
        }
    }

    /// Takes a key back; it counts at once here, within two seconds in other processes. Throws `unknown_key`.
    public func revokeKey(_ id: RecordID, of scope: UserScope, by actor: AuditEvent.Actor = .staff(nil)) async throws {
        let cache = credentials
        try await database.write(scope) { [services] transaction in
            let changed = try transaction.execute(
                """
                UPDATE api_keys SET revoked_at = \(transaction.now)
                WHERE id = \(id) AND user_id = \(scope.user) AND revoked_at IS NULL
                """)
            guard changed == 1 else { throw AccountsError(.unknownKey, "There is no such key.") }
            try services.audit.record(
                AuditEvent(.keyRevoked, user: scope.user, actor: actor, subject: id), in: transaction)
            transaction.afterCommit { cache.forget(scope.user) }
        }
        await tellOthers()
    }

    func authenticateKey(_ text: String) async throws -> Principal {
        guard let key = APIKeyText(text) else { throw AccountsError.invalidToken }
        let now = database.store.clock.now
        // By the hash of the whole text, so that the cache, too, knows nothing else.
        let digest = Digest.ofToken(key.text)
        let generation: Int
        switch credentials.find(.key(digest), now: now) {
        case .known(let known):
            guard let known else { throw AccountsError.invalidToken }
            return known
        case .unknown(let number): generation = number
        }
        let found = try await database.read(.system) { transaction -> (Principal, Timestamp?, Timestamp?)? in
            guard
                let row = try transaction.first(
                    """
                    SELECT k.id, k.user_id, k.secret_hash, k.scopes, k.expires_at, k.last_used_at, u.role
                    FROM api_keys k JOIN users u ON u.id = k.user_id
                    WHERE k.public_id = \(key.id) AND k.revoked_at IS NULL AND u.status = 'active'
                    """), Sodium.isEqual(try row.blob("secret_hash"), digest)
            else { return nil }
            let role = Accounts.role(try row.text("role"))
            // Scopes that a later version knows grant nothing here.
            let scopes = PermissionSet(
                try row.text("scopes").split(separator: " ").compactMap { Permission(rawValue: String($0)) })
            let principal = Principal(
                user: try row.userID("user_id"), role: role, credential: .apiKey(try row.recordID("id")),
                permissions: scopes.intersection(AccessProfile.of(role).permissions), hasSecondFactor: false)
            return (principal, try row.timestampIfPresent("expires_at"), try row.timestampIfPresent("last_used_at"))
        }
        guard let (principal, expiresAt, lastUsedAt) = found, principal.role == .service else {
            credentials.remember(.key(digest), nil, expiresAt: nil, loadedAt: now, generation: generation)
            throw AccountsError.invalidToken
        }
        credentials.remember(.key(digest), principal, expiresAt: expiresAt, loadedAt: now, generation: generation)
        if let expiresAt, now >= expiresAt { throw AccountsError.invalidToken }
        if lastUsedAt.map({ now.since($0) >= .seconds(60) }) ?? true, case .apiKey(let id) = principal.credential {
            try await database.write(principal.scope) { transaction in
                try transaction.execute("UPDATE api_keys SET last_used_at = \(now) WHERE id = \(id)")
            }
        }
        return principal
    }

    private static let keySelection: SQL =
        "SELECT id, public_id, name, scopes, created_at, expires_at, last_used_at, revoked_at FROM api_keys"

    private static func key(_ row: SQLRow) throws -> APIKey {
        APIKey(
            id: try row.recordID("id"), prefix: APIKeyText.prefix + (try row.text("public_id")),
            name: try row.text("name"), scopes: PermissionSet(try row.text("scopes")) ?? [],
            createdAt: try row.timestamp("created_at"), expiresAt: try row.timestampIfPresent("expires_at"),
            lastUsedAt: try row.timestampIfPresent("last_used_at"),
            revokedAt: try row.timestampIfPresent("revoked_at"))
    }
}
