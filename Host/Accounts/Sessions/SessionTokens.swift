public import TandemCore

/// What a signed-in client gets.
public struct SessionTokens: Sendable, Hashable {
    public var session: RecordID
    /// A signed token for requests, good for minutes (`Authorization: Bearer`).
    public var accessToken: Secret
    public var accessExpiresAt: Timestamp
    /// An opaque token that is good once, for the next pair.
    public var refreshToken: Secret
    public var refreshExpiresAt: Timestamp
    /// To be kept on the device and sent with the next sign-in: the device is known then. Only after a sign-in.
    public var deviceToken: Secret?
}

/// What a password gave.
public enum LoginOutcome: Sendable, Hashable {
    case signedIn(SessionTokens)
    /// The password was right; the second factor is missing.
    case secondFactorNeeded(LoginChallenge)
}

/// A sign-in that waits for its second factor.
public struct LoginChallenge: Sendable, Hashable {
    /// Names the sign-in; good for minutes, a few tries, once.
    public var token: Secret
    public var expiresAt: Timestamp
    /// What can be given.
    public var methods: [ProofMethod]
}

/// How a person proves that it is them.
public enum ProofMethod: String, Sendable, Hashable, CaseIterable {
    case password
    /// A code of an authenticator app.
    case totp
    /// A code by text message, as a backup.
    case sms
    case recovery
    /// A link or code by mail.
    case mail
}

/// A session as its owner sees it.
public struct SessionInfo: Sendable, Hashable {
    public var id: RecordID
    /// `Firefox on Linux`; nil when it is not known.
    public var device: String?
    /// A town where a resolver knows it, else the network: `203.0.113.0/24`.
    public var place: String?
    public var methods: [ProofMethod]
    public var createdAt: Timestamp
    public var lastSeenAt: Timestamp
    public var expiresAt: Timestamp
    /// Whether it is the one that asks.
    public var isCurrent: Bool
}
