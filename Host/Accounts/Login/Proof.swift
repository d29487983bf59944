/// What a person gives to prove that it is them. Describing it shows the method only.
public enum Proof: Sendable, Hashable {
    case password(String)
    /// Six digits of an authenticator app.
    case totp(String)
    /// Six digits that came by text message.
    case sms(String)
    case recovery(String)
    /// Six digits that came by mail.
    case mail(String)

    public var method: ProofMethod {
        switch self {
        case .password: .password
        case .totp: .totp
        case .sms: .sms
        case .recovery: .recovery
        case .mail: .mail
        }
    }
}

extension Proof: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { method.rawValue }

    public var debugDescription: String { description }

    public var customMirror: Mirror { Mirror(self, children: []) }
}
