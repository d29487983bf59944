internal import TandemJSON

/// Everything that a plugin declares; the manifest is made of it.
public struct PluginDefinition: Sendable {
    /// Reverse domain, unique: `org.example.tides`.
    public var id: String
    /// First part of the tool ids and the word that people use: `grocery`.
    public var namespace: String
    /// For people: `Grocery list`.
    public var name: String
    /// Semantic Versioning 2.0.0.
    public var version: String
    /// One sentence for people.
    public var summary: String
    /// Other words for it: `["groceries", "shopping"]`.
    public var aliases: [String]
    public var publisher: Publisher?
    /// SPDX expression.
    public var license: String?
    public var tables: [any Row.Type]
    public var tools: [any Tool.Type]
    /// Other plugins' tools that it may call.
    public var calls: [DeclaredCall]
    /// Where it sends requests (`context.http`).
    public var hosts: [DeclaredHost]
    /// Services that need nothing else declared.
    public var uses: Set<HostService>
    /// What timers and other plugins' events call.
    public var handlers: [any Handler.Type]
    /// Keys and passwords that somebody enters for it (`context.secrets`).
    public var secrets: [DeclaredSecret]
    /// The person's accounts elsewhere, which requests name (`HTTPRequest.grant`).
    public var accounts: [DeclaredAccount]
    /// Its numbers (`context.metrics`).
    public var metrics: [Metric]
    /// Topics of its events (`context.events`).
    public var publishes: [any AnyTopic]
    /// Other plugins' events that it wants to hear of.
    public var subscribes: [Subscription]
    /// What it wants of the person's memory (`context.memories`).
    public var memory: MemoryUse?
    /// The type of its settings.
    public var configuration: (any Configuration.Type)?
    public var quota: Quota?
    /// Calls in flight for one person, 1–64.
    public var maxInFlight: Int

    public init(
        id: String, namespace: String, name: String, version: String, summary: String, aliases: [String] = [],
        publisher: Publisher? = nil, license: String? = nil, tables: [any Row.Type] = [], tools: [any Tool.Type],
        calls: [DeclaredCall] = [], hosts: [DeclaredHost] = [], uses: Set<HostService> = [],
        handlers: [any Handler.Type] = [], secrets: [DeclaredSecret] = [], accounts: [DeclaredAccount] = [],
        metrics: [Metric] = [], publishes: [any AnyTopic] = [], subscribes: [Subscription] = [],
        memory: MemoryUse? = nil,
        configuration: (any Configuration.Type)? = nil, quota: Quota? = nil, maxInFlight: Int = 4
    ) {
        self.id = id
        self.namespace = namespace
        self.name = name
        self.version = version
        self.summary = summary
        self.aliases = aliases
        self.publisher = publisher
        self.license = license
        self.tables = tables
        self.tools = tools
        self.calls = calls
        self.hosts = hosts
        self.uses = uses
        self.handlers = handlers
        self.secrets = secrets
        self.accounts = accounts
        self.metrics = metrics
        self.publishes = publishes
        self.subscribes = subscribes
        self.memory = memory
        self.configuration = configuration
        self.quota = quota
        self.maxInFlight = maxInFlight
    }

    public struct Publisher: Sendable, Hashable {
        public var name: String
        public var contact: String

        public init(name: String, contact: String) {
            self.name = name
            self.contact = contact
        }
    }

    /// A tool of another plugin that this one may call, and why: shown to the person before consent.
    public struct DeclaredCall: Sendable, Hashable {
        public var tool: String
        public var reason: String

        public init(_ tool: String, reason: String) {
            self.tool = tool
            self.reason = reason
        }
    }

    /// A host that the plugin sends requests to, and why: shown to the person before consent.
    public struct DeclaredHost: Sendable, Hashable {
        /// `api.example.org`, `*.example.org`, `api.example.org:8443`; `http://printer.local` without TLS.
        public var host: String
        /// What people call it, for sentences about it: `Notion`. Nil: the plugin's name, and for `*` the address's own.
        public var service: String?
        public var reason: String
        /// Requests by other methods than GET and HEAD that only read, for tools of effect `read`:
        /// `POST /v1/items/*/query`.
        public var reads: [String]

        public init(_ host: String, service: String? = nil, reason: String, reads: [String] = []) {
            self.host = host
            self.service = service
            self.reason = reason
            self.reads = reads
        }
    }

    /// An account of the person at a service that the host knows, and why: shown before consent. The host connects it and
    /// attaches its tokens to requests that name it; the plugin never sees them.
    public struct DeclaredAccount: Sendable, Hashable {
        /// What requests name: `mail`.
        public var name: String
        /// `microsoft`, `google`, `youtube`, `notion`, or one that the operator added.
        public var provider: String
        public var reason: String
        /// Empty where the service has no scopes.
        public var scopes: [Scope]

        public init(_ name: String, provider: String, reason: String, scopes: [Scope] = []) {
            self.name = name
            self.provider = provider
            self.reason = reason
            self.scopes = scopes
        }

        /// One right, in the service's words.
        public struct Scope: Sendable, Hashable {
            /// `Mail.Read`.
            public var scope: String
            /// Asked for only where the person lets the plugin change something.
            public var isForWriting: Bool
            public var reason: String

            public init(_ scope: String, isForWriting: Bool = false, reason: String) {
                self.scope = scope
                self.isForWriting = isForWriting
                self.reason = reason
            }
        }
    }

    /// What the plugin may store for one person; nil: what the host gives to everybody.
    public struct Quota: Sendable, Hashable {
        public var rows: Int?
        public var bytes: Int?
        /// Of `context.keyValues`.
        public var kvEntries: Int?
        public var kvBytes: Int?
        public var timers: Int?

        public init(
            rows: Int? = nil, bytes: Int? = nil, kvEntries: Int? = nil, kvBytes: Int? = nil, timers: Int? = nil
        ) {
            self.rows = rows
            self.bytes = bytes
            self.kvEntries = kvEntries
            self.kvBytes = kvBytes
            self.timers = timers
        }

        /// By their names in the manifest.
        var limits: [(name: String, value: Int)] {
            [("rows", rows), ("bytes", bytes), ("kvEntries", kvEntries), ("kvBytes", kvBytes), ("timers", timers)]
                .compactMap { name, value in value.map { (name, $0) } }
        }
    }
}

/// A plugin's settings: an object in which every property has a default.
///
///     struct Settings: Configuration { var alertAtPercent = 80 }
public protocol Configuration: Object {
    /// The settings of somebody who set nothing.
    init()
}

extension Configuration {
    /// The object's schema with each property's default in it.
    static var schema: JSON {
        guard case .object(var schema) = shape.schema, case .object(var properties) = schema["properties"] else {
            return shape.schema
        }
        let defaults = StructLayout.of(Self.self).encode(Self(), omittingNulls: false)
        for (name, value) in defaults { properties[name]?["default"] = value }
        schema["properties"] = .object(properties)
        schema["required"] = nil
        return .object(schema)
    }
}
