/// Why an account cannot be made, found or changed. The message is for people and never carries a phone number.
public struct AccountsError: Error, Sendable, Hashable {
    /// A stable word; an open set.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public static let invalidEmail = Code(rawValue: "invalid_email")
        public static let emailTaken = Code(rawValue: "email_taken")
        public static let invalidName = Code(rawValue: "invalid_name")
        public static let unknownUser = Code(rawValue: "unknown_user")
        public static let invalidPhone = Code(rawValue: "invalid_phone")
        /// Another account has verified the number.
        public static let phoneTaken = Code(rawValue: "phone_taken")
        public static let unknownPhone = Code(rawValue: "unknown_phone")
        public static let unknownSetting = Code(rawValue: "unknown_setting")
        public static let invalidSetting = Code(rawValue: "invalid_setting")
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension AccountsError: CustomStringConvertible {
    public var description: String { message }
}
