import Crypto
public import TandemCore
import TandemJSON
import TandemStorage

extension OAuthConnections {
    /// The most requests for access that a person may have under way; the oldest go first.
    static let maxStates = 16
    static let maxLinks = 16

    // MARK: Asking

    /// Whether the operator registered this installation at the service.
    public func isSetUp(_ provider: String) -> Bool { providers[provider]?.client != nil }

    /// What the person would agree to: everything that their plugins need of the service, with the reasons.
    public func consent(for need: ConnectionNeed, of person: UserScope) async throws -> ConsentPage {
        guard let provider = providers[need.provider] else {
            throw OAuthError(.unknownProvider, "There is no such service.")
        }
        let row = try await database.read(person) { try TokenRow.find(provider.id, in: $0) }
        return page(try await demands(of: need, person), provider, row)
    }

    /// What is needed once the plugin is on at that level.
    private func demands(of need: ConnectionNeed, _ person: UserScope) async throws -> [GrantDemand] {
        var demands = try await plugins(using: need.provider, of: person)
        guard let plugin = need.plugin else { return demands }
        // The plugin at the level that it is about to have.
        for demand in directory.demands(by: plugin, at: need.level) where demand.grant.provider == need.provider {
            if need.level == .write { demands.removeAll { $0.plugin == plugin && $0.grant.name == demand.grant.name } }
            if !demands.contains(where: { $0.plugin == plugin && $0.grant.name == demand.grant.name }) {
                demands.append(demand)
            }
        }
        return demands
    }

    private func page(_ demands: [GrantDemand], _ provider: OAuthProvider, _ row: TokenRow?) -> ConsentPage {
        let isConnected = row?.state == .connected
        let granted = Set(isConnected ? row?.scopes ?? [] : [])
        var lines: [ConsentPage.Line] = []
        func add(_ scope: String?, _ title: String, _ reason: ConsentPage.Reason, _ isGranted: Bool) {
            if let place = lines.firstIndex(where: { $0.scope == scope }) {
                if !lines[place].reasons.contains(reason) { lines[place].reasons.append(reason) }
            } else {
                lines.append(ConsentPage.Line(scope: scope, title: title, reasons: [reason], isGranted: isGranted))
            }
        }
        for demand in demands {
            guard provider.scopes != nil else {
                add(
                    nil, "use what you share with it",
                    ConsentPage.Reason(plugin: demand.pluginName, text: demand.grant.reason), isConnected)
                continue
            }
            for scope in demand.grant.scopes(at: demand.level) {
                let name = provider.plain(scope.scope)
                add(
                    name, provider.describe(name),
                    ConsentPage.Reason(plugin: demand.pluginName, text: scope.reason), provider.covers(granted, name))
            }
        }
        return ConsentPage(
            provider: provider.id, providerName: provider.name, lines: lines,
            isComplete: isConnected && lines.allSatisfy(\.isGranted), management: provider.management,
            authorizationOrigin: provider.authorization.origin)
    }

    /// Sends the person to the service, for what is needed and not allowed yet, together with what is.
    ///
    /// Throws `OAuthError`: `unknown_provider`, `not_set_up`.
    public func begin(_ need: ConnectionNeed, in session: LoginSession) async throws -> AuthorizationStart {
        let (provider, client) = try provider(need.provider)
        let person = session.person
        let row = try await database.read(person) { try TokenRow.find(provider.id, in: $0) }
        let page = page(try await demands(of: need, person), provider, row)
        if page.isComplete { return .connected }
        // What a lost connection had is asked for again: the plugins that wait need it.
        let scopes = requested(unique((row?.scopes ?? []) + page.lines.compactMap(\.scope)), provider)
            .filter { TokenText.isScope($0) }
        let expiresAt = clock.now.advanced(by: options.stateLife)
        let state = try AuthorizationState.make(
            expiresAt: expiresAt, provider: provider.id, keyring: database.store.keyring)
        // RFC 7636 §4.1: 43 characters of 256 random bits.
        let verifier = provider.usesPKCE ? TokenText.base64URL(TokenText.random(32)) : nil
        let redirect = redirect(for: provider)
        let stateHash = try hash(state, "state")
        let sessionHash = try hash(session.id.reveal(), "session")
        try await database.write(person) { [self] transaction in
            try OAuthConnections.makeRoom("oauth_states", keeping: OAuthConnections.maxStates, person, transaction)
            let id = transaction.nextID()
            let sealed = try verifier.map {
                try transaction.seal(Array($0.utf8), OAuthConnections.verifierSeal(id))
            }
            try transaction.execute(
                """
                INSERT INTO oauth_states (state_hash, id, user_id, session_hash, provider, redirect, scopes, verifier,
                expires_at) VALUES (\(stateHash), \(id), \(person.user), \(sessionHash), \(provider.id), \(redirect),
                \(scopes.joined(separator: " ")), \(sealed), \(expiresAt))
                """)
            try record(.asked, .person(person.user), person.user, ["provider": provider.id], in: transaction)
        }
        var fields: [(name: String, value: String)] = [
            ("client_id", client.id), ("redirect_uri", redirect), ("response_type", "code"),
        ]
        if provider.scopes != nil { fields.append(("scope", scopes.joined(separator: " "))) }
        fields.append(("state", state))
        for (name, value) in provider.parameters.sorted(by: { $0.key < $1.key }) { fields.append((name, value)) }
        if let verifier {
            let challenge = SHA256.hash(data: Array(verifier.utf8))
            fields.append(("code_challenge", TokenText.base64URL(Array(challenge))))
            fields.append(("code_challenge_method", "S256"))
        }
        return .redirect(provider.authorization.description + "?" + TokenText.form(fields))
    }

