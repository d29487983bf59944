public import TandemCore

/// What happened when a runner ended that should not have.
public struct CrashReport: Sendable, Hashable {
    public var plugin: String
    public var version: String
    /// Of the calls that were in flight.
    public var tools: [String]
    public var exit: RunnerExit
    /// How many crashes of this version there have been since the host started, with this one.
    public var count: Int
    public var at: Timestamp
}

/// What `tandem plugin list` shows of a plugin's runner.
public struct RunnerStatus: Sendable, Hashable {
    public enum State: String, Sendable, Hashable {
        /// Starts when it is needed.
        case idle
        case running
        /// Waits before it may start again.
        case backingOff = "backing-off"
        /// Crashed too often: not started for a while.
        case broken
    }

    public var state: State
    /// Process id, when it runs; of several the one that was started last.
    public var process: Int32?
    /// All processes that it has: of plugins that nobody vouches for one for each person.
    public var processes: [Int32] = []
    public var starts = 0
    public var crashes = 0
    /// How often it was not read from for a while since it said too much.
    public var throttled = 0
    /// How often everybody else had to go first since it took processor time that no answer accounted for.
    public var yielded = 0
    public var lastCrash: CrashReport?
    /// Parts of the isolation that the kernel did not give.
    public var missingIsolation: [String] = []
    /// Of all its processes.
    public var residentBytes: Int?
}
