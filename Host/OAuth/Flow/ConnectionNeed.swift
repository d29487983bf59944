public import TandemCore

/// What a connection is asked for.
public struct ConnectionNeed: Sendable, Hashable {
    public var provider: String
    /// The plugin that is being switched on or raised, by id; nil: what the person's plugins need as they are.
    public var plugin: String?
    public var level: ScopeLevel

    public init(provider: String, plugin: String? = nil, level: ScopeLevel = .readOnly) {
        self.provider = provider
        self.plugin = plugin
        self.level = level
    }
}

/// A person who is logged in, and where.
public struct LoginSession: Sendable {
    public var person: UserScope
    /// What tells this login from the person's others; kept as a keyed hash only.
    public var id: Secret

    public init(person: UserScope, id: Secret) {
        self.person = person
        self.id = id
    }
}

/// What a person agrees to, before they are sent to the service.
public struct ConsentPage: Sendable, Hashable {
    /// One thing that plugins may do there, and why.
    public struct Line: Sendable, Hashable {
        /// The service's own word; nil for a service without scopes.
        public var scope: String?
        /// `read your mail`.
        public var title: String
        public var reasons: [Reason]
        /// Allowed already.
        public var isGranted: Bool
    }

    public struct Reason: Sendable, Hashable {
        /// The plugin's name.
        public var plugin: String
        public var text: String
    }

    public var provider: String
    public var providerName: String
    public var lines: [Line]
    /// Nothing is left to ask for.
    public var isComplete: Bool
    /// Where what was allowed is seen and ended at the service.
    public var management: String?
    /// Where the next step leads: `https://accounts.google.com`.
    public var authorizationOrigin: String
}

/// The next step after a page of consent.
public enum AuthorizationStart: Sendable, Hashable {
    /// The browser goes to this address of the service. It holds a state that works once: not for logs.
    case redirect(String)
    /// What is needed is allowed already.
    case connected
}

/// What a service sent the browser back with.
public struct AuthorizationCallback: Sendable {
    /// Of the request that came in: `/oauth/callback/notion`.
    public var path: String
    /// Undecoded, without `?`.
    public var query: String

    public init(path: String, query: String) {
        self.path = path
        self.query = query
    }
}

/// A connection as its person sees it.
public struct Connection: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable {
        case connected
        case needsReauth = "needs_reauth"
        case disconnected
    }

    public var provider: String
    public var providerName: String
    public var status: Status
    /// What the service calls the account, where it says so.
    public var account: String?
    /// As the service granted them.
    public var scopes: [String]
    /// What plugins need and the person did not allow.
    public var missing: [String]
    public var connectedAt: Timestamp?
    /// A word of the service's or ours: why it has to be connected again.
    public var reason: String?
    public var management: String?
}

/// What became of a token at the service when the person ended the connection.
public enum RevocationOutcome: Sendable, Hashable {
    /// The service took it back.
    case revoked
    /// The service did not answer: tried again for a day.
    case later
    /// The service has no way but its own page.
    case notOffered(management: String?)
    /// The service would end another connection of the person's along with it; it is given back with that one.
    case keptForOther(provider: String)
    /// There was none.
    case notConnected
}
