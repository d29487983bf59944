/// What a tool does to the world: the coarsest fact the policy decides by.
///
/// A plugin declares it; the host enforces it and never believes less than was declared.
public enum Effect: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Changes nothing.
    case read
    /// Changes the person's own data; can be undone.
    case write
    /// Removes the person's own data.
    case delete
    /// Reaches another person or system: a mail, an invitation.
    case send
    /// Commits money.
    case spend

    private var rank: Int {
        switch self {
        case .read: 0
        case .write: 1
        case .delete: 2
        case .send: 3
        case .spend: 4
        }
    }

    public static func < (left: Effect, right: Effect) -> Bool { left.rank < right.rank }
}

/// Where a value came from. Ordered from most to least trusted; what is made from several values takes the lowest trust.
public enum TrustLabel: String, Sendable, Hashable, CaseIterable, Comparable {
    /// The account's owner said it, in this conversation, on a verified channel.
    case owner
    /// The host computed it.
    case system
    /// A person the owner knows said it.
    case contact
    /// Anybody: mail, web pages, shared notes, plugin output that says so.
    case untrusted

    private var rank: Int {
        switch self {
        case .owner: 0
        case .system: 1
        case .contact: 2
        case .untrusted: 3
        }
    }

    /// `a < b` means a is trusted more than b.
    public static func < (left: TrustLabel, right: TrustLabel) -> Bool { left.rank < right.rank }

    /// The label of a value made from both.
    public func joined(with other: TrustLabel) -> TrustLabel { max(self, other) }
}

/// How a tool's effect is taken back.
public enum UndoPolicy: Sendable, Hashable {
    /// The host restores the rows that the call changed, from its journal.
    case rows
    /// The named tool of the same plugin takes it back, given the outcome's value.
    case tool(String)
    /// It cannot be taken back: the policy asks first.
    case none
}
