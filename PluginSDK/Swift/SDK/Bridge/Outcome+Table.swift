internal import CTandemPlugin
internal import TandemJSON

extension Outcome {
    /// Calls `body` with the C form, whose buffers pass to the host.
    func withTable<R>(_ body: (UnsafePointer<tandem_outcome>) -> R) -> R {
        var table = tandem_outcome()
        table.header = tandem_header(size: UInt32(MemoryLayout<tandem_outcome>.size), flags: 0)
        switch self {
        case .value(let value, let message, let shown, let trust):
            table.kind = TANDEM_OUTCOME_VALUE
            table.trust = trust?.tableValue ?? TANDEM_TRUST_DECLARED
            table.value = ownedBuffer(value)
            table.message = ownedBuffer(message)
            if let shown, !shown.items.isEmpty { table.shown = ownedBuffer(shown.json) }
        case .failure(let error):
            table.kind = TANDEM_OUTCOME_TOOL_ERROR
            table.status = error.status
            table.retry_after_ms = UInt64(max(0, error.retryAfterMilliseconds ?? 0))
            table.value = ownedBuffer(["code": .string(error.code), "retryable": .bool(error.isRetryable)])
            table.message = ownedBuffer(error.message)
        case .question(let ask):
            table.kind = TANDEM_OUTCOME_INPUT_REQUIRED
            table.value = ownedBuffer(ask.detail)
            table.message = ownedBuffer(ask.message)
            table.resume_state = ownedBuffer(ask.state)
        case .authRequired(let auth):
            table.kind = TANDEM_OUTCOME_AUTH_REQUIRED
            table.value = ownedBuffer(["grant": .string(auth.grant)])
            table.message = ownedBuffer(auth.message)
        case .accepted(let accepted):
            table.kind = TANDEM_OUTCOME_ACCEPTED
            table.value = ownedBuffer(["job": .string(accepted.job)])
            table.message = ownedBuffer(accepted.message)
        }
        return body(&table)
    }
}

extension Trust {
    fileprivate var tableValue: UInt32 {
        switch self {
        case .system: TANDEM_TRUST_SYSTEM
        case .contact: TANDEM_TRUST_CONTACT
        case .untrusted: TANDEM_TRUST_UNTRUSTED
        }
    }
}
