import CTandemPlugin
import TandemCore

/// The failures that the host itself answers a call with. The messages are for people, the codes for programs.
enum CallFailure {
    static func unknownTool() -> ToolFailure {
        ToolFailure(status: TANDEM_E_UNSUPPORTED, code: "unknown_tool", message: "I cannot do that here.")
    }

    static func notEnabled(_ name: String) -> ToolFailure {
        ToolFailure(status: TANDEM_E_NOT_GRANTED, code: "not_enabled", message: "\(name) is off.")
    }

    static func readOnly(_ name: String) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_NOT_GRANTED, code: "read_only", message: "\(name) may only look things up for you.")
    }

    static func toolOff(_ name: String, _ title: String) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_NOT_GRANTED, code: "tool_off", message: "You turned off \"\(title)\" of \(name).")
    }

    static func notApproved(_ name: String, _ title: String) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_NOT_GRANTED, code: "not_approved",
            message: "\(name) changed \"\(title)\": it waits for your word.")
    }

    static func invalidArguments(_ violation: SchemaViolation?) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_INVALID_ARGUMENT, code: "invalid_arguments",
            message: violation.map(sentence) ?? "I did not get all that this needs.")
    }

    /// A violation in the person's words: `The count must be at least 0.25.`
    private static func sentence(_ violation: SchemaViolation) -> String {
        let path = violation.instanceLocation.split(separator: "/")
        guard let name = path.last(where: { !$0.utf8.allSatisfy { (48...57).contains($0) } }) else {
            return "I did not get all that this needs."
        }
        let words = name.replacing("~1", with: "/").replacing("~0", with: "~").replacing("_", with: " ")
        return "The \(words) \(violation.message)."
    }

    static func busy(_ name: String) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_BUSY, code: "busy", message: "\(name) is busy. Try again in a moment.", isRetryable: true,
            retryAfterMilliseconds: 1000)
    }

    static func deadline(_ name: String) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_DEADLINE_EXCEEDED, code: "timeout", message: "\(name) took too long.", isRetryable: true)
    }

    static func cancelled() -> ToolFailure {
        ToolFailure(status: TANDEM_E_CANCELLED, code: "cancelled", message: "That was cancelled.")
    }

    static func unavailable(_ name: String) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_UNAVAILABLE, code: "unavailable", message: "\(name) does not work right now.",
            isRetryable: true)
    }

    /// The plugin's process ended, or cannot be started right now.
    static func pluginUnavailable(_ name: String, retryAfterMilliseconds: Int? = nil) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_UNAVAILABLE, code: "plugin_unavailable",
            message: "\(name) stopped working for a moment. Try again.", isRetryable: true,
            retryAfterMilliseconds: retryAfterMilliseconds)
    }

    static func storage(_ name: String) -> ToolFailure {
        ToolFailure(
            status: TANDEM_E_INTERNAL, code: "internal", message: "\(name) cannot be reached right now.",
            isRetryable: true)
    }

    /// The plugin broke the contract.
    static func misbehaved(_ name: String) -> ToolFailure {
        ToolFailure(status: TANDEM_E_INTERNAL, code: "bad_outcome", message: "\(name) gave an answer I cannot use.")
    }

    /// `invoke` refused the call.
    static func refused(_ name: String, status: Int32) -> ToolFailure {
        ToolFailure(
            status: status < 0 ? status : TANDEM_E_INTERNAL, code: StatusName.code(of: status),
            message: "\(name) cannot do that right now.", isRetryable: StatusName.isRetryable(status))
    }
}

/// Statuses of the ABI as the stable codes of failures.
enum StatusName {
    static func code(of status: Int32) -> String {
        switch status {
        case TANDEM_E_INVALID_ARGUMENT: "invalid_argument"
        case TANDEM_E_UNSUPPORTED: "unsupported"
        case TANDEM_E_WRONG_STATE: "wrong_state"
        case TANDEM_E_STALE: "stale"
        case TANDEM_E_NOT_FOUND: "not_found"
        case TANDEM_E_CONFLICT: "conflict"
        case TANDEM_E_NO_MEMORY: "no_memory"
        case TANDEM_E_OVER_QUOTA: "over_quota"
        case TANDEM_E_BUSY: "busy"
        case TANDEM_E_DEADLINE_EXCEEDED: "timeout"
        case TANDEM_E_CANCELLED: "cancelled"
        case TANDEM_E_TOO_LARGE: "too_large"
        case TANDEM_E_NOT_GRANTED: "not_granted"
        case TANDEM_E_HOST_NOT_ALLOWED: "host_not_allowed"
        case TANDEM_E_CONFIRMATION_DENIED: "confirmation_denied"
        case TANDEM_E_REVOKED: "revoked"
        case TANDEM_E_AUTH_REQUIRED: "auth_required"
        case TANDEM_E_RATE_LIMITED: "rate_limited"
        case TANDEM_E_UNAVAILABLE: "unavailable"
        case TANDEM_E_REJECTED: "rejected"
        case TANDEM_E_PLUGIN_LAST...TANDEM_E_PLUGIN_FIRST: "plugin_error"
        default: "internal"
        }
    }

    static func isRetryable(_ status: Int32) -> Bool {
        switch status {
        case TANDEM_E_BUSY, TANDEM_E_RATE_LIMITED, TANDEM_E_UNAVAILABLE, TANDEM_E_NO_MEMORY: true
        default: false
        }
    }
}
