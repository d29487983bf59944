import Synchronization

/// What happened with one plugin since the host started. Plain values, for metrics and `tandem plugin list`.
public struct PluginCounters: Sendable, Hashable {
    /// Calls that reached the plugin's `invoke`.
    public var calls = 0
    /// Calls made directly on the caller's thread.
    public var directCalls = 0
    public var values = 0
    public var failures = 0
    /// `invoke` refused.
    public var refusals = 0
    /// Arguments that did not match the schema and never reached the plugin.
    public var invalidArguments = 0
    /// Values that did not match the result schema.
    public var invalidResults = 0
    /// Outcomes that could not be read.
    public var malformedOutcomes = 0
    public var deadlines = 0
    public var cancellations = 0
    /// Completions of calls that the host had given up, of unknown calls, and of calls of another instance.
    public var staleCompletions = 0
    public var doubleCompletions = 0
    public var foreignCompletions = 0
    /// Functions that took longer than their budget.
    public var overruns = 0
    public var instancesCreated = 0
    public var instancesFailed = 0
    public var instancesDestroyed = 0
    /// Instances that would not end and were left behind.
    public var instancesAbandoned = 0
    public var rowRequests = 0
    public var rowRefusals = 0
    public var innerCalls = 0
    /// Requests to services other than rows and tools, and those that were refused.
    public var serviceRequests = 0
    public var serviceRefusals = 0
    /// Calls of handlers by timers and events.
    public var handlerCalls = 0
    public var httpRequests = 0
    public var httpRefusals = 0
    public var logLines = 0
    public var logLinesDropped = 0
    /// Runners that ended by themselves or had to be ended.
    public var crashes = 0

    /// The names that metrics use, with the values.
    public var all: [(name: String, value: Int)] {
        [
            ("calls", calls), ("direct_calls", directCalls), ("values", values), ("failures", failures),
            ("refusals", refusals), ("invalid_arguments", invalidArguments), ("invalid_results", invalidResults),
            ("malformed_outcomes", malformedOutcomes), ("deadlines", deadlines), ("cancellations", cancellations),
            ("stale_completions", staleCompletions), ("double_completions", doubleCompletions),
            ("foreign_completions", foreignCompletions), ("overruns", overruns),
            ("instances_created", instancesCreated), ("instances_failed", instancesFailed),
            ("instances_destroyed", instancesDestroyed), ("instances_abandoned", instancesAbandoned),
            ("row_requests", rowRequests), ("row_refusals", rowRefusals), ("inner_calls", innerCalls),
            ("service_requests", serviceRequests), ("service_refusals", serviceRefusals),
            ("handler_calls", handlerCalls),
            ("http_requests", httpRequests), ("http_refusals", httpRefusals),
            ("log_lines", logLines), ("log_lines_dropped", logLinesDropped), ("crashes", crashes),
        ]
    }
}

/// The counters of one plugin while they are counted. Safe from any thread.
final class PluginMeters: Sendable {
    private let counters = Mutex(PluginCounters())

    var snapshot: PluginCounters { counters.withLock { $0 } }

    /// Adds one; returns the new count.
    @discardableResult
    func count(_ counter: WritableKeyPath<PluginCounters, Int>) -> Int {
        counters.withLock { counters in
            counters[keyPath: counter] += 1
            return counters[keyPath: counter]
        }
    }

    /// A call that reached `invoke`.
    func countInvoke(isDirect: Bool) {
        counters.withLock { counters in
            counters.calls += 1
            if isDirect { counters.directCalls += 1 }
        }
    }

    func countValue() { counters.withLock { $0.values += 1 } }
}
