public import TandemCore
public import TandemJSON

/// A key or password that somebody enters for the plugin (`secrets` of the manifest).
public struct DeclaredSecret: Sendable, Hashable {
    /// Whose value counts.
    public enum EnteredBy: String, Sendable, CaseIterable {
        case person
        case `operator`
        /// The person's, and the operator's for those who entered none.
        case either
    }

    /// `api_key`.
    public var name: String
    /// For people: `API key of the weather service`.
    public var title: String
    /// Where to get one.
    public var hint: String?
    public var enteredBy: EnteredBy

    public init(name: String, title: String, hint: String? = nil, enteredBy: EnteredBy = .person) {
        self.name = name
        self.title = title
        self.hint = hint
        self.enteredBy = enteredBy
    }
}

/// An account elsewhere that the plugin uses (`grants` of the manifest). The host connects it and attaches its tokens.
public struct DeclaredAccount: Sendable, Hashable {
    /// From which level of a person's permission on a scope is asked for.
    public enum Level: String, Sendable, CaseIterable {
        /// At every level.
        case readOnly = "read_only"
        /// Where the plugin may change something.
        case write
    }

    public struct Scope: Sendable, Hashable {
        /// In the service's words: `Mail.Read`.
        public var scope: String
        public var level: Level
        /// For the person: `to show you what came in`.
        public var reason: String
    }

    /// What the plugin names in a request.
    public var name: String
    /// The id of a service that the host knows: `microsoft`.
    public var provider: String
    /// For the person: `to keep an eye on your mail`.
    public var reason: String
    public var scopes: [Scope]

    /// What a person approves of it: `microsoft/Mail.Read`, `microsoft/Mail.Send#write`; `notion/` without scopes.
    var rights: [String] {
        if scopes.isEmpty { return ["\(provider)/"] }
        return scopes.map { DeclaredAccount.right(provider, $0) }
    }

    static func right(_ provider: String, _ scope: Scope) -> String {
        "\(provider)/\(scope.scope)\(scope.level == .write ? "#write" : "")"
    }
}

/// A number about the plugin's work (`metrics` of the manifest).
public struct DeclaredMetric: Sendable, Hashable {
    public struct Label: Sendable, Hashable {
        public var name: String
        /// Every value that it may have.
        public var values: [String]
    }

    /// Without the prefix: `lookups`.
    public var name: String
    public var kind: MetricSnapshot.Kind
    public var help: String
    public var labels: [Label]
    /// Of a histogram: upper bounds, ascending.
    public var bounds: [Double]

    /// How many series it can have.
    public var seriesCount: Int { labels.reduce(1) { $0 * $1.values.count } }
}

/// A topic that the plugin publishes (`events.publishes`).
public struct DeclaredTopic: Sendable, Hashable {
    /// `grocery.bought`.
    public var topic: String
    /// For the person: `what you bought`.
    public var description: String
    /// JSON Schema of the data.
    public var schema: JSON
}

/// A topic of another plugin that this one wants to hear of (`events.subscribes`).
public struct DeclaredSubscription: Sendable, Hashable {
    public var topic: String
    /// The full id of the handler.
    public var handler: String
    public var reason: String
}

/// What the plugin wants of the person's memory (`memory` of the manifest).
public struct DeclaredMemory: Sendable, Hashable {
    /// Kinds of memories that it may recall.
    public var recall: [String]
    /// Kinds that it may propose.
    public var propose: [String]
    public var reason: String

    /// The kinds that this host knows.
    public static let kinds: Set<String> = ["fact", "preference", "event", "identity"]
}
