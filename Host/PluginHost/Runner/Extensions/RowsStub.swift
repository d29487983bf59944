import CTandemPlugin

/// `tandem.rows/1` for runners; the pattern for every extension with an asynchronous answer.
enum RowsStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        switch request.function {
        case 1:
            var reader = request.reader
            let call: UInt64 = reader.number()
            let operations = tandem_slice(reader.rest())
            let host = request.instance.host
            return request.ask(reader) {
                RowsExtension.table.pointer.pointee.execute(host, call, operations, $0, $1)
            }
        default: return false
        }
    }
}

extension RunnerRequest {
    /// Calls a function whose `done` gets a status and a buffer, once all arguments have been read.
    ///
    /// - Parameters:
    ///   - reader: after the last argument; false is returned when something was missing.
    ///   - submit: calls the function with the context and the `done` that it is given.
    func ask(
        _ reader: FrameReader, _ submit: (UnsafeMutableRawPointer, BufferDone.Function) -> tandem_status
    ) -> Bool {
        ask(reader) { submit($0, bufferDone) }
    }

    /// The same for any `done`, which turns its context back by `RunnerReply.take`.
    func ask(_ reader: FrameReader, _ submit: (UnsafeMutableRawPointer) -> tandem_status) -> Bool {
        guard reader.isIntact else { return false }
        let context = retained()
        let status = submit(context)
        // Not accepted: done is not called.
        if status != TANDEM_OK { RunnerReply.take(context)?.send(status, tandem_buffer()) }
        return true
    }
}

private func bufferDone(_ context: UnsafeMutableRawPointer?, _ status: tandem_status, _ result: tandem_buffer) {
    RunnerReply.take(context)?.send(status, result)
}

extension tandem_slice {
    /// Borrows bytes of a request.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(ptr: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), len: UInt64(bytes.count))
    }
}
