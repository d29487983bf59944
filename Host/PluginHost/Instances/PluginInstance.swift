import CTandemPlugin
import Glibc
import Logging
import Synchronization
import TandemCore
import TandemEgress

/// One plugin for one person: the plugin's table of functions, the host's table that it was given, and their life.
///
/// `create`, `activate`, `invoke`, `quiesce` and `destroy` run within the lane, one at a time; `cancel` at any time
/// before `destroy`.
final class PluginInstance: @unchecked Sendable {
    // `functions` is written in the lane by `start` before the life becomes active, and only read afterwards; `host` and
    // what it points to are written in init only; the rest is guarded by `life` or atomic.
    private enum Phase: Comparable { case new, activating, active, closing, ended }

    private struct Life {
        var phase = Phase.new
        var callsInFlight = 0
        var cancelsRunning = 0
        var lastUse: UInt64 = 0
        var quiesceDeadline: UInt64 = 0
        var room: [OneShot<Bool>] = []
        var settings: [UInt8]
        var settingsGeneration: UInt64 = 1
        /// The other end, for an instance in a runner.
        var remote: RunnerInstance?
    }

    private struct Functions {
        var instance: UnsafeMutablePointer<tandem_instance>
        var activate: @convention(c) (UnsafeMutablePointer<tandem_instance>) -> tandem_status
        var invoke:
            @convention(c) (UnsafeMutablePointer<tandem_instance>, UnsafePointer<tandem_request>) -> tandem_status
        var cancel: @convention(c) (UnsafeMutablePointer<tandem_instance>, tandem_call_id, UInt32) -> Void
        var quiesce: @convention(c) (UnsafeMutablePointer<tandem_instance>) -> tandem_status
        var destroy: @convention(c) (UnsafeMutablePointer<tandem_instance>) -> Void
    }

    let plugin: LoadedPlugin
    /// Nil for the trial instance that the loader makes and destroys.
    let scope: UserScope?
    let lane: Lane
    let logGate = LogGate()
    let http = HTTPFlights()
    /// What the plugin asks for and this person has not granted (yet).
    let withheld: Set<ReachItem>
    /// The extensions that this instance gets.
    let extensions: ExtensionSet
    /// Where it may send requests.
    let network: EgressPolicy
    private let host: UnsafeMutablePointer<tandem_host>
    private var functions: Functions?
    private let life: Mutex<Life>
    private let revoked = Atomic<Bool>(false)
    /// When the function that runs now was called, or 0; and which it is.
    private let enteredAt = Atomic<UInt64>(0)

