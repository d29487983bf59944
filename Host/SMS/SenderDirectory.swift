public import TandemAccounts
public import TandemCore
public import TandemStorage

/// Who a phone number belongs to.
public protocol SenderDirectory: Sendable {
    /// The person whose verified number this is; nil for a number of nobody.
    func identify(phone: String) async throws -> UserScope?

    /// The number opted out, or in again; for whoever shows it to the person or the operator.
    ///
    /// Runs in the transaction that records the change, in the owner's scope if the number has one. Sending does not
    /// depend on it.
    func noteOptOut(_ number: PhoneNumber, _ isOptedOut: Bool, in transaction: any WriteTransaction) throws
}

extension SenderDirectory {
    public func noteOptOut(_ number: PhoneNumber, _ isOptedOut: Bool, in transaction: any WriteTransaction) throws {}
}
