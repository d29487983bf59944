import Glibc

/// How plugins are run in processes of their own.
public struct RunnerConfiguration: Sendable, Hashable {
    /// `tandem-plugin-runner`; nil: there is none, and what needs it is refused.
    public var path: String?
    /// Loads untrusted code although the kernel lacks a part of the isolation. For development only.
    public var allowsWeakIsolation: Bool
    /// Address space of a runner, unless the manifest asks for other limits.
    public var memoryBytes: UInt64
    /// The most that a manifest may ask for.
    public var memoryCeiling: UInt64
    /// Processor time that a runner may use in a row, in seconds …
    public var processorBurst: Double
    /// … and what comes back to it each second.
    public var processorShare: Double
    /// Threads of a runner.
    public var threads: UInt32
    /// How long the library may take to load.
    public var startTimeout: Duration
    /// How long `create`, `activate`, `quiesce` and `destroy` may take before the runner counts as hanging.
    public var answerTimeout: Duration
    /// How long a runner may not answer a ping.
    public var pingTimeout: Duration
    /// A runner without instances ends after this time, and one person's after they have not called for so long.
    public var idleAfter: Duration
    /// Runners of one plugin that has one for each person …
    public var maxProcessesOfPlugin: Int
    /// … and of all plugins. Beyond that the one that has rested longest ends.
    public var maxProcesses: Int
    /// What a runner has to read may grow to this size; then calls are refused as busy.
    public var maxQueuedBytes: Int
    /// Requests of a runner that the host works on at once; then it is not read from for a while.
    public var maxOpenRequests: Int
    /// Requests a second, half a second's at once; then likewise.
    public var maxRequests: Int
    /// Frames a second that ask for nothing (log lines, progress, late completions), 60 ms' at once; then likewise.
    public var maxIdleFrames: Int
    /// Crashes within `crashWindow` after which a version is not started any more for `breakerOpen`.
    public var crashesToOpen: Int
    public var crashWindow: Duration
    public var breakerOpen: Duration
    /// The wait after the second crash in a row; it doubles with each further one, up to `maxBackOff`.
    public var backOff: Duration
    public var maxBackOff: Duration

    public init(
        path: String? = RunnerConfiguration.besideOwnProgram, allowsWeakIsolation: Bool = false,
        memoryBytes: UInt64 = 512 << 20, memoryCeiling: UInt64 = 2 << 30, processorBurst: Double = 30,
        processorShare: Double = 0.5, threads: UInt32 = 64, startTimeout: Duration = .seconds(10),
        answerTimeout: Duration = .seconds(2), pingTimeout: Duration = .seconds(5), idleAfter: Duration = .seconds(120),
        maxProcessesOfPlugin: Int = 64, maxProcesses: Int = 128,
        maxQueuedBytes: Int = 8 << 20, maxOpenRequests: Int = 512, maxRequests: Int = 1000, maxIdleFrames: Int = 5000,
        crashesToOpen: Int = 5, crashWindow: Duration = .seconds(60), breakerOpen: Duration = .seconds(60),
        backOff: Duration = .milliseconds(100), maxBackOff: Duration = .seconds(30)
    ) {
        self.path = path
        self.allowsWeakIsolation = allowsWeakIsolation
        self.memoryBytes = memoryBytes
        self.memoryCeiling = memoryCeiling
        self.processorBurst = processorBurst
        self.processorShare = processorShare
        self.threads = threads
        self.startTimeout = startTimeout
        self.answerTimeout = answerTimeout
        self.pingTimeout = pingTimeout
        self.idleAfter = idleAfter
        self.maxProcessesOfPlugin = maxProcessesOfPlugin
        self.maxProcesses = maxProcesses
        self.maxQueuedBytes = maxQueuedBytes
        self.maxOpenRequests = maxOpenRequests
        self.maxRequests = maxRequests
        self.maxIdleFrames = maxIdleFrames
        self.crashesToOpen = crashesToOpen
        self.crashWindow = crashWindow
        self.breakerOpen = breakerOpen
        self.backOff = backOff
        self.maxBackOff = maxBackOff
    }

    /// `tandem-plugin-runner` in the folder of the program that runs, when it is there.
    public static var besideOwnProgram: String? {
        var bytes = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &bytes, bytes.count - 1)
        guard length > 0 else { return nil }
        let program = String(decoding: bytes[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let slash = program.lastIndex(of: "/") else { return nil }
        let path = program[..<slash] + "/tandem-plugin-runner"
        return access(String(path), X_OK) == 0 ? String(path) : nil
    }
}
