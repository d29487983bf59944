public import TandemCore

/// What a plugin asks of an account elsewhere, for one person.
public struct AccountDemand: Sendable, Hashable {
    public var plugin: String
    /// For people.
    public var pluginName: String
    /// Without the scopes that the person has not agreed to yet.
    public var account: DeclaredAccount
    public var level: GrantLevel
    /// It waits for the account to be connected again.
    public var isWaiting: Bool
}

extension PluginHost {
    /// An account that a plugin (by id) declares; nil when it declares none of this name. From any thread.
    public func account(_ name: String, of plugin: String) -> DeclaredAccount? {
        catalogue.plugin(plugin)?.plugin.manifest.accounts.first { $0.name == name }
    }

    /// What a plugin (by id) asks for at a level, whether or not anybody has it on; empty for an unknown one.
    public func accountDemands(by plugin: String, at level: GrantLevel) -> [AccountDemand] {
        guard let plugin = catalogue.plugin(plugin)?.plugin else { return [] }
        return plugin.manifest.accounts.map { account in
            AccountDemand(
                plugin: plugin.id, pluginName: plugin.name, account: account, level: level, isWaiting: false)
        }
    }

    /// What the person's plugins ask for as they are on, also those that wait for their connection.
    public func accountDemands(of scope: UserScope) async throws -> [AccountDemand] {
        let grants = try await resolvedGrants(of: scope)
        var demands: [AccountDemand] = []
        for plugin in grants.set.plugins where !plugin.manifest.accounts.isEmpty {
            let record = grants.records[plugin.id]
            let state = ResolvedGrants.state(of: plugin, record: record)
            let isWaiting: Bool
            switch state {
            case .enabled: isWaiting = false
            case .needsReauth: isWaiting = true
            default: continue
            }
            guard let level = state.level else { continue }
            let withheld = ResolvedGrants.drift(of: plugin, record: record).items
            for var account in plugin.manifest.accounts {
                if account.scopes.isEmpty {
                    if withheld.contains(ReachItem(.scope, "\(account.provider)/")) { continue }
                } else {
                    account.scopes.removeAll { scope in
                        withheld.contains(ReachItem(.scope, DeclaredAccount.right(account.provider, scope)))
                    }
                    if account.scopes.isEmpty { continue }
                }
                demands.append(
                    AccountDemand(
                        plugin: plugin.id, pluginName: plugin.name, account: account, level: level,
                        isWaiting: isWaiting))
            }
        }
        return demands
    }
}
