/// What an operator may change of how people prove who they are; the defaults are good ones.
public struct AccountSettings: Sendable {
    /// Where people open links: `TANDEM_PUBLIC_URL`.
    public var publicAddress = "http://localhost:8080"
    /// The name in mails and authenticator apps.
    public var productName = "Tandem"
    public var passwords = PasswordRules()
    public var passwordParameters = PasswordParameters()
    /// Threads that check passwords; each uses one core and the parameters' memory while it works.
    public var passwordThreads = 1
    /// How many checks may wait; more are refused with `busy`.
    public var passwordQueue = 64

    // Tokens.

    /// `iss` and `aud` of access tokens.
    public var issuer = "tandem"
    public var audience = "tandem-api"
    public var accessLifetime: Duration = .seconds(600)
    /// A session that is not used for so long ends.
    public var sessionIdleLifetime: Duration = .seconds(30 * 86_400)
    /// A session ends after so long in any case.
    public var sessionLifetime: Duration = .seconds(90 * 86_400)
    /// How long a refresh token that was used up still gets its answer again, for an answer that was lost.
    public var refreshGrace: Duration = .seconds(10)
    /// When tokens get a new signing key.
    public var tokenKeyAge: Duration = .seconds(30 * 86_400)
    /// How long a known device is remembered.
    public var deviceLifetime: Duration = .seconds(180 * 86_400)

    // Codes.

    public var codeLifetime: Duration = .seconds(600)
    public var linkLifetime: Duration = .seconds(1800)
    public var signUpLifetime: Duration = .seconds(86_400)
    public var invitationLifetime: Duration = .seconds(3 * 86_400)
    /// How fresh a proof must be for what `StepUp` names.
    public var proofLifetime: Duration = .seconds(300)

    // Phones.

    /// After so long without a text from a number it must be proven anew. Numbers may be given to somebody else 45 days
    /// after they were cut off in the USA (47 CFR 52.15(f)(1)(ii)), later in most other countries.
    public var phoneSilence: Duration = .seconds(45 * 86_400)
    /// Invitations that strangers get by text on one day, all together.
    public var invitationsPerDay = 200

    public init() {}
}
