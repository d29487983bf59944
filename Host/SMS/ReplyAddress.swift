import TandemJSON

/// Where an answer by SMS goes: the `address` of messages on this channel, as JSON text.
public struct ReplyAddress: Sendable, Hashable {
    /// The person's number.
    public var to: PhoneNumber
    /// The one of our numbers that the person wrote to.
    public var from: String
    /// Pictures and other files that came with the message.
    public var mediaCount: Int

    public init(to: PhoneNumber, from: String, mediaCount: Int = 0) {
        self.to = to
        self.from = from
        self.mediaCount = mediaCount
    }

    /// `{"to":"+15555550123","from":"+15555550100"}`.
    public var text: String {
        var object: JSONObject = ["to": .string(to.text), "from": .string(from)]
        if mediaCount > 0 { object["media"] = .integer(Int64(mediaCount)) }
        return JSON.object(object).text
    }

    /// Nil when the text is no such address.
    public init?(_ text: String) {
        guard let json = try? JSON(parsing: text), let to = json["to"]?.stringValue.flatMap(PhoneNumber.init),
            let from = json["from"]?.stringValue
        else { return nil }
        self.init(to: to, from: from, mediaCount: json["media"]?.int64Value.map(Int.init(truncatingIfNeeded:)) ?? 0)
    }
}
