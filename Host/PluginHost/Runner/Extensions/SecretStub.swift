import CTandemPlugin

/// `tandem.secret/1` for runners.
enum SecretStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        let table = SecretExtension.table.pointer.pointee
        let host = request.instance.host
        var reader = request.reader
        let call: UInt64 = reader.number()
        switch request.function {
        case 1:
            let name = tandem_slice(reader.rest())
            return request.ask(reader) { table.get(host, call, name, $0, $1) }
        case 2: return request.ask(reader) { table.entered(host, call, $0, $1) }
        default: return false
        }
    }
}
