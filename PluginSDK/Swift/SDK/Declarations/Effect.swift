/// What a tool does to the world; the host decides by it when to ask.
public enum Effect: String, Sendable, Hashable, CaseIterable {
    /// Changes nothing.
    case read
    /// Changes the person's own data.
    case write
    /// Removes the person's own data.
    case delete
    /// Reaches another person or system.
    case send
    /// Commits money.
    case spend
}

/// How the effect of a call is taken back.
public enum Undo: Sendable, Hashable {
    /// The host restores the rows that the call changed.
    case rows
    /// This tool of the same plugin takes it back, given the value of the outcome.
    case tool(String)
    /// It cannot be taken back; the host may ask first.
    case none
}

/// The best trust that a tool's results may carry.
public enum Trust: String, Sendable, Hashable, CaseIterable {
    /// Computed by the plugin from the person's own data.
    case system
    /// Said by somebody whom the person knows.
    case contact
    /// Said by anybody: the web, mail, shared notes.
    case untrusted
}
