import PluginCommon
import TandemSDK

/// What the API's refusals mean to the person (developers.google.com/youtube/v3/docs/errors).
enum YouTubeFailure {
    static let quota = "quota_exceeded"

    static let unreadable = ToolError.rejected(
        "YouTube answered in a way that I cannot read. Try again later.", code: "unexpected_answer")

    static let noVideo = ToolError.notFound("YouTube has no such video, or it is private.", code: "no_video")

    static func error(_ answer: HTTPResponse, _ context: Context) -> any Error {
        let error = (try? JSON(parsing: answer.body))?["error"]
        let reasons = Set(
            (error?["errors"]?.arrayValue ?? []).compactMap { $0["reason"]?.stringValue }
                + (error?["details"]?.arrayValue ?? []).compactMap { $0["reason"]?.stringValue })
        context.log.info(
            "YouTube refused",
            [
                "status": .integer(Int64(answer.status)),
                "reasons": .string(reasons.sorted().joined(separator: ",").singleLine(limit: 80)),
            ])
        func has(_ names: String...) -> Bool { !reasons.isDisjoint(with: names) }
        switch answer.status {
        case 400 where has("API_KEY_INVALID", "keyInvalid", "keyExpired"):
            return ToolError.rejected("YouTube does not take the key. Please tell the operator.", code: "bad_key")
        case 400: return ToolError.rejected("YouTube did not understand me. Please tell the operator.")
        case 401:
            return AuthRequired(grant: YouTubeClient.grant, "YouTube no longer accepts the connection.")
        case 403 where has("quotaExceeded", "dailyLimitExceeded"): return spent(context.clock.now, ofAll: true)
        case 403 where has("rateLimitExceeded", "userRateLimitExceeded"), 429:
            return ToolError.rateLimited(
                "YouTube wants me to slow down. Try again later.", retryAfter: answer.retryAfter)
        case 403 where has("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
            return AuthRequired(
                grant: YouTubeClient.grant, "That needs another right from YouTube. Let me change things there first.")
        case 403 where has("accessNotConfigured", "SERVICE_DISABLED", "ipRefererBlocked", "API_KEY_SERVICE_BLOCKED"):
            return ToolError.rejected("YouTube does not take the key. Please tell the operator.", code: "bad_key")
        case 403:
            return ToolError.notGranted("YouTube shows that to its owner only.", code: "not_allowed")
        case 404 where has("playlistNotFound"):
            return ToolError.notFound("YouTube has no such playlist, or it is private.")
        case 404, 410: return noVideo
        case 500...:
            return ToolError.unavailable("YouTube has a problem. Try again later.", retryAfter: answer.retryAfter)
        default: return unreadable
        }
    }

    /// Until the allowance is filled again, at midnight in California.
    static func spent(_ now: Instant, ofAll: Bool) -> ToolError {
        let milliseconds = PacificDay(now).end.milliseconds - now.milliseconds
        let hours = (milliseconds + 3_599_999) / 3_600_000
        let when = hours <= 1 ? "in an hour" : "in \(hours) hours"
        var error = ToolError.rateLimited(
            ofAll
                ? "YouTube's searches for today are used up. They come back \(when)."
                : "You have used your YouTube searches for today. They come back \(when).",
            retryAfter: .milliseconds(milliseconds))
        error.code = quota
        return error
    }
}
