public import TandemCore

/// Who makes a request, as it was proven, and what they may do.
public struct Principal: Sendable, Hashable {
    /// What the request carried.
    public enum Credential: Sendable, Hashable {
        case session(RecordID)
        case apiKey(RecordID)
    }

    public var user: UserID
    public var role: Account.Role
    public var credential: Credential
    public var permissions: PermissionSet
    /// When the person last proved with all their factors that it is them; nil for keys.
    public var provedAt: Timestamp?
    /// Whether the account has a second factor.
    public var hasSecondFactor: Bool

    /// The right to this account's rows.
    public var scope: UserScope { UserScope(authenticated: user) }

    public var session: RecordID? {
        if case .session(let id) = credential { return id }
        return nil
    }

    public func may(_ permission: Permission) -> Bool { permissions.contains(permission) }

    /// Throws `forbidden` unless the permission is there.
    public func require(_ permission: Permission) throws {
        guard may(permission) else {
            throw AccountsError(.forbidden, "This account or key may not do that (\(permission.rawValue)).")
        }
    }

    var actor: AuditEvent.Actor { .person(user) }
}
