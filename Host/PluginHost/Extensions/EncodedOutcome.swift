import CTandemPlugin
import TandemCore
import TandemJSON

/// An outcome in the form of the ABI, for a plugin that called another plugin's tool.
struct EncodedOutcome {
    private var head = tandem_outcome()
    private var value: [UInt8] = []
    private var message: [UInt8] = []
    private var shown: [UInt8] = []

    init(_ outcome: ToolOutcome) {
        head.header.size = UInt32(MemoryLayout<tandem_outcome>.size)
        switch outcome {
        case .value(let result):
            head.kind = TANDEM_OUTCOME_VALUE
            head.trust = Self.trust(result.trust)
            value = result.value.serialized()
            message = Array(result.message.utf8)
            shown = result.shown?.json.serialized() ?? []
        case .failure(let failure):
            head.kind = TANDEM_OUTCOME_TOOL_ERROR
            head.status = failure.status < 0 ? failure.status : TANDEM_E_INTERNAL
            head.trust = TANDEM_TRUST_DECLARED
            head.retry_after_ms = UInt64(max(failure.retryAfterMilliseconds ?? 0, 0))
            let detail: JSON = ["code": .string(failure.code), "retryable": .bool(failure.isRetryable)]
            value = detail.serialized()
            message = Array(failure.message.utf8)
        case .inputRequired(let question):
            // The answer would come to the inner call, which is over by then: the caller has to ask itself.
            head.kind = TANDEM_OUTCOME_INPUT_REQUIRED
            let options = question.options.map { option -> JSON in
                ["value": option.value, "label": .string(option.label)]
            }
            let detail: JSON = [
                "field": .string(question.field), "schema": question.schema, "options": .array(options),
            ]
            value = detail.serialized()
            message = Array(question.message.utf8)
        case .authRequired(let grant, let text):
            head.kind = TANDEM_OUTCOME_AUTH_REQUIRED
            value = (["grant": .string(grant)] as JSON).serialized()
            message = Array(text.utf8)
        case .accepted(let job, let text):
            head.kind = TANDEM_OUTCOME_ACCEPTED
            value = (["job": .string(job)] as JSON).serialized()
            message = Array(text.utf8)
        }
    }

    /// The C form. Its buffers are the receiver's, who releases them.
    func table() -> tandem_outcome {
        var table = head
        table.value = HostBuffer.make(value)
        table.message = HostBuffer.make(message)
        table.shown = HostBuffer.make(shown)
        return table
    }

    private static func trust(_ label: TrustLabel) -> UInt32 {
        switch label {
        case .owner, .system: TANDEM_TRUST_SYSTEM
        case .contact: TANDEM_TRUST_CONTACT
        case .untrusted: TANDEM_TRUST_UNTRUSTED
        }
    }
}
