import CTandemPlugin

/// `tandem.rows/1` for runners; the pattern for every extension with an asynchronous answer.
enum RowsStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        switch request.function {
        case 1:
            var reader = request.reader
            let call: UInt64 = reader.number()
            let operations = tandem_slice(reader.rest())
            guard reader.isIntact else { return false }
            let host = request.instance.host
            let context = request.retained()
            let status = RowsExtension.table.pointer.pointee.execute(host, call, operations, context, rowsDone)
            // Not accepted: done is not called.
            if status != TANDEM_OK { rowsDone(context, status, tandem_buffer()) }
            return true
        default: return false
        }
    }
}

private func rowsDone(_ context: UnsafeMutableRawPointer?, _ status: tandem_status, _ result: tandem_buffer) {
    RunnerReply.take(context)?.send(status, result)
}

extension tandem_slice {
    /// Borrows bytes of a request.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(ptr: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), len: UInt64(bytes.count))
    }
}
