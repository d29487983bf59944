import TandemCore
import TandemOAuth
import TandemPluginHost

/// What the loaded plugins declare and the person switched on, as the connections see it.
struct PluginAccounts: GrantDirectory {
    let late: LateParts

    func grant(_ name: String, plugin: String) -> DeclaredGrant? {
        late.plugins?.account(name, of: plugin).map(PluginAccounts.grant)
    }

    func demands(by plugin: String, at level: ScopeLevel) -> [GrantDemand] {
        (late.plugins?.accountDemands(by: plugin, at: level == .write ? .write : .readOnly) ?? []).map(
            PluginAccounts.demand)
    }

    func demands(of person: UserScope) async throws -> [GrantDemand] {
        try await late.plugins?.accountDemands(of: person).map(PluginAccounts.demand) ?? []
    }

    static func level(_ level: GrantLevel) -> ScopeLevel { level == .readOnly ? .readOnly : .write }

    private static func demand(_ demand: AccountDemand) -> GrantDemand {
        GrantDemand(
            plugin: demand.plugin, pluginName: demand.pluginName, grant: grant(demand.account),
            level: level(demand.level))
    }

    private static func grant(_ account: DeclaredAccount) -> DeclaredGrant {
        DeclaredGrant(
            name: account.name, provider: account.provider, reason: account.reason,
            scopes: account.scopes.map { scope in
                DeclaredScope(scope.scope, from: scope.level == .write ? .write : .readOnly, reason: scope.reason)
            })
    }
}
