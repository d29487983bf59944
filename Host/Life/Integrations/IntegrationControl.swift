public import TandemCore

/// One integration as a person sees it.
public struct Integration: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        /// On for this person.
        case on
        /// Off, and can be switched on now.
        case off
        /// Cannot be switched on here: not installed properly, refused, or not offered to this person. The reason is for
        /// people, one short sentence.
        case unavailable(reason: String)
    }

    /// First part of its tools' ids: `expenses`. Its identity.
    public var namespace: String
    /// For people: `Expenses`.
    public var name: String
    /// Other words for it.
    public var aliases: [String]
    /// What it does, one short sentence.
    public var summary: String
    /// What it may do once it is on, one short line for people, GSM-7: `keeps your expenses; may add to your grocery list`.
    public var permissions: String
    public var state: State

    public init(
        namespace: String, name: String, aliases: [String] = [], summary: String = "", permissions: String = "",
        state: State
    ) {
        self.namespace = namespace
        self.name = name
        self.aliases = aliases
        self.summary = summary
        self.permissions = permissions
        self.state = state
    }
}

/// Which integrations a person has on: answered by the plugin host.
public protocol IntegrationControl: Sendable {
    /// All that the host offers, in a stable order. Cheap.
    func integrations(for scope: UserScope) async throws -> [Integration]

    /// Switches one on or off for this person; takes effect on the next call. What is so already stays so.
    ///
    /// - Throws: `ToolFailure` with a text for the person when it cannot be done; anything else counts as internal.
    func setEnabled(_ isEnabled: Bool, namespace: String, in scope: UserScope, origin: WriteOrigin) async throws
}
