public import TandemCore

/// A person's tokens for services, which plugins name and never see.
public protocol GrantTokens: Sendable {
    /// Where the token of a plugin's grant may be sent; nil: the plugin has no such grant. Cheap, from any thread.
    func hosts(of grant: String, plugin: String) -> [HostRule]?

    /// A token that is good for now.
    func token(of grant: String, plugin: String, in scope: UserScope) async throws(GrantTokenFailure) -> GrantToken

    /// A new one, after the service refused `token` with 401. At most one renewal runs for an account at a time.
    func renewed(
        _ token: GrantToken, of grant: String, plugin: String, in scope: UserScope
    ) async throws(GrantTokenFailure) -> GrantToken
}

public struct GrantToken: Sendable {
    /// `Authorization` as a rule.
    public var header: String
    /// `Bearer …`.
    public var value: Secret
    /// The account that it stands for, opaque: answers are kept apart by it.
    public var subject: String

    public init(header: String = "Authorization", value: Secret, subject: String) {
        self.header = header
        self.value = value
        self.subject = subject
    }
}

public enum GrantTokenFailure: Error, Sendable, Hashable {
    /// The person has to connect, or connect again.
    case connectionNeeded
    /// The service that gives tokens cannot be reached.
    case unavailable
}

/// No grants at all.
public struct NoGrantTokens: GrantTokens {
    public init() {}
    public func hosts(of grant: String, plugin: String) -> [HostRule]? { nil }

    public func token(
        of grant: String, plugin: String, in scope: UserScope
    ) async throws(GrantTokenFailure) -> GrantToken { throw .connectionNeeded }

    public func renewed(
        _ token: GrantToken, of grant: String, plugin: String, in scope: UserScope
    ) async throws(GrantTokenFailure) -> GrantToken { throw .connectionNeeded }
}
