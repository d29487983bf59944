internal import CTandemPlugin

/// The plugin's numbers among the host's metrics (`tandem.metrics/1`), as the definition's `metrics` declares them.
///
///     static let lookups = Metric.counter(
///         "lookups_total", "Lookups, by what came of them", labels: ["result": ["hit", "miss"]])
///     context.metrics.add(lookups, labels: "hit")
///
/// No function throws: a number that the host refuses is no reason for a call to fail. They give false then.
public struct Metrics: Sendable {
    let host: HostAccess

    /// Adds to a counter (0 or more) or a gauge; one label value per declared label, in their order.
    @discardableResult
    public func add(_ metric: Metric, _ amount: Double = 1, labels: String...) -> Bool {
        record(metric, labels) { $0.add($1, $2, $3, amount) }
    }

    /// Sets a gauge.
    @discardableResult
    public func set(_ metric: Metric, to value: Double, labels: String...) -> Bool {
        record(metric, labels) { $0.set($1, $2, $3, value) }
    }

    /// Counts an observation in a histogram.
    @discardableResult
    public func observe(_ metric: Metric, _ value: Double, labels: String...) -> Bool {
        record(metric, labels) { $0.observe($1, $2, $3, value) }
    }

    private func record(
        _ metric: Metric, _ labels: [String],
        _ call: (tandem_metrics, UnsafePointer<tandem_host>, tandem_slice, tandem_array) -> Int32
    ) -> Bool {
        guard host.isOpen, let table = host.metricsTable?.pointee else { return false }
        return withSlice(metric.name) { name in
            withSlices(labels[...], []) { slices in
                slices.withUnsafeBufferPointer { slices in
                    let array = tandem_array(
                        first: UnsafeRawPointer(slices.baseAddress), count: UInt64(slices.count),
                        stride: UInt64(MemoryLayout<tandem_slice>.stride))
                    return call(table, host.host, name, array) == TANDEM_OK
                }
            }
        }
    }
}

/// Calls `body` with slices of all texts, which it may use until it returns.
private func withSlices<R>(_ texts: ArraySlice<String>, _ slices: [tandem_slice], _ body: ([tandem_slice]) -> R) -> R {
    guard let first = texts.first else { return body(slices) }
    return withSlice(first) { withSlices(texts.dropFirst(), slices + [$0], body) }
}

extension Context {
    /// The plugin's numbers among the host's metrics.
    public var metrics: Metrics { Metrics(host: call.instance.host) }
}
