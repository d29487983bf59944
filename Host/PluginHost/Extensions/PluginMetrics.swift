import CTandemPlugin
import Synchronization
import TandemCore

/// The series of one plugin's declared metrics: all that can ever be is made beforehand, recording allocates nothing.
///
/// Kept over reloads for as long as the declarations stay the same. Safe from any thread.
final class PluginMetrics: Sendable {
    enum Operation {
        case add, set, observe
    }

    let declared: [DeclaredMetric]
    private let namespace: String
    private let metrics: [Metric]

    init(_ declared: [DeclaredMetric], namespace: String) {
        self.declared = declared
        self.namespace = namespace
        metrics = declared.map(Metric.init)
    }

    /// One metric with its series, in the order of the label values' combinations, the last label fastest.
    private final class Metric: Sendable {
        let name: [UInt8]
        let kind: MetricSnapshot.Kind
        let labels: [[[UInt8]]]
        let bounds: [Double]
        let series: Mutex<[Series]>

        init(_ declared: DeclaredMetric) {
            name = Array(declared.name.utf8)
            kind = declared.kind
            labels = declared.labels.map { $0.values.map { Array($0.utf8) } }
            bounds = declared.bounds
            let buckets = declared.kind == .histogram ? [UInt64](repeating: 0, count: declared.bounds.count + 1) : []
            series = Mutex(Array(repeating: Series(buckets: buckets), count: declared.seriesCount))
        }
    }

    private struct Series {
        var value = 0.0
        var buckets: [UInt64]
        var isUsed = false
    }

    /// `TANDEM_OK`, or the status of `tandem.metrics/1`. What the slices point to is read within the call only.
    func record(
        _ operation: Operation, name: UnsafeRawBufferPointer, labels: tandem_array, value: Double
    ) -> tandem_status {
        guard let metric = metrics.first(where: { $0.name.elementsEqual(name) }) else { return TANDEM_E_UNSUPPORTED }
        switch (operation, metric.kind) {
        case (.add, .counter), (.add, .gauge), (.set, .gauge), (.observe, .histogram): break
        default: return TANDEM_E_UNSUPPORTED
        }
        guard value.isFinite, metric.kind != .counter || value >= 0 else { return TANDEM_E_INVALID_ARGUMENT }
        guard let index = PluginMetrics.index(of: labels, in: metric.labels) else { return TANDEM_E_INVALID_ARGUMENT }
        metric.series.withLock { series in
            series[index].isUsed = true
            switch operation {
            case .add: series[index].value += value
            case .set: series[index].value = value
            case .observe:
                var bucket = 0
                while bucket < metric.bounds.count, value > metric.bounds[bucket] { bucket += 1 }
                series[index].buckets[bucket] += 1
                series[index].value += value
            }
        }
        return TANDEM_OK
    }

    private static func index(of values: tandem_array, in labels: [[[UInt8]]]) -> Int? {
        guard values.count == UInt64(labels.count) else { return nil }
        guard !labels.isEmpty else { return 0 }
        guard let first = values.first, values.stride >= UInt64(MemoryLayout<tandem_slice>.size),
            values.stride % UInt64(MemoryLayout<tandem_slice>.alignment) == 0, values.stride <= 4096,
            UInt(bitPattern: first) % UInt(MemoryLayout<tandem_slice>.alignment) == 0
        else { return nil }
        var index = 0
        for (position, known) in labels.enumerated() {
            let slice = first.load(fromByteOffset: position * Int(values.stride), as: tandem_slice.self)
            guard let bytes = slice.bytes, let place = known.firstIndex(where: { $0.elementsEqual(bytes) }) else {
                return nil
            }
            index = index * known.count + place
        }
        return index
    }

    /// What has been recorded, named `tandem_plugin_NAMESPACE_NAME`; a series that was never recorded is left out,
    /// except for metrics without labels.
    func snapshot() -> [MetricSnapshot] {
        zip(declared, metrics).map { declared, metric in
            let series = metric.series.withLock { $0 }
            var samples: [MetricSnapshot.Sample] = []
            for (index, one) in series.enumerated() where one.isUsed || declared.labels.isEmpty {
                let value: MetricSnapshot.Value =
                    metric.kind == .histogram
                    ? .distribution(bounds: metric.bounds, buckets: one.buckets, sum: one.value) : .number(one.value)
                samples.append(
                    MetricSnapshot.Sample(labelValues: Self.values(at: index, of: declared.labels), value: value))
            }
            return MetricSnapshot(
                name: "tandem_plugin_\(namespace)_\(declared.name)", help: declared.help, kind: declared.kind,
                labels: declared.labels.map(\.name), samples: samples)
        }
    }

    private static func values(at index: Int, of labels: [DeclaredMetric.Label]) -> [String] {
        var rest = index
        var values: [String] = []
        for label in labels.reversed() {
            values.append(label.values[rest % label.values.count])
            rest /= label.values.count
        }
        return values.reversed()
    }
}
