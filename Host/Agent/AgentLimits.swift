/// The bounds of one turn. What is beyond them is said, not silently dropped.
public struct AgentLimits: Sendable {
    /// Tool calls that one message may cause directly.
    public var callsPerTurn = 8
    /// From taking up a message to its answer.
    public var turnTime = Duration.seconds(30)
    /// A longer message is answered with a request to send it in parts.
    public var messageBytes = 4096
    /// Turns worked on at once in this process. Most of them wait for a commit, which they share: fewer would be slower.
    public var concurrency = 128
    /// After so many attempts a turn is given up with an apology …
    public var attempts = 10
    /// … but not while its message is younger than this: a process that is restarted again and again is no fault of the
    /// message.
    public var patience = Duration.seconds(120)

    public init() {}
}
