/// Why a connection could not be made, shown or ended. The message is for the person; it holds no code, token or address.
public struct OAuthError: Error, Sendable, Hashable {
    /// A stable word; an open set, words never change their meaning.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// No such service.
        public static let unknownProvider = Code(rawValue: "unknown_provider")
        /// The operator has not registered this installation at the service.
        public static let notSetUp = Code(rawValue: "not_set_up")
        /// The service does not know this installation: its id or secret is wrong.
        public static let misconfigured = Code(rawValue: "misconfigured")
        /// A link that does not exist, is another person's, or is out of date.
        public static let linkInvalid = Code(rawValue: "link_invalid")
        /// An answer without a state of ours.
        public static let stateInvalid = Code(rawValue: "state_invalid")
        public static let stateExpired = Code(rawValue: "state_expired")
        /// Used already, or another person's.
        public static let stateUnknown = Code(rawValue: "state_unknown")
        /// Begun in another session of the same person.
        public static let otherSession = Code(rawValue: "other_session")
        /// The answer came to another address than the one that was asked for.
        public static let wrongRedirect = Code(rawValue: "wrong_redirect")
        /// The person said no.
        public static let denied = Code(rawValue: "access_denied")
        public static let consentRequired = Code(rawValue: "consent_required")
        public static let interactionRequired = Code(rawValue: "interaction_required")
        public static let invalidScope = Code(rawValue: "invalid_scope")
        /// The service said no for another reason.
        public static let refused = Code(rawValue: "refused")
        /// The service fails or does not answer.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The service gave access for a short time only.
        public static let noLastingAccess = Code(rawValue: "no_lasting_access")
        public static let notConnected = Code(rawValue: "not_connected")
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension OAuthError: CustomStringConvertible {
    public var description: String { "\(code.rawValue): \(message)" }
}
