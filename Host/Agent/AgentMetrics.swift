public import TandemCore

/// What the agent counts.
public final class AgentMetrics: Sendable {
    private let calls: MetricFamily<Counter>
    private let callSeconds: MetricFamily<Histogram>
    private let turns: MetricFamily<Counter>
    private let turnSeconds: Histogram
    private let resumed: Counter
    private let failures: Counter
    private let continued: Counter

    public init(registry: MetricsRegistry) {
        calls = registry.counters(
            "tandem_tool_calls_total", help: "Tool calls by tool and outcome.", labels: ["tool", "outcome"])
        callSeconds = registry.histograms(
            "tandem_tool_call_seconds", help: "Time of a tool call, by tool.", labels: ["tool"])
        turns = registry.counters(
            "tandem_turns_total", help: "Answered messages by channel and by what understood them.",
            labels: ["channel", "handled_by"])
        turnSeconds = registry.histogram(
            "tandem_turn_seconds", help: "From taking up a message to its committed answer.")
        resumed = registry.counter(
            "tandem_turns_resumed_total", help: "Turns that were interrupted and taken up again.")
        failures = registry.counter("tandem_turns_failed_total", help: "Attempts at a turn that failed.")
        continued = registry.counter(
            "tandem_turns_continued_total", help: "Turns that went on after their first answer, by attempts.")
    }

    func called(tool: String, outcome: String, nanoseconds: UInt64) {
        calls.with(tool, outcome).increment()
        callSeconds.with(tool).observe(Double(nanoseconds) / 1e9)
    }

    func answered(channel: String, by handler: String, since start: UInt64) {
        turns.with(channel, handler).increment()
        turnSeconds.observe(sinceNanoseconds: start)
    }

    func tookUpAgain() { resumed.increment() }

    func wentOn() { continued.increment() }

    func failed() { failures.increment() }
}
