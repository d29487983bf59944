public import TandemCore
public import TandemStorage

/// A message from a person, authenticated by the front that received it.
public struct InboundMessage: Sendable {
    public var scope: UserScope
    public var text: String
    /// `sms`, `cli`, later `rest`, `web`, `mcp`.
    public var channel: String
    /// Where the answer goes, as the channel understands it; sealed at rest. For SMS: `{"to":…,"from":…}` as text.
    public var address: String
    /// The channel's own id of the message, for the log of what was received: Twilio's `MessageSid`.
    public var externalID: String?
    public var receivedAt: Timestamp

    public init(
        scope: UserScope, text: String, channel: String, address: String, externalID: String?, receivedAt: Timestamp
    ) {
        self.scope = scope
        self.text = text
        self.channel = channel
        self.address = address
        self.externalID = externalID
        self.receivedAt = receivedAt
    }
}

/// An answer on its way to a person.
public struct OutboundMessage: Sendable {
    public var scope: UserScope
    /// The turn that it answers; together with `ordinal` the idempotency key of the delivery.
    public var turn: RecordID
    public var ordinal: Int
    public var address: String
    public var text: String

    public init(scope: UserScope, turn: RecordID, ordinal: Int, address: String, text: String) {
        self.scope = scope
        self.turn = turn
        self.ordinal = ordinal
        self.address = address
        self.text = text
    }
}

/// A way out to people: what it is given is in the same transaction as the turn's end, so that an answer is neither lost
/// nor sent twice.
public protocol DeliveryChannel: Sendable {
    /// The `channel` of the inbound messages that it answers.
    var name: String { get }

    /// Stores the message for delivery; runs inside the turn's last transaction, on the writer.
    func enqueue(_ message: OutboundMessage, in transaction: any WriteTransaction) throws

    /// The transaction is durable: time to look at the outbox. Must not block.
    func wake()
}
