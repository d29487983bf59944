import MailCommon
import PluginCommon
import TandemSDK

/// What Gmail's error answers mean for the person, by status and `reason`: a 403 may be a missing right, too many requests,
/// or an account without Gmail.
enum GmailRefusal {
    static let gone = "mail_gone"

    static let notThere = ToolError.notFound(
        "That mail is not there any more. To see what is: show my inbox.", code: gone)

    static func error(_ answer: HTTPResponse, now: Instant) -> any Error {
        let reasons = reasons(answer)
        switch answer.status {
        case 401: return AuthRequired(grant: GmailService.grant, "Google wants you to sign in again.")
        case 400 where reasons.contains("failedPrecondition"):
            return ToolError.rejected("This Google account has no Gmail.", code: "no_mailbox")
        case 400 where isAboutID(answer): return notThere
        case 403 where isRate(answer), 429: return slowDown(answer, now)
        case 403 where reasons.contains("dailyLimitExceeded") || reasons.contains("quotaExceeded"):
            return ToolError.rateLimited(
                "Gmail has had enough requests from this assistant for today. It works again tomorrow.",
                retryAfter: .seconds(3600))
        case 403
        where reasons.contains("insufficientPermissions")
            || reasons.contains("ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
            return AuthRequired(
                grant: GmailService.grant, "Google has not allowed me that for your mail yet.")
        case 403 where reasons.contains("domainPolicy"):
            return ToolError.rejected(
                "Your organisation does not let apps work with its mail. Its administrator can change that.",
                code: "domain_policy")
        case 403 where reasons.contains("accessNotConfigured") || reasons.contains("SERVICE_DISABLED"):
            return ToolError.rejected(
                "Gmail is not set up for this assistant yet. Whoever runs it has to enable the Gmail API.",
                code: "not_configured")
        case 403: return ToolError.rejected("Gmail does not allow that.", code: "forbidden")
        case 404, 410: return notThere
        case 409: return ToolError.conflict("That changed in Gmail meanwhile. Look again, then repeat it.")
        case 413: return ToolError.invalid("That is too long for a mail.", code: "too_large")
        case 408, 500...:
            return ToolError.unavailable(
                "Gmail has a problem right now. Try again later.", retryAfter: answer.retryAfter)
        default: return ToolError.rejected("Gmail refused that (\(answer.status)).")
        }
    }

    /// 429, and the 403 that means the same.
    static func isRate(_ answer: HTTPResponse) -> Bool {
        answer.status == 429
            || !reasons(answer).isDisjoint(with: [
                "rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "concurrentRequestsLimitExceeded",
            ])
    }

    private static func slowDown(_ answer: HTTPResponse, _ now: Instant) -> ToolError {
        let wait = answer.retryAfter ?? waitInText(answer, now)
        guard let wait else {
            return .rateLimited("Gmail wants me to slow down. Try again in a minute.", retryAfter: nil)
        }
        let seconds = max(1, wait.components.seconds)
        let words = seconds < 90 ? "in a minute" : "in " + Freshness.span(minutes: (seconds + 59) / 60)
        return .rateLimited("Gmail wants me to slow down. Try again \(words).", retryAfter: wait)
    }

    /// `User-rate limit exceeded.  Retry after 2026-11-21T10:15:30.000Z`
    private static func waitInText(_ answer: HTTPResponse, _ now: Instant) -> Duration? {
        guard let text = (try? JSON(parsing: answer.body))?["error"]?["message"]?.stringValue,
            let mark = text.firstRange(of: "Retry after "),
            let until = Instant(text[mark.upperBound...].prefix { !$0.isWhitespace })
        else { return nil }
        let milliseconds = until.milliseconds - now.milliseconds
        return milliseconds > 0 && milliseconds < 86_400_000 ? .milliseconds(milliseconds) : nil
    }

    private static func reasons(_ answer: HTTPResponse) -> Set<String> {
        guard let error = (try? JSON(parsing: answer.body))?["error"] else { return [] }
        let all = (error["errors"]?.arrayValue ?? []) + (error["details"]?.arrayValue ?? [])
        return Set(all.compactMap { $0["reason"]?.stringValue })
    }

    private static func isAboutID(_ answer: HTTPResponse) -> Bool {
        let error = (try? JSON(parsing: answer.body))?["error"]
        return error?["message"]?.stringValue?.hasPrefix("Invalid id") ?? false
    }
}
