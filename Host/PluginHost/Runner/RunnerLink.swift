import CRunner
import CTandemPlugin
import Glibc
import Logging
import Synchronization
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
    /// Process id, when it runs.
    public var process: Int32?
    public var starts = 0
    public var crashes = 0
    /// How often it was not read from for a while since it said too much.
    public var throttled = 0
    /// How often everybody else had to go first since it took processor time that no answer accounted for.
    public var yielded = 0
    public var lastCrash: CrashReport?
    /// Parts of the isolation that the kernel did not give.
    public var missingIsolation: [String] = []
    public var residentBytes: Int?
}

/// One version of a plugin in a process of its own: starts it, restarts it, gives it up.
///
/// Presents the plugin as a mapped library would be (`PluginTable`); each instance lives in the process that is current
/// when it is made.
final class RunnerLink: @unchecked Sendable {
    // Descriptors and configuration are constant; `startLock` serialises starts; the rest is in the mutex.
    let configuration: RunnerConfiguration
    private let path: String
    private let bundlePath: String
    private let identity: Identity
    private let library: Int32
    private let isForeign: Bool
    private let folder: Int32
    private let runtime: (folder: String, names: [String])
    private let startLock = Monitor()
    private let state = Mutex(State())

    /// What a runner is given to carry out.
    enum Source {
        case library([UInt8])
        /// `plugin.json` of a plain C library.
        case manifest([UInt8])

        var bytes: [UInt8] {
            switch self {
            case .library(let bytes), .manifest(let bytes): bytes
            }
        }

        var isManifest: Bool {
            if case .manifest = self { return true }
            return false
        }
    }

    /// For reports.
    struct Identity: Sendable {
        var plugin: String
        var version: String
        var clock: any WallClock
        var logger: Logger
        var meters: PluginMeters?
        /// Where crashes are written down.
        var crashesPath: String?
    }

    private struct State {
        var current: RunnerProcess?
        var isRetired = false
        var starts = 0
        var crashes = 0
        var throttled = 0
        var yielded = 0
        /// Crashes in a row, each soon after the start.
        var streak = 0
        var notBefore: UInt64 = 0
        var isBroken = false
        var lastCrash: CrashReport?
        var toolsAtDeath: [String] = []
        var isolation: UInt32 = 0
    }

