public import TandemCore

/// What a person needs to put their account into an authenticator app. To be shown once.
public struct TOTPEnrolment: Sendable, Hashable {
    /// Base32 in groups of four, for typing.
    public var key: Secret
    /// `otpauth://totp/…`
    public var uri: Secret

    /// The picture of the URI.
    public var picture: QRCode? { QRCode(uri.reveal()) }

    init(_ totp: TOTP, issuer: String, account: String) {
        let text = Array(Base32.text(totp.secret))
        let groups = stride(from: 0, to: text.count, by: 4).map { String(text[$0..<min($0 + 4, text.count)]) }
        key = Secret(groups.joined(separator: " "))
        uri = Secret(totp.uri(issuer: issuer, account: account))
    }
}
