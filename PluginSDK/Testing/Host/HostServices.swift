internal import CTandemPlugin
public import TandemSDK

/// What a fake host does when an instance asks it for something; the defaults answer "not granted".
public struct HostServices: Sendable {
    /// A status and the answer's JSON, for operations in JSON of the call with that id.
    public var executeRows: (@Sendable (_ call: UInt64, _ operations: JSON) async -> (status: Int32, answer: JSON))?
    /// A status and, when it is 0, the outcome of the other tool.
    public var callTool: (@Sendable (_ call: UInt64, _ tool: String, _ arguments: JSON) async -> (Int32, WireOutcome?))?
    public var isToolAvailable: @Sendable (_ tool: String) -> Bool
    public var nowMilliseconds: @Sendable () -> Int64
    public var offsetSeconds: @Sendable (_ unixMilliseconds: Int64) -> Int32
    /// `{"timeZone":…,"currency":…,"language":…}`
    public var locale: @Sendable () -> JSON
    public var configuration: (@Sendable () -> (generation: UInt64, values: JSON))?
    public var log: @Sendable (LogLine) -> Void
    /// What the service behind a request of the call with that id answers; nil: no `tandem.http/1`.
    public var sendHTTP: (@Sendable (_ call: UInt64, _ request: SentHTTPRequest) async -> HTTPReply)?

    /// The ids of those of `tandem.kv/1`, `secret/1`, `timer/1`, `event/1`, `memory/1` and `metrics/1` that this host has.
    public var services: Set<String>
    /// Answers a request of the call with that id to one of the first five.
    public var serve: @Sendable (_ call: UInt64, _ request: ServiceCall) -> ServiceReply
    /// Takes a number; the status that the plugin gets.
    public var record: @Sendable (RecordedMetric) -> Int32

    public init() {
        services = []
        serve = { _, _ in ServiceReply(TANDEM_E_NOT_GRANTED) }
        record = { _ in TANDEM_E_NOT_GRANTED }
        isToolAvailable = { _ in false }
        nowMilliseconds = { 1_795_255_200_000 }
        offsetSeconds = { _ in 0 }
        locale = { ["timeZone": "UTC", "currency": "EUR", "language": "en"] }
        log = { _ in }
    }

    /// The id of each extension that this host has.
    var extensions: Set<String> {
        var ids: Set<String> = [TANDEM_EXT_CLOCK, TANDEM_EXT_LOG]
        if executeRows != nil { ids.insert(TANDEM_EXT_ROWS) }
        if callTool != nil { ids.insert(TANDEM_EXT_TOOLS) }
        if configuration != nil { ids.insert(TANDEM_EXT_CONFIG) }
        if sendHTTP != nil { ids.insert(TANDEM_EXT_HTTP) }
        return ids.union(services)
    }
}

/// A line that a plugin logged.
public struct LogLine: Sendable, Hashable {
    /// `TANDEM_LOG_*`: 1 debug, 2 info, 3 warning, 4 error.
    public var level: UInt32
    public var call: UInt64
    public var message: String
    public var fields: JSON

    public init(level: UInt32, call: UInt64, message: String, fields: JSON) {
        self.level = level
        self.call = call
        self.message = message
        self.fields = fields
    }
}

/// What a fake host counted; everything that is not 0 besides the first three is a mistake of the plugin.
public struct HostCounts: Sendable, Hashable {
    public var completions = 0
    public var buffersReceived = 0
    public var buffersReleased = 0
    /// Completions of a call that was completed before.
    public var doubleCompletions = 0
    /// Completions of a call that the host gave up, or never made.
    public var staleCompletions = 0
    /// Null, short or otherwise malformed outcomes.
    public var malformedOutcomes = 0
}