    /// - Parameter bundlePath: the folder that the plugin may read.
    init(
        source: Source, needed: [String], bundlePath: String, configuration: RunnerConfiguration,
        identity: Identity
    ) throws(PluginRefusal) {
        guard let path = configuration.path else {
            throw PluginRefusal(
                .needsRunner, "\(identity.plugin) needs the isolated runner, and tandem-plugin-runner is not installed")
        }
        self.path = path
        self.bundlePath = bundlePath
        self.configuration = configuration
        self.identity = identity
        runtime = SwiftRuntime.libraries(of: needed)
        isForeign = source.isManifest
        library = source.bytes.withUnsafeBytes { tandem_sealed_copy($0.baseAddress, $0.count) }
        guard library >= 0 else {
            folder = -1
            throw PluginRefusal(.loadFailed, "no memory file can be made: \(systemMessage(errno))")
        }
        folder = open(bundlePath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else {
            throw PluginRefusal(.missingFile, "the bundle \(bundlePath) cannot be opened: \(systemMessage(errno))")
        }
    }

    deinit {
        if library >= 0 { close(library) }
        if folder >= 0 { close(folder) }
    }

    // MARK: Start

    /// The process that new instances go to; starts one when there is none. Blocks.
    func process() -> Result<RunnerProcess, PluginRefusal> {
        if let running = running { return .success(running) }
        startLock.lock()
        defer { startLock.unlock() }
        if let running = running { return .success(running) }
        do throws(PluginRefusal) {
            return .success(try start().process)
        } catch {
            return .failure(error)
        }
    }

    private var running: RunnerProcess? {
        state.withLock { state in
            guard !state.isRetired, let current = state.current, current.isAlive else { return nil }
            return current
        }
    }

    /// Starts the library and gives what its table says, whatever is wrong with it. Blocks.
    func describe() throws(PluginRefusal) -> RunnerDescription {
        startLock.lock()
        defer { startLock.unlock() }
        return try start().description
    }

    /// With the start lock held.
    private func start() throws(PluginRefusal) -> (process: RunnerProcess, description: RunnerDescription) {
        let refusal = state.withLock { state -> PluginRefusal? in
            if state.isRetired { return PluginRefusal(.runnerFailed, "the plugin is being replaced") }
            guard monotonicNanoseconds() < state.notBefore else { return nil }
            return PluginRefusal(.runnerFailed, "the plugin crashed and is not started again yet")
        }
        if let refusal { throw refusal }
        var pair: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &pair) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: 2) { tandem_socket_pair($0) }
        }
        guard made == 0 else {
            throw PluginRefusal(.runnerFailed, "no socket can be made: \(systemMessage(errno))")
        }
        let started: tandem_started
        do throws(PluginRefusal) {
            started = try RunnerStarter.shared.start(path: path, socket: pair.1, library: library, folder: folder)
        } catch {
            close(pair.0)
            close(pair.1)
            throw error
        }
        close(pair.1)
        let process = RunnerProcess(started: started, socket: pair.0, link: self)
        guard RunnerLoop.shared.add(process) else {
            tandem_kill_runner(started.pid, started.process)
            close(pair.0)
            throw PluginRefusal(.runnerFailed, "the host cannot listen to one more runner")
        }
        state.withLock { $0.starts += 1 }
        sendStart(to: process)
        return (process, try greet(process))
    }

    private func sendStart(to process: RunnerProcess) {
        var head = tandem_frame_start()
        head.version = TANDEM_FRAMES_VERSION
        head.required = configuration.allowsWeakIsolation ? 0 : RunnerIsolation.required
        head.granted = process.granted
        head.source = isForeign ? TANDEM_SOURCE_MANIFEST : TANDEM_SOURCE_LIBRARY
        head.memory_bytes = configuration.memoryBytes
        head.file_bytes = UInt64(RunnerFrame.maxLength)
        head.processor_seconds = UInt64(configuration.processorBurst.rounded(.up)) + 1
        head.descriptors = 48
        head.threads = configuration.threads
        let folder: [UInt8] = runtime.names.isEmpty ? [] : Array(runtime.folder.utf8) + [0]
        let names = Array(runtime.names.map { Array($0.utf8) + [0] }.joined())
        head.runtime_length = UInt32(folder.count)
        head.library_count = UInt32(runtime.names.count)
        let size = MemoryLayout<tandem_frame_start>.size
        process.send(TANDEM_F_START, length: size + folder.count + names.count, isUrgent: true) { place in
            place.storeBytes(of: head, as: tandem_frame_start.self)
            (folder + names).withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { (place + size).copyMemory(from: base, byteCount: bytes.count) }
            }
        }
    }

    private func greet(_ process: RunnerProcess) throws(PluginRefusal) -> RunnerDescription {
        guard let hello = process.hello(within: configuration.startTimeout) else {
            process.kill("did not load within \(configuration.startTimeout)")
            throw PluginRefusal(.loadFailed, "the library does not load within \(configuration.startTimeout)")
        }
        switch UInt32(hello.kind) {
        case TANDEM_F_READY:
            guard let description = RunnerDescription(hello.bytes) else {
                process.kill("sent a greeting that is not whole")
                throw PluginRefusal(.runnerFailed, "the isolated runner sent a greeting that is not whole")
            }
            state.withLock { state in
                state.isolation = description.isolation
                state.current = process
            }
            process.serve()
            RunnerIsolation.report(RunnerIsolation.all & ~description.isolation, to: identity.logger)
            return description
        case TANDEM_F_FAILED:
            process.stop()
            let text = PlainText.sanitized(String(decoding: hello.bytes.prefix(500), as: UTF8.self))
            switch hello.code {
            case TANDEM_FAIL_ISOLATION:
                throw PluginRefusal(
                    .weakIsolation,
                    "this system cannot isolate a plugin: it lacks \(text) (TANDEM_ALLOW_WEAK_ISOLATION loads it anyway)"
                )
            case TANDEM_FAIL_LOAD:
                throw PluginRefusal(.loadFailed, "the dynamic loader refuses the library: \(text)")
            case TANDEM_FAIL_NO_ENTRY:
                throw PluginRefusal(
                    .noEntry, "the library does not export the function \(ELFImage.entrySymbol)")
            default: throw PluginRefusal(.runnerFailed, "the isolated runner failed: \(text)")
            }
        default:
            let exit = process.exit(within: .seconds(1))
            throw PluginRefusal(
                .loadFailed, "the library crashed while it was loaded: \(exit?.description ?? "unknown end")")
        }
    }

    // MARK: Supervision

    /// On the loop's thread: a process is gone, with these instances.
    func died(_ process: RunnerProcess, instances: [RunnerInstance]) {
        var tools: Set<String> = []
        let owners = instances.map(\.owner)
        let calls = CallTable.shared.calls(of: Set(owners.map { ObjectIdentifier($0) }))
        for call in calls { tools.insert(call.tool.definition.id) }
        state.withLock { state in
            if state.current === process { state.current = nil }
            state.toolsAtDeath = tools.sorted()
        }
        for owner in owners { owner.plugin.remove(owner) }
        for call in calls { call.giveUp(.failure(call.instance.plugin.unavailable)) }
        for owner in owners { owner.close() }
    }

    /// On the loop's thread: a process has been reaped.
    func reaped(_ process: RunnerProcess, exit: RunnerExit, wasWanted: Bool) {
        guard !wasWanted else { return }
        let now = monotonicNanoseconds()
        let report = state.withLock { state -> CrashReport in
            state.crashes += 1
            let lived = now - process.startedAt
            state.streak = lived > configuration.crashWindow.nanoseconds ? 1 : state.streak + 1
            state.isBroken = state.streak >= configuration.crashesToOpen
            if state.isBroken {
                state.notBefore = now + configuration.breakerOpen.nanoseconds
            } else if state.streak > 1 {
                let doubled = configuration.backOff.nanoseconds << UInt64(min(state.streak - 2, 20))
                state.notBefore = now + min(doubled, configuration.maxBackOff.nanoseconds)
            }
            let report = CrashReport(
                plugin: identity.plugin, version: identity.version, tools: state.toolsAtDeath, exit: exit,
                count: state.crashes, at: identity.clock.now)
            state.lastCrash = report
            return report
        }
        identity.meters?.count(\.crashes)
        if let path = identity.crashesPath { WorkerPool.shared.submit { CrashBook.add(report, at: path) } }
        var logger = identity.logger
        logger[metadataKey: "plugin.id"] = "\(identity.plugin)"
        logger[metadataKey: "plugin.version"] = "\(identity.version)"
        logger.error(
            "a plugin's runner ended",
            metadata: [
                "exit": "\(exit)", "plugin.tools": "\(report.tools.joined(separator: " "))", "count": "\(report.count)",
            ])
    }

    /// How its process crashed, if it has or is about to be found to. Blocks until then, for `limit` at most.
    func crash(within limit: Duration) -> RunnerExit? {
        let deadline = monotonicNanoseconds() + limit.nanoseconds
        while true {
            let (crash, isRunning) = state.withLock { ($0.lastCrash, $0.current?.isAlive == true) }
            if crash != nil || isRunning || monotonicNanoseconds() > deadline { return crash?.exit }
            usleep(1000)
        }
    }

    /// A process has no instance any more.
    func emptied(_ process: RunnerProcess) {
        let mustStop = state.withLock { $0.isRetired || $0.current !== process }
        if mustStop { process.stop() }
    }

    func noteThrottled() { state.withLock { $0.throttled += 1 } }

    func noteYielded() {
        let count = state.withLock { state in
            state.yielded += 1
            return state.yielded
        }
        guard count & (count - 1) == 0 else { return }
        var logger = identity.logger
        logger[metadataKey: "plugin.id"] = "\(identity.plugin)"
        logger.warning("a plugin takes processor time for nothing: others go first", metadata: ["count": "\(count)"])
    }

    /// No instance is made any more; the process ends with its last one.
    func retire() {
        let process = state.withLock { state -> RunnerProcess? in
            state.isRetired = true
            return state.current
        }
        if let process, process.instanceCount == 0 { process.stop() }
    }

    /// Whether its bundle lies in a folder: for tests.
    func belongs(to folder: String) -> Bool { bundlePath.hasPrefix(folder + "/") }

    /// How long a caller should wait before it tries again.
    var retryAfterMilliseconds: Int? {
        let wait = state.withLock { $0.notBefore }
        let now = monotonicNanoseconds()
        return wait > now ? Int((wait - now) / 1_000_000) + 1 : nil
    }

    var status: RunnerStatus {
        let now = monotonicNanoseconds()
        return state.withLock { state in
            var status = RunnerStatus(state: .idle)
            if let current = state.current, current.isAlive {
                status.state = .running
                status.process = current.pid
                status.residentBytes = ProcessUsage(of: current.pid)?.residentBytes
            } else if now < state.notBefore {
                status.state = state.isBroken ? .broken : .backingOff
            }
            status.starts = state.starts
            status.crashes = state.crashes
            status.throttled = state.throttled
            status.yielded = state.yielded
            status.lastCrash = state.lastCrash
            if state.starts > 0, state.isolation != 0 {
                status.missingIsolation = RunnerIsolation.names(of: RunnerIsolation.all & ~state.isolation)
            }
            return status
        }
    }
}

