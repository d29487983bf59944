import PluginCommon
import TandemSDK

/// What Notion's refusals mean to the person. Notion's own words stay out: they may quote what was sent.
enum NotionFailure {
    static let notShared = "not_shared"

    static let unreadable = ToolError.rejected(
        "Notion answered in a way that I cannot read. Try again later.", code: "unexpected_answer")

    /// A request that may not be repeated was sent, and nobody knows whether it arrived.
    static let unknown = ToolError(
        code: "outcome_unknown",
        "Notion did not say whether that was saved. Look in Notion before you ask for it again.")

    /// Whether a failure of the line leaves open what Notion did.
    static func leavesUnknown(_ error: ToolError) -> Bool {
        ["interrupted", "timeout", "invalid_response", "failed", "unavailable"].contains(error.code)
    }

    /// The codes: https://developers.notion.com/reference/status-codes.
    static func error(_ answer: HTTPResponse, _ context: Context, isRepeatable: Bool) -> any Error {
        let json = try? JSON(parsing: answer.body)
        let code = json?["object"] == "error" ? json?["code"]?.stringValue : nil
        context.log.info(
            "Notion refused",
            ["status": .integer(Int64(answer.status)), "code": .string((code ?? "none").singleLine(limit: 40))])
        switch answer.status {
        case 401:
            return AuthRequired(grant: NotionClient.grant, "Notion no longer accepts the connection.")
        case 403:
            return ToolError.notGranted(
                "Notion does not let me do that. The connection needs that right in Notion's settings.",
                code: "not_allowed")
        case 404, 410:
            return ToolError.notFound(
                "Notion does not show me that page. Share it with Tandem in Notion: ... > Connections.",
                code: notShared)
        case 409:
            var error = ToolError.conflict("Somebody is changing that in Notion right now. Try again in a moment.")
            error.isRetryable = true
            return error
        case 400, 405, 413, 422:
            switch code {
            case "missing_version", "invalid_beta":
                return ToolError.rejected(
                    "Notion wants another version of its interface. Please tell the operator.", code: "bad_version")
            case "validation_error":
                return ToolError.invalid(
                    "Notion does not take that as it is. Try it in other words.", code: "validation")
            default: return ToolError.rejected("Notion did not understand me. Please tell the operator.")
            }
        case 408, 429:
            return ToolError.rateLimited(
                "Notion wants me to slow down. Try again in \(wait(answer.retryAfter)).", retryAfter: answer.retryAfter)
        case 529:
            return ToolError.unavailable(
                "Notion is overloaded. Try again in \(wait(answer.retryAfter)).", retryAfter: answer.retryAfter)
        // It may have been saved before Notion stumbled; "unavailable" says that it was not.
        case 500 where !isRepeatable, 502 where !isRepeatable, 504 where !isRepeatable: return unknown
        case 500...:
            return ToolError.unavailable("Notion has a problem. Try again later.", retryAfter: answer.retryAfter)
        default: return unreadable
        }
    }

    private static func wait(_ duration: Duration?) -> String {
        guard let seconds = duration?.components.seconds, seconds > 0 else { return "a minute" }
        if seconds < 120 { return seconds == 1 ? "a second" : "\(seconds) seconds" }
        return "\((seconds + 59) / 60) minutes"
    }
}
