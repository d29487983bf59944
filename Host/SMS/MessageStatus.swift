/// What Twilio says of a message on its way (<https://www.twilio.com/docs/messaging/guides/track-outbound-message-status>).
public struct MessageStatus: Sendable, Hashable, RawRepresentable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// Keeps at most 32 letters and underscores of what was sent.
    public init(_ text: String) {
        rawValue = String(
            decoding: text.utf8.prefix(32).filter { ($0 | 0x20) &- 97 < 26 || $0 == UInt8(ascii: "_") }, as: UTF8.self)
    }

    public static let queued = MessageStatus(rawValue: "queued")
    public static let sent = MessageStatus(rawValue: "sent")
    public static let delivered = MessageStatus(rawValue: "delivered")
    public static let undelivered = MessageStatus(rawValue: "undelivered")
    public static let failed = MessageStatus(rawValue: "failed")
    public static let canceled = MessageStatus(rawValue: "canceled")
    public static let read = MessageStatus(rawValue: "read")

    /// Nothing but `read` comes after it.
    public var isFinal: Bool { rank >= 5 }

    public var isFailure: Bool { self == .undelivered || self == .failed || self == .canceled }

    /// How far along the message is; reports arrive in any order and never lead back. Unknown words rank lowest.
    var rank: Int {
        switch rawValue {
        case "accepted", "scheduled": 1
        case "queued": 2
        case "sending": 3
        case "sent", "partially_delivered": 4
        case "delivered", "undelivered", "failed", "canceled": 5
        case "read": 6
        default: 0
        }
    }

    /// Whether a report of `next` changes a message that is known as this.
    func isFollowed(by next: MessageStatus) -> Bool {
        if isFinal { return self == .delivered && next == .read }
        return next.rank > rank
    }
}