/// What a library's table says, as the runner saw it.
struct RunnerDescription: Sendable {
    var isolation: UInt32
    var ready: tandem_frame_ready
    var manifest: [UInt8]

    init?(_ bytes: [UInt8]) {
        let parsed = bytes.withUnsafeBytes { buffer -> (tandem_frame_ready, [UInt8])? in
            var reader = FrameReader(buffer)
            guard let ready = reader.structure(tandem_frame_ready.self) else { return nil }
            return (ready, Array(reader.rest()))
        }
        guard let parsed else { return nil }
        (ready, manifest) = parsed
        isolation = ready.isolation
    }
}

/// The parts of the isolation, by name.
enum RunnerIsolation {
    static let all = UInt32(TANDEM_ISOLATION_ALL)

    /// Without these untrusted code is not loaded. The other namespaces stand behind what seccomp and Landlock forbid
    /// already.
    static let required = UInt32(
        TANDEM_ISOLATION_NETWORK | TANDEM_ISOLATION_USER | TANDEM_ISOLATION_LIMITS | TANDEM_ISOLATION_LANDLOCK
            | TANDEM_ISOLATION_SECCOMP | TANDEM_ISOLATION_PARENT)

    private static let reported = Mutex<UInt32>(0)

    /// Says, once in the life of this process, what the kernel does not give.
    static func report(_ missing: UInt32, to logger: Logger) {
        guard missing != 0,
            reported.withLock({ reported in
                defer { reported |= missing }
                return missing & ~reported != 0
            })
        else { return }
        let parts = names(of: missing).joined(separator: ", ")
        if missing & required != 0 {
            logger.error(
                """
                plugins are NOT isolated as they should be: this system lacks parts of it, and \
                TANDEM_ALLOW_WEAK_ISOLATION loads them anyway
                """, metadata: ["missing": "\(parts)"])
        } else {
            logger.warning(
                "this system lacks a part of the isolation of plugins that others make up for",
                metadata: ["missing": "\(parts)"])
        }
    }

