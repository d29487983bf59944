/// Where a plugin stands with one person (requirement A3).
public enum GrantState: Sendable, Hashable {
    /// Not to be had: not in the person's plan, or hidden by the operator.
    case unavailable
    /// Available: shown with an invitation.
    case offered
    /// The person is being asked what it may do.
    case consent
    /// Approved and, where it needs an account elsewhere, connected; not yet switched on.
    case connected
    case enabled(GrantLevel)
    /// Switched off for a while; the approval stands.
    case paused(GrantLevel)
    /// The connection elsewhere is no longer valid.
    case needsReauth(GrantLevel)
    /// Switched off.
    case disabled

    /// `offered`, `enabled` …, for storage and display.
    public var name: String {
        switch self {
        case .unavailable: "unavailable"
        case .offered: "offered"
        case .consent: "consent"
        case .connected: "connected"
        case .enabled: "enabled"
        case .paused: "paused"
        case .needsReauth: "needs_reauth"
        case .disabled: "disabled"
        }
    }

    public var level: GrantLevel? {
        switch self {
        case .enabled(let level), .paused(let level), .needsReauth(let level): level
        default: nil
        }
    }

    /// Reads the stored form; nil for a name that is not known or a level that is missing.
    public init?(name: String, level: GrantLevel?) {
        switch name {
        case "unavailable": self = .unavailable
        case "offered": self = .offered
        case "consent": self = .consent
        case "connected": self = .connected
        case "disabled": self = .disabled
        case "enabled", "paused", "needs_reauth":
            guard let level else { return nil }
            self = name == "enabled" ? .enabled(level) : name == "paused" ? .paused(level) : .needsReauth(level)
        default: return nil
        }
    }
}

/// How far an approval goes.
public enum GrantLevel: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Only tools that read.
    case readOnly = "read_only"
    /// All tools; the person is asked before each call that changes something.
    case confirm
    /// All tools; the policy still asks before it sends, spends or deletes.
    case write

    private var rank: Int {
        switch self {
        case .readOnly: 0
        case .confirm: 1
        case .write: 2
        }
    }

    public static func < (left: GrantLevel, right: GrantLevel) -> Bool { left.rank < right.rank }
}

/// What a person decided about one tool, apart from its plugin.
public enum ToolGrant: String, Sendable, Hashable, CaseIterable {
    /// Never to be used.
    case off
    /// To be used, asking first where it changes something.
    case confirm
    case write
}

/// Whether one tool may be called for a person right now.
public enum ToolAccess: String, Sendable, Hashable {
    /// The person switched it off.
    case off
    /// It is new, or it asks for more than was approved: the person has not decided yet.
    case offered
    /// It changes something, and the plugin may only read.
    case readOnly = "read_only"
    case confirm
    case allowed

    public var isUsable: Bool { self == .confirm || self == .allowed }
}

/// What happens between a person and a plugin.
public enum GrantEvent: Sendable, Hashable {
    /// It can be had now.
    case offer
    /// It can no longer be had.
    case withdraw
    case askConsent
    /// The person approved what was shown; nothing is left to connect.
    case approve
    case decline
    case enable(GrantLevel)
    case pause
    case resume
    case loseConnection
    case reconnect
    case disable
    /// The manifest asks for something else than what was approved.
    case manifestChanged
}

/// The legal ways from state to state: a value without any I/O.
public struct GrantMachine: Sendable, Hashable {
    public private(set) var state: GrantState

    public init(_ state: GrantState) { self.state = state }

    /// An event that the state does not allow.
    public struct IllegalTransition: Error, Sendable, Hashable, CustomStringConvertible {
        public var state: GrantState
        public var event: GrantEvent

        public var description: String { "\(event) is not possible while the plugin is \(state.name)" }
    }

    /// Takes a step; the state stays as it was when the step is not legal.
    public mutating func apply(_ event: GrantEvent) throws(IllegalTransition) {
        guard let next = GrantMachine.next(state, event) else {
            throw IllegalTransition(state: state, event: event)
        }
        state = next
    }

    private static func next(_ state: GrantState, _ event: GrantEvent) -> GrantState? {
        switch (state, event) {
        case (_, .withdraw): .unavailable
        case (.unavailable, .offer), (.offered, .offer): .offered
        case (.unavailable, .manifestChanged): .unavailable
        case (.unavailable, _): nil

        case (.offered, .askConsent), (.disabled, .askConsent), (.consent, .askConsent), (.connected, .askConsent):
            .consent
        case (.consent, .approve), (.connected, .approve): .connected
        case (.consent, .decline): .offered
        case (.connected, .enable(let level)), (.enabled, .enable(let level)), (.paused, .enable(let level)):
            .enabled(level)
        case (.enabled(let level), .pause), (.paused(let level), .pause): .paused(level)
        case (.paused(let level), .resume), (.enabled(let level), .resume): .enabled(level)
        case (.enabled(let level), .loseConnection), (.paused(let level), .loseConnection),
            (.needsReauth(let level), .loseConnection):
            .needsReauth(level)
        case (.needsReauth(let level), .reconnect): .enabled(level)
        case (.consent, .disable), (.connected, .disable), (.enabled, .disable), (.paused, .disable),
            (.needsReauth, .disable), (.disabled, .disable), (.offered, .disable):
            .disabled
        // Who said no is not asked again because of an update.
        case (.disabled, .manifestChanged): .disabled
        case (_, .manifestChanged): .offered
        default: nil
        }
    }
}
