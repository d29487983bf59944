public import TandemCore
import TandemJSON
import TandemStorage

extension OAuthConnections {
    /// Whether a service takes tokens back; false for an unknown one.
    public func takesBack(_ provider: String) -> Bool { providers[provider]?.revocation != nil }

    /// Another of these services whose grant would end along with this one's, by its name for people.
    public func companion(of provider: String, among connected: Set<String>) -> String? {
        guard let own = providers[provider], let revocation = own.revocation, let client = own.client else {
            return nil
        }
        return providers.all.first { other in
            other.id != provider && connected.contains(other.id) && other.client == client
                && other.revocation?.address == revocation.address
        }?.name
    }

    /// Ends a connection: the tokens are gone at once, and given back where the service takes them.
    @discardableResult
    public func disconnect(_ provider: String, of person: UserScope) async throws -> RevocationOutcome {
        guard let provider = providers[provider] else {
            throw OAuthError(.unknownProvider, "There is no such service.")
        }
        let plugins = unique(try await plugins(using: provider.id, of: person).map(\.plugin))
        let outcome = try await given(back: provider, person, by: .person(person.user))
        // Also where no token is left: a process that died on the way may have left the record behind.
        let changed = try await database.write(person) { transaction in
            try transaction.update(
                "oauth_integrations",
                where: [
                    RowCondition("provider", .equal, .string(provider.id)),
                    RowCondition("status", .notEqual, "disconnected"),
                ],
                set: [
                    "status": "disconnected", "scopes": [], "account": .null, "connected_at": .null, "reason": .null,
                    "status_changed_at": .timestamp(transaction.now),
                ])
        }
        guard outcome != .notConnected || changed > 0 else { return outcome }
        try? await events.disconnected(provider.id, plugins: plugins, of: person)
        return outcome
    }

    /// Gives everything back before a person is erased: their key must still be there. Rows go with the person's other
    /// rows; what a service did not take yet is sealed with the program's key and tried for a day.
    @discardableResult
    public func erase(_ person: UserScope) async throws -> [String: RevocationOutcome] {
        var outcomes: [String: RevocationOutcome] = [:]
        for provider in providers.all {
            let outcome = try await given(back: provider, person, by: .program)
            if outcome != .notConnected { outcomes[provider.id] = outcome }
        }
        try await database.write(.system) { [self] transaction in
            for table in ["oauth_states", "oauth_links"] {
                try transaction.execute("DELETE FROM \(identifier: table) WHERE user_id = \(person.user)")
            }
            for provider in providers.all {
                try transaction.execute(
                    "DELETE FROM held_locks WHERE name = \(lockName(person.user, provider.id)) AND owner IS NULL")
            }
        }
        return outcomes
    }

    private enum Taken: Sendable {
        case none, changed, nothingToRevoke
        case keptFor(String)
        case queued(RecordID)
    }

    /// Deletes the tokens; in the same transaction, notes what is to be given back.
    private func given(
        back provider: OAuthProvider, _ person: UserScope, by actor: ConnectionAuditEvent.Actor
    ) async throws -> RevocationOutcome {
        let providers = providers
        let taken: Taken = try await database.write(.system) { [self] transaction in
            guard let row = try TokenRow.find(provider.id, of: person.user, in: transaction) else { return .none }
            guard
                try transaction.execute("DELETE FROM oauth_tokens WHERE id = \(row.id) AND version = \(row.version)")
                    > 0
            else { return .changed }
            try record(.disconnected, actor, person.user, ["provider": provider.id], in: transaction)
            guard let revocation = provider.revocation, let client = provider.client,
                let token = revocable(row.access, row.refresh, provider)
            else { return .nothingToRevoke }
            // One registration at one service: giving one grant back would end the other, too.
            for other in providers.all
            where other.id != provider.id && other.revocation?.address == revocation.address && other.client == client {
                let sibling = try TokenRow.find(other.id, of: person.user, in: transaction)
                if sibling?.state == .connected { return .keptFor(other.name) }
            }
            return .queued(try OAuthConnections.queue(token, provider, in: transaction))
        }
        switch taken {
        // A renewal was quicker: its pair is the one to give back.
        case .changed: return try await given(back: provider, person, by: actor)
        case .none: return .notConnected
        case .nothingToRevoke:
            return provider.revocation == nil ? .notOffered(management: provider.management) : .revoked
        case .keptFor(let other): return .keptForOther(provider: other)
        case .queued(let id): return await revoke(id) ? .revoked : .later
        }
    }

