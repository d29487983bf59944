import CTandemPlugin

/// `tandem.metrics/1` for runners: answered at once, when somebody waits for an answer.
enum MetricsStub {
    /// Most labels of a metric, as the runner keeps it.
    private static let maxLabels: UInt64 = 4

    static func handle(_ request: RunnerRequest) -> Bool {
        let table = MetricsExtension.table.pointer.pointee
        var reader = request.reader
        let value = Double(bitPattern: reader.number())
        let count: UInt64 = reader.number()
        guard count <= maxLabels else { return false }
        let name = tandem_slice(reader.slice(reader.number()))
        let labels = (0..<Int(count)).map { _ in tandem_slice(reader.slice(reader.number())) }
        guard reader.isIntact else { return false }
        let record: (@convention(c) (UnsafePointer<tandem_host>, tandem_slice, tandem_array, Double) -> tandem_status)
        switch request.function {
        case 1: record = table.add
        case 2: record = table.set
        case 3: record = table.observe
        default: return false
        }
        let status = labels.withUnsafeBufferPointer { labels in
            let array = tandem_array(
                first: UnsafeRawPointer(labels.baseAddress), count: UInt64(labels.count),
                stride: UInt64(MemoryLayout<tandem_slice>.stride))
            return record(request.instance.host, name, array, value)
        }
        request.reply(status)
        return true
    }
}
