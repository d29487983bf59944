public import TandemCore

/// An account as the program keeps it.
public struct Account: Sendable, Hashable {
    public enum Role: String, Sendable, Hashable, CaseIterable {
        case user
        case admin
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

/// A number of a person.
public struct AccountPhone: Sendable, Hashable {
    public var id: RecordID
    public var number: PhoneNumber
    /// When it was proven that the number is theirs; until then it identifies nobody.
    public var verifiedAt: Timestamp?
    public var isPrimary: Bool
    /// The number asked not to be sent to.
    public var isOptedOut: Bool
}
