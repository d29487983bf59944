import TandemCore
import TandemJSON
import TandemStorage

extension Accounts {
    /// Who carries a bearer token: an access token of a session, or an API key.
    ///
    /// From memory for two seconds after the last look: what is revoked here counts at once, what another process revoked
    /// within these. Throws `invalid_token` for everything else, without saying why.
    public func authenticate(_ bearer: String) async throws -> Principal {
        if bearer.utf8.starts(with: APIKeyText.prefix.utf8) { return try await authenticateKey(bearer) }
        let now = database.store.clock.now
        let claims = try await accessClaims(bearer, now: now)
        let principal: Principal?
        switch credentials.find(.session(claims.session), now: now) {
        case .known(let known): principal = known
        case .unknown(let generation):
            principal = try await loadSession(claims.session, now: now, generation: generation)
        }
        guard let principal, principal.user == claims.user else { throw AccountsError.invalidToken }
        return principal
    }

    /// The claims of a token that is ours and in time.
    func accessClaims(_ token: String, now: Timestamp) async throws -> AccessClaims {
        // When the database is away, the keys in memory go on until it is asked for the session.
        try? await tokenKeys.reload(from: database, now: now)
        if let known = verified.find(token) {
            if let entry = tokenKeys.known(known.key), tokenKeys.accepts(entry, now: now), known.claims.hold(at: now) {
                return known.claims
            }
            verified.forget(token)
        }
        guard let parts = WebSignature.Parts(Array(token.utf8)) else { throw AccountsError.invalidToken }
        var entry = tokenKeys.known(header: parts.header)
        if entry == nil {
            // Perhaps the same said in another order.
            guard let header = WebSignature.object(parts.header), header["alg"]?.stringValue == "HS256",
                header["typ"]?.stringValue == "at+jwt", header["crit"] == nil, let kid = header["kid"]?.stringValue
            else { throw AccountsError.invalidToken }
            entry = tokenKeys.known(kid)
        }
        guard let entry, tokenKeys.accepts(entry, now: now), parts.isSigned(by: entry.key),
            let payload = WebSignature.object(parts.payload),
            let claims = AccessClaims(payload, issuer: settings.issuer, audience: settings.audience, now: now)
        else { throw AccountsError.invalidToken }
        // Ours have no time before which they do not hold: what has one is looked at each time.
        if payload["nbf"] == nil { verified.remember(token, claims, key: entry.id) }
        return claims
    }

    private func loadSession(_ id: RecordID, now: Timestamp, generation: Int) async throws -> Principal? {
        let found = try await database.read(.system) { transaction -> (Principal, Timestamp)? in
            guard
                let row = try transaction.first(
                    """
                    SELECT s.user_id, s.proved_at, s.expires_at, u.role,
                    (SELECT count(*) FROM totp_secrets t WHERE t.user_id = s.user_id AND t.is_confirmed = 1) AS factors
                    FROM account_sessions s JOIN users u ON u.id = s.user_id
                    WHERE s.id = \(id) AND s.ended_at IS NULL AND u.status = 'active'
                    """)
            else { return nil }
            let role = Accounts.role(try row.text("role"))
            let principal = Principal(
                user: try row.userID("user_id"), role: role, credential: .session(id),
                permissions: AccessProfile.of(role).permissions, provedAt: try row.timestampIfPresent("proved_at"),
                hasSecondFactor: try row.int64("factors") > 0)
            return (principal, try row.timestamp("expires_at"))
        }
        credentials.remember(
            .session(id), found?.0, expiresAt: found?.1, loadedAt: now, generation: generation)
        guard let (principal, expiresAt) = found, now < expiresAt else { return nil }
        return principal
    }

    /// Gives access tokens a new signing key. Tokens in use stay good, unless the old keys are revoked.
    ///
    /// Then another process may accept the old tokens and refuse the new ones for at most two seconds.
    public func rotateTokenKeys(revokingOld: Bool = false, by actor: AuditEvent.Actor = .staff(nil)) async throws {
        try await database.write(.system) { [self] transaction in
            try tokenKeys.rotate(in: transaction, revokingOld: revokingOld)
            try services.audit.record(
                AuditEvent(
                    .tokenKeyRotated, user: nil, actor: actor, detail: ["revoked_old": revokingOld ? "yes" : "no"]),
                in: transaction)
        }
    }
}
