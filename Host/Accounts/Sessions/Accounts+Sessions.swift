public import TandemCore
import TandemJSON
import TandemStorage

/// What a transaction found, to be thrown when it is durable: throwing within would undo its counters.
enum Verdict<Value: Sendable>: Sendable {
    case pass(Value)
    case refuse(AccountsError)

    func get() throws -> Value {
        switch self {
        case .pass(let value): return value
        case .refuse(let error): throw error
        }
    }
}

extension Accounts {
    /// A session that a transaction made, before its access token is signed.
    struct OpenedSession: Sendable {
        var id: RecordID
        var user: UserID
        var refresh: RefreshToken
        var refreshExpiresAt: Timestamp
        var deviceToken: String?
    }

    static func seal(_ table: String, _ column: String, _ row: RecordID) -> SealContext {
        SealContext(table: table, column: column, row: row.rawValue)
    }

    func refreshCode(_ body: String) throws -> [UInt8] { try keyedHash(body, "refresh") }

    // MARK: Opening

    /// Makes a session for somebody who has just proven who they are, in their scope.
    func openSession(
        for scope: UserScope, methods: [ProofMethod], from source: ClientSource, device: [UInt8]?,
        in transaction: any WriteTransaction
    ) throws -> OpenedSession {
        let now = transaction.now
        let id = transaction.nextID()
        let refresh = try RefreshToken.make(session: id, generation: 1, refreshCode)
        let expiresAt = now.advanced(by: settings.sessionLifetime)
        let detail = try transaction.seal(
            detail(of: source), Accounts.seal("account_sessions", "detail", id), for: scope.user)
        try transaction.execute(
            """
            INSERT INTO account_sessions (id, user_id, detail, methods, created_at, last_seen_at, proved_at, expires_at,
            refresh_generation, refresh_hash)
            VALUES (\(id), \(scope.user), \(detail), \(methods.map(\.rawValue).joined(separator: " ")), \(now), \(now),
            \(now), \(expiresAt), 1, \(refresh.digest))
            """)
        // A device that is known stays known under its token; another gets one.
        var deviceToken: String?
        if let device {
            try transaction.execute(
                """
                UPDATE known_devices SET last_used_at = \(now), expires_at = \(now.advanced(by: settings.deviceLifetime))
                WHERE token_hash = \(device) AND user_id = \(scope.user)
                """)
        } else {
            let token = SecureRandom.token()
            deviceToken = token
            try transaction.execute(
                """
                INSERT INTO known_devices (token_hash, user_id, created_at, last_used_at, expires_at)
                VALUES (\(Digest.ofToken(token)), \(scope.user), \(now), \(now),
                \(now.advanced(by: settings.deviceLifetime)))
                """)
        }
        try logIdentification(
            channel: "web", method: methods.map(\.rawValue).joined(separator: " "), outcome: "signed_in",
            externalID: nil, in: transaction)
        try services.audit.record(
            AuditEvent(
                .loginSucceeded, user: scope.user, actor: .person(scope.user), subject: id,
                detail: ["methods": methods.map(\.rawValue).joined(separator: " ")]), in: transaction)
        return OpenedSession(
            id: id, user: scope.user, refresh: refresh, refreshExpiresAt: idleEnd(now, expiresAt),
            deviceToken: deviceToken)
    }

    private func idleEnd(_ now: Timestamp, _ expiresAt: Timestamp) -> Timestamp {
        min(now.advanced(by: settings.sessionIdleLifetime), expiresAt)
    }

    private func detail(of source: ClientSource) -> [UInt8] {
        var object = JSONObject()
        if let device = source.device { object["device"] = .string(device) }
        if let network = source.network {
            object["network"] = .string(network)
            if let place = services.places?.place(of: network) { object["place"] = .string(place) }
        }
        return JSON.object(object).serialized()
    }

