import TandemCore

/// `tandem_jobs_…`.
struct JobMetrics: Sendable {
    let enqueued: MetricFamily<Counter>
    let ended: MetricFamily<Counter>
    let freed: Counter
    let duration: MetricFamily<Histogram>

    init(_ registry: MetricsRegistry) {
        enqueued = registry.counters("tandem_jobs_enqueued_total", help: "Jobs put into the queue.", labels: ["kind"])
        ended = registry.counters(
            "tandem_jobs_total", help: "Attempts at jobs by what became of them.", labels: ["kind", "outcome"])
        freed = registry.counter("tandem_jobs_freed_total", help: "Jobs taken from processes that were gone.")
        duration = registry.histograms(
            "tandem_job_duration_seconds", help: "How long an attempt took.", labels: ["kind"])
    }
}