    static func names(of bits: UInt32) -> [String] {
        let names: [(UInt32, String)] = [
            (TANDEM_ISOLATION_NETWORK, "network namespace"), (TANDEM_ISOLATION_PROCESSES, "pid namespace"),
            (TANDEM_ISOLATION_USER, "dropped privileges"), (TANDEM_ISOLATION_MOUNTS, "mount namespace"),
            (TANDEM_ISOLATION_IPC, "ipc namespace"), (TANDEM_ISOLATION_LIMITS, "limits"),
            (TANDEM_ISOLATION_LANDLOCK, "landlock"), (TANDEM_ISOLATION_SECCOMP, "seccomp"),
            (TANDEM_ISOLATION_PARENT, "parent death signal"),
        ]
        return names.filter { bits & $0.0 != 0 }.map(\.1)
    }
}

/// Where this host has its Swift runtime from: plugins in runners get the same.
enum SwiftRuntime {
    /// The folder of `libswiftCore.so` as mapped here; empty in a host that is linked statically.
    static let folder: String = {
        guard let name = tandem_library_of("swift_retain") else { return "" }
        let path = String(cString: name)
        guard path.hasPrefix("/"), path.contains("libswiftCore.so"), let slash = path.lastIndex(of: "/") else {
            return ""
        }
        return String(path[..<slash])
    }()

    /// Those of a library's needs that lie in the folder.
    static func libraries(of needed: [String]) -> (folder: String, names: [String]) {
        guard !folder.isEmpty else { return ("", []) }
        let names = needed.filter { name in
            (name.hasPrefix("libswift") || name.hasPrefix("lib_") || name.hasPrefix("libFoundation")
                || name.hasPrefix("libdispatch") || name.hasPrefix("libBlocksRuntime"))
                && access(folder + "/" + name, R_OK) == 0
        }
        return (folder, names)
    }
}
