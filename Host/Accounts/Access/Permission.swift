/// Something that a caller may be allowed to do. Names are stable: API keys carry them as scopes.
public enum Permission: String, Sendable, Hashable, CaseIterable {
    /// Talk to the assistant, read the history.
    case conversation
    /// Tasks, events, reminders, notes and lists.
    case planning
    case goals
    /// One's settings, numbers, sessions, memories, export and erasure.
    case ownData = "own_data"
    /// Connect and use the integrations that everybody has.
    case integrations
    /// Integrations that only premium accounts have.
    case extendedIntegrations = "extended_integrations"
    case analytics
    case metrics
    case logs
    /// Jobs, migrations, keys, plugins.
    case maintenance
    /// Find accounts, end their sessions, disable them; never their content.
    case userSupport = "user_support"
    /// Exchange data with a service on a person's behalf.
    case synchronisation
    case backup

    var bit: UInt32 {
        switch self {
        case .conversation: 1 << 0
        case .planning: 1 << 1
        case .goals: 1 << 2
        case .ownData: 1 << 3
        case .integrations: 1 << 4
        case .extendedIntegrations: 1 << 5
        case .analytics: 1 << 6
        case .metrics: 1 << 7
        case .logs: 1 << 8
        case .maintenance: 1 << 9
        case .userSupport: 1 << 10
        case .synchronisation: 1 << 11
        case .backup: 1 << 12
        }
    }
}

/// Several permissions.
public struct PermissionSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    private var bits: UInt32

    public init(_ permissions: some Sequence<Permission>) { bits = permissions.reduce(0) { $0 | $1.bit } }

    public init(arrayLiteral permissions: Permission...) { self.init(permissions) }

    private init(bits: UInt32) { self.bits = bits }

    public func contains(_ permission: Permission) -> Bool { bits & permission.bit != 0 }

    public func union(_ other: PermissionSet) -> PermissionSet { PermissionSet(bits: bits | other.bits) }

    public func intersection(_ other: PermissionSet) -> PermissionSet { PermissionSet(bits: bits & other.bits) }

    public func isSubset(of other: PermissionSet) -> Bool { bits & ~other.bits == 0 }

    /// In the order of their declaration.
    public var all: [Permission] { Permission.allCases.filter(contains) }
}

extension PermissionSet {
    /// Reads names that spaces separate, as scopes are written (RFC 6749 §3.3); nil when one is unknown.
    public init?(_ text: String) {
        var permissions: [Permission] = []
        for word in text.split(separator: " ") {
            guard let permission = Permission(rawValue: String(word)) else { return nil }
            permissions.append(permission)
        }
        self.init(permissions)
    }

    public var text: String { all.map(\.rawValue).joined(separator: " ") }
}
