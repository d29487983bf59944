import TandemCore

/// `tandem_egress_…`: what plugins asked of providers. Labels hold plugin ids and hosts, no paths.
struct EgressMetrics: Sendable {
    let requests: MetricFamily<Counter>
    let seconds: Histogram
    let waits: Histogram
    let retries: MetricFamily<Counter>
    let refusals: MetricFamily<Counter>
    let cache: MetricFamily<Counter>
    let breakers: MetricFamily<Gauge>
    let openings: MetricFamily<Counter>

    init(_ registry: MetricsRegistry) {
        requests = registry.counters(
            "tandem_egress_requests_total", help: "Requests that left for a provider, by outcome.",
            labels: ["plugin", "provider", "outcome"])
        seconds = registry.histogram("tandem_egress_seconds", help: "Requests to providers, to the last byte.")
        waits = registry.histogram(
            "tandem_egress_wait_seconds", help: "For how long requests waited for their turn under the limits.")
        retries = registry.counters(
            "tandem_egress_retries_total", help: "Requests that were made again.", labels: ["plugin", "provider"])
        refusals = registry.counters(
            "tandem_egress_refusals_total", help: "Requests of plugins that were not sent, by reason.",
            labels: ["plugin", "reason"])
        cache = registry.counters(
            "tandem_egress_cache_total", help: "Look-ups in the cache: hit, miss, confirmed, stale.",
            labels: ["plugin", "result"])
        breakers = registry.gauges(
            "tandem_egress_breaker_open", help: "1 while a provider is not called because it fails.",
            labels: ["plugin", "provider"])
        openings = registry.counters(
            "tandem_egress_breaker_openings_total", help: "How often a provider's breaker opened.",
            labels: ["plugin", "provider"])
    }
}
