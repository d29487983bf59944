internal import CTandemPlugin
internal import Synchronization
internal import TandemJSON

// Functions that the host calls. All are nonisolated and top-level: a closure literal would inherit the isolation of
// the place it stands in, and calling it on a host thread would end the process (swift_task_isCurrentExecutor).

func tandemSDKReleaseBuffer(_ owner: UnsafeMutableRawPointer?) {
    guard let owner else { return }
    owner.assumingMemoryBound(to: UInt8.self).deallocate()
    liveBuffers.subtract(1, ordering: .relaxed)
}

func tandemSDKRowsDone(_ context: UnsafeMutableRawPointer?, _ status: Int32, _ result: tandem_buffer) {
    let json = consume(result)
    guard let context else { return }
    Unmanaged<RowsWaiter>.fromOpaque(context).takeRetainedValue().resume(status, json)
}

func tandemSDKToolDone(
    _ context: UnsafeMutableRawPointer?, _ status: Int32, _ outcome: UnsafePointer<tandem_outcome>?
) {
    guard let context else { return }
    let waiter = Unmanaged<ToolWaiter>.fromOpaque(context).takeRetainedValue()
    guard let outcome, Int(outcome.pointee.header.size) >= MemoryLayout<tandem_outcome>.size else {
        waiter.resume(ToolAnswer(status: status, outcome: nil))
        return
    }
    let ended = outcome.pointee
    // The buffers are ours: each is read and given back.
    let message = text(tandem_slice(ptr: ended.message.ptr, len: ended.message.len))
    for buffer in [ended.message, ended.resume_state] { buffer.release?(buffer.owner) }
    waiter.resume(
        ToolAnswer(
            status: status,
            outcome: ToolAnswer.Ended(
                kind: ended.kind, status: ended.status, retryAfterMilliseconds: ended.retry_after_ms,
                value: consume(ended.value), message: message, shown: consume(ended.shown))))
}

private func instance(_ table: UnsafeMutablePointer<tandem_instance>?) -> Instance? {
    guard let context = table?.pointee.context else { return nil }
    return Unmanaged<Instance>.fromOpaque(context).takeUnretainedValue()
}

func tandemSDKActivate(_ table: UnsafeMutablePointer<tandem_instance>) -> Int32 {
    instance(table)?.activate() ?? TANDEM_E_INVALID_ARGUMENT
}

func tandemSDKInvoke(
    _ table: UnsafeMutablePointer<tandem_instance>, _ request: UnsafePointer<tandem_request>
) -> Int32 {
    instance(table)?.invoke(request) ?? TANDEM_E_INVALID_ARGUMENT
}

func tandemSDKCancel(_ table: UnsafeMutablePointer<tandem_instance>, _ call: UInt64, _ reason: UInt32) {
    instance(table)?.cancel(call)
}

func tandemSDKQuiesce(_ table: UnsafeMutablePointer<tandem_instance>) -> Int32 {
    instance(table)?.quiesce() ?? TANDEM_E_INVALID_ARGUMENT
}

func tandemSDKDestroy(_ table: UnsafeMutablePointer<tandem_instance>) {
    guard let context = table.pointee.context else { return }
    table.pointee.context = nil
    Unmanaged<Instance>.fromOpaque(context).takeRetainedValue().destroy()
}

func tandemSDKCheckHealth(
    _ table: UnsafeMutablePointer<tandem_instance>, _ request: UnsafePointer<tandem_request>
) -> Int32 {
    instance(table)?.checkHealth(request) ?? TANDEM_E_INVALID_ARGUMENT
}

/// A table that lives as long as the process.
private struct HealthTable: @unchecked Sendable {
    // Sendable: written once, before anybody sees it.
    let pointer: UnsafeRawPointer

    init() {
        let table = UnsafeMutablePointer<tandem_health>.allocate(capacity: 1)
        table.initialize(
            to: tandem_health(
                header: tandem_header(size: UInt32(MemoryLayout<tandem_health>.size), flags: 0),
                check: tandemSDKCheckHealth))
        pointer = UnsafeRawPointer(table)
    }
}

private let healthTable = HealthTable()

func tandemSDKGetExtension(
    _ table: UnsafeMutablePointer<tandem_instance>, _ id: UnsafePointer<CChar>
) -> UnsafeRawPointer? {
    String(cString: id) == TANDEM_EXT_HEALTH ? healthTable.pointer : nil
}
