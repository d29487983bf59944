/// The words that carriers and Twilio act on themselves, when a message consists of one of them alone
/// (<https://help.twilio.com/articles/223134027>; REVOKE and OPTOUT since 2025).
public enum CarrierKeyword: Sendable, Hashable {
    /// No more messages to this number.
    case stop
    /// Messages are welcome again. `isYes`: the word was YES, which also answers questions.
    case start(isYes: Bool)
    /// Twilio answers with its help text.
    case help

    /// The keyword that a text is; nil for anything else. Case and white space around it do not matter.
    public init?(_ text: String) {
        var bytes = Substring(text).utf8
        while let first = bytes.first, first <= 0x20 { bytes.removeFirst() }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        guard (3...11).contains(bytes.count) else { return nil }
        let word = String(decoding: bytes.map { $0 &- 97 < 26 ? $0 & 0xDF : $0 }, as: UTF8.self)
        switch word {
        case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT": self = .stop
        case "START", "UNSTOP": self = .start(isYes: false)
        case "YES": self = .start(isYes: true)
        case "HELP", "INFO": self = .help
        default: return nil
        }
    }

    /// What Twilio says it took the message for, where Advanced Opt-Out is in use (`OptOutType`).
    init?(optOutType: String?) {
        switch optOutType {
        case "STOP": self = .stop
        case "START": self = .start(isYes: false)
        case "HELP": self = .help
        default: return nil
        }
    }
}
