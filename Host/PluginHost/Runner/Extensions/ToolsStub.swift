import CRunner
import CTandemPlugin

/// `tandem.tools/1` for runners.
enum ToolsStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        let host = request.instance.host
        var reader = request.reader
        switch request.function {
        case 1:
            let call: UInt64 = reader.number()
            let length: UInt64 = reader.number()
            let tool = tandem_slice(reader.slice(length))
            let arguments = tandem_slice(reader.rest())
            guard reader.isIntact else { return false }
            let context = request.retained()
            let status = ToolsExtension.table.pointer.pointee.call(host, call, tool, arguments, context, toolsDone)
            if status != TANDEM_OK { toolsDone(context, status, nil) }
            return true
        case 2:
            let tool = tandem_slice(reader.rest())
            request.reply(ToolsExtension.table.pointer.pointee.is_available(host, tool) == 1 ? 1 : 0)
            return true
        default: return false
        }
    }
}

/// The buffers are ours: they are copied into the frame and released.
private func toolsDone(
    _ context: UnsafeMutableRawPointer?, _ status: tandem_status, _ outcome: UnsafePointer<tandem_outcome>?
) {
    guard let reply = RunnerReply.take(context) else { return }
    guard status == TANDEM_OK, let outcome = outcome?.pointee else { return reply.send(status, length: 0) { _ in } }
    let buffers = [outcome.value, outcome.message, outcome.shown, outcome.resume_state]
    var head = tandem_frame_outcome()
    head.size = outcome.header.size
    head.kind = outcome.kind
    head.status = outcome.status
    head.trust = outcome.trust
    head.retry_after_ms = outcome.retry_after_ms
    head.lengths = (buffers[0].len, buffers[1].len, buffers[2].len, buffers[3].len)
    let size = MemoryLayout<tandem_frame_outcome>.size
    let total = buffers.reduce(size) { $0 + Int($1.len) }
    defer { for buffer in buffers { OutcomeDecoder.release(buffer) } }
    reply.send(TANDEM_OK, length: total) { start in
        start.storeBytes(of: head, as: tandem_frame_outcome.self)
        var place = start + size
        for buffer in buffers {
            if let bytes = buffer.ptr { place.copyMemory(from: bytes, byteCount: Int(buffer.len)) }
            place += Int(buffer.len)
        }
    }
}