    private static func verifierSeal(_ id: RecordID) -> SealContext {
        SealContext(table: "oauth_states", column: "verifier", row: id.rawValue)
    }

    private static func makeRoom(
        _ table: String, keeping limit: Int, _ person: UserScope, _ transaction: any WriteTransaction
    ) throws {
        try transaction.execute(
            """
            DELETE FROM \(identifier: table) WHERE user_id = \(person.user) AND id NOT IN
            (SELECT id FROM \(identifier: table) WHERE user_id = \(person.user) ORDER BY id DESC LIMIT \(limit - 1))
            """)
    }

    // MARK: Coming back

    private struct Expected: Sendable {
        var sessionHash: [UInt8]
        var redirect: String
        var scopes: [String]
        var verifier: Secret?
        var expiresAt: Timestamp
    }

    /// Takes the service's answer: checks that it belongs to this person's session, gets the tokens, stores them.
    ///
    /// A state works once, whatever comes of it. Throws `OAuthError`; nothing that was connected before is lost by it.
    @discardableResult
    public func finish(_ callback: AuthorizationCallback, in session: LoginSession) async throws -> Connection {
        let parts = callback.path.split(separator: "/", omittingEmptySubsequences: false)
        let (provider, client) = try provider(parts.last.map(String.init) ?? "")
        do {
            let connection = try await accepted(callback, provider, client, session)
            metrics?.connections.with(provider.id, "connected").increment()
            return connection
        } catch let error as OAuthError {
            metrics?.connections.with(provider.id, error.code.rawValue).increment()
            let person = session.person
            _ = try? await database.write(person) { [self] transaction in
                try record(
                    .refused, .person(person.user), person.user,
                    ["provider": provider.id, "reason": error.code.rawValue], in: transaction)
            }
            throw error
        }
    }

    private func accepted(
        _ callback: AuthorizationCallback, _ provider: OAuthProvider, _ client: OAuthProvider.Client,
        _ session: LoginSession
    ) async throws -> Connection {
        let person = session.person
        guard let fields = TokenText.fields(query: callback.query), let text = fields["state"],
            let state = try AuthorizationState(text, provider: provider.id, keyring: database.store.keyring)
        else {
            throw OAuthError(.stateInvalid, "This page was not opened from here. Start again from your integrations.")
        }
        let expected = try await taken(text, provider, person)
        guard state.expiresAt > clock.now, let expected, expected.expiresAt > clock.now else {
            throw state.expiresAt > clock.now
                ? OAuthError(.stateUnknown, "This was used already, or begun by somebody else. Start again.")
                : OAuthError(.stateExpired, "That took longer than we could wait. Start again.")
        }
        guard expected.sessionHash == (try hash(session.id.reveal(), "session")) else {
            throw OAuthError(.otherSession, "This was begun in another browser or login. Start again here.")
        }
        guard expected.redirect == redirect(for: provider), expected.redirect.hasSuffix(callback.path) else {
            throw OAuthError(.wrongRedirect, "The answer came to the wrong address. Start again.")
        }
        if let word = fields["error"] { throw Wording.refusal(word, provider) }
        guard let code = fields["code"], (1...4096).contains(code.utf8.count) else {
            throw OAuthError(.refused, "\(provider.name) sent no answer that can be used. Start again.")
        }
        let sentAt = clock.now
        let answer: TokenAnswer
        do throws(TokenFailure) {
            answer = try await endpoint(provider, client).exchange(
                code: code, redirect: expected.redirect, verifier: expected.verifier, scopes: expected.scopes)
        } catch {
            switch error {
            case .passing: throw Wording.unavailable(provider)
            case .misconfigured("invalid_scope"): throw Wording.refusal("invalid_scope", provider)
            case .misconfigured: throw Wording.misconfigured(provider)
            case .dead("consent_required"): throw Wording.refusal("consent_required", provider)
            case .dead("interaction_required"): throw Wording.refusal("interaction_required", provider)
            case .dead: throw OAuthError(.refused, "\(provider.name) no longer takes this answer. Start again.")
            }
        }
        // An access token that ends without a way to renew it would be gone within the hour.
        guard answer.refresh != nil || (answer.life ?? provider.accessLife) == nil else {
            throw OAuthError(
                .noLastingAccess,
                "\(provider.name) gave access for a moment only. Remove the old permission there, then try again.")
        }
        return try await connected(answer, provider, person, asked: expected.scopes, sentAt: sentAt)
    }

