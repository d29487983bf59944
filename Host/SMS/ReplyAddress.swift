public import TandemAccounts
import TandemJSON

/// Where an answer by SMS goes: the `address` of messages on this channel, as JSON text.
public struct ReplyAddress: Sendable, Hashable {
    /// The person's number.
    public var to: PhoneNumber
    /// The one of our numbers that the person wrote to.
    public var from: String
    /// Pictures and other files that came with the message.
    public var mediaCount: Int
    /// How many segments the message came in; logged with its answer, off the way to the acknowledgement.
    public var segments: Int

    public init(to: PhoneNumber, from: String, mediaCount: Int = 0, segments: Int = 1) {
        self.to = to
        self.from = from
        self.mediaCount = mediaCount
        self.segments = segments
    }

    /// `{"to":"+15555550123","from":"+15555550100"}`.
    public var text: String {
        var object: JSONObject = ["to": .string(to.e164), "from": .string(from)]
        if mediaCount > 0 { object["media"] = .integer(Int64(mediaCount)) }
        if segments != 1 { object["segments"] = .integer(Int64(segments)) }
        return JSON.object(object).text
    }

    /// Nil when the text is no such address.
    public init?(_ text: String) {
        guard let json = try? JSON(parsing: text), let to = json["to"]?.stringValue.flatMap({ PhoneNumber($0) }),
            let from = json["from"]?.stringValue
        else { return nil }
        let count = { (name: String) in json[name]?.int64Value.map(Int.init(truncatingIfNeeded:)) }
        self.init(to: to, from: from, mediaCount: count("media") ?? 0, segments: count("segments") ?? 1)
    }
}
