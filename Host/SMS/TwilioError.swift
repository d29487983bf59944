/// What to do about one of Twilio's error codes (<https://www.twilio.com/docs/api/errors>).
enum TwilioErrorAction: Sendable, Hashable {
    /// The person has opted out: remember it, never retry.
    case optOut
    /// The number does not take messages: never retry, verify it again.
    case badNumber
    /// Never retry; the operator should look: filtered, blocked, not registered.
    case operatorIssue
    /// Our own settings are wrong: keep the message and try again later.
    case configuration
    /// Once more, later, while it is still of use.
    case retryOnce
    /// Slow down and try again.
    case slowDown
    /// Never retry.
    case giveUp

    init(code: Int) {
        switch code {
        case 21610: self = .optOut
        case 21211, 21214, 21217, 21401, 21407, 21421, 21612, 21614, 30005, 30006: self = .badNumber
        case 20003, 20005, 20403, 20404, 21212, 21603, 21606, 21608, 21611, 21659, 21660, 21661: self = .configuration
        case 21408, 30002, 30004, 30007, 30010, 30034, 30893, 30909, 30923: self = .operatorIssue
        case 30003, 30008: self = .retryOnce
        case 20429, 30001, 30022: self = .slowDown
        default: self = .giveUp
        }
    }
}
