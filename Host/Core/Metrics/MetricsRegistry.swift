import Synchronization

/// The metrics of a process and their text form for Prometheus.
///
/// Asking twice for the same name, kind and labels gives the same metric, so that modules need not pass them around; the
/// same name with another kind or other labels is a mistake of the program and traps. Names follow
/// `[a-zA-Z_:][a-zA-Z0-9_:]*`, labels `[a-zA-Z_][a-zA-Z0-9_]*`
/// (<https://prometheus.io/docs/concepts/data_model/>).
public final class MetricsRegistry: Sendable {
    private enum Entry: Sendable {
        case counter(MetricFamily<Counter>)
        case gauge(MetricFamily<Gauge>)
        case histogram(MetricFamily<Histogram>)
        case reading(help: String, kind: Kind, read: @Sendable () -> Double?)
        case collection(@Sendable () -> [MetricSnapshot])
    }

    /// What a value read at exposition time is.
    public enum Kind: String, Sendable {
        case counter, gauge
    }

    /// The content type of the exposition.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private struct State {
        var entries: [String: Entry] = [:]
        var order: [String] = []
    }

    private let state = Mutex(State())
    private let seriesLimit: Int

    /// - Parameter seriesLimit: How many label combinations one name may have before the rest is counted as `other`.
    public init(seriesLimit: Int = 256) { self.seriesLimit = seriesLimit }

    /// A counter without labels. By convention the name ends in `_total`.
    public func counter(_ name: String, help: String) -> Counter { counters(name, help: help, labels: []).with() }

    public func counters(_ name: String, help: String, labels: [String]) -> MetricFamily<Counter> {
        let entry = register(name, labels: labels) {
            .counter(MetricFamily(name: name, help: help, labels: labels, limit: seriesLimit) { Counter() })
        }
        guard case .counter(let family) = entry, family.labels == labels else {
            preconditionFailure("metric \(name) exists with another kind or other labels")
        }
        return family
    }

    /// A gauge without labels.
    public func gauge(_ name: String, help: String) -> Gauge { gauges(name, help: help, labels: []).with() }

    public func gauges(_ name: String, help: String, labels: [String]) -> MetricFamily<Gauge> {
        let entry = register(name, labels: labels) {
            .gauge(MetricFamily(name: name, help: help, labels: labels, limit: seriesLimit) { Gauge() })
        }
        guard case .gauge(let family) = entry, family.labels == labels else {
            preconditionFailure("metric \(name) exists with another kind or other labels")
        }
        return family
    }

    /// A histogram without labels. `bounds` are upper bounds, ascending; `+Inf` is added.
    public func histogram(_ name: String, help: String, bounds: [Double] = Histogram.latencySeconds) -> Histogram {
        histograms(name, help: help, labels: [], bounds: bounds).with()
    }

    public func histograms(
        _ name: String, help: String, labels: [String], bounds: [Double] = Histogram.latencySeconds
    ) -> MetricFamily<Histogram> {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy(<), "bounds of \(name) must ascend")
        precondition(!labels.contains("le"), "the label le belongs to the buckets")
        let entry = register(name, labels: labels) {
            .histogram(
                MetricFamily(name: name, help: help, labels: labels, limit: seriesLimit) { Histogram(bounds: bounds) })
        }
        guard case .histogram(let family) = entry, family.labels == labels else {
            preconditionFailure("metric \(name) exists with another kind or other labels")
        }
        return family
    }

    /// A value read when the metrics are asked for; nil leaves it out. `read` must be quick and must not use the
    /// registry.
    public func reading(_ name: String, help: String, kind: Kind = .gauge, read: @escaping @Sendable () -> Double?) {
        _ = register(name, labels: []) { .reading(help: help, kind: kind, read: read) }
    }

    /// Metrics that come and go, such as those of plugins: asked for at each exposition, under a name that is no metric's.
    ///
    /// `read` must be quick and must not use the registry. Of two with one name the later one counts. What it gives must
    /// follow the rules of names and must not use the name of a registered metric.
    public func collection(_ name: String, read: @escaping @Sendable () -> [MetricSnapshot]) {
        state.withLock { state in
            if state.entries.updateValue(.collection(read), forKey: name) == nil { state.order.append(name) }
        }
    }

    private func register(_ name: String, labels: [String], make: () -> Entry) -> Entry {
        precondition(Self.isName(name, colons: true), "\(name) is no metric name")
        precondition(labels.allSatisfy { Self.isName($0, colons: false) && !$0.hasPrefix("__") }, "label of \(name)")
        return state.withLock { state in
            if let existing = state.entries[name] { return existing }
            let entry = make()
            state.entries[name] = entry
            state.order.append(name)
            return entry
        }
    }

    private static func isName(_ name: String, colons: Bool) -> Bool {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
        return name.utf8.allSatisfy {
            ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 26) || $0 == UInt8(ascii: "_")
                || (colons && $0 == UInt8(ascii: ":"))
        }
    }

    // MARK: - Exposition

    /// All metrics in the text format 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>), in the
    /// order of their registration.
    public func exposition() -> [UInt8] {
        let entries = state.withLock { state in state.order.map { ($0, state.entries[$0]) } }
        var output = [UInt8]()
        output.reserveCapacity(4096)
        for (name, entry) in entries {
            switch entry {
            case .counter(let family):
                output.appendHeading(name, help: family.help, type: "counter")
                for (values, counter) in family.all {
                    output.appendSample(name, labels: family.labels, values: values, value: String(counter.value))
                }
            case .gauge(let family):
                output.appendHeading(name, help: family.help, type: "gauge")
                for (values, gauge) in family.all {
                    output.appendSample(name, labels: family.labels, values: values, value: number(gauge.value))
                }
            case .histogram(let family):
                output.appendHeading(name, help: family.help, type: "histogram")
                for (values, histogram) in family.all { output.append(histogram, name, family.labels, values) }
            case .reading(let help, let kind, let read):
                guard let value = read() else { continue }
                output.appendHeading(name, help: help, type: kind.rawValue)
                output.appendSample(name, labels: [], values: [], value: number(value))
            case .collection(let read):
                for metric in read() { output.append(metric) }
            case nil: continue
            }
        }
        return output
    }
}