    /// Signs the access token of a session that is durable now.
    func tokens(of session: OpenedSession) async throws -> SessionTokens {
        let signer = try await tokenKeys.signer(of: database, audit: services.audit)
        let now = database.store.clock.now
        let claims = AccessClaims(
            user: session.user, session: session.id, issuedAt: now,
            expiresAt: now.advanced(by: settings.accessLifetime))
        let payload = claims.payload(
            issuer: settings.issuer, audience: settings.audience, id: Base64URL.text(SecureRandom.bytes(9)))
        return SessionTokens(
            session: session.id,
            accessToken: Secret(WebSignature.compact(header: signer.header, payload: payload, key: signer.key)),
            accessExpiresAt: claims.expiresAt, refreshToken: Secret(session.refresh.text),
            refreshExpiresAt: session.refreshExpiresAt, deviceToken: session.deviceToken.map { Secret($0) })
    }

    // MARK: Refreshing

    /// Gives the next pair of tokens for a refresh token, which is used up by it.
    ///
    /// The same token again within `refreshGrace`, while its successor is unused, gets that very successor: an answer may
    /// have been lost. Otherwise a used token is stolen goods: the session ends. Throws `invalid_token` or `token_reused`.
    public func refresh(_ refreshToken: Secret) async throws -> SessionTokens {
        guard let token = try RefreshToken.read(refreshToken.reveal(), refreshCode) else {
            throw AccountsError.invalidToken
        }
        let cache = credentials
        let opened = try await database.write(.system) { [self] transaction -> Verdict<OpenedSession> in
            let now = transaction.now
            guard
                let row = try transaction.first(
                    """
                    SELECT s.user_id, s.expires_at, s.last_seen_at, s.refresh_generation, s.refresh_hash, s.rotated_at,
                    s.previous_hash, s.successor FROM account_sessions s JOIN users u ON u.id = s.user_id
                    WHERE s.id = \(token.session) AND s.ended_at IS NULL AND u.status = 'active'
                    """)
            else { return .refuse(.invalidToken) }
            let user = try row.userID("user_id")
            let expiresAt = try row.timestamp("expires_at")
            let lastSeen = try row.timestamp("last_seen_at")
            guard now < idleEnd(lastSeen, expiresAt) else { return .refuse(.invalidToken) }
            let generation = try row.int64("refresh_generation")
            if token.generation == generation {
                guard Sodium.isEqual(token.digest, try row.blob("refresh_hash")) else { return .refuse(.invalidToken) }
                let next = try RefreshToken.make(
                    session: token.session, generation: generation + 1, refreshCode)
                let successor = try transaction.seal(
                    Array(next.text.utf8), Accounts.seal("account_sessions", "successor", token.session), for: user)
                try transaction.execute(
                    """
                    UPDATE account_sessions SET refresh_generation = \(next.generation), refresh_hash = \(next.digest),
                    previous_hash = \(token.digest), successor = \(successor), rotated_at = \(now), last_seen_at = \(now)
                    WHERE id = \(token.session)
                    """)
                return .pass(
                    OpenedSession(
                        id: token.session, user: user, refresh: next, refreshExpiresAt: idleEnd(now, expiresAt)))
            }
            if token.generation == generation - 1, let rotatedAt = try row.timestampIfPresent("rotated_at"),
                now.since(rotatedAt) < settings.refreshGrace, now >= rotatedAt,
                let previous = try row.blobIfPresent("previous_hash"), Sodium.isEqual(token.digest, previous),
                let sealed = try row.blobIfPresent("successor")
            {
                let text = try transaction.open(
                    sealed, Accounts.seal("account_sessions", "successor", token.session), for: user)
                if let next = try RefreshToken.read(String(decoding: text, as: UTF8.self), refreshCode) {
                    return .pass(
                        OpenedSession(
                            id: token.session, user: user, refresh: next, refreshExpiresAt: idleEnd(lastSeen, expiresAt)
                        ))
                }
            }
            try endSessions("id = \(token.session)", reason: "token_reused", in: transaction)
            try services.audit.record(
                AuditEvent(.tokenReused, user: user, actor: .anyone, subject: token.session), in: transaction)
            transaction.afterCommit { cache.forget(session: token.session) }
            return .refuse(
                AccountsError(.tokenReused, "This sign-in was used from two places and has been ended. Sign in again."))
        }
        return try await tokens(of: try opened.get())
    }

    // MARK: Ending

