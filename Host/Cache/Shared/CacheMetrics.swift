import TandemCore

/// `tandem_shared_…`: what processes share, and how they do without.
struct CacheMetrics: Sendable {
    let fallbacks: MetricFamily<Counter>
    let values: MetricFamily<Counter>
    let limits: MetricFamily<Counter>

    init(_ registry: MetricsRegistry) {
        fallbacks = registry.counters(
            "tandem_shared_fallbacks_total",
            help: "What was done without the shared store, by part: limit, lock, value, count, news.", labels: ["part"])
        values = registry.counters(
            "tandem_shared_values_total", help: "Look-ups of values: hit, miss, away.", labels: ["result"])
        limits = registry.counters(
            "tandem_shared_limits_total", help: "Charges of rate limits by what became of them.",
            labels: ["limit", "result"])
    }
}

extension RedisEngine {
    /// `tandem_redis_…`.
    func publish(to registry: MetricsRegistry) {
        registry.reading("tandem_redis_up", help: "1 while commands are taken.") { [weak self] in
            self.map { $0.isUp ? 1 : 0 }
        }
        registry.reading("tandem_redis_listening", help: "1 while everything that is published arrives.") {
            [weak self] in
            self.map { $0.isListening ? 1 : 0 }
        }
        registry.reading("tandem_redis_pending", help: "Commands that wait for an answer.") { [weak self] in
            self.map { Double($0.pending) }
        }
        registry.reading("tandem_redis_losses_total", help: "How often the connection was lost.", kind: .counter) {
            [weak self] in
            self.map { Double($0.losses) }
        }
    }
}
