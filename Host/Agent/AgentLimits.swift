/// The bounds of one turn. What is beyond them is said, not silently dropped.
public struct AgentLimits: Sendable {
    /// Tool calls that one message may cause directly.
    public var callsPerTurn = 8
    /// Tool calls of one turn, however many requests to a model ask for them.
    public var stepsPerTurn = 32
    /// Tool calls that one response of a model may ask for.
    public var callsPerRound = 20
    /// Requests to a model within one turn.
    public var roundsPerTurn = 8
    /// Questions for the owner's word that one answer asks.
    public var questionsPerTurn = 3
    /// From taking up a message to its answer.
    public var turnTime = Duration.seconds(30)
    /// What takes longer is answered with a line, and goes on: its result is a message of its own.
    public var answerTime = Duration.seconds(12)
    /// How long such a turn may go on at a time.
    public var laterTime = Duration.seconds(900)
    /// A longer message is answered with a request to send it in parts.
    public var messageBytes = 4096
    /// Turns worked on at once in this process. Most of them wait for a commit, which they share: fewer would be slower.
    public var concurrency = 128
    /// A text that makes no sense by itself waits so long for the next one: people send half sentences.
    public var joinTime = Duration.milliseconds(1500)
    /// On these channels.
    public var joiningChannels: Set<String> = ["sms"]
    /// A confirmed message to others waits so long before it leaves, and `undo` stops it; zero: it leaves at once.
    public var sendDelay = Duration.zero
    /// After so many attempts a turn is given up with an apology …
    public var attempts = 10
    /// … but not while its message is younger than this (`laterTime` for what goes on after an answer): a process that is
    /// restarted again and again is no fault of the message.
    public var patience = Duration.seconds(120)

    public init() {}
}
