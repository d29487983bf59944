public import TandemAccounts
public import TandemCore
public import TandemStorage

/// Who a phone number belongs to.
public protocol SenderDirectory: Sendable {
    /// The person whose verified number this is; nil for a number of nobody.
    func identify(phone: String) async throws -> UserScope?

    /// Like `identify`, and whether somebody else may have got the number meanwhile.
    func recognise(phone: String) async throws -> PhoneRecognition

    /// A link that invites the number of nobody to an account; nil when it had one lately, or enough others did today. In
    /// the transaction that notes that the number is answered.
    func invite(_ number: PhoneNumber, in transaction: any WriteTransaction) throws -> Secret?

    /// Whether a text for a person may go to a number. To be asked right before sending.
    func mayReceive(
        _ number: PhoneNumber, of scope: UserScope, in transaction: any ReadTransaction
    ) throws -> Bool

    /// The carrier could not deliver to a number, and said why.
    func noteUndeliverable(_ number: PhoneNumber, errorCode: Int) async throws

    /// The same in a transaction of the person who was written to; false when it cannot be noted there.
    func noteUndeliverable(
        _ number: PhoneNumber, errorCode: Int, of scope: UserScope, in transaction: any WriteTransaction
    ) throws -> Bool

    /// A person was recognised by their number; in the transaction that answers their message, off the way to its
    /// acknowledgement.
    func noteRecognised(turn: RecordID, in transaction: any WriteTransaction) throws

    /// The number opted out, or in again; for whoever shows it to the person or the operator.
    ///
    /// Runs in the transaction that records the change, in the owner's scope if the number has one. Sending does not
    /// depend on it.
    func noteOptOut(_ number: PhoneNumber, _ isOptedOut: Bool, in transaction: any WriteTransaction) throws
}

extension SenderDirectory {
    public func recognise(phone: String) async throws -> PhoneRecognition {
        try await identify(phone: phone).map { .owner($0) } ?? .stranger
    }

    public func invite(_ number: PhoneNumber, in transaction: any WriteTransaction) throws -> Secret? { nil }

    public func mayReceive(
        _ number: PhoneNumber, of scope: UserScope, in transaction: any ReadTransaction
    ) throws -> Bool { true }

    public func noteUndeliverable(_ number: PhoneNumber, errorCode: Int) async throws {}

    public func noteUndeliverable(
        _ number: PhoneNumber, errorCode: Int, of scope: UserScope, in transaction: any WriteTransaction
    ) throws -> Bool { false }

    public func noteRecognised(turn: RecordID, in transaction: any WriteTransaction) throws {}

    public func noteOptOut(_ number: PhoneNumber, _ isOptedOut: Bool, in transaction: any WriteTransaction) throws {}
}
