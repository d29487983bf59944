import CTandemPlugin

/// `tandem.memory/1` for runners.
enum MemoryStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        let table = MemoryExtension.table.pointer.pointee
        let host = request.instance.host
        var reader = request.reader
        let call: UInt64 = reader.number()
        switch request.function {
        case 1:
            let limit: UInt64 = reader.number()
            let question = tandem_slice(reader.rest())
            return request.ask(reader) { table.recall(host, call, question, UInt32(clamping: limit), $0, $1) }
        case 2:
            let length: UInt64 = reader.number()
            let kind = tandem_slice(reader.slice(length))
            let text = tandem_slice(reader.rest())
            return request.ask(reader) { table.propose(host, call, kind, text, $0, $1) }
        default: return false
        }
    }
}