    init(
        of plugin: LoadedPlugin, for scope: UserScope?, settings: [UInt8], withholding withheld: Set<ReachItem> = []
    ) {
        self.plugin = plugin
        self.withheld = withheld
        extensions =
            withheld.isEmpty
            ? plugin.extensions
            : plugin.extensions.subtracting(
                ExtensionSet(ids: Set(withheld.filter { $0.kind == .extension }.map(\.name))))
        self.scope = scope
        network = plugin.network(withholding: withheld)
        lane = Lane(on: plugin.queue)
        life = Mutex(Life(settings: settings))
        host = .allocate(capacity: 1)
        host.initialize(to: HostTable.make(context: nil))
        host.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { host.deallocate() }

    /// The instance behind the table that a plugin passes; nil for a null pointer.
    static func of(_ host: UnsafePointer<tandem_host>) -> PluginInstance? {
        guard UInt(bitPattern: host) != 0, let context = host.pointee.context else { return nil }
        return Unmanaged<PluginInstance>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: Start

    /// Makes and activates the instance, within the lane; nil, or why it did not work.
    func start() -> String? {
        if let failure = create() { return failure }
        guard let functions else { return "create gave no instance" }
        life.withLock { $0.phase = .activating }
        let status = measured(budget: Watchdog.activationNanoseconds, "activate") {
            functions.activate(functions.instance)
        }
        guard status == TANDEM_OK else {
            end(functions)
            return "activate answered \(StatusName.code(of: status)) (\(status))"
        }
        life.withLock { life in
            life.phase = .active
            life.lastUse = monotonicNanoseconds()
        }
        return nil
    }

    /// Makes the instance and destroys it, as the loader does to see whether it can; nil, or why it cannot.
    func tryOut() -> String? {
        if let failure = create() { return failure }
        if let functions { end(functions) }
        return nil
    }

    private func create() -> String? {
        let table: PluginTable
        switch plugin.code.table {
        case .success(let known): table = known
        case .failure(let refusal): return refusal.reason
        }
        var pointer: UnsafeMutablePointer<tandem_instance>?
        let status = measured(budget: Watchdog.activationNanoseconds, "create") {
            table.create(table.pointer, host, &pointer)
        }
        guard status == TANDEM_OK else {
            Quarantine.keep(self)
            return "create answered \(StatusName.code(of: status)) (\(status))"
        }
        guard let pointer else {
            Quarantine.keep(self)
            return "create answered OK without an instance"
        }
        guard UInt(bitPattern: pointer) % UInt(MemoryLayout<tandem_instance>.alignment) == 0 else {
            Quarantine.keep(self)
            return "the instance's table is not aligned"
        }
        let header = UnsafeRawPointer(pointer).load(as: tandem_header.self)
        guard header.size >= UInt32(MemoryLayout<tandem_instance>.size) else {
            Quarantine.keep(self)
            return "the instance's table says a size of \(header.size), ABI 1.0 has "
                + "\(MemoryLayout<tandem_instance>.size)"
        }
        let given = pointer.pointee
        guard let activate = given.activate, let invoke = given.invoke, let cancel = given.cancel,
            let quiesce = given.quiesce, let destroy = given.destroy
        else {
            let isMissing = [
                ("activate", given.activate == nil), ("invoke", given.invoke == nil), ("cancel", given.cancel == nil),
                ("quiesce", given.quiesce == nil), ("destroy", given.destroy == nil),
            ]
            given.destroy?(pointer)
            Quarantine.keep(self)
            return "the instance's function \(isMissing.first(where: \.1)?.0 ?? "") is null"
        }
        guard header.flags & TANDEM_FLAGS_MUST_UNDERSTAND == 0 else {
            destroy(pointer)
            Quarantine.keep(self)
            return "the instance's table has flags that this host does not know"
        }
        functions = Functions(
            instance: pointer, activate: activate, invoke: invoke, cancel: cancel, quiesce: quiesce, destroy: destroy)
        return nil
    }

    // MARK: Calls

    /// Counts a call in; false when the instance is full, closing or not yet active.
    func beginCall(now: UInt64) -> Bool {
        life.withLock { life in
            guard life.phase == .active, life.callsInFlight < plugin.manifest.maxInFlight else { return false }
            life.callsInFlight += 1
            life.lastUse = now
            return true
        }
    }

    func endCall(now: UInt64) {
        let end = life.withLock { life -> (hasWaiting: Bool, mustQuiesce: Bool) in
            life.callsInFlight -= 1
            life.lastUse = now
            return (!life.room.isEmpty, life.phase == .closing && life.callsInFlight == 0)
        }
        if end.hasWaiting { wakeOne() }
        if end.mustQuiesce { quiesceSoon() }
    }

    /// Lets the longest waiting caller look for room; those that gave up are skipped.
    private func wakeOne() {
        while let room = life.withLock({ $0.room.popLast() }) {
            if room.resolve(true) { return }
        }
    }

    var isClosing: Bool { life.withLock { $0.phase >= .closing } }

    /// Waits until a call has ended; false at the deadline, on cancellation, or when too many wait already.
    func waitForRoom(until deadline: UInt64) async -> Bool {
        let room = OneShot<Bool>()
        let mayWait = life.withLock { life -> Bool? in
            if life.phase >= .closing || life.callsInFlight < plugin.manifest.maxInFlight { return true }
            guard life.room.count < 256 else { return false }
            life.room.insert(room, at: 0)
            return nil
        }
        if let mayWait { return mayWait }
        DeadlineTimer.shared.schedule(at: deadline) { room.resolve(false) }
        return await withTaskCancellationHandler {
            await room.value()
        } onCancel: {
            room.resolve(false)
        }
    }

    /// Calls `invoke`, within the lane.
    ///
    /// - Parameters:
    ///   - started: an instant shortly before now, from which the budget counts.
    ///   - metersProcessor: whether to see how much of the processor the function uses; takes two system calls.
    ///   - function: what is called instead of `invoke`.
    ///   - ended: set to the instant of the return.
    func invoke(
        _ call: PendingCall, arguments: [UInt8], resume: [UInt8], answers: [UInt8], since started: UInt64,
        function: RequestFunction?, metersProcessor: Bool, ended: inout UInt64
    ) -> tandem_status {
        guard let functions else { return TANDEM_E_WRONG_STATE }
        let processorBefore = metersProcessor ? threadNanoseconds() : 0
        var trace = call.traceParent
        var key = call.idempotencyKey
        var status = TANDEM_E_INTERNAL
        enteredAt.store(started, ordering: .relaxed)
        arguments.withUnsafeBufferPointer { arguments in
            resume.withUnsafeBufferPointer { resume in
                answers.withUnsafeBufferPointer { answers in
                    trace.withUTF8 { trace in
                        key.withUTF8 { key in
                            var request = tandem_request(
                                header: tandem_header(size: UInt32(MemoryLayout<tandem_request>.size), flags: 0),
                                call: call.id, deadline_ns: call.deadline,
                                tool: Self.slice(UnsafeBufferPointer(call.tool.idBytes)),
                                arguments: Self.slice(arguments), trace_parent: Self.slice(trace),
                                idempotency_key: Self.slice(key), resume_state: Self.slice(resume),
                                answers: Self.slice(answers))
                            status = (function ?? functions.invoke)(functions.instance, &request)
                        }
                    }
                }
            }
        }
        enteredAt.store(0, ordering: .relaxed)
        ended = monotonicNanoseconds()
        let duration = ended &- started
        call.tool.noteReturn(afterNanoseconds: duration)
        if duration > Watchdog.budgetNanoseconds {
            let used = metersProcessor ? threadNanoseconds() &- processorBefore : 0
            noteOverrun(
                "invoke", duration, used: used,
                isBlamed: used > Watchdog.budgetNanoseconds || duration > Watchdog.blameNanoseconds)
        }
        return status
    }

    private static func slice(_ buffer: UnsafeBufferPointer<UInt8>) -> tandem_slice {
        tandem_slice(ptr: buffer.baseAddress, len: UInt64(buffer.count))
    }

    /// A function of a plugin-side extension that takes a request; nil when the plugin does not offer it.
    ///
    /// Must be called between `beginCall` and `endCall`.
    func function(of consultation: Consultation) -> RequestFunction? {
        guard let functions else { return nil }
        let header = MemoryLayout<tandem_instance>.offset(of: \tandem_instance.get_extension) ?? 0
        guard functions.instance.pointee.header.size >= UInt32(header + MemoryLayout<UnsafeRawPointer>.size),
            let getExtension = functions.instance.pointee.get_extension,
            let table = consultation.rawValue.withCString({ getExtension(functions.instance, $0) }),
            UInt(bitPattern: table) % UInt(MemoryLayout<tandem_health>.alignment) == 0
        else { return nil }
        // The four tables are alike: a header and one function.
        let health = table.assumingMemoryBound(to: tandem_health.self)
        guard health.pointee.header.size >= UInt32(MemoryLayout<tandem_health>.size),
            health.pointee.header.flags & TANDEM_FLAGS_MUST_UNDERSTAND == 0
        else { return nil }
        return health.pointee.check
    }

    /// Tells the plugin, on a worker thread, that a call is no longer wanted. Advisory.
    func cancel(_ call: UInt64, reason: UInt32) {
        plugin.queue.submit { [self] in
            guard beginCancel() else { return }
            if let functions { functions.cancel(functions.instance, call, reason) }
            let mustGoOn = life.withLock { life in
                life.cancelsRunning -= 1
                return life.phase == .closing && life.cancelsRunning == 0 && life.callsInFlight == 0
            }
            if mustGoOn { quiesceSoon() }
        }
    }

    private func beginCancel() -> Bool {
        life.withLock { life in
            guard life.phase == .active || life.phase == .closing else { return false }
            life.cancelsRunning += 1
            return true
        }
    }

    // MARK: Services

    /// `TANDEM_OK` when the instance may use the extension now.
    func permission(for wanted: ExtensionSet) -> tandem_status {
        guard extensions.contains(wanted) else { return TANDEM_E_NOT_GRANTED }
        if revoked.load(ordering: .acquiring) { return TANDEM_E_REVOKED }
        return life.withLock { $0.phase >= .activating && $0.phase < .ended } ? TANDEM_OK : TANDEM_E_WRONG_STATE
    }

    func isWithheld(_ kind: ReachItem.Kind, _ name: String) -> Bool {
        !withheld.isEmpty && withheld.contains(ReachItem(kind, name))
    }

    func revoke() {
        revoked.store(true, ordering: .releasing)
        remote?.revoke()
        http.cancelAll()
    }

    var isRevoked: Bool { revoked.load(ordering: .acquiring) }

    /// The instance lives in a runner.
    func attach(_ remote: RunnerInstance) { life.withLock { $0.remote = remote } }

    func detach() { life.withLock { $0.remote = nil } }

    private var remote: RunnerInstance? { life.withLock { $0.remote } }

    /// Where it lives, unless it lives in the host's own.
    var process: RunnerProcess? { remote?.process }

    /// The host has given up on a call that the plugin may still be working on.
    func forget(_ call: UInt64) { remote?.forget(call) }

    var settings: (bytes: [UInt8], generation: UInt64) { life.withLock { ($0.settings, $0.settingsGeneration) } }

    func setSettings(_ bytes: [UInt8]) {
        let push = life.withLock { life -> (RunnerInstance, UInt64)? in
            guard life.settings != bytes else { return nil }
            life.settings = bytes
            life.settingsGeneration += 1
            return life.remote.map { ($0, life.settingsGeneration) }
        }
        if let (remote, generation) = push { remote.push(settings: bytes, generation: generation) }
    }

    // MARK: End

    var lastUse: UInt64 { life.withLock { $0.lastUse } }

    func isIdle(since instant: UInt64) -> Bool {
        life.withLock { $0.phase == .active && $0.callsInFlight == 0 && $0.lastUse <= instant }
    }

    /// No call begins any more; the instance ends when the last one in flight has.
    func close() {
        let outcome = life.withLock { life -> (waiting: [OneShot<Bool>], mustQuiesce: Bool) in
            guard life.phase < .closing else { return ([], false) }
            life.phase = .closing
            let waiting = life.room
            life.room = []
            return (waiting, life.callsInFlight == 0)
        }
        for waiting in outcome.waiting { waiting.resolve(true) }
        if outcome.mustQuiesce { quiesceSoon() }
    }

    private func quiesceSoon() {
        lane.submit { [self] in
            guard let functions, life.withLock({ $0.phase == .closing && $0.callsInFlight == 0 }) else { return }
            let status = measured(budget: Watchdog.activationNanoseconds, "quiesce") {
                functions.quiesce(functions.instance)
            }
            if status == TANDEM_E_BUSY {
                let now = monotonicNanoseconds()
                let deadline = life.withLock { life in
                    if life.quiesceDeadline == 0 { life.quiesceDeadline = now + Self.quiesceNanoseconds }
                    return life.quiesceDeadline
                }
                if now < deadline {
                    DeadlineTimer.shared.schedule(at: now + 50_000_000) { [self] in quiesceSoon() }
                    return
                }
            }
            // In a process of its own it can only harm itself when it is destroyed while its threads run.
            if status != TANDEM_OK, plugin.link == nil { return abandon(status) }
            if status != TANDEM_OK { noteAbandoned(status) }
            // A cancel that runs right now comes back here when it returns.
            let mayEnd = life.withLock { life in
                if life.cancelsRunning > 0 { return false }
                life.phase = .ended
                return true
            }
            guard mayEnd else { return }
            end(functions)
            plugin.meters.count(\.instancesDestroyed)
        }
    }

    static let quiesceNanoseconds: UInt64 = 5_000_000_000

    /// The plugin does not let go: nothing of the instance is freed, since its threads may still use it.
    private func abandon(_ status: tandem_status) {
        life.withLock { $0.phase = .ended }
        Quarantine.keepForever(self)
        noteAbandoned(status)
    }

    private func noteAbandoned(_ status: tandem_status) {
        let count = plugin.meters.count(\.instancesAbandoned)
        plugin.report("a plugin instance would not end", count: count, ["status": "\(status)"])
    }

    /// Destroys, within the lane. The host's table stays readable for a while, in case the plugin uses it wrongly.
    private func end(_ functions: Functions) {
        life.withLock { $0.phase = .ended }
        measured(budget: Watchdog.activationNanoseconds, "destroy") { functions.destroy(functions.instance) }
        self.functions = nil
        Quarantine.keep(self)
    }

    // MARK: Watchdog

    private func measured<Value>(budget: UInt64, _ function: String, _ body: () -> Value) -> Value {
        let started = monotonicNanoseconds()
        let processorBefore = threadNanoseconds()
        let value = body()
        let duration = monotonicNanoseconds() &- started
        if duration > budget {
            noteOverrun(function, duration, used: threadNanoseconds() &- processorBefore, isBlamed: true)
        }
        return value
    }

    /// Counts a function that was away for too long, and names it in the log when that was its own doing.
    func noteOverrun(_ function: String, _ duration: UInt64, used: UInt64, isBlamed: Bool) {
        let count = plugin.meters.count(\.overruns)
        guard isBlamed else { return }
        plugin.report(
            "a plugin function took too long", count: count,
            [
                "plugin.function": "\(function)", "duration.ms": "\(duration / 1_000_000)",
                "processor.ms": "\(used / 1_000_000)",
            ])
    }

    /// The name of a function that has been running for over a second.
    func overdueFunction(now: UInt64) -> String? {
        let entered = enteredAt.load(ordering: .relaxed)
        return entered != 0 && now > entered &+ 1_000_000_000 ? "invoke" : nil
    }
}

/// Keeps ended instances for a while, and those that would not end for ever: a plugin that uses its host table after
/// `destroy` gets a status, not a crash.
enum Quarantine {
    private struct Kept {
        var recent: [PluginInstance] = []
        var next = 0
        var forever: [PluginInstance] = []
    }

    private static let kept = Mutex(Kept())
    private static let size = 512

    static func keep(_ instance: PluginInstance) {
        // Released outside of the lock.
        var old: PluginInstance?
        kept.withLock { kept in
            if kept.recent.count < size {
                kept.recent.append(instance)
            } else {
                old = kept.recent[kept.next]
                kept.recent[kept.next] = instance
                kept.next = (kept.next + 1) % size
            }
        }
        withExtendedLifetime(old) {}
    }

    static func keepForever(_ instance: PluginInstance) { kept.withLock { $0.forever.append(instance) } }
}
