public import TandemCore

/// How far a person lets a plugin go, as far as scopes are concerned: the level of its grant.
public enum ScopeLevel: String, Sendable, Hashable, CaseIterable {
    case readOnly = "read_only"
    case write
}

/// A scope that a plugin needs from a level on, and why.
public struct DeclaredScope: Sendable, Hashable {
    /// In the service's words, without its prefix: `Mail.Read`.
    public var scope: String
    /// `readOnly`: at every level.
    public var level: ScopeLevel
    /// For people: `to show you what came in`.
    public var reason: String

    public init(_ scope: String, from level: ScopeLevel = .readOnly, reason: String) {
        self.scope = scope
        self.level = level
        self.reason = reason
    }
}

/// An account elsewhere that a plugin uses: the section `grants` of its manifest (docs/oauth.md).
public struct DeclaredGrant: Sendable, Hashable {
    /// What the plugin names in a request.
    public var name: String
    /// The id of an `OAuthProvider`.
    public var provider: String
    /// For people: `to keep your notes`.
    public var reason: String
    public var scopes: [DeclaredScope]

    public init(name: String, provider: String, reason: String, scopes: [DeclaredScope] = []) {
        self.name = name
        self.provider = provider
        self.reason = reason
        self.scopes = scopes
    }

    /// What it needs at a level.
    public func scopes(at level: ScopeLevel) -> [DeclaredScope] {
        scopes.filter { level == .write || $0.level == .readOnly }
    }
}

/// What a person's plugin asks of an account.
public struct GrantDemand: Sendable, Hashable {
    public var plugin: String
    /// For people.
    public var pluginName: String
    public var grant: DeclaredGrant
    public var level: ScopeLevel

    public init(plugin: String, pluginName: String, grant: DeclaredGrant, level: ScopeLevel) {
        self.plugin = plugin
        self.pluginName = pluginName
        self.grant = grant
        self.level = level
    }
}

/// What plugins declare and people allowed: implemented by whoever holds the plugins. Safe from any thread.
public protocol GrantDirectory: Sendable {
    /// One grant of a plugin's manifest; nil when it declares none of this name. Cheap.
    func grant(_ name: String, plugin: String) -> DeclaredGrant?

    /// What a plugin would ask for at a level, whether or not the person has it on; empty for an unknown plugin.
    func demands(by plugin: String, at level: ScopeLevel) -> [GrantDemand]

    /// What the person's plugins ask for as they are switched on, also those that wait for their connection. Cheap: asked
    /// with every request that names a grant.
    func demands(of person: UserScope) async throws -> [GrantDemand]
}
