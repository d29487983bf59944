public import TandemAccounts
public import TandemCore

/// Everything of a person as a whole. The routes ask for proof of presence first.
public protocol PersonKeeper: Sendable {
    /// A ZIP archive of JSON and CSV, with a manifest.
    func archive(of scope: UserScope, by actor: AuditEvent.Actor) async throws -> [UInt8]

    /// For good: gives back what services elsewhere hold, deletes every row, destroys the key.
    func erase(_ scope: UserScope, by actor: AuditEvent.Actor) async throws -> PersonErasure
}

/// What stays of an account that was erased.
public struct PersonErasure: Sendable {
    /// Of the record that says so, which holds no personal data.
    public var proof: RecordID
    public var erasedAt: Timestamp
    /// How many were deleted.
    public var rows: Int

    public init(proof: RecordID, erasedAt: Timestamp, rows: Int) {
        self.proof = proof
        self.erasedAt = erasedAt
        self.rows = rows
    }
}