    /// The state's row, which is gone afterwards. Another person's is not seen at all.
    private func taken(_ state: String, _ provider: OAuthProvider, _ person: UserScope) async throws -> Expected? {
        let stateHash = try hash(state, "state")
        return try await database.write(person) { transaction in
            guard
                let row = try transaction.first(
                    """
                    SELECT id, session_hash, redirect, scopes, verifier, expires_at FROM oauth_states
                    WHERE state_hash = \(stateHash) AND user_id = \(person.user) AND provider = \(provider.id)
                    """)
            else { return nil }
            // Of two at once, one deletes it.
            guard
                try transaction.execute(
                    "DELETE FROM oauth_states WHERE state_hash = \(stateHash) AND user_id = \(person.user)") > 0
            else { return nil }
            let id = try row.recordID("id")
            let verifier = try row.blobIfPresent("verifier").map { sealed in
                let opened = try transaction.open(sealed, OAuthConnections.verifierSeal(id))
                return Secret(String(decoding: opened, as: UTF8.self))
            }
            return Expected(
                sessionHash: try row.blob("session_hash"), redirect: try row.text("redirect"),
                scopes: try row.text("scopes").split(separator: " ").map(String.init), verifier: verifier,
                expiresAt: try row.timestamp("expires_at"))
        }
    }

    private func connected(
        _ answer: TokenAnswer, _ provider: OAuthProvider, _ person: UserScope, asked: [String], sentAt: Timestamp
    ) async throws -> Connection {
        let scopes = granted(answer.scopes ?? asked, provider)
        let times = options.policy.times(
            from: sentAt, life: answer.life ?? provider.accessLife, random: options.random())
        let idleAt = provider.idleRenewal.map { sentAt.advanced(by: $0) }
        let row: TokenRow? = try await database.write(person) { [self] transaction in
            // A new id: what was begun with the old pair no longer fits, wherever it is.
            let id = transaction.nextID()
            let access = try transaction.seal(
                Array(answer.access.reveal().utf8), TokenRow.seal("access_token", id))
            let refresh = try answer.refresh.map {
                try transaction.seal(Array($0.reveal().utf8), TokenRow.seal("refresh_token", id))
            }
            try transaction.execute(
                """
                INSERT INTO oauth_tokens (id, user_id, provider, state, access_token, refresh_token, scopes, version,
                fence, obtained_at, expires_at, refresh_at, idle_at, pending, created_at, updated_at)
                VALUES (\(id), \(person.user), \(provider.id), 'connected', \(access), \(refresh),
                \(scopes.joined(separator: " ")), 1, 0, \(sentAt), \(times.expires), \(times.refresh), \(idleAt),
                'connected', \(transaction.now), \(transaction.now))
                ON CONFLICT (user_id, provider) DO UPDATE SET id = excluded.id, state = excluded.state,
                access_token = excluded.access_token, refresh_token = excluded.refresh_token,
                scopes = excluded.scopes, version = 1, fence = 0, obtained_at = excluded.obtained_at,
                expires_at = excluded.expires_at, refresh_at = excluded.refresh_at, idle_at = excluded.idle_at,
                used_at = NULL, failures = 0, retry_at = NULL, reason = NULL, pending = excluded.pending,
                created_at = excluded.created_at, updated_at = excluded.updated_at
                """)
            try transaction.execute(
                "DELETE FROM oauth_links WHERE user_id = \(person.user) AND provider = \(provider.id)")
            let now = JSON.timestamp(transaction.now)
            let values: JSONObject = [
                "provider": .string(provider.id), "status": "connected",
                "account": answer.account.map { .string($0) } ?? .null,
                "scopes": .array(scopes.map { .string($0) }), "connected_at": now, "status_changed_at": now,
                "reason": .null,
            ]
            let isThis = [RowCondition("provider", .equal, .string(provider.id))]
            if try transaction.update("oauth_integrations", where: isThis, set: values) == 0 {
                do {
                    try transaction.atomically { _ = try transaction.insert("oauth_integrations", values) }
                } catch let error as StorageError where error.code == .unique {
                    try transaction.update("oauth_integrations", where: isThis, set: values)
                }
            }
            try record(
                .connected, .person(person.user), person.user,
                ["provider": provider.id, "scopes": String(scopes.joined(separator: " ").prefix(256))],
                in: transaction)
            return try TokenRow.find(provider.id, in: transaction)
        }
        // Told under the lock; when that is taken, or this process ends here, `upkeep` does it.
        if let row { await tellUnderLock(row, provider, person) }
        let known = try await connections(of: person).first { $0.provider == provider.id }
        guard let known else { throw OAuthError(.notConnected, "The connection was ended meanwhile.") }
        return known
    }

