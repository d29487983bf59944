import MailCommon
import PluginCommon
import TandemSDK

/// What Graph's error answers mean for the person, by status and `error.code`.
enum GraphRefusal {
    static let gone = "item_gone"
    /// A place in the changes that the service has forgotten: all is looked at again.
    static let stateGone = "sync_state_gone"

    static let notThere = ToolError.notFound("That is not there any more. Look again: show my calendar.", code: gone)

    static func error(_ answer: HTTPResponse) -> any Error {
        let error = (try? JSON(parsing: answer.body))?["error"]
        let code = error?["code"]?.stringValue ?? ""
        switch answer.status {
        case 401: return AuthRequired(grant: GraphService.grant, "Microsoft wants you to sign in again.")
        case 403 where ["ErrorAccessDenied", "AccessDenied", "Authorization_RequestDenied"].contains(code):
            // The same code for a missing right as for a calendar of somebody else's.
            return AuthRequired(grant: GraphService.grant, "Microsoft has not allowed me that yet.")
        case 403: return ToolError.rejected("Microsoft does not allow that.", code: "forbidden")
        case 404 where code == "MailboxNotEnabledForRESTAPI" || code == "MailboxNotSupportedForRESTAPI":
            return ToolError.rejected(
                "This Microsoft account has no mailbox that apps can work with.", code: "no_mailbox")
        case 410 where code.lowercased().hasPrefix("syncstate") || code == "resyncRequired":
            return ToolError.notFound("The list of changes is too old.", code: stateGone)
        case 404, 410: return notThere
        case 400 where code == "ErrorInvalidIdMalformed" || code == "ErrorInvalidId": return notThere
        case 400 where code == "InefficientFilter" || code == "ErrorInvalidRestriction":
            return ToolError.rejected("That is too much to look for at once. Use fewer words.", code: "too_complex")
        case 400 where code.hasPrefix("ErrorInvalidRecipients"):
            return ToolError.invalid("One of the addresses is not right. Check its spelling.", code: "no_address")
        case 409, 412:
            return ToolError.conflict("That changed meanwhile. Look again, then repeat it.")
        case 413: return ToolError.invalid("That is too long.", code: "too_large")
        case 423: return ToolError.unavailable("That is locked right now. Try again in a moment.")
        case 429: return slowDown(answer)
        case 507: return ToolError.rejected("Your mailbox is full.", code: "mailbox_full")
        case 408, 500...:
            let wait = answer.retryAfter
            let words =
                wait.map { "in " + Freshness.span(minutes: max(1, ($0.components.seconds + 59) / 60)) } ?? "later"
            return ToolError.unavailable("Microsoft has a problem right now. Try again \(words).", retryAfter: wait)
        default: return ToolError.rejected("Microsoft refused that (\(answer.status)).")
        }
    }

    private static func slowDown(_ answer: HTTPResponse) -> ToolError {
        let seconds = answer.retryAfter?.components.seconds ?? 0
        let words = seconds > 90 ? "in " + Freshness.span(minutes: (seconds + 59) / 60) : "in a minute"
        return .rateLimited("Microsoft wants me to slow down. Try again \(words).", retryAfter: answer.retryAfter)
    }
}
