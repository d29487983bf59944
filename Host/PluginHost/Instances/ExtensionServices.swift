public import TandemCore
public import TandemJSON

/// Whose data a service works on: one plugin's, for one person.
public struct PluginPlace: Sendable, Hashable {
    /// The plugin's id.
    public var plugin: String
    public var scope: UserScope

    public init(plugin: String, scope: UserScope) {
        self.plugin = plugin
        self.scope = scope
    }
}

/// Why a host service failed, as the extension says it: a status of the ABI, and nothing about the data.
public struct ServiceFailure: Error, Sendable, Hashable {
    public var status: Int32
    /// `tandem.kv/1`, conflict: the version that is there.
    public var version: UInt64

    public init(_ status: Int32, version: UInt64 = 0) {
        self.status = status
        self.version = version
    }
}

// MARK: tandem.kv/1

/// A value of `tandem.kv/1`.
public struct StoredValue: Sendable, Hashable {
    public var bytes: [UInt8]
    public var version: UInt64
    public var expiresAt: Timestamp?

    public init(bytes: [UInt8], version: UInt64, expiresAt: Timestamp?) {
        self.bytes = bytes
        self.version = version
        self.expiresAt = expiresAt
    }
}

/// A key of `tandem.kv/1` with what is known of its value.
public struct StoredKey: Sendable, Hashable {
    public var key: String
    public var version: UInt64
    public var byteCount: Int
    public var expiresAt: Timestamp?

    public init(key: String, version: UInt64, byteCount: Int, expiresAt: Timestamp?) {
        self.key = key
        self.version = version
        self.byteCount = byteCount
        self.expiresAt = expiresAt
    }
}

/// Keeps the values of `tandem.kv/1` (ext/kv.h). Keys and sizes have been checked.
public protocol KeyValueStore: Sendable {
    /// Nil when there is none or it has expired.
    func value(of key: String, in place: PluginPlace) async throws -> StoredValue?

    /// - Parameter expected: nil: any; 0: none; else the version that must be there.
    ///
    /// Throws `ServiceFailure` with `TANDEM_E_CONFLICT` and the version, or `TANDEM_E_OVER_QUOTA`.
    func set(
        _ bytes: [UInt8], for key: String, expected: UInt64?, lifetimeMilliseconds: UInt64, quota: PluginQuota,
        in place: PluginPlace
    ) async throws -> StoredValue

    /// Throws `ServiceFailure` with `TANDEM_E_NOT_FOUND` or `TANDEM_E_CONFLICT`.
    func remove(_ key: String, expected: UInt64?, in place: PluginPlace) async throws

    /// Keys in the order of their bytes, after `after`; and whether there are more.
    func keys(
        prefix: String, after: String, limit: Int, in place: PluginPlace
    ) async throws -> (keys: [StoredKey], hasMore: Bool)

    func usage(in place: PluginPlace) async throws -> (entries: Int, bytes: Int)
}

// MARK: tandem.secret/1

/// Keeps the values of `tandem.secret/1` (ext/secret.h).
public protocol SecretStore: Sendable {
    /// The bytes of a secret; nil when nobody entered it.
    func value(of secret: DeclaredSecret, in place: PluginPlace) async throws -> [UInt8]?

    /// The names, among those asked for, that have a value for this person.
    func entered(_ secrets: [DeclaredSecret], in place: PluginPlace) async throws -> Set<String>
}

// MARK: tandem.timer/1

/// When a timer repeats.
public enum TimerRepeat: Sendable, Hashable {
    case seconds(Int)
    /// At the same local time of day.
    case days(Int)
    /// On the same day of the month, or the last one of a shorter month; local time.
    case months(Int)
}

/// A timer as a plugin sets it.
public struct TimerPlan: Sendable, Hashable {
    public var name: String
    /// The full id of the handler.
    public var handler: String
    public var data: JSONObject
    public var dueAt: Timestamp
    public var repeats: TimerRepeat?

    public init(name: String, handler: String, data: JSONObject, dueAt: Timestamp, repeats: TimerRepeat?) {
        self.name = name
        self.handler = handler
        self.data = data
        self.dueAt = dueAt
        self.repeats = repeats
    }
}

