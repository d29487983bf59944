public import TandemCore
public import TandemStorage

/// Something that later must be provable: who did what to whose account, and never with which content.
public struct AuditEvent: Sendable, Hashable {
    /// Who did it.
    public enum Actor: Sendable, Hashable {
        /// Somebody who has not proven who they are.
        case anyone
        case person(UserID)
        /// An administrator, or the operator at the command line (nil).
        case staff(UserID?)
        case program
    }

    /// A stable word; an open set.
    public struct Name: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public static let accountCreated = Name(rawValue: "account.created")
        public static let accountErased = Name(rawValue: "account.erased")
        public static let statusChanged = Name(rawValue: "account.status_changed")
        public static let roleChanged = Name(rawValue: "account.role_changed")
        public static let emailChanged = Name(rawValue: "account.email_changed")
        public static let loginSucceeded = Name(rawValue: "login.succeeded")
        public static let loginFailed = Name(rawValue: "login.failed")
        public static let passwordChanged = Name(rawValue: "password.changed")
        public static let passwordReset = Name(rawValue: "password.reset")
        public static let sessionEnded = Name(rawValue: "session.ended")
        public static let tokenReused = Name(rawValue: "session.token_reused")
        public static let tokenKeyRotated = Name(rawValue: "token_key.rotated")
        public static let secondFactorOn = Name(rawValue: "second_factor.on")
        public static let secondFactorOff = Name(rawValue: "second_factor.off")
        public static let recoveryCodesMade = Name(rawValue: "second_factor.recovery_codes_made")
        public static let recoveryCodeUsed = Name(rawValue: "second_factor.recovery_code_used")
        public static let stepUp = Name(rawValue: "step_up.succeeded")
        public static let stepUpFailed = Name(rawValue: "step_up.failed")
        public static let phoneVerified = Name(rawValue: "phone.verified")
        public static let phoneRemoved = Name(rawValue: "phone.removed")
        public static let phoneSuspended = Name(rawValue: "phone.suspended")
        /// A number left the account because somebody else proved that it is theirs now.
        public static let phoneReleased = Name(rawValue: "phone.released")
        public static let keyCreated = Name(rawValue: "api_key.created")
        public static let keyRevoked = Name(rawValue: "api_key.revoked")
        /// What a plugin may do for the person was decided anew.
        public static let grantChanged = Name(rawValue: "grant.changed")
        /// Such a decision was taken back.
        public static let grantTakenBack = Name(rawValue: "grant.taken_back")
        /// Somebody of the staff acted as the person, or looked at what is theirs.
        public static let staffAccess = Name(rawValue: "staff.access")
        /// A link for an export or an erasure was asked for by text.
        public static let dataRequested = Name(rawValue: "data.requested")
        public static let exported = Name(rawValue: "data.exported")
        public static let imported = Name(rawValue: "data.imported")
        public static let masterKeyRotated = Name(rawValue: "master_key.rotated")
        public static let userKeyRotated = Name(rawValue: "user_key.rotated")
        public static let auditPruned = Name(rawValue: "audit.pruned")
    }

    public var name: Name
    /// Whose account it concerns; nil when it concerns none, such as a sign-in with an unknown address.
    public var user: UserID?
    public var actor: Actor
    /// The session, key or number concerned.
    public var subject: RecordID?
    /// A few words of metadata, such as a method; never an address, a number, a code or a token.
    public var detail: [String: String]

    public init(
        _ name: Name, user: UserID?, actor: Actor, subject: RecordID? = nil, detail: [String: String] = [:]
    ) {
        self.name = name
        self.user = user
        self.actor = actor
        self.subject = subject
        self.detail = detail
    }
}

/// Where audit events go.
public protocol AuditSink: Sendable {
    /// Keeps an event in the transaction that did what it tells, in the system's or that person's scope; throwing undoes
    /// it all. The body of the transaction may run more than once.
    func record(_ event: AuditEvent, in transaction: any WriteTransaction) throws
}

/// Keeps nothing.
public struct NoAudit: AuditSink {
    public init() {}

    public func record(_ event: AuditEvent, in transaction: any WriteTransaction) throws {}
}
