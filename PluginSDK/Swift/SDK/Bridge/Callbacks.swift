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

func tandemSDKToolDone(
    _ context: UnsafeMutableRawPointer?, _ status: Int32, _ outcome: UnsafePointer<tandem_outcome>?
) {
    guard let waiter = Waiter<ToolAnswer>.take(context) else { return }
    guard let outcome, outcome.pointee.header.size >= TANDEM_OUTCOME_SIZE_1_0 else {
        waiter.resume(ToolAnswer(status: status))
        return
    }
    let ended = outcome.pointee
    // The buffers are ours: each is read and given back.
    let message = text(tandem_slice(ptr: ended.message.ptr, len: ended.message.len))
    for buffer in [ended.message, ended.resume_state] { buffer.release?(buffer.owner) }
    var answer = ToolAnswer(status: status)
    answer.outcome = ToolAnswer.Ended(
        kind: ended.kind, status: ended.status, retryAfterMilliseconds: ended.retry_after_ms,
        value: consume(ended.value), message: message, shown: consume(ended.shown))
    waiter.resume(answer)
}

func tandemSDKActivate(_ table: UnsafeMutablePointer<tandem_instance>) -> Int32 {
    Instance.of(table)?.activate() ?? TANDEM_E_INVALID_ARGUMENT
}

func tandemSDKInvoke(
    _ table: UnsafeMutablePointer<tandem_instance>, _ request: UnsafePointer<tandem_request>
) -> Int32 {
    Instance.of(table)?.invoke(request) ?? TANDEM_E_INVALID_ARGUMENT
}

func tandemSDKCancel(_ table: UnsafeMutablePointer<tandem_instance>, _ call: UInt64, _ reason: UInt32) {
    Instance.of(table)?.cancel(call)
}

func tandemSDKQuiesce(_ table: UnsafeMutablePointer<tandem_instance>) -> Int32 {
    Instance.of(table)?.quiesce() ?? TANDEM_E_INVALID_ARGUMENT
}

func tandemSDKDestroy(_ table: UnsafeMutablePointer<tandem_instance>) {
    guard let context = table.pointee.context else { return }
    table.pointee.context = nil
    Unmanaged<Instance>.fromOpaque(context).takeRetainedValue().destroy()
}

func tandemSDKGetExtension(
    _ table: UnsafeMutablePointer<tandem_instance>, _ id: UnsafePointer<CChar>
) -> UnsafeRawPointer? {
    Instance.of(table)?.extensionTable(String(cString: id))
}
