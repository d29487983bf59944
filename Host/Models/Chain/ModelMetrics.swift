import TandemCore
import TandemLanguage

/// `tandem_model_…`: labels hold names of providers and words of the program.
struct ModelMetrics: Sendable {
    let requests: MetricFamily<Counter>
    let seconds: MetricFamily<Histogram>
    let tokens: MetricFamily<Counter>
    let money: MetricFamily<Counter>
    let fallbacks: MetricFamily<Counter>
    let refusals: MetricFamily<Counter>
    let cache: MetricFamily<Counter>

    init(_ registry: MetricsRegistry) {
        requests = registry.counters(
            "tandem_model_requests_total", help: "Requests for language, by who took them and what came of it.",
            labels: ["provider", "outcome"])
        seconds = registry.histograms(
            "tandem_model_seconds", help: "Requests to models, to the last byte.", labels: ["provider"])
        tokens = registry.counters(
            "tandem_model_tokens_total", help: "Tokens of models: input (cached included), cached, output.",
            labels: ["provider", "kind"])
        money = registry.counters(
            "tandem_model_cost_micros_total", help: "Cost of models in millionths of the price table's currency.",
            labels: ["provider"])
        fallbacks = registry.counters(
            "tandem_model_fallbacks_total", help: "Requests that no model took, by reason.", labels: ["reason"])
        refusals = registry.counters(
            "tandem_model_budget_refusals_total", help: "Requests that a budget kept from a model, by limit.",
            labels: ["limit"])
        cache = registry.counters(
            "tandem_model_cache_total", help: "Responses that were known already.", labels: ["result"])
    }

    func note(provider: String, _ outcome: ModelOutcome) {
        requests.with(provider, outcome.word).increment()
        seconds.with(provider).observe(Double(outcome.milliseconds) / 1000)
        tokens.with(provider, "input").increment(by: UInt64(max(0, outcome.usage.input)))
        tokens.with(provider, "cached").increment(by: UInt64(max(0, outcome.usage.cached)))
        tokens.with(provider, "output").increment(by: UInt64(max(0, outcome.usage.output)))
        money.with(provider).increment(by: UInt64(max(0, outcome.micros)))
    }
}
