public import TandemCore
public import TandemStorage

/// Something about a connection that later must be provable. Metadata only: no token, code, state or address of a person.
public struct ConnectionAuditEvent: Sendable, Hashable {
    public enum Actor: Sendable, Hashable {
        case person(UserID)
        /// A plugin, by id, on behalf of the event's person.
        case plugin(String)
        /// The program itself.
        case program
    }

    /// A stable word; an open set.
    public struct Name: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// The person was sent to the service.
        public static let asked = Name(rawValue: "oauth.asked")
        public static let connected = Name(rawValue: "oauth.connected")
        /// An answer of the service, or what was passed off as one, led to nothing.
        public static let refused = Name(rawValue: "oauth.refused")
        /// A token was handed out, to be put into a plugin's request.
        public static let used = Name(rawValue: "oauth.used")
        public static let renewed = Name(rawValue: "oauth.renewed")
        /// The service does not know the program.
        public static let renewalFailed = Name(rawValue: "oauth.renewal_failed")
        /// The service no longer accepts the connection.
        public static let lost = Name(rawValue: "oauth.lost")
        public static let disconnected = Name(rawValue: "oauth.disconnected")
        /// The service took a token back, or did not within the time: without a person, since it may be one who was erased.
        public static let revoked = Name(rawValue: "oauth.revoked")
        public static let revocationFailed = Name(rawValue: "oauth.revocation_failed")
    }

    public var name: Name
    /// Whose connection it is; nil when nobody's any more.
    public var user: UserID?
    public var actor: Actor
    /// A few words, such as `provider`: `notion`.
    public var detail: [String: String]

    public init(_ name: Name, user: UserID?, actor: Actor, detail: [String: String] = [:]) {
        self.name = name
        self.user = user
        self.actor = actor
        self.detail = detail
    }
}

/// Where the events go: implemented by whoever keeps the audit.
public protocol ConnectionAudit: Sendable {
    /// Keeps an event in the transaction that does what it tells, in the system's or that person's scope. Throwing undoes
    /// it all: nothing happens unseen. The body of the transaction may run more than once.
    func record(_ event: ConnectionAuditEvent, in transaction: any WriteTransaction) throws
}
