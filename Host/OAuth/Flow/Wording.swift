import TandemCore

/// What people read, in GSM-7: short, kind, one next step.
enum Wording {
    static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }

    static func lost(_ provider: OAuthProvider, plugins: [String], link: String) -> String {
        let paused = plugins.isEmpty ? "" : " \(list(plugins)) \(plugins.count == 1 ? "waits" : "wait") until then."
        return "\(provider.name) asks you to sign in again.\(paused) \(link)"
    }

    static func unavailable(_ provider: OAuthProvider) -> OAuthError {
        OAuthError(
            .unavailable, "\(provider.name) does not answer right now. Nothing was changed; try again in a while.")
    }

    static func misconfigured(_ provider: OAuthProvider) -> OAuthError {
        OAuthError(
            .misconfigured,
            "\(provider.name) does not know this assistant. Whoever runs it has to check its registration there.")
    }

    /// The `error` of an answer to an authorization request (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
    static func refusal(_ word: String, _ provider: OAuthProvider) -> OAuthError {
        switch word {
        case "access_denied":
            OAuthError(.denied, "You said no at \(provider.name), so nothing was connected. That is fine.")
        case "consent_required":
            OAuthError(
                .consentRequired,
                "\(provider.name) needs your consent, or that of your organisation's administrator. Nothing was connected."
            )
        case "interaction_required", "login_required", "account_selection_required":
            OAuthError(
                .interactionRequired,
                "\(provider.name) wants you to sign in there first, perhaps with a second factor. Then try again.")
        case "invalid_scope":
            OAuthError(.invalidScope, "\(provider.name) does not offer what was asked for. Nothing was connected.")
        case "server_error", "temporarily_unavailable": unavailable(provider)
        case "unauthorized_client", "invalid_client", "invalid_request", "unsupported_response_type",
            "redirect_uri_mismatch":
            misconfigured(provider)
        default: OAuthError(.refused, "\(provider.name) refused. Nothing was connected.")
        }
    }
}
