import CRunner
import CTandemPlugin
import Glibc
import Logging
import Synchronization
import TandemCore

/// One version of a plugin in a process of its own: starts it, restarts it, gives it up.
///
/// Presents the plugin as a mapped library would be (`PluginTable`). Code that nobody vouches for runs in one process for
/// each person, so that what a call of one person does to its process cannot reach another one's; other code in one
/// process for all. Each instance lives in the process that is its person's when it is made.
final class RunnerLink: @unchecked Sendable {
    // Descriptors and configuration are constant; `starts` guards `starting`; the rest is in the mutex.
    let configuration: RunnerConfiguration
    private let path: String
    private let bundlePath: String
    private let identity: Identity
    private let library: Int32
    private let isForeign: Bool
    private let folder: Int32
    private let runtime: (folder: String, names: [String])
    private let isShared: Bool
    private let room: RunnerRoom
    private let starts = Monitor()
    /// Whose process is being started: one thread does it, others who need it wait.
    private var starting: Set<Tenant> = []
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

    /// Whose instances a process has.
    private enum Tenant: Hashable {
        case everybody
        /// Nobody's yet: it has seen nothing of any person, and the first one who comes takes it.
        case nobody
        case person(UserID)
    }

    private struct State {
        /// Those that take new instances.
        var processes: [Tenant: RunnerProcess] = [:]
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
        var isolation: UInt32 = 0
    }