    /// The token that ends the grant at the service; nil where that is not offered.
    func revocable(_ access: Secret?, _ refresh: Secret?, _ provider: OAuthProvider) -> Secret? {
        guard let revocation = provider.revocation else { return nil }
        return revocation.subject == .refresh ? refresh ?? access : access ?? refresh
    }

    /// Notes a token to be given back, in the system's scope.
    static func queue(
        _ token: Secret, _ provider: OAuthProvider, in transaction: any WriteTransaction
    ) throws -> RecordID {
        let id = transaction.nextID()
        let sealed = try transaction.seal(Array(token.reveal().utf8), revocationSeal(id))
        try transaction.execute(
            """
            INSERT INTO oauth_revocations (id, provider, token, due_at, created_at)
            VALUES (\(id), \(provider.id), \(sealed), \(transaction.now), \(transaction.now))
            """)
        return id
    }

    static func revocationSeal(_ id: RecordID) -> SealContext {
        SealContext(table: "oauth_revocations", column: "token", row: id.rawValue)
    }

    /// Gives one token back; false: it stays noted for later.
    @discardableResult
    func revoke(_ id: RecordID) async -> Bool {
        let now = clock.now
        // Whoever pushes the time on first is the one who sends it.
        let next = now.advanced(by: options.requestTimeout).advanced(by: .seconds(5))
        let found = try? await database.write(.system) { transaction -> (String, Secret, Int, Timestamp)? in
            guard
                try transaction.execute(
                    """
                    UPDATE oauth_revocations SET due_at = \(next), attempts = attempts + 1
                    WHERE id = \(id) AND due_at <= \(now)
                    """) > 0,
                let row = try transaction.first(
                    "SELECT provider, token, attempts, created_at FROM oauth_revocations WHERE id = \(id)")
            else { return nil }
            let opened = try transaction.open(try row.blob("token"), OAuthConnections.revocationSeal(id))
            return (
                try row.text("provider"), Secret(String(decoding: opened, as: UTF8.self)), try row.int("attempts"),
                try row.timestamp("created_at")
            )
        }
        guard let (name, token, attempts, createdAt) = found ?? nil else { return false }
        guard let provider = providers[name], let client = provider.client else { return false }
        do throws(TokenFailure) {
            try await endpoint(provider, client).revoke(token)
            metrics?.revocations.with(name, "revoked").increment()
        } catch {
            guard now.since(createdAt) < options.revocationPatience else {
                metrics?.revocations.with(name, "given_up").increment()
                await forget(revocation: id, .revocationFailed, name)
                return false
            }
            metrics?.revocations.with(name, "failed").increment()
            let dueAt = now.advanced(
                by: options.policy.pause(after: attempts + 3, retryAfter: nil, random: options.random()))
            _ = try? await database.write(.system) { transaction in
                try transaction.execute("UPDATE oauth_revocations SET due_at = \(dueAt) WHERE id = \(id)")
            }
            return false
        }
        await forget(revocation: id, .revoked, name)
        return true
    }

    private func forget(revocation id: RecordID, _ event: ConnectionAuditEvent.Name, _ provider: String) async {
        _ = try? await database.write(.system) { [self] transaction in
            try transaction.execute("DELETE FROM oauth_revocations WHERE id = \(id)")
            try record(event, .program, nil, ["provider": provider], in: transaction)
        }
    }
}
