import TandemCore

/// Why an account cannot be made, found, entered or changed. The message is for people and never carries a phone number.
public struct AccountsError: Error, Sendable, Hashable {
    /// A stable word; an open set.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        // Accounts, numbers and settings.

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

        // Proofs.

        /// Wrong address or wrong password: which of them is not said.
        public static let invalidCredentials = Code(rawValue: "invalid_credentials")
        /// The right password of an account that is served no more.
        public static let accountDisabled = Code(rawValue: "account_disabled")
        public static let weakPassword = Code(rawValue: "weak_password")
        /// A code or link that is wrong, used up or over; which of these is not said.
        public static let codeRefused = Code(rawValue: "invalid_code")
        /// Wait for `retryAfter`.
        public static let tooManyAttempts = Code(rawValue: "too_many_attempts")
        /// More people sign in at once than passwords can be checked; wait for `retryAfter`.
        public static let busy = Code(rawValue: "busy")
        /// The bearer is no token of ours, or is over, or was revoked.
        public static let invalidToken = Code(rawValue: "invalid_token")
        /// A refresh token came twice: its session was ended.
        public static let tokenReused = Code(rawValue: "token_reused")
        /// The role or the key's scope does not allow it.
        public static let forbidden = Code(rawValue: "forbidden")
        /// A fresh proof is needed: `Accounts.stepUp` first.
        public static let stepUpRequired = Code(rawValue: "step_up_required")
        /// The second factor is on already, or not on at all.
        public static let secondFactorState = Code(rawValue: "second_factor_state")
        /// What was asked for needs a sign-in, and the account has no password.
        public static let passwordNeeded = Code(rawValue: "password_needed")
        public static let unknownSession = Code(rawValue: "unknown_session")
        public static let unknownKey = Code(rawValue: "unknown_key")
        public static let invalidKey = Code(rawValue: "invalid_key")

        // Services.

        /// No mail can be sent: none is configured.
        public static let mailUnavailable = Code(rawValue: "mail_unavailable")
        /// No text message can be sent: none is configured.
        public static let textsUnavailable = Code(rawValue: "texts_unavailable")
    }

    public var code: Code
    public var message: String
    /// When it makes sense to try again.
    public var retryAfter: Duration?

    public init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }
}

extension AccountsError: CustomStringConvertible {
    public var description: String { message }
}

extension AccountsError {
    static let invalidCode = AccountsError(
        .codeRefused, "That code or link is wrong or no longer good. Ask for a new one.")
    static let invalidToken = AccountsError(.invalidToken, "Sign in again.")
    static let invalidCredentials = AccountsError(
        .invalidCredentials, "The e-mail address and the password do not fit together.")
    static let unknownUser = AccountsError(.unknownUser, "There is no such account.")
    static let noMail = AccountsError(
        .mailUnavailable, "This assistant cannot send mail yet. Its operator has to configure an SMTP server.")
    static let noTexts = AccountsError(
        .textsUnavailable, "This assistant cannot send text messages yet. Its operator has to configure a number.")

    static func wait(_ time: Duration) -> AccountsError {
        let seconds = max(1, (time.milliseconds + 999) / 1000)
        let text = seconds < 120 ? "\(seconds) seconds" : "\((seconds + 59) / 60) minutes"
        return AccountsError(
            .tooManyAttempts, "That was tried too often. Try again in \(text).", retryAfter: .seconds(seconds))
    }
}