    func tellUnderLock(_ row: TokenRow, _ provider: OAuthProvider, _ person: UserScope) async {
        let name = lockName(person.user, provider.id)
        guard let lock = try? await locks.acquire(name, lease: options.lease) else { return }
        // Another may have told it since the row was read.
        if let current = try? await database.read(person, { try TokenRow.find(provider.id, in: $0) }) {
            try? await tell(current, provider, person)
        }
        await locks.release(lock)
    }

    // MARK: Links

    /// An address for a text message, where the person connects after logging in. It authorises nothing by itself.
    public func link(for need: ConnectionNeed, of person: UserScope) async throws -> String {
        let ticket = TokenText.base64URL(TokenText.random(12))
        let linkHash = try hash(ticket, "link")
        let expiresAt = clock.now.advanced(by: options.linkLife)
        try await database.write(person) { transaction in
            try OAuthConnections.makeRoom("oauth_links", keeping: OAuthConnections.maxLinks, person, transaction)
            try transaction.execute(
                """
                INSERT INTO oauth_links (link_hash, id, user_id, provider, plugin, level, expires_at)
                VALUES (\(linkHash), \(transaction.nextID()), \(person.user), \(need.provider), \(need.plugin),
                \(need.level.rawValue), \(expiresAt))
                """)
        }
        return publicURL.appending("/connect/\(ticket)")
    }

    /// What a link is for. It works for the person it was made for, until it is out of date or the service is connected.
    ///
    /// Throws `link_invalid`, without saying which of the reasons it is.
    public func need(ofLink ticket: String, in session: LoginSession) async throws -> ConnectionNeed {
        let person = session.person
        let need: ConnectionNeed?
        if TokenText.bytes(base64URL: ticket, count: 12) == nil {
            need = nil
        } else {
            let linkHash = try hash(ticket, "link")
            let now = clock.now
            need = try await database.read(person) { transaction in
                try transaction.first(
                    """
                    SELECT provider, plugin, level FROM oauth_links
                    WHERE link_hash = \(linkHash) AND user_id = \(person.user) AND expires_at > \(now)
                    """
                ).map { row in
                    ConnectionNeed(
                        provider: try row.text("provider"), plugin: try row.textIfPresent("plugin"),
                        level: ScopeLevel(rawValue: try row.text("level")) ?? .readOnly)
                }
            }
        }
        guard let need else {
            throw OAuthError(
                .linkInvalid,
                "This link is out of date, or belongs to another login. Your integrations show what is open.")
        }
        return need
    }

    // MARK: What there is

    /// All services that are set up here, with what the person has connected.
    public func connections(of person: UserScope) async throws -> [Connection] {
        let demands = try await directory.demands(of: person)
        let providers = providers.all
        return try await database.read(person) { transaction in
            let known = try transaction.list("oauth_integrations", limit: 1000)
            return try providers.compactMap { provider in
                let shown = known.first { $0.string("provider") == provider.id }
                guard shown != nil || provider.client != nil else { return nil }
                let row = try TokenRow.find(provider.id, in: transaction)
                // The tokens are what counts; the record of the person may be one step behind after a crash.
                let status: Connection.Status =
                    switch row?.state {
                    case .connected: .connected
                    case .needsReauth: .needsReauth
                    case nil: .disconnected
                    }
                let granted = Set(row?.scopes ?? [])
                let wanted = demands.filter { $0.grant.provider == provider.id }
                    .flatMap { demand in demand.grant.scopes(at: demand.level).map { provider.plain($0.scope) } }
                let missing =
                    row == nil || provider.scopes == nil
                    ? [] : unique(wanted.filter { !provider.covers(granted, $0) })
                return Connection(
                    provider: provider.id, providerName: provider.name, status: status,
                    account: status == .disconnected ? nil : shown?.string("account"),
                    scopes: row?.scopes ?? [], missing: missing,
                    connectedAt: status == .disconnected ? nil : shown?.timestamp("connected_at"), reason: row?.reason,
                    management: provider.management)
            }
        }
    }
}