    /// Ends the session of a refresh token, used up or not. What is no token of ours, or over already, is none the less
    /// signed out (RFC 7009 §2.2).
    public func logOut(_ refreshToken: Secret) async throws {
        guard let token = try RefreshToken.read(refreshToken.reveal(), refreshCode) else { return }
        let user = try await database.read(.system) { transaction in
            try transaction.first("SELECT user_id FROM account_sessions WHERE id = \(token.session)")?.userID("user_id")
        }
        guard let user else { return }
        do {
            try await endSession(token.session, of: UserScope(authenticated: user))
        } catch let error as AccountsError where error.code == .unknownSession {}
    }

    /// Ends a person's session: its tokens are worth nothing from now on, in other processes within two seconds at the most.
    ///
    /// Throws `unknown_session`.
    public func endSession(_ id: RecordID, of scope: UserScope, by actor: AuditEvent.Actor? = nil) async throws {
        let cache = credentials
        let ended = try await database.write(scope) { [self] transaction in
            let count = try endSessions(
                "id = \(id) AND user_id = \(scope.user)", reason: "signed_out", in: transaction)
            if count > 0 {
                try services.audit.record(
                    AuditEvent(.sessionEnded, user: scope.user, actor: actor ?? .person(scope.user), subject: id),
                    in: transaction)
            }
            transaction.afterCommit { cache.forget(session: id) }
            return count
        }
        await tellOthers()
        guard ended > 0 else { throw AccountsError(.unknownSession, "There is no such session.") }
    }

    /// Ends all of a person's sessions but one; returns how many.
    @discardableResult
    public func endSessions(
        of scope: UserScope, except current: RecordID? = nil, by actor: AuditEvent.Actor? = nil
    ) async throws -> Int {
        let count = try await database.write(scope) { [self] transaction in
            try endAllSessions(
                of: scope, except: current, reason: "signed_out", by: actor ?? .person(scope.user), in: transaction)
        }
        await tellOthers()
        return count
    }

    /// Ends sessions in the transaction of whatever makes them untrustworthy.
    @discardableResult
    func endAllSessions(
        of scope: UserScope, except current: RecordID? = nil, reason: String, by actor: AuditEvent.Actor,
        in transaction: any WriteTransaction
    ) throws -> Int {
        let cache = credentials
        let count = try endSessions(
            "user_id = \(scope.user) AND id <> \(current ?? RecordID(rawValue: 0))", reason: reason, in: transaction)
        if count > 0 {
            try services.audit.record(
                AuditEvent(
                    .sessionEnded, user: scope.user, actor: actor,
                    detail: ["count": String(count), "reason": reason]), in: transaction)
        }
        transaction.afterCommit { cache.forget(scope.user) }
        return count
    }

    @discardableResult
    private func endSessions(_ condition: SQL, reason: String, in transaction: any WriteTransaction) throws -> Int {
        try transaction.execute(
            """
            UPDATE account_sessions SET ended_at = \(transaction.now), end_reason = \(reason), successor = NULL
            WHERE \(condition) AND ended_at IS NULL
            """)
    }

    // MARK: Looking

    /// A person's open sessions, the most recently used first.
    public func sessions(of scope: UserScope, current: RecordID? = nil) async throws -> [SessionInfo] {
        try await database.read(scope) { [self] transaction in
            let now = database.store.clock.now
            let rows = try transaction.query(
                """
                SELECT id, detail, methods, created_at, last_seen_at, expires_at FROM account_sessions
                WHERE user_id = \(scope.user) AND ended_at IS NULL ORDER BY last_seen_at DESC, id DESC
                """)
            return try rows.compactMap { row in
                let id = try row.recordID("id")
                let end = idleEnd(try row.timestamp("last_seen_at"), try row.timestamp("expires_at"))
                guard now < end else { return nil }
                let bytes = try transaction.open(
                    try row.blob("detail"), Accounts.seal("account_sessions", "detail", id))
                let detail = (try? JSON(parsing: bytes)) ?? .null
                return SessionInfo(
                    id: id, device: detail["device"]?.stringValue,
                    place: detail["place"]?.stringValue ?? detail["network"]?.stringValue,
                    methods: try row.text("methods").split(separator: " ").compactMap {
                        ProofMethod(rawValue: String($0))
                    },
                    createdAt: try row.timestamp("created_at"), lastSeenAt: try row.timestamp("last_seen_at"),
                    expiresAt: end, isCurrent: id == current)
            }
        }
    }
}
