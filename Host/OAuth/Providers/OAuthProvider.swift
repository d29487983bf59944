public import TandemCore
public import TandemEgress

/// A service that gives tokens, as data: where its endpoints are and in what its ways differ from RFC 6749.
public struct OAuthProvider: Sendable, Hashable {
    /// `microsoft`, `google`, `youtube`, `notion`, or what the operator added.
    public var id: String
    /// For people.
    public var name: String
    public var authorization: WebAddress
    public var token: WebAddress
    public var revocation: Revocation?
    /// Whose API gets the tokens.
    public var hosts: [HostRule]
    public var client: Client?
    public var authentication: Authentication
    public var body: Body
    /// RFC 7636 with S256.
    public var usesPKCE: Bool
    /// Nil: the service knows no scopes.
    public var scopes: Scopes?
    /// Sent with every authorization request besides those of RFC 6749.
    public var parameters: [String: String]
    public var rotation: Rotation
    /// How long an access token lives when the answer does not say; nil: until the service refuses it.
    public var accessLife: Duration?
    /// An unused connection is renewed after this long, since the service ends it when it lies idle.
    public var idleRenewal: Duration?
    /// Where the person sees and ends what they allowed at the service.
    public var management: String?

    /// How the program proves who it is at the token endpoint (RFC 6749 §2.3.1).
    public enum Authentication: String, Sendable, Hashable, CaseIterable {
        /// `client_id` and, where there is one, `client_secret` in the body.
        case body
        /// `Authorization: Basic`.
        case basic
    }

    public enum Body: String, Sendable, Hashable, CaseIterable { case form, json }

    /// What becomes of the refresh token when it is used.
    public enum Rotation: String, Sendable, Hashable, CaseIterable {
        /// It stays; the answer holds none.
        case never
        /// The answer holds a new one; the old one works for a while on.
        case replaced
        /// The answer holds a new pair; the old one is dead.
        case singleUse
    }

    /// How a token is given back (RFC 7009, or the service's own way).
    public struct Revocation: Sendable, Hashable {
        public enum Subject: String, Sendable, Hashable, CaseIterable { case refresh, access }

        public var address: WebAddress
        /// Which of the two tokens ends the grant.
        public var subject: Subject
        /// The client has to prove who it is, as at the token endpoint.
        public var isAuthenticated: Bool
    }

    public struct Scopes: Sendable, Hashable {
        /// Asked for with every request.
        public var always: [String]
        /// Never listed in an answer, though granted.
        public var unlisted: [String]
        /// What an answer may put before a scope's name.
        public var prefix: String?
        /// The token endpoint wants them, too.
        public var onToken: Bool
        /// Scopes that contain others.
        public var implied: [String: [String]]
        /// In plain words, after "may".
        public var descriptions: [String: String]
    }

    /// What the operator registered at the service.
    public struct Client: Sendable, Hashable {
        public var id: String
        /// Nil for a public client.
        public var secret: Secret?

        public init(id: String, secret: Secret?) {
            self.id = id
            self.secret = secret
        }
    }
}

extension OAuthProvider {
    /// A scope as we write it: without the service's prefix.
    func plain(_ scope: some StringProtocol) -> String {
        guard let prefix = scopes?.prefix, scope.hasPrefix(prefix) else { return String(scope) }
        return String(scope.dropFirst(prefix.count))
    }

    /// Whether `granted` contains the scope, itself or in a wider one; without regard to case, as services answer.
    func covers(_ granted: Set<String>, _ scope: String) -> Bool {
        let wanted = plain(scope).lowercased()
        if scopes?.unlisted.contains(where: { $0.lowercased() == wanted }) == true { return true }
        return granted.contains { have in
            let have = plain(have)
            if have.lowercased() == wanted { return true }
            return scopes?.implied[have]?.contains { $0.lowercased() == wanted } ?? false
        }
    }

    /// What one sees of the scope: `read your mail`, or the service's own word.
    func describe(_ scope: String) -> String { scopes?.descriptions[scope] ?? "use \(scope)" }
}
