/// A kind of error answer (RFC 9457): its `type` is stable, and programs may rely on it.
public struct ProblemKind: Sendable, Hashable {
    /// The last part of the `type`.
    public let name: String
    public let status: Int
    public let title: String
    /// For the documentation.
    public let text: String

    init(_ name: String, _ status: Int, _ title: String, _ text: String) {
        self.name = name
        self.status = status
        self.title = title
        self.text = text
    }

    /// A path of this server, where the kind is explained.
    public var type: String { "/docs#problem-" + name }

    static let badRequest = ProblemKind(
        "bad-request", 400, "Bad request",
        "The path, the query, a header or the body's JSON is malformed, repeated or unknown; `errors` says where.")
    static let unauthorized = ProblemKind(
        "unauthorized", 401, "Sign in",
        "There is no access token or key, or it is wrong, over or taken back. Refresh it or sign in again.")
    static let invalidCredentials = ProblemKind(
        "invalid-credentials", 401, "Not signed in",
        "The e-mail address and the password, or the tokens given, do not fit together.")
    static let forbidden = ProblemKind(
        "forbidden", 403, "Not allowed", "The account's role or the key's scopes do not include this.")
    static let stepUpRequired = ProblemKind(
        "step-up-required", 403, "Prove that it is you",
        "This needs a proof of the last five minutes: `POST /api/v1/step-up` first.")
    static let sessionNeeded = ProblemKind(
        "session-needed", 403, "For people only", "A key cannot do this: somebody has to sign in.")
    static let codeRefused = ProblemKind(
        "code-refused", 403, "Code refused",
        "The code or link is wrong, used up or over; which of these is not said.")
    static let accountDisabled = ProblemKind(
        "account-disabled", 403, "Account closed", "The operator has closed this account.")
    static let notFound = ProblemKind(
        "not-found", 404, "Not found", "There is no such thing, or it is not yours: these look the same.")
    static let methodNotAllowed = ProblemKind(
        "method-not-allowed", 405, "Method not allowed", "The path has other methods: see `Allow`.")
    static let notAcceptable = ProblemKind(
        "not-acceptable", 406, "Not acceptable", "`Accept` excludes every form in which this is answered.")
    static let conflict = ProblemKind(
        "conflict", 409, "Not possible now", "The present state does not allow it; `detail` says why.")
    static let keyInUse = ProblemKind(
        "idempotency-key-in-use", 409, "Still at work",
        "A request with this `Idempotency-Key` is being worked on. Ask again in a moment.")
    static let notConfigured = ProblemKind(
        "not-configured", 409, "Not set up",
        "This installation cannot send mail or texts: its operator has to set it up.")
    static let taken = ProblemKind(
        "taken", 409, "Taken", "The address or number is another account's.")
    static let preconditionFailed = ProblemKind(
        "precondition-failed", 412, "Changed meanwhile", "It is no longer what `If-Match` names. Read it again.")
    static let tooLarge = ProblemKind("too-large", 413, "Too large", "The body is longer than this route takes.")
    static let unsupportedMediaType = ProblemKind(
        "unsupported-media-type", 415, "Unsupported media type",
        "Send what the route names, nearly everywhere `application/json` in UTF-8, uncompressed.")
    static let invalidBody = ProblemKind(
        "invalid-body", 422, "Body not valid",
        "The body is JSON, but not what the schema asks for; `errors` has the place and the reason of each fault.")
    static let weakPassword = ProblemKind(
        "weak-password", 422, "Password too weak", "`detail` says what a password needs here.")
    static let refusedValue = ProblemKind(
        "refused-value", 422, "Value refused",
        "A value has the right form and is refused all the same; `detail` says why.")
    static let keyReused = ProblemKind(
        "idempotency-key-reused", 422, "Key used for something else",
        "The `Idempotency-Key` was used with another route or body.")
    static let preconditionRequired = ProblemKind(
        "precondition-required", 428, "If-Match missing",
        "Say with `If-Match` which version you change: its `ETag`, or `*` for whichever.")
    static let tooManyRequests = ProblemKind(
        "too-many-requests", 429, "Too many requests", "Wait for `Retry-After` seconds.")
    static let overQuota = ProblemKind(
        "over-quota", 409, "Full", "There are as many of these as an account may have.")
    static let unavailable = ProblemKind(
        "unavailable", 503, "Not available", "Something that is needed does not answer. Try again after `Retry-After`.")
    static let internalError = ProblemKind("internal-error", 500, "Internal error", "A fault of the program.")

    public static let all: [ProblemKind] = [
        badRequest, unauthorized, invalidCredentials, forbidden, stepUpRequired, sessionNeeded, codeRefused,
        accountDisabled, notFound, methodNotAllowed, notAcceptable, conflict, keyInUse, notConfigured, taken, overQuota,
        preconditionFailed, tooLarge, unsupportedMediaType, invalidBody, weakPassword, refusedValue, keyReused,
        preconditionRequired, tooManyRequests, unavailable, internalError,
    ]
}