/// The form of a number in the exposition: Go's ParseFloat reads it.
private func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    return String(value)
}

extension [UInt8] {
    fileprivate mutating func appendHeading(_ name: String, help: String, type: String) {
        append(contentsOf: "# HELP \(name) ".utf8)
        for byte in help.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): append(contentsOf: "\\n".utf8)
            default: append(byte)
            }
        }
        append(contentsOf: "\n# TYPE \(name) \(type)\n".utf8)
    }

    fileprivate mutating func appendSample(
        _ name: String, suffix: String = "", labels: [String], values: [String], le: String? = nil, value: String
    ) {
        append(contentsOf: name.utf8)
        append(contentsOf: suffix.utf8)
        if !labels.isEmpty || le != nil {
            append(UInt8(ascii: "{"))
            for (label, value) in zip(labels, values) {
                append(contentsOf: label.utf8)
                append(contentsOf: "=\"".utf8)
                appendLabelValue(value)
                append(contentsOf: "\",".utf8)
            }
            if let le { append(contentsOf: "le=\"\(le)\"".utf8) } else { removeLast() }
            append(UInt8(ascii: "}"))
        }
        append(UInt8(ascii: " "))
        append(contentsOf: value.utf8)
        append(UInt8(ascii: "\n"))
    }

    private mutating func appendLabelValue(_ value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\""): append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\n"): append(contentsOf: "\\n".utf8)
            default: append(byte)
            }
        }
    }

    fileprivate mutating func append(
        _ histogram: Histogram, _ name: String, _ labels: [String], _ values: [String]
    ) {
        let state = histogram.state.withLock { $0 }
        appendDistribution(
            name, labels: labels, values: values, bounds: histogram.bounds, buckets: state.buckets, sum: state.sum)
    }

    private mutating func appendDistribution(
        _ name: String, labels: [String], values: [String], bounds: [Double], buckets: [UInt64], sum: Double
    ) {
        var total: UInt64 = 0
        for (bound, count) in zip(bounds, buckets) {
            total += count
            appendSample(
                name, suffix: "_bucket", labels: labels, values: values, le: number(bound), value: String(total))
        }
        total = buckets.reduce(0, +)
        appendSample(name, suffix: "_bucket", labels: labels, values: values, le: "+Inf", value: String(total))
        appendSample(name, suffix: "_sum", labels: labels, values: values, value: number(sum))
        appendSample(name, suffix: "_count", labels: labels, values: values, value: String(total))
    }

    fileprivate mutating func append(_ metric: MetricSnapshot) {
        appendHeading(metric.name, help: metric.help, type: metric.kind.rawValue)
        for sample in metric.samples {
            switch sample.value {
            case .number(let value):
                appendSample(
                    metric.name, labels: metric.labels, values: sample.labelValues, value: number(value))
            case .distribution(let bounds, let buckets, let sum):
                appendDistribution(
                    metric.name, labels: metric.labels, values: sample.labelValues, bounds: bounds, buckets: buckets,
                    sum: sum)
            }
        }
    }
}
