internal import CTandemPlugin
internal import TandemSDK

/// What a manifest declares of metrics, for judging what a plugin counts.
struct DeclaredMetrics: Sendable {
    private struct Declared: Sendable {
        var kind: String
        var labels: [Set<String>]
    }

    private var metrics: [String: Declared] = [:]

    init(_ manifest: JSON) {
        for metric in manifest["metrics"]?.arrayValue ?? [] {
            let labels = (metric["labels"]?.arrayValue ?? []).map { label in
                Set((label["values"]?.arrayValue ?? []).compactMap(\.stringValue))
            }
            metrics[metric["name"]?.stringValue ?? ""] = Declared(
                kind: metric["kind"]?.stringValue ?? "", labels: labels)
        }
    }

    /// As in `tandem/ext/metrics.h`.
    func status(of recorded: RecordedMetric) -> Int32 {
        guard let declared = metrics[recorded.name] else { return TANDEM_E_UNSUPPORTED }
        let fits =
            switch recorded.operation {
            case .add: declared.kind == "counter" || declared.kind == "gauge"
            case .set: declared.kind == "gauge"
            case .observe: declared.kind == "histogram"
            }
        guard fits else { return TANDEM_E_UNSUPPORTED }
        let isNegative = recorded.operation == .add && declared.kind == "counter" && recorded.value < 0
        guard !isNegative, recorded.labels.count == declared.labels.count,
            zip(recorded.labels, declared.labels).allSatisfy({ $1.contains($0) })
        else { return TANDEM_E_INVALID_ARGUMENT }
        return TANDEM_OK
    }
}
