/// What a role may do: the one table of access.
///
/// Every profile reaches the rows of its own account only; an administrator sees metrics, logs and accounts, not what
/// people wrote. Whoever adds a permission adds it here; whoever needs one asks `Principal.require`.
public struct AccessProfile: Sendable, Hashable {
    public var role: Account.Role
    public var title: String
    public var permissions: PermissionSet
    /// How such an account proves who it is.
    public var proof: Proof

    public enum Proof: String, Sendable, Hashable {
        /// Password, second factor, a verified number.
        case person
        /// An API key only.
        case key
    }

    private static let everybody: PermissionSet = [.conversation, .planning, .goals, .ownData, .integrations]

    public static let all: [AccessProfile] = [
        AccessProfile(role: .user, title: "Standard user", permissions: everybody, proof: .person),
        AccessProfile(
            role: .premium, title: "Advanced user",
            permissions: everybody.union([.analytics, .extendedIntegrations]), proof: .person),
        AccessProfile(
            role: .administrator, title: "Administrator",
            permissions: everybody.union([.metrics, .logs, .maintenance, .userSupport]), proof: .person),
        AccessProfile(
            role: .service, title: "Technical service",
            permissions: [.integrations, .synchronisation, .backup, .metrics], proof: .key),
    ]

    public static func of(_ role: Account.Role) -> AccessProfile {
        all.first { $0.role == role } ?? AccessProfile(role: role, title: "", permissions: [], proof: .person)
    }
}
