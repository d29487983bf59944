internal import CTandemPlugin
internal import TandemJSON

/// A task that waits for the host's `done`, which comes exactly once.
final class Waiter<Answer: Sendable>: Sendable {
    private let continuation: UnsafeContinuation<Answer, Never>

    init(_ continuation: UnsafeContinuation<Answer, Never>) { self.continuation = continuation }

    func resume(_ answer: Answer) { continuation.resume(returning: answer) }

    /// The waiter behind a context pointer, which is not used again.
    static func take(_ context: UnsafeMutableRawPointer?) -> Waiter? {
        context.map { Unmanaged<Waiter>.fromOpaque($0).takeRetainedValue() }
    }
}

/// What comes of a request; a status alone when the host refused it.
protocol HostAnswer: Sendable {
    init(status: Int32)
}

/// A status and what came with it.
struct JSONAnswer: HostAnswer {
    let status: Int32
    let json: JSON?

    init(status: Int32) { self.init(status: status, json: nil) }

    init(status: Int32, json: JSON?) {
        self.status = status
        self.json = json
    }
}

/// An answer of `tandem.kv/1`.
struct KeyValueAnswer: HostAnswer {
    let status: Int32
    var version: UInt64 = 0
    var expiresAt: Instant?
    var bytes: [UInt8] = []

    init(status: Int32) { self.status = status }
}

/// An answer of `tandem.secret/1` with a value.
struct SecretAnswer: HostAnswer {
    let status: Int32
    var secret: Secret?

    init(status: Int32) { self.status = status }
}

extension HostAccess {
    /// Makes a request that `done` answers.
    ///
    /// - Parameters:
    ///   - table: of the extension; nil: not granted.
    ///   - submit: calls the host with the context for `done`; another status than `TANDEM_OK` means that `done` does
    ///     not follow.
    func request<Table, Answer: HostAnswer>(
        _ table: UnsafePointer<Table>?, _ submit: (Table, UnsafeMutableRawPointer) -> Int32
    ) async -> Answer {
        await withUnsafeContinuation { continuation in
            guard isOpen, let table else {
                continuation.resume(returning: Answer(status: TANDEM_E_NOT_GRANTED))
                return
            }
            let context = Unmanaged.passRetained(Waiter(continuation)).toOpaque()
            let status = submit(table.pointee, context)
            // Refused: done is not called, so the reference is ours again.
            if status != TANDEM_OK { Waiter<Answer>.take(context)?.resume(Answer(status: status)) }
        }
    }
}

// Functions that the host calls: see Callbacks.swift.

func tandemSDKJSONDone(_ context: UnsafeMutableRawPointer?, _ status: Int32, _ result: tandem_buffer) {
    Waiter<JSONAnswer>.take(context)?.resume(JSONAnswer(status: status, json: consume(result)))
}

func tandemSDKKeyValueDone(
    _ context: UnsafeMutableRawPointer?, _ status: Int32, _ result: UnsafePointer<tandem_kv_result>
) {
    var answer = KeyValueAnswer(status: status)
    if UInt(bitPattern: result) != 0, Int(result.pointee.header.size) >= MemoryLayout<tandem_kv_result>.size {
        let table = result.pointee
        answer.version = table.version
        if table.expires_at_ms != 0 { answer.expiresAt = Instant(milliseconds: table.expires_at_ms) }
        answer.bytes = consumeBytes(table.value)
    }
    Waiter<KeyValueAnswer>.take(context)?.resume(answer)
}

func tandemSDKSecretDone(_ context: UnsafeMutableRawPointer?, _ status: Int32, _ value: tandem_buffer) {
    // The host overwrites its bytes when they are released: at once.
    var answer = SecretAnswer(status: status)
    if status == TANDEM_OK { answer.secret = value.ptr.map { Secret($0, Int(clamping: value.len)) } }
    value.release?(value.owner)
    Waiter<SecretAnswer>.take(context)?.resume(answer)
}

extension ToolError {
    /// Why a service of the host did not do what it was asked, for the services without statuses of their own.
    static func service(_ status: Int32) -> ToolError {
        switch status {
        case TANDEM_E_NOT_GRANTED: .notGranted("I may not do that.")
        case TANDEM_E_REVOKED: .notGranted("That was switched off.", code: "revoked")
        case TANDEM_E_STALE, TANDEM_E_CANCELLED: .cancelled
        case TANDEM_E_OVER_QUOTA:
            ToolError(status: status, code: "over_quota", "There is no more room. Remove something first.")
        case TANDEM_E_BUSY:
            ToolError(status: status, code: "busy", "Too much at once. Try again in a moment.", retryable: true)
        case TANDEM_E_TOO_LARGE: ToolError(status: status, code: "too_large", "That is too much to keep.")
        case TANDEM_E_INVALID_ARGUMENT: .invalid("That cannot be kept.", code: "invalid_request")
        case TANDEM_E_UNSUPPORTED: ToolError(status: status, code: "not_declared", "That is not available.")
        case TANDEM_E_NOT_FOUND: .notFound("That is not there.")
        case TANDEM_E_CONFLICT: .conflict("That was changed meanwhile.")
        default: ToolError(status: status, code: "service_failed", "That did not work.")
        }
    }
}