    /// - Parameters:
    ///   - bundlePath: the folder that the plugin may read.
    ///   - isShared: one process serves all people.
    ///   - room: the host's, which bounds the number of processes.
    init(
        source: Source, needed: [String], bundlePath: String, configuration: RunnerConfiguration,
        identity: Identity, isShared: Bool = false, room: RunnerRoom = RunnerRoom()
    ) throws(PluginRefusal) {
        guard let path = configuration.path else {
            throw PluginRefusal(
                .needsRunner, "\(identity.plugin) needs the isolated runner, and tandem-plugin-runner is not installed")
        }
        self.path = path
        self.bundlePath = bundlePath
        self.configuration = configuration
        self.identity = identity
        self.isShared = isShared
        self.room = room
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

    /// Whether each person's instance has a process of its own.
    var isPerPerson: Bool { !isShared }

    /// The process that a person's new instance goes to; starts one when there is none. Blocks.
    ///
    /// - Parameter scope: nil: the host's own trial.
    func process(for scope: UserScope?) -> Result<RunnerProcess, PluginRefusal> {
        let tenant = tenant(of: scope)
        if let running = running(for: tenant) { return .success(running) }
        beginStart(for: tenant)
        defer { endStart(for: tenant) }
        if let running = running(for: tenant) { return .success(running) }
        do throws(PluginRefusal) {
            return .success(try start(for: tenant).process)
        } catch {
            return .failure(error)
        }
    }

    private func beginStart(for tenant: Tenant) {
        starts.lock()
        defer { starts.unlock() }
        while !starting.insert(tenant).inserted {
            _ = starts.wait(untilNanoseconds: monotonicNanoseconds() + 1_000_000_000)
        }
    }

    private func endStart(for tenant: Tenant) {
        starts.lock()
        starting.remove(tenant)
        starts.unlock()
        starts.broadcast()
    }

    private func tenant(of scope: UserScope?) -> Tenant {
        if isShared { return .everybody }
        guard let scope, scope != PluginHost.nobody else { return .nobody }
        return .person(scope.user)
    }

    private func running(for tenant: Tenant) -> RunnerProcess? {
        state.withLock { state in
            guard !state.isRetired else { return nil }
            if let own = state.processes[tenant], own.isAlive { return own }
            guard case .person = tenant, let fresh = state.processes[.nobody], fresh.isAlive else { return nil }
            state.processes[.nobody] = nil
            state.processes[tenant] = fresh
            return fresh
        }
    }

    /// Starts the library and gives what its table says, whatever is wrong with it. Blocks.
    func describe() throws(PluginRefusal) -> RunnerDescription {
        let tenant = tenant(of: nil)
        beginStart(for: tenant)
        defer { endStart(for: tenant) }
        return try start(for: tenant).description
    }

    /// Between `beginStart` and `endStart`.
    private func start(
        for tenant: Tenant
    ) throws(PluginRefusal) -> (process: RunnerProcess, description: RunnerDescription) {
        let refusal = state.withLock { state -> PluginRefusal? in
            if state.isRetired { return PluginRefusal(.runnerFailed, "the plugin is being replaced") }
            guard monotonicNanoseconds() < state.notBefore else { return nil }
            return PluginRefusal(.runnerFailed, "the plugin crashed and is not started again yet")
        }
        if let refusal { throw refusal }
        guard room.enter(self) else {
            throw PluginRefusal(.runnerFailed, "as many isolated processes as this host may have are all at work")
        }
        let process: RunnerProcess
        do throws(PluginRefusal) {
            process = try launch()
        } catch {
            room.giveBack(self)
            throw error
        }
        room.settle(process)
        state.withLock { $0.starts += 1 }
        sendStart(to: process)
        return (process, try greet(process, for: tenant))
    }

    private func launch() throws(PluginRefusal) -> RunnerProcess {
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
        return process
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

    private func greet(
        _ process: RunnerProcess, for tenant: Tenant
    ) throws(PluginRefusal) -> RunnerDescription {
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
                state.processes[tenant] = process
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
        process.toolsAtDeath = tools.sorted()
        state.withLock { $0.processes = $0.processes.filter { $0.value !== process } }
        for owner in owners { owner.plugin.remove(owner) }
        for call in calls { call.giveUp(.failure(call.instance.plugin.unavailable)) }
        for owner in owners { owner.close() }
    }

    /// On the loop's thread: a process has been reaped.
    func reaped(_ process: RunnerProcess, exit: RunnerExit, wasWanted: Bool) {
        room.left(process)
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
                plugin: identity.plugin, version: identity.version, tools: process.toolsAtDeath, exit: exit,
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
            let (crash, isRunning) = state.withLock { state in
                (state.lastCrash, state.processes.values.contains { $0.isAlive })
            }
            if crash != nil || isRunning || monotonicNanoseconds() > deadline { return crash?.exit }
            usleep(1000)
        }
    }

    /// A process has no instance any more. One person's is of no use to anybody else.
    func emptied(_ process: RunnerProcess) {
        let mustStop = state.withLock { state -> Bool in
            guard !state.isRetired,
                let tenant = state.processes.first(where: { $0.value === process })?.key
            else { return true }
            guard case .person = tenant else { return false }
            state.processes[tenant] = nil
            return true
        }
        if mustStop { process.stopWhenEmpty() }
    }

    /// The processes of one plugin have no more memory of their own than two have address space: those that rest end, or
    /// else the largest.
    func boundMemory() {
        let processes = state.withLock { Array($0.processes.values) }
        let limit = Int(clamping: configuration.memoryBytes) * 2
        guard processes.count > 2,
            processes.reduce(0, { $0 + $1.residentBytes.load(ordering: .relaxed) }) > limit
        else { return }
        // Without what they share: the libraries.
        let sizes = processes.map { ($0, ProcessUsage.privateBytes(of: $0.pid)) }
        guard sizes.reduce(0, { $0 + $1.1 }) > limit else { return }
        if room.makeRoom(in: self) { return }
        sizes.max { $0.1 < $1.1 }?.0.kill("has too much memory, with the other processes of the plugin")
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
        let processes = state.withLock { state -> [RunnerProcess] in
            state.isRetired = true
            return Array(state.processes.values)
        }
        for process in processes { process.stopWhenEmpty() }
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
        var alive: [RunnerProcess] = []
        var status = state.withLock { state in
            var status = RunnerStatus(state: .idle)
            alive = state.processes.values.filter(\.isAlive)
            if !alive.isEmpty {
                status.state = .running
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
        guard !alive.isEmpty else { return status }
        alive.sort { $0.startedAt < $1.startedAt }
        status.processes = alive.map(\.pid)
        status.process = alive.last?.pid
        status.residentBytes = alive.reduce(0) { $0 + (ProcessUsage(of: $1.pid)?.residentBytes ?? 0) }
        return status
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
