public import TandemCore
public import TandemEgress
import TandemStorage

extension OAuthConnections: GrantTokens {
    public func hosts(of grant: String, plugin: String) -> [HostRule]? {
        directory.grant(grant, plugin: plugin).flatMap { providers[$0.provider]?.hosts }
    }

    public func token(
        of grant: String, plugin: String, in scope: UserScope
    ) async throws(GrantTokenFailure) -> GrantToken {
        let (provider, found) = try await connection(grant, plugin, scope)
        var row = found
        switch options.policy.standing(row, now: clock.now) {
        case .fresh: break
        case .due: renewMeanwhile(row, provider, of: scope)
        case .expired: row = try await renewal(of: row, provider, scope)
        }
        return try await handed(row, provider, grant, plugin, scope)
    }

    public func renewed(
        _ token: GrantToken, of grant: String, plugin: String, in scope: UserScope
    ) async throws(GrantTokenFailure) -> GrantToken {
        let (provider, found) = try await connection(grant, plugin, scope)
        var row = found
        // Refused is what the plugin's request carried; meanwhile there may be a newer one. A token that was given a
        // moment ago is not refused because of its age: a plugin must not be able to have it renewed at will.
        if let access = row.access, token.value == Self.header(access),
            clock.now >= row.obtainedAt.advanced(by: options.policy.minimumAge)
        {
            row = try await renewal(of: row, provider, scope)
        }
        return try await handed(row, provider, grant, plugin, scope)
    }

    private static func header(_ access: Secret) -> Secret { Secret("Bearer " + access.reveal()) }

    /// The person's tokens for what a plugin names; only when the person has that plugin on, and allowed some of it.
    private func connection(
        _ grant: String, _ plugin: String, _ scope: UserScope
    ) async throws(GrantTokenFailure) -> (OAuthProvider, TokenRow) {
        guard let declared = directory.grant(grant, plugin: plugin), let provider = providers[declared.provider] else {
            throw .connectionNeeded
        }
        let row: TokenRow?
        let demand: GrantDemand?
        do {
            demand = try await directory.demands(of: scope).first { $0.plugin == plugin && $0.grant.name == grant }
            row = try await database.read(scope) { try TokenRow.find(provider.id, in: $0) }
        } catch {
            throw .unavailable
        }
        guard let demand, let row, row.state == .connected, row.access != nil else { throw .connectionNeeded }
        let wanted = demand.grant.scopes(at: demand.level)
        let granted = Set(row.scopes)
        guard provider.scopes == nil || wanted.isEmpty || wanted.contains(where: { provider.covers(granted, $0.scope) })
        else { throw .connectionNeeded }
        return (provider, row)
    }

    private func renewal(
        of row: TokenRow, _ provider: OAuthProvider, _ scope: UserScope
    ) async throws(GrantTokenFailure) -> TokenRow {
        switch await renewed(row, provider, of: scope) {
        case .success(let row): return row
        case .failure(.connectionNeeded): throw .connectionNeeded
        case .failure(.unavailable): throw .unavailable
        }
    }

    /// Hands a token out, after that was written down.
    private func handed(
        _ row: TokenRow, _ provider: OAuthProvider, _ grant: String, _ plugin: String, _ scope: UserScope
    ) async throws(GrantTokenFailure) -> GrantToken {
        guard let access = row.access else { throw .connectionNeeded }
        let now = clock.now
        do {
            // Often enough to tell a connection in use from an idle one.
            let isIdle = row.usedAt.map { now.since($0) >= .seconds(600) } ?? true
            if audit != nil || isIdle {
                try await database.write(scope) { [self] transaction in
                    if isIdle {
                        try transaction.execute("UPDATE oauth_tokens SET used_at = \(now) WHERE id = \(row.id)")
                    }
                    try record(
                        .used, .plugin(plugin), scope.user, ["provider": provider.id, "grant": grant], in: transaction)
                }
            }
        } catch {
            throw .unavailable
        }
        return GrantToken(value: Self.header(access), subject: "\(provider.id)/\(row.id)")
    }
}
