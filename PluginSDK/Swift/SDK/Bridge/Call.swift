internal import CTandemPlugin
internal import Synchronization
internal import TandemJSON

/// One call in flight, as the tool's context sees it.
final class Call: Sendable {
    let instance: Instance
    let id: UInt64
    let deadlineNanoseconds: UInt64
    let arguments: JSON
    let idempotencyKey: String
    let answers: JSONObject
    let resumeState: JSON?
    private let knownLocale = Mutex<PersonLocale?>(nil)

    init(
        instance: Instance, id: UInt64, deadlineNanoseconds: UInt64, arguments: JSON, idempotencyKey: String,
        answers: JSONObject, resumeState: JSON?
    ) {
        self.instance = instance
        self.id = id
        self.deadlineNanoseconds = deadlineNanoseconds
        self.arguments = arguments
        self.idempotencyKey = idempotencyKey
        self.answers = answers
        self.resumeState = resumeState
    }

    /// Asked for at most once per call.
    var locale: PersonLocale {
        if let known = knownLocale.withLock({ $0 }) { return known }
        let locale = instance.host.locale()
        knownLocale.withLock { $0 = locale }
        return locale
    }

    var reader: Reader { Reader(currency: { [self] in locale.currency }) }

    func execute(_ operation: JSON) async throws -> JSON {
        let results = try await execute([operation])
        guard let first = results.first else { throw RowOperations.unreadable }
        return first
    }

    func execute(_ operations: [JSON]) async throws -> [JSON] {
        let answer = await instance.host.execute(id, .array(operations))
        guard answer.status == TANDEM_OK else { throw rowError(answer) }
        guard case .array(let results) = answer.json, results.count == operations.count else {
            throw RowOperations.unreadable
        }
        return results
    }

    private func rowError(_ answer: JSONAnswer) -> ToolError {
        let code = answer.json?["code"]?.stringValue
        switch answer.status {
        case TANDEM_E_CONFLICT: return .conflict("That is already there.", code: code ?? "conflict")
        case TANDEM_E_OVER_QUOTA:
            return ToolError(
                status: answer.status, code: "over_quota", "There is no more room. Remove something first.")
        case TANDEM_E_NOT_GRANTED, TANDEM_E_REVOKED:
            return ToolError(status: answer.status, code: code ?? "not_granted", "I may not change that.")
        case TANDEM_E_STALE, TANDEM_E_CANCELLED: return .cancelled
        default:
            return ToolError(
                status: answer.status, code: code ?? "rows_failed", "The data could not be stored or read.")
        }
    }

    func callTool(_ tool: String, _ arguments: JSON) async throws -> OtherToolResult {
        let answer = await instance.host.callTool(id, tool, arguments)
        guard answer.status == TANDEM_OK, let outcome = answer.outcome else {
            throw callError(answer.status == TANDEM_OK ? TANDEM_E_INTERNAL : answer.status)
        }
        switch outcome.kind {
        case UInt32(TANDEM_OUTCOME_VALUE), UInt32(TANDEM_OUTCOME_ACCEPTED):
            return OtherToolResult(value: outcome.value ?? [:], message: outcome.message, shown: outcome.shown)
        case UInt32(TANDEM_OUTCOME_INPUT_REQUIRED):
            throw ToolError(status: TANDEM_E_UNSUPPORTED, code: "needs_input", outcome.message)
        case UInt32(TANDEM_OUTCOME_AUTH_REQUIRED):
            throw ToolError(status: TANDEM_E_AUTH_REQUIRED, code: "auth_required", outcome.message)
        default:
            throw ToolError(
                status: outcome.status < 0 ? outcome.status : -100,
                code: outcome.value?["code"]?.stringValue ?? "failed", outcome.message,
                retryable: outcome.value?["retryable"]?.boolValue ?? false,
                retryAfterMilliseconds: outcome.retryAfterMilliseconds > 0
                    ? Int(clamping: outcome.retryAfterMilliseconds) : nil)
        }
    }

    private func callError(_ status: Int32) -> ToolError {
        switch status {
        case TANDEM_E_NOT_GRANTED, TANDEM_E_REVOKED:
            ToolError(status: status, code: "not_granted", "The other integration is switched off.")
        case TANDEM_E_UNSUPPORTED: ToolError(status: status, code: "no_such_tool", "That is not available.")
        case TANDEM_E_CANCELLED, TANDEM_E_STALE: .cancelled
        case TANDEM_E_DEADLINE_EXCEEDED:
            ToolError(status: status, code: "timeout", "That took too long.", retryable: true)
        case TANDEM_E_CONFIRMATION_DENIED:
            ToolError(status: status, code: "confirmation_needed", "That needs your confirmation first.")
        default: ToolError(status: status, code: "call_failed", "The other integration did not answer.")
        }
    }
}
