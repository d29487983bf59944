public import TandemCore

/// An account as the program keeps it.
public struct Account: Sendable, Hashable {
    /// What the account may do: `AccessProfile.of`.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        case user
        case premium
        case administrator
        /// A program, which comes with an API key and never signs in.
        case service
    }

    public enum Status: String, Sendable, Hashable, CaseIterable {
        case active
        /// Kept, but identified and served no more.
        case disabled
    }

    public var id: UserID
    /// As it was given; unique regardless of case.
    public var email: String
    public var fullName: String
    public var role: Role
    public var status: Status
    public var createdAt: Timestamp

    /// The right to this person's rows: only for code that has just established that it is them.
    public var scope: UserScope { UserScope(authenticated: id) }
}