/// Keeps the timers of `tandem.timer/1` (ext/timer.h) and fires them by `PluginHost.deliver`.
public protocol PluginTimers: Sendable {
    /// Throws `ServiceFailure` with `TANDEM_E_OVER_QUOTA`.
    func set(_ plan: TimerPlan, limit: Int, in place: PluginPlace) async throws

    /// Throws `ServiceFailure` with `TANDEM_E_NOT_FOUND`.
    func cancel(_ name: String, in place: PluginPlace) async throws

    /// By name.
    func timers(in place: PluginPlace) async throws -> [TimerPlan]
}

// MARK: tandem.event/1

/// An event that a plugin publishes.
public struct PluginEvent: Sendable, Hashable {
    /// A plugin that hears of it, by which handler.
    public struct Receiver: Sendable, Hashable {
        public var plugin: String
        public var handler: String

        public init(plugin: String, handler: String) {
            self.plugin = plugin
            self.handler = handler
        }
    }

    public var topic: String
    public var data: JSONObject
    /// Empty: none.
    public var key: String
    /// 1 for an event that no event led to.
    public var depth: Int
    public var receivers: [Receiver]

    public init(topic: String, data: JSONObject, key: String, depth: Int, receivers: [Receiver]) {
        self.topic = topic
        self.data = data
        self.key = key
        self.depth = depth
        self.receivers = receivers
    }
}

/// Keeps the events of `tandem.event/1` (ext/event.h) and delivers them by `PluginHost.deliver`.
public protocol PluginEvents: Sendable {
    /// Stores the event and its deliveries; returns its id, that of the first one when the key is known.
    ///
    /// Throws `ServiceFailure` with `TANDEM_E_OVER_QUOTA`.
    func publish(_ event: PluginEvent, in place: PluginPlace) async throws -> RecordID
}

// MARK: tandem.memory/1

/// A memory as a plugin sees it.
public struct SharedMemory: Sendable, Hashable {
    public var id: RecordID
    public var kind: String
    public var text: String
    public var since: Timestamp

    public init(id: RecordID, kind: String, text: String, since: Timestamp) {
        self.id = id
        self.kind = kind
        self.text = text
        self.since = since
    }
}

/// What became of a proposal.
public enum ProposalState: String, Sendable, Hashable {
    case waiting
    /// There is such a memory already.
    case known
    /// The person has declined the same words before.
    case declined
}

/// The person's memory, for `tandem.memory/1` (ext/memory.h). Kinds have been checked against the grant.
public protocol PluginMemories: Sendable {
    func recall(_ query: String, kinds: Set<String>, limit: Int, in place: PluginPlace) async throws -> [SharedMemory]

    /// Throws `ServiceFailure` with `TANDEM_E_OVER_QUOTA`.
    func propose(
        _ text: String, kind: String, in place: PluginPlace
    ) async throws -> (id: RecordID?, state: ProposalState)
}

// MARK: tandem.migrate/1

/// What has to happen before a person's instance takes calls.
public enum VersionStep: Sendable {
    /// Nothing: the person is new, or this version served them last.
    case none
    /// Another version wrote the data.
    case migrate(from: String, config: JSONObject, origin: WriteOrigin)
}

/// Knows which version of a plugin wrote a person's data, and journals migrations.
public protocol PluginVersions: Sendable {
    /// Records `version` for somebody new; rolls back what an interrupted migration wrote.
    ///
    /// Throws `ServiceFailure` with `TANDEM_E_BUSY` when a migration failed and it is too early for another try.
    func begin(_ version: String, in place: PluginPlace) async throws -> VersionStep

    /// The migration succeeded, or there was nothing to migrate.
    ///
    /// - Parameter config: replaces the person's settings.
    func succeed(_ version: String, config: JSONObject?, in place: PluginPlace) async throws

    /// The migration failed: what it wrote is rolled back, and `begin` throws for a while.
    func fail(_ version: String, in place: PluginPlace) async throws
}
