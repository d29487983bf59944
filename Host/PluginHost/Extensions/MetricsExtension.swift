import CTandemPlugin
import TandemCore

/// `tandem.metrics/1`: the plugin's numbers among the host's metrics.
enum MetricsExtension {
    static let table = StaticTable(
        tandem_metrics(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_metrics>.size), flags: 0), add: metricsAdd,
            set: metricsSet, observe: metricsObserve))
}

private func metricsAdd(
    _ host: UnsafePointer<tandem_host>, _ name: tandem_slice, _ labels: tandem_array, _ amount: Double
) -> tandem_status { record(host, name, labels, amount, .add) }

private func metricsSet(
    _ host: UnsafePointer<tandem_host>, _ name: tandem_slice, _ labels: tandem_array, _ value: Double
) -> tandem_status { record(host, name, labels, value, .set) }

private func metricsObserve(
    _ host: UnsafePointer<tandem_host>, _ name: tandem_slice, _ labels: tandem_array, _ value: Double
) -> tandem_status { record(host, name, labels, value, .observe) }

private func record(
    _ host: UnsafePointer<tandem_host>, _ name: tandem_slice, _ labels: tandem_array, _ value: Double,
    _ operation: PluginMetrics.Operation
) -> tandem_status {
    guard let instance = PluginInstance.of(host), let name = name.bytes else { return TANDEM_E_INVALID_ARGUMENT }
    let permission = instance.permission(for: .metrics)
    guard permission == TANDEM_OK else { return permission }
    let status = instance.plugin.metrics.record(operation, name: name, labels: labels, value: value)
    if status != TANDEM_OK { instance.plugin.meters.count(\.serviceRefusals) }
    return status
}
