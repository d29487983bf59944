import CTandemPlugin

/// `tandem.event/1` for runners.
enum EventStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        guard request.function == 1 else { return false }
        let host = request.instance.host
        var reader = request.reader
        let call: UInt64 = reader.number()
        let lengths = (reader.number(UInt64.self), reader.number(UInt64.self))
        let topic = tandem_slice(reader.slice(lengths.0))
        let key = tandem_slice(reader.slice(lengths.1))
        let data = tandem_slice(reader.rest())
        return request.ask(reader) {
            EventExtension.table.pointer.pointee.publish(host, call, topic, data, key, $0, $1)
        }
    }
}
