import CTandemPlugin
public import Logging
import Synchronization
public import TandemCore
public import TandemEgress
public import TandemJSON

/// Executes row operations for plugins; the storage implements it.
public protocol RowExecutor: Sendable {
    /// Makes the tables of a plugin, or brings them to this definition. Called before the plugin gets its first call.
    /// Throws what forbids it: a changed column, a table of somebody else.
    func prepare(tables: [TableDefinition], owner: String) async throws

    /// Executes a request of `tandem.rows/1` (ext/rows.h) in one transaction, on the tables of `owner` and the rows of
    /// `scope` only.
    ///
    /// - Parameters:
    ///   - mayWrite: false: an operation that writes fails with `TANDEM_E_NOT_GRANTED`.
    ///   - copies: tables that it may write all the same.
    func execute(
        operations: JSON, owner: String, scope: UserScope, origin: WriteOrigin, mayWrite: Bool,
        copies: Set<String>, quota: PluginQuota
    ) async -> Result<JSON, RowFailure>
}

/// Why a row request failed, as `tandem.rows/1` says it.
public struct RowFailure: Error, Sendable, Hashable {
    /// A status of the ABI.
    public var status: Int32
    /// `not_null`, `unique`, `unknown_column` …
    public var code: String
    /// The index of the operation.
    public var operation: Int?
    public var column: String?
    /// For the plugin's author; holds no values.
    public var message: String

    public init(status: Int32, code: String, operation: Int? = nil, column: String? = nil, message: String) {
        self.status = status
        self.code = code
        self.operation = operation
        self.column = column
        self.message = message
    }

    /// `{"code":"not_null","operation":2,"column":"name","message":"…"}`
    public var json: JSON {
        var object: JSONObject = ["code": .string(code)]
        if let operation { object["operation"] = .integer(Int64(operation)) }
        if let column { object["column"] = .string(column) }
        object["message"] = .string(message)
        return .object(object)
    }
}

/// Where and how a person lives, as far as plugins may know.
public struct PersonContext: Sendable {
    /// IANA name: `Europe/Paris`.
    public var timeZone: String
    /// ISO 4217.
    public var currency: String
    /// BCP 47.
    public var language: String
    /// Seconds to add to UTC at an instant, given in milliseconds since 1970.
    public var utcOffsetSeconds: @Sendable (Int64) -> Int32

    public init(
        timeZone: String = "UTC", currency: String = "EUR", language: String = "en",
        utcOffsetSeconds: @escaping @Sendable (Int64) -> Int32 = { _ in 0 }
    ) {
        self.timeZone = timeZone
        self.currency = currency
        self.language = language
        self.utcOffsetSeconds = utcOffsetSeconds
    }
}

/// The settings of plugins: the operator's and each person's.
public protocol PluginSettings: Sendable {
    /// Values that the operator set for everybody.
    func operatorValues(plugin: String) -> JSONObject

    /// Values that the person set; they win.
    func personValues(plugin: String, in scope: UserScope) async throws -> JSONObject

    /// Replaces the person's values, or the operator's when `scope` is nil.
    func save(_ values: JSONObject, plugin: String, in scope: UserScope?) async throws

    /// A number that changes when somebody's values change, also by another process. Asked for every few seconds.
    func generation() async throws -> UInt64
}

extension PluginSettings {
    /// Refuses: these settings are not stored.
    public func save(_ values: JSONObject, plugin: String, in scope: UserScope?) async throws {
        throw ServiceFailure(TANDEM_E_UNSUPPORTED)
    }

    public func generation() async throws -> UInt64 { 0 }
}

/// No settings but the schema's defaults.
public struct DefaultSettings: PluginSettings {
    public init() {}
    public func operatorValues(plugin: String) -> JSONObject { [:] }
    public func personValues(plugin: String, in scope: UserScope) async throws -> JSONObject { [:] }
}

/// What the host does for plugins, as the parts of the program provide it.
public struct HostServices: Sendable {
    public var clock: any WallClock
    public var rows: any RowExecutor
    /// Requests to the network; nil: no plugin gets `tandem.http/1`.
    public var egress: (any PluginEgress)?
    public var settings: any PluginSettings
    // What is nil is an extension that this host does not have.
    public var keyValues: (any KeyValueStore)?
    public var secrets: (any SecretStore)?
    public var timers: (any PluginTimers)?
    public var events: (any PluginEvents)?
    public var memories: (any PluginMemories)?
    /// Nil: nobody keeps versions, and no plugin is asked to migrate.
    public var versions: (any PluginVersions)?
    /// Told when a plugin was switched on or off for a person, or may do more or less; nil: nobody is.
    public var grantChanged: (@Sendable (GrantChangeNotice) async -> Void)?
    /// Called often, from any thread: must be cheap.
    public var person: @Sendable (UserScope) -> PersonContext
    /// A name for the person in logs that leads back to nobody.
    public var pseudonym: @Sendable (UserScope) -> String
    /// Whether a tool that is no plugin's can be used: `tandem.tools/1` asks.
    public var isHostTool: @Sendable (String) -> Bool
    public var logger: Logger

    public init(
        clock: any WallClock = SystemClock(), rows: any RowExecutor, egress: (any PluginEgress)? = nil,
        settings: any PluginSettings = DefaultSettings(),
        keyValues: (any KeyValueStore)? = nil, secrets: (any SecretStore)? = nil, timers: (any PluginTimers)? = nil,
        events: (any PluginEvents)? = nil, memories: (any PluginMemories)? = nil,
        versions: (any PluginVersions)? = nil,
        grantChanged: (@Sendable (GrantChangeNotice) async -> Void)? = nil,
        person: @escaping @Sendable (UserScope) -> PersonContext = { _ in PersonContext() },
        pseudonym: @escaping @Sendable (UserScope) -> String = Pseudonyms.random,
        isHostTool: @escaping @Sendable (String) -> Bool = { _ in false },
        logger: Logger = Logger(label: "tandem.plugins")
    ) {
        self.clock = clock
        self.rows = rows
        self.egress = egress
        self.settings = settings
        self.keyValues = keyValues
        self.secrets = secrets
        self.timers = timers
        self.events = events
        self.memories = memories
        self.versions = versions
        self.grantChanged = grantChanged
        self.person = person
        self.pseudonym = pseudonym
        self.isHostTool = isHostTool
        self.logger = logger
    }
}

/// Names for people in logs.
public enum Pseudonyms {
    private static let key = UInt64.random(in: 1 ... .max)

    /// Eight hexadecimal digits, the same for a person until the process ends.
    @Sendable
    public static func random(_ scope: UserScope) -> String {
        var hasher = Hasher()
        hasher.combine(key)
        hasher.combine(scope.user)
        let digits = String(UInt32(truncatingIfNeeded: hasher.finalize()), radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}

/// Where calls from plugin to plugin go; set once the agent exists.
final class MediatorReference: Sendable {
    private let mediator = Mutex<(any ToolMediator)?>(nil)

    var current: (any ToolMediator)? { mediator.withLock { $0 } }

    func set(_ new: any ToolMediator) { mediator.withLock { $0 = new } }
}
