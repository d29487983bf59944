public import TandemJSON

/// A service of the host that needs nothing declared but that it is used.
public enum HostService: String, Sendable, Hashable, CaseIterable {
    /// `context.keyValues`
    case keyValues = "tandem.kv/1"
    /// `context.timers`; needs `handlers`.
    case timers = "tandem.timer/1"
}

/// A key or password that somebody enters for the plugin; `context.secrets` reads it.
public struct DeclaredSecret: Sendable, Hashable {
    public enum EnteredBy: String, Sendable, Hashable {
        case person
        case `operator`
        /// The person's, else the operator's.
        case either
    }

    /// `api_key`.
    public var name: String
    /// For people: `API key of the weather service`.
    public var title: String
    /// Where to get one: `In your account there, under API`.
    public var hint: String?
    public var enteredBy: EnteredBy

    public init(_ name: String, _ title: String, hint: String? = nil, enteredBy: EnteredBy = .person) {
        self.name = name
        self.title = title
        self.hint = hint
        self.enteredBy = enteredBy
    }

    var json: JSON {
        var object: JSONObject = ["name": .string(name), "title": .string(title)]
        if let hint { object["hint"] = .string(hint) }
        object["enteredBy"] = .string(enteredBy.rawValue)
        return .object(object)
    }
}

/// A number about the plugin's work; `context.metrics` counts it.
public struct Metric: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        case counter, gauge, histogram
    }

    public struct Label: Sendable, Hashable {
        public var name: String
        /// All that it can be: what no list can hold belongs in no metric.
        public var values: [String]
    }

    /// Without the plugin's prefix; that of a counter ends in `_total`.
    public var name: String
    public var kind: Kind
    public var help: String
    public var labels: [Label]
    /// Upper bounds of a histogram's buckets, ascending; empty for the host's, which fit seconds.
    public var bounds: [Double]

    /// Goes up only.
    public static func counter(
        _ name: String, _ help: String, labels: KeyValuePairs<String, [String]> = [:]
    ) -> Metric {
        Metric(name, .counter, help, labels)
    }

    /// Goes up and down.
    public static func gauge(_ name: String, _ help: String, labels: KeyValuePairs<String, [String]> = [:]) -> Metric {
        Metric(name, .gauge, help, labels)
    }

    /// Counts observations by size.
    public static func histogram(
        _ name: String, _ help: String, bounds: [Double] = [], labels: KeyValuePairs<String, [String]> = [:]
    ) -> Metric {
        Metric(name, .histogram, help, labels, bounds)
    }

    private init(
        _ name: String, _ kind: Kind, _ help: String, _ labels: KeyValuePairs<String, [String]>,
        _ bounds: [Double] = []
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels.map { Label(name: $0.key, values: $0.value) }
        self.bounds = bounds
    }

    var json: JSON {
        var object: JSONObject = [
            "name": .string(name), "kind": .string(kind.rawValue), "help": .string(help),
        ]
        if !labels.isEmpty {
            object["labels"] = .array(labels.map { ["name": .string($0.name), "values": $0.values.json] })
        }
        if !bounds.isEmpty { object["bounds"] = .array(bounds.map { .number($0) }) }
        return .object(object)
    }
}

/// A topic that the plugin publishes events on, with the type of their data.
///
///     static let bought = Topic<Bought>("grocery.bought", "what you bought")
public struct Topic<Data: Object>: AnyTopic {
    public var name: String
    public var description: String

    /// - Parameters:
    ///   - name: in the plugin's namespace: `grocery.bought`.
    ///   - description: for people: `what you bought`.
    public init(_ name: String, _ description: String) {
        self.name = name
        self.description = description
    }

    public var schema: JSON { Data.shape.schema }
}

/// A topic, whatever its data.
public protocol AnyTopic: Sendable {
    var name: String { get }
    var description: String { get }
    var schema: JSON { get }
}

/// What the host itself tells plugins that subscribe to it.
public enum HostTopic {
    /// The plugin can work for the person now: it was switched on with its accounts connected, or the last of them was
    /// connected; also when it may do more or less than before. The place to begin keeping a copy of what lies elsewhere.
    public static let ready = "host.ready"
}

/// A topic of another plugin or of the host (`HostTopic`) that this one wants to hear of, and why: shown to the person before consent.
public struct Subscription: Sendable, Hashable {
    public var topic: String
    /// The name of the plugin's handler.
    public var handler: String
    public var reason: String

    public init<H: Handler>(_ topic: String, _ handler: H.Type, reason: String) {
        self.topic = topic
        self.handler = H.declaration.name
        self.reason = reason
    }
}

/// What the plugin wants of the person's memory, and why: shown to the person before consent.
public struct MemoryUse: Sendable, Hashable {
    public var recall: [MemoryKind]
    public var propose: [MemoryKind]
    public var reason: String

    public init(recall: [MemoryKind] = [], propose: [MemoryKind] = [], reason: String) {
        self.recall = recall
        self.propose = propose
        self.reason = reason
    }

    var json: JSON {
        var object: JSONObject = [:]
        if !recall.isEmpty { object["recall"] = recall.map(\.rawValue).json }
        if !propose.isEmpty { object["propose"] = propose.map(\.rawValue).json }
        object["reason"] = .string(reason)
        return .object(object)
    }
}
