import TandemCore

/// `tandem_oauth_…`: what became of refreshes and connections. Labels hold services and words of ours.
struct OAuthMetrics: Sendable {
    let refreshes: MetricFamily<Counter>
    let seconds: Histogram
    let connections: MetricFamily<Counter>
    let losses: MetricFamily<Counter>
    let revocations: MetricFamily<Counter>

    init(_ registry: MetricsRegistry) {
        refreshes = registry.counters(
            "tandem_oauth_refreshes_total", help: "Requests for new tokens, by outcome.",
            labels: ["provider", "outcome"])
        seconds = registry.histogram(
            "tandem_oauth_refresh_seconds", help: "Requests for new tokens, to the stored pair.")
        connections = registry.counters(
            "tandem_oauth_connections_total", help: "Answers of services to requests for access, by outcome.",
            labels: ["provider", "outcome"])
        losses = registry.counters(
            "tandem_oauth_losses_total", help: "Connections that services no longer accepted.", labels: ["provider"])
        revocations = registry.counters(
            "tandem_oauth_revocations_total", help: "Tokens given back, by outcome.", labels: ["provider", "outcome"])
    }
}
