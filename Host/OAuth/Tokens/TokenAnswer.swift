import TandemCore
import TandemEgress
import TandemJSON

/// What a token endpoint gave, checked.
struct TokenAnswer: Sendable {
    var access: Secret
    var refresh: Secret?
    /// Nil: the answer does not say.
    var life: Duration?
    var refreshLife: Duration?
    /// Nil: as asked for (RFC 6749 §5.1).
    var scopes: [String]?
    /// What the person calls the account there, such as a workspace's name.
    var account: String?

    /// Nil for anything that is no bearer token (RFC 6749 §5.1, RFC 6750).
    init?(_ json: JSON) {
        guard let access = json["access_token"]?.stringValue, TokenText.isToken(access),
            json["token_type"]?.stringValue?.lowercased() == "bearer"
        else { return nil }
        self.access = Secret(access)
        if let given = json["refresh_token"], !given.isNull {
            guard let text = given.stringValue, TokenText.isToken(text) else { return nil }
            refresh = Secret(text)
        }
        life = TokenAnswer.seconds(json["expires_in"])
        refreshLife = TokenAnswer.seconds(json["refresh_token_expires_in"])
        scopes = json["scope"]?.stringValue.map { text in
            text.split(separator: " ").filter { TokenText.isScope($0) }.prefix(200).map(String.init)
        }
        account = json["workspace_name"]?.stringValue.flatMap(TokenAnswer.line)
    }

    /// Some services write numbers as text.
    private static func seconds(_ value: JSON?) -> Duration? {
        guard let seconds = value?.int64Value ?? value?.stringValue.flatMap({ Int64($0) }) else { return nil }
        return .seconds(min(max(seconds, 0), 10 * 365 * 86_400))
    }

    private static func line(_ text: String) -> String? {
        let line = String(text.filter { $0 >= " " && $0 != "\u{7F}" }.prefix(120))
        return line.isEmpty ? nil : line
    }
}

/// Why a token endpoint gave nothing.
enum TokenFailure: Error, Sendable, Hashable {
    /// The grant is over: the person has to agree again. With the service's word.
    case dead(String)
    /// The service does not take the program's request: its id, secret or registration is wrong.
    case misconfigured(String)
    /// Gone later, perhaps. `isUnclear`: the service may have done it all the same.
    case passing(String, retryAfter: Duration?, isUnclear: Bool)
}

extension TokenFailure {
    /// What an error answer means (RFC 6749 §5.2 with the services' additions).
    init(status: Int, json: JSON?, headers: HTTPHeaders) {
        let retryAfter = headers["retry-after"].flatMap { Int64($0) }.map { Duration.seconds(min(max($0, 0), 3600)) }
        let word = TokenFailure.word(json?["error"]?.stringValue)
        switch (status, word) {
        case (429, _), (500..., _), (_, "temporarily_unavailable"), (_, "server_error"), (408, _):
            self = .passing(word ?? "status_\(status)", retryAfter: retryAfter, isUnclear: false)
        case (_, "invalid_grant"), (_, "interaction_required"), (_, "consent_required"), (_, "login_required"),
            (_, "access_denied"), (_, "invalid_token"):
            self = .dead(
                TokenFailure.word(json?["suberror"]?.stringValue) == "consent_required"
                    ? "consent_required" : word ?? "")
        case (400..., .some(let word)): self = .misconfigured(word)
        // An error page of something in between, or an answer that is none.
        default: self = .passing("status_\(status)", retryAfter: retryAfter, isUnclear: (200..<300).contains(status))
        }
    }

    /// An error code that may be kept and logged; nil for anything else, which could be anything.
    private static func word(_ text: String?) -> String? {
        guard let text, (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == 95 || $0 == 45 })
        else { return nil }
        return text
    }
}
