internal import CTandemPlugin
@_spi(Testing) public import TandemSDK

/// An outcome as it crossed the C boundary, with its buffers copied and released.
public struct WireOutcome: Sendable, Hashable {
    /// `TANDEM_OUTCOME_*`.
    public var kind: UInt32
    /// `TANDEM_OK`, or why not.
    public var status: Int32
    /// `TANDEM_TRUST_*`.
    public var trust: UInt32
    public var retryAfterMilliseconds: UInt64
    public var value: [UInt8]
    public var message: String
    public var shown: [UInt8]
    public var resumeState: [UInt8]

    public init(
        kind: UInt32, status: Int32 = 0, trust: UInt32 = 0, retryAfterMilliseconds: UInt64 = 0, value: [UInt8] = [],
        message: String = "", shown: [UInt8] = [], resumeState: [UInt8] = []
    ) {
        self.kind = kind
        self.status = status
        self.trust = trust
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.value = value
        self.message = message
        self.shown = shown
        self.resumeState = resumeState
    }

    /// A tool error that the host makes itself.
    static func refused(_ status: Int32, _ code: String, _ message: String) -> WireOutcome {
        WireOutcome(
            kind: TANDEM_OUTCOME_TOOL_ERROR, status: status,
            value: JSON.object(["code": .string(code), "retryable": false]).serialized(), message: message)
    }

    init(_ outcome: Outcome) {
        switch outcome {
        case .value(let value, let message, let shown, let trust):
            self.init(
                kind: TANDEM_OUTCOME_VALUE, trust: trust == .untrusted ? 4 : trust == .contact ? 3 : 0,
                value: value.serialized(), message: message)
            if let shown { self.shown = Self.json(shown).serialized() }
        case .failure(let error):
            self.init(
                kind: TANDEM_OUTCOME_TOOL_ERROR, status: error.status,
                retryAfterMilliseconds: UInt64(max(0, error.retryAfterMilliseconds ?? 0)),
                value: JSON.object(["code": .string(error.code), "retryable": .bool(error.isRetryable)]).serialized(),
                message: error.message)
        case .question(let ask):
            self.init(kind: TANDEM_OUTCOME_INPUT_REQUIRED, message: ask.message)
        case .authRequired(let auth):
            self.init(kind: TANDEM_OUTCOME_AUTH_REQUIRED, status: TANDEM_E_AUTH_REQUIRED, message: auth.message)
        case .accepted(let accepted):
            self.init(kind: TANDEM_OUTCOME_ACCEPTED, message: accepted.message)
        }
    }

    private static func json(_ shown: Shown) -> JSON {
        let items: [JSON] = shown.items.map {
            ["type": .string($0.type), "id": .string($0.id), "label": .string($0.label)]
        }
        var object: JSONObject = ["numbered": .bool(shown.isNumbered), "items": .array(items)]
        if let select = shown.select { object["select"] = .string(select) }
        return .object(object)
    }

    /// The outcome as an author knows it.
    public var outcome: Outcome {
        let detail = (try? JSON(parsing: value)) ?? .null
        switch kind {
        case TANDEM_OUTCOME_VALUE:
            let trust: Trust? =
                switch self.trust {
                case TANDEM_TRUST_SYSTEM: .system
                case TANDEM_TRUST_CONTACT: .contact
                case TANDEM_TRUST_UNTRUSTED: .untrusted
                default: nil
                }
            let shown = (try? JSON(parsing: self.shown)).flatMap { Shown(json: $0) }
            return .value(detail, message: message, shown: shown, trust: trust)
        case TANDEM_OUTCOME_INPUT_REQUIRED:
            let options = (detail["options"]?.arrayValue ?? []).map {
                Ask.Option($0["label"]?.stringValue ?? "", value: $0["value"] ?? .null)
            }
            // The message carries the options with their numbers; the question alone is what the author wrote.
            let list = " " + numbered(options.map(\.label))
            let question = !options.isEmpty && message.hasSuffix(list) ? String(message.dropLast(list.count)) : message
            return .question(
                Ask(
                    question, field: detail["field"]?.stringValue ?? "", options: options,
                    schema: detail["schema"] ?? true, state: try? JSON(parsing: resumeState)))
        case TANDEM_OUTCOME_AUTH_REQUIRED:
            return .authRequired(AuthRequired(grant: detail["grant"]?.stringValue ?? "", message))
        case TANDEM_OUTCOME_ACCEPTED:
            return .accepted(Accepted(job: detail["job"]?.stringValue ?? "", message))
        default:
            return .failure(
                ToolError(
                    status: status, code: detail["code"]?.stringValue ?? "failed", message,
                    retryable: detail["retryable"]?.boolValue ?? false,
                    retryAfterMilliseconds: retryAfterMilliseconds > 0 ? Int(clamping: retryAfterMilliseconds) : nil))
        }
    }

    /// Calls `body` with the C form; its buffers pass to whoever gets it.
    func withTable<R>(_ body: (UnsafePointer<tandem_outcome>) -> R) -> R {
        var table = tandem_outcome(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_outcome>.size), flags: 0),
            kind: kind, status: status, trust: trust, reserved: 0, retry_after_ms: retryAfterMilliseconds,
            value: testHostBuffer(value), message: testHostBuffer(Array(message.utf8)), shown: testHostBuffer(shown),
            resume_state: testHostBuffer(resumeState))
        return body(&table)
    }
}
