import CTandemPlugin

/// `tandem.log/1` for runners: nobody waits for an answer.
enum LogStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        guard request.function == 1 else { return false }
        var reader = request.reader
        let level: UInt64 = reader.number()
        let call: UInt64 = reader.number()
        let length: UInt64 = reader.number()
        let message = tandem_slice(reader.slice(length))
        let fields = tandem_slice(reader.rest())
        guard reader.isIntact else { return false }
        _ = LogExtension.table.pointer.pointee.write(
            request.instance.host, UInt32(truncatingIfNeeded: level), call, message, fields)
        return true
    }
}
