import CTandemPlugin

/// `tandem.kv/1` for runners.
enum KeyValueStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        let table = KeyValueExtension.table.pointer.pointee
        let host = request.instance.host
        var reader = request.reader
        let call: UInt64 = reader.number()
        switch request.function {
        case 1:
            let key = tandem_slice(reader.rest())
            return request.ask(reader) { table.get(host, call, key, $0, keyValueDone) }
        case 2:
            let expected: UInt64 = reader.number()
            let lifetime: UInt64 = reader.number()
            let length: UInt64 = reader.number()
            let key = tandem_slice(reader.slice(length))
            let value = tandem_slice(reader.rest())
            return request.ask(reader) { table.set(host, call, key, value, expected, lifetime, $0, keyValueDone) }
        case 3:
            let expected: UInt64 = reader.number()
            let key = tandem_slice(reader.rest())
            return request.ask(reader) { table.remove(host, call, key, expected, $0, keyValueDone) }
        case 4:
            let limit: UInt64 = reader.number()
            let length: UInt64 = reader.number()
            let prefix = tandem_slice(reader.slice(length))
            let after = tandem_slice(reader.rest())
            return request.ask(reader) {
                table.list(host, call, prefix, after, UInt32(clamping: limit), $0, keyValueDone)
            }
        case 5: return request.ask(reader) { table.usage(host, call, $0, keyValueDone) }
        default: return false
        }
    }
}

/// Version, when it goes, value.
private func keyValueDone(
    _ context: UnsafeMutableRawPointer?, _ status: tandem_status, _ result: UnsafePointer<tandem_kv_result>
) {
    let result = result.pointee
    defer { OutcomeDecoder.release(result.value) }
    let length = Int(result.value.len)
    RunnerReply.take(context)?.send(status, length: 16 + length) { place in
        place.storeBytes(of: result.version, as: UInt64.self)
        place.storeBytes(of: result.expires_at_ms, toByteOffset: 8, as: Int64.self)
        if let bytes = result.value.ptr { (place + 16).copyMemory(from: bytes, byteCount: length) }
    }
}
