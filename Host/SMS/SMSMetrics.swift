import TandemCore

/// What the channel counts.
struct SMSMetrics: Sendable {
    let received: MetricFamily<Counter>
    let handedOver: MetricFamily<Counter>
    let reports: MetricFamily<Counter>
    let failures: MetricFamily<Counter>
    let segments: MetricFamily<Counter>
    let waiting: Gauge
    let acknowledged: Histogram

    init(_ registry: MetricsRegistry) {
        received = registry.counters(
            "tandem_sms_received_total", help: "Webhook requests by outcome.", labels: ["outcome"])
        handedOver = registry.counters(
            "tandem_sms_sends_total", help: "Attempts to hand a message to Twilio, by outcome.", labels: ["outcome"])
        reports = registry.counters(
            "tandem_sms_reports_total", help: "Status reports of Twilio, by status.", labels: ["status"])
        failures = registry.counters(
            "tandem_sms_failures_total", help: "Messages that were not delivered, by Twilio's error code.",
            labels: ["code"])
        segments = registry.counters(
            "tandem_sms_segments_total", help: "SMS segments, by direction.", labels: ["direction"])
        waiting = registry.gauge("tandem_sms_outbox_waiting", help: "Messages that wait to be sent.")
        acknowledged = registry.histogram(
            "tandem_sms_acknowledge_seconds", help: "From a message's arrival to its durable acknowledgement.")
    }
}
