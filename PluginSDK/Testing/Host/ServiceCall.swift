public import TandemSDK

/// What a plugin asks of the services behind `tandem.kv/1`, `secret/1`, `timer/1`, `event/1` and `memory/1`.
public enum ServiceCall: Sendable, Hashable {
    case getValue(key: String)
    /// - Parameter expected: as in `tandem/ext/kv.h`.
    case setValue(key: String, bytes: [UInt8], expected: UInt64, lifetimeMilliseconds: UInt64)
    case removeValue(key: String, expected: UInt64)
    case listKeys(prefix: String, after: String, limit: Int)
    case valueUsage
    case getSecret(name: String)
    case enteredSecrets
    case setTimer(name: String, handler: String, data: JSON, dueAt: Instant, repetition: Repetition)
    case cancelTimer(name: String)
    case listTimers
    case publish(topic: String, data: JSON, key: String)
    case recall(question: String, limit: Int)
    case propose(kind: String, text: String)
}

/// What a service answers.
public struct ServiceReply: Sendable, Hashable {
    /// `TANDEM_OK`, or why not.
    public var status: Int32
    /// The value, or JSON.
    public var bytes: [UInt8]
    /// Of a value.
    public var version: UInt64
    public var expiresAt: Instant?

    public init(_ status: Int32 = 0, bytes: [UInt8] = [], version: UInt64 = 0, expiresAt: Instant? = nil) {
        self.status = status
        self.bytes = bytes
        self.version = version
        self.expiresAt = expiresAt
    }

    public static func json(_ json: JSON) -> ServiceReply { ServiceReply(bytes: json.serialized()) }
}

/// A number that a plugin counted.
public struct RecordedMetric: Sendable, Hashable {
    public enum Operation: Sendable, Hashable {
        case add, set, observe
    }

    public var operation: Operation
    public var name: String
    /// One value per declared label.
    public var labels: [String]
    public var value: Double
}
