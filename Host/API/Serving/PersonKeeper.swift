public import TandemAccounts
public import TandemCore

/// Everything of a person as a whole. The routes ask for proof of presence first.
public protocol PersonKeeper: Sendable {
    /// A ZIP archive of JSON and CSV, with a manifest.
    func archive(of scope: UserScope, by actor: AuditEvent.Actor) async throws -> [UInt8]

    /// Adds what such an archive holds to what the person has; all or nothing.
    ///
    /// - Parameter leavingOut: Leave out tables of integrations that are not installed here, instead of refusing.
    ///
    /// Throws `ImportRefusal`.
    func takeOver(
        _ archive: [UInt8], into scope: UserScope, leavingOut: Bool, by actor: AuditEvent.Actor
    ) async throws -> PersonImport

    /// For good: gives back what services elsewhere hold, deletes every row, destroys the key.
    func erase(_ scope: UserScope, by actor: AuditEvent.Actor) async throws -> PersonErasure
}

/// What came in with an archive.
public struct PersonImport: Sendable {
    /// By table.
    public var rows: [String: Int]
    /// Tables that were not taken over, with the reason.
    public var leftOut: [String: String]

    public init(rows: [String: Int], leftOut: [String: String]) {
        self.rows = rows
        self.leftOut = leftOut
    }
}

/// Why an archive was not taken over; nothing of it was.
public struct ImportRefusal: Error, Sendable {
    public enum Kind: Sendable {
        /// It is no archive, damaged, or holds what does not fit.
        case unfit
        /// It does not go together with what is there.
        case conflict
        /// Others are being taken over.
        case busy
    }

    public var kind: Kind
    /// For the person.
    public var reason: String

    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
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
