import CRunner
import CTandemPlugin
import Glibc
import Synchronization
import TandemCore

/// One process of `tandem-plugin-runner`: what is written to it, what it says, and its end.
///
/// Written to from any thread, directly; read by the loop alone. Nothing that it sends is believed: a frame that is not
/// whole, a number that means nothing here or a file that is not sealed ends it.
final class RunnerProcess: @unchecked Sendable {
    // `key`, `inbox` and `files` belong to the loop, `sending` to whoever has the right to send; the rest is constant,
    // atomic or guarded by `out`, `state` or `health`.
    let pid: pid_t
    /// A pidfd, or -1.
    let descriptor: Int32
    let socket: Int32
    /// What starting it has brought about (TANDEM_ISOLATION_*).
    let granted: UInt32
    /// Unowned by design: a link outlives its processes by holding them until they are reaped.
    let link: RunnerLink
    let startedAt: UInt64
    var key: UInt64 = 0

    private let out = Mutex(Outbox())
    /// What is being sent, by the one who set `isSending`.
    private var sending = FrameQueue()
    private let state = Mutex(State())
    private let inbox: UnsafeMutableRawPointer
    private var inboxCount = 0
    /// Whole frames lie in the inbox that are to be handled in a later turn.
    private let hasLeftover = Atomic<Bool>(false)
    private var files: [Int32] = []
    private let openRequests = Atomic<Int>(0)
    /// Frames with a file that are worked on by other threads than the loop's.
    private let openBodies = Atomic<Int>(0)
    private let answers = Atomic<Int>(0)
    private let processor: Mutex<ProcessorWatch>
    private let isServing = Atomic<Bool>(false)
    private let ending = Waiter<RunnerExit>()
    private let lastHeard: Atomic<UInt64>
    private let health: Mutex<Health>

    private static let inboxSize = 256 << 10
    private static let maxOpenBodies = 2
    /// How long one runner's frames are handled before it is the others' turn.
    private static let turnNanoseconds: UInt64 = 250_000

    private struct Outbox: ~Copyable {
        /// What waits while `sending` is under way.
        var waiting = FrameQueue()
        /// Somebody has the right to use `sending`.
        var isSending = false
        /// The socket is full: the loop goes on when it is not.
        var isBlocked = false
        var isClosed = false
        var mustClose = false
    }

    private struct State {
        var instances: [UInt32: RunnerInstance] = [:]
        var nextInstance: UInt32 = 1
        var questions: [UInt64: Waiter<Answer>] = [:]
        var nextQuestion: UInt64 = 1
        var hello = Waiter<Answer>()
        var isDead = false
        var isReaped = false
        /// Ends because we want it to.
        var isStopping = false
        /// The stream ended while the process seemed to live.
        var hasHungUp = false
        var reason: String?
    }

    private struct Health {
        var pingAt: UInt64 = 0
        var isPinged = false
        var processor: Double
        var processorLeft: Double
        /// Answers that have been set off against processor time.
        var answers = 0
        var idleSince: UInt64 = 0
        /// A tenth of a second, and the requests and idle frames in it.
        var tenth: UInt64 = 0
        var requests = 0
        var idleFrames = 0
        /// The last tenth with too many idle frames, and how many there were in a row.
        var lastThrottled: UInt64 = 0
        var throttledTenths = 0
        var isPaused = false
        /// Not read from before this instant, whatever has been answered meanwhile.
        var pausedUntil: UInt64 = 0

        mutating func begin(_ tenth: UInt64) {
            guard self.tenth != tenth else { return }
            self.tenth = tenth
            requests = 0
            idleFrames = 0
        }
    }

    /// What comes back to somebody who waits.
    struct Answer: Sendable {
        var kind: UInt16
        var code: UInt32
        var bytes: [UInt8]

        /// The process is gone.
        static let dead = Answer(kind: 0, code: 0, bytes: [])
    }

    init(started: tandem_started, socket: Int32, link: RunnerLink) {
        pid = started.pid
        descriptor = started.process
        granted = started.granted
        self.socket = socket
        self.link = link
        startedAt = monotonicNanoseconds()
        lastHeard = Atomic(startedAt)
        health = Mutex(Health(processor: 0, processorLeft: link.configuration.processorBurst))
        processor = Mutex(ProcessorWatch(at: startedAt))
        inbox = .allocate(byteCount: RunnerProcess.inboxSize, alignment: 16)
    }

    deinit { inbox.deallocate() }

    // MARK: Writing

    enum Sent { case sent, full, gone }

    /// Sends a frame of so many bytes, written by `fill`; at once when nobody else is sending.
    @discardableResult
    func send(
        _ kind: UInt32, instance: UInt32 = 0, code: UInt32 = 0, id: UInt64 = 0, length: Int = 0, isUrgent: Bool = false,
        _ fill: (UnsafeMutableRawPointer) -> Void = { _ in }
    ) -> Sent {
        var frame = tandem_frame(
            length: UInt32(length), kind: UInt16(kind), flags: 0, instance: instance, code: code, id: id)
        if length > Int(TANDEM_FRAME_INLINE) {
            guard length <= RunnerFrame.maxLength else { return .full }
            let body = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 16)
            defer { body.deallocate() }
            fill(body)
            let file = tandem_sealed_copy(body, length)
            guard file >= 0 else { return .full }
            frame.length = 8
            frame.flags = UInt16(TANDEM_FRAME_FILE)
            let sent = push(frame, file: file, isUrgent: isUrgent) {
                $0.storeBytes(of: UInt64(length), as: UInt64.self)
            }
            if sent != .sent { close(file) }
            return sent
        }
        return push(frame, file: nil, isUrgent: isUrgent, fill)
    }

    private func push(
        _ frame: tandem_frame, file: Int32?, isUrgent: Bool, _ fill: (UnsafeMutableRawPointer) -> Void
    ) -> Sent {
        let (sent, mustSend) = out.withLock { out -> (Sent, Bool) in
            if out.isClosed { return (.gone, false) }
            // What ends or answers something is not refused: it is bounded by what was begun.
            if !isUrgent, out.waiting.count > link.configuration.maxQueuedBytes { return (.full, false) }
            out.waiting.append(frame, file: file, fill)
            guard !out.isSending else { return (.sent, false) }
            out.isSending = true
            return (.sent, true)
        }
        if mustSend { drain() }
        return sent
    }

    /// With the right to send: until nothing waits or the socket is full.
    private func drain() {
        while true {
            if sending.isEmpty {
                let mustGoOn = out.withLock { out -> Bool in
                    guard !out.isClosed, !out.waiting.isEmpty else {
                        out.isSending = false
                        return false
                    }
                    swap(&sending, &out.waiting)
                    return true
                }
                guard mustGoOn else { return closeWhenOwed() }
            }
            let failure = sending.send(to: socket)
            if failure == 0 { continue }
            out.withLock { out in
                if failure == EAGAIN, !out.isClosed {
                    out.isBlocked = true
                } else {
                    // Broken: the loop sees the end of the stream.
                    out.isSending = false
                    out.isClosed = true
                }
            }
            if failure == EAGAIN { updateWatch() }
            return closeWhenOwed()
        }
    }

    /// The process ended while this thread was writing to it.
    private func closeWhenOwed() {
        let mustClose = out.withLock { out -> Bool in
            guard out.mustClose, !out.isSending else { return false }
            out.mustClose = false
            return true
        }
        if mustClose { close(socket) }
    }

    private func updateWatch() {
        // Within the lock: the descriptor is not closed meanwhile, and who comes last knows what is so now.
        out.withLock { out in
            guard !out.isClosed else { return }
            let isPaused = health.withLock { $0.isPaused }
            // A socket that can be written to wakes the loop at once.
            let mustWrite = out.isBlocked || (!isPaused && hasLeftover.load(ordering: .acquiring))
            let events = (isPaused ? 0 : RunnerLoop.reading) | (mustWrite ? RunnerLoop.writing : 0)
            RunnerLoop.shared.watch(self, events: events)
        }
    }

    // MARK: Questions

    /// Sends a frame and waits, on a thread of the host's own, for its answer. Nil when none comes in time.
    func ask(
        _ kind: UInt32, instance: UInt32, code: UInt32 = 0, within limit: Duration, length: Int = 0,
        _ fill: (UnsafeMutableRawPointer) -> Void = { _ in }
    ) -> Answer? {
        let waiter = Waiter<Answer>()
        let id = state.withLock { state -> UInt64? in
            guard !state.isDead else { return nil }
            let id = state.nextQuestion
            state.nextQuestion += 1
            state.questions[id] = waiter
            return id
        }
        guard let id else { return .dead }
        if send(kind, instance: instance, code: code, id: id, length: length, isUrgent: true, fill) != .sent {
            _ = state.withLock { $0.questions.removeValue(forKey: id) }
            return .dead
        }
        let answer = waiter.wait(untilNanoseconds: monotonicNanoseconds() + limit.nanoseconds)
        _ = state.withLock { $0.questions.removeValue(forKey: id) }
        return answer
    }

    /// The first frame of the runner: ready, failed, or dead. Nil: it takes too long.
    func hello(within limit: Duration) -> Answer? {
        let waiter = state.withLock { $0.hello }
        return waiter.wait(untilNanoseconds: monotonicNanoseconds() + limit.nanoseconds)
    }

    /// False when nobody has asked, or not any more.
    private func answer(_ frame: tandem_frame, _ payload: UnsafeRawBufferPointer) -> Bool {
        guard let waiter = state.withLock({ $0.questions.removeValue(forKey: frame.id) }) else { return false }
        waiter.set(Answer(kind: frame.kind, code: frame.code, bytes: Array(payload)))
        return true
    }

    // MARK: Instances

    /// Nil when the process is gone or about to go.
    func add(_ make: (UInt32) -> RunnerInstance) -> RunnerInstance? {
        state.withLock { state in
            guard !state.isDead, !state.isStopping else { return nil }
            let instance = make(state.nextInstance)
            state.instances[state.nextInstance] = instance
            state.nextInstance &+= 1
            return instance
        }
    }

    func remove(_ instance: RunnerInstance) {
        let isEmpty = state.withLock { state -> Bool in
            state.instances[instance.number] = nil
            return state.instances.isEmpty
        }
        if isEmpty { link.emptied(self) }
    }

    var instanceCount: Int { state.withLock { $0.instances.count } }

    var isAlive: Bool { state.withLock { !$0.isDead && !$0.isStopping } }

    private func instance(_ number: UInt32) -> RunnerInstance? { state.withLock { $0.instances[number] } }

    // MARK: Reading

    /// On the loop's thread.
    func ready(_ events: UInt32) {
        if events & RunnerLoop.writing != 0 {
            let mustGoOn = out.withLock { out -> Bool in
                guard out.isBlocked else { return false }
                out.isBlocked = false
                return true
            }
            if mustGoOn {
                drain()
                updateWatch()
            }
        }
        let isOver = events & ~(RunnerLoop.writing | RunnerLoop.reading) != 0
        if hasLeftover.load(ordering: .relaxed), isOver || !health.withLock({ $0.isPaused }) {
            if let fault = handleFrames(isOver: isOver) { return end(fault) }
            if !isOver { return }
        }
        guard events & ~RunnerLoop.writing != 0, inboxCount < RunnerProcess.inboxSize else { return }
        var taken = [Int32](repeating: -1, count: 16)
        var count: Int32 = 0
        let amount = tandem_receive(
            socket, inbox + inboxCount, RunnerProcess.inboxSize - inboxCount, &taken, Int32(taken.count), &count)
        if amount < 0, errno == EAGAIN || errno == EWOULDBLOCK { return }
        guard amount > 0, count >= 0 else { return end(count < 0 ? "sent too many descriptors" : nil) }
        files.append(contentsOf: taken.prefix(Int(count)))
        guard files.count <= 64 else { return end("sent descriptors that belong to nothing") }
        inboxCount += amount
        lastHeard.store(monotonicNanoseconds(), ordering: .relaxed)
        if let fault = handleFrames(isOver: false) { end(fault) }
    }

    /// What has been received, until the runner has to wait or its turn is over. Nil, or why the runner is not to be
    /// listened to any more.
    ///
    /// - Parameter isOver: nothing comes any more: all at once.
    private func handleFrames(isOver: Bool) -> String? {
        var offset = 0
        var isLeft = false
        let turnEnd = isOver ? UInt64.max : monotonicNanoseconds() + Self.turnNanoseconds
        let headSize = MemoryLayout<tandem_frame>.size
        while inboxCount - offset >= headSize {
            let frame = inbox.load(fromByteOffset: offset, as: tandem_frame.self)
            guard frame.length <= TANDEM_FRAME_INLINE else { return "sent a frame that is too long" }
            let whole = headSize + (Int(frame.length) + 7) & ~7
            guard inboxCount - offset >= whole else { break }
            if offset > 0, !isOver, monotonicNanoseconds() > turnEnd || health.withLock({ $0.isPaused }) {
                isLeft = true
                break
            }
            let payload = UnsafeRawBufferPointer(start: inbox + offset + headSize, count: Int(frame.length))
            offset += whole
            if frame.flags & UInt16(TANDEM_FRAME_FILE) != 0 {
                if let fault = handleFile(frame, payload) { return fault }
            } else if let fault = handle(frame, payload) {
                return fault
            }
        }
        if offset > 0 {
            if offset < inboxCount { inbox.copyMemory(from: inbox + offset, byteCount: inboxCount - offset) }
            inboxCount -= offset
        }
        if hasLeftover.exchange(isLeft, ordering: .acquiringAndReleasing) != isLeft { updateWatch() }
        return nil
    }

    private func handleFile(_ frame: tandem_frame, _ payload: UnsafeRawBufferPointer) -> String? {
        var reader = FrameReader(payload)
        let size: UInt64 = reader.number()
        guard reader.isIntact, size <= UInt64(RunnerFrame.maxLength), !files.isEmpty else {
            return "sent a frame without its file"
        }
        let file = files.removeFirst()
        defer { close(file) }
        guard let bytes = tandem_map_sealed(file, size) else { return "sent a file that is not sealed" }
        let body = RunnerBody(bytes: bytes, count: Int(size))
        // Reading a large document takes milliseconds: the loop has other runners to listen to.
        if openBodies.wrappingAdd(1, ordering: .relaxed).newValue >= Self.maxOpenBodies { pause() }
        WorkerPool.shared.submit { [self] in
            if let fault = handle(frame, body.bytes) { kill(fault) }
            if openBodies.wrappingSubtract(1, ordering: .relaxed).newValue < Self.maxOpenBodies { resume() }
        }
        return nil
    }

    private func handle(_ frame: tandem_frame, _ payload: UnsafeRawBufferPointer) -> String? {
        switch UInt32(frame.kind) {
        case TANDEM_F_COMPLETE:
            guard let instance = instance(frame.instance) else { return noteIdleFrame() }
            guard let status = instance.complete(frame.id, payload) else {
                return "sent a completion that is not whole"
            }
            if status == TANDEM_E_STALE || status == TANDEM_E_ALREADY_DONE { return noteIdleFrame() }
            answers.wrappingAdd(1, ordering: .relaxed)
        case TANDEM_F_REQUEST:
            guard let instance = instance(frame.instance) else { return noteIdleFrame() }
            if frame.id == 0 {
                if let fault = noteIdleFrame() { return fault }
            } else {
                noteRequest()
            }
            let request = RunnerRequest(
                instance: instance, function: frame.code & 0xFFFF, number: frame.id, payload: payload)
            guard RunnerStubs.handle(extension: frame.code >> 16, request) else {
                return "sent a request that means nothing"
            }
        case TANDEM_F_RETURNED:
            guard let instance = instance(frame.instance) else { return noteIdleFrame() }
            var reader = FrameReader(payload)
            let isOfCall = instance.returned(
                frame.id, status: Int32(bitPattern: frame.code), duration: payload.isEmpty ? 0 : reader.number())
            if !isOfCall { return noteIdleFrame() }
        case TANDEM_F_DONE, TANDEM_F_PONG:
            let wasAsked =
                UInt32(frame.kind) == TANDEM_F_PONG
                ? health.withLock { health in
                    defer { health.isPinged = false }
                    return health.isPinged
                } : answer(frame, payload)
            if !wasAsked { return noteIdleFrame() }
        case TANDEM_F_READY, TANDEM_F_FAILED:
            guard !isServing.load(ordering: .acquiring) else { return noteIdleFrame() }
            state.withLock { $0.hello }.set(Answer(kind: frame.kind, code: frame.code, bytes: Array(payload)))
        case TANDEM_F_NOTE:
            instance(frame.instance)?.completedLate(frame.id, status: Int32(bitPattern: frame.code))
            return noteIdleFrame()
        case TANDEM_F_PROGRESS:
            instance(frame.instance)?.progress(frame.id, permille: Int32(bitPattern: frame.code), payload)
            return noteIdleFrame()
        default: return "sent a frame of an unknown kind"
        }
        return nil
    }

    // MARK: Limits on what it says

    private func noteRequest() {
        let count = openRequests.wrappingAdd(1, ordering: .relaxed).newValue
        if count >= link.configuration.maxOpenRequests { pause() }
        // In tenths of a second: a burst is served, the rest waits without starving the plugin's own answers for long.
        let tenth = monotonicNanoseconds() / 100_000_000
        let limit = max(link.configuration.maxRequests / 10, 1)
        let isTooMuch = health.withLock { health -> Bool in
            health.begin(tenth)
            health.requests += 1
            return health.requests == limit
        }
        if isTooMuch {
            link.noteThrottled()
            pause(until: (tenth + 1) * 100_000_000)
        }
    }

    /// A request has been answered.
    func requestEnded() {
        let count = openRequests.wrappingSubtract(1, ordering: .relaxed).newValue
        if count < link.configuration.maxOpenRequests / 2 { resume() }
    }

    /// Counts a frame that asks for nothing or that nobody waits for. Too many in a tenth of a second, and the runner waits
    /// for the next one; more for long than any runner sends by itself, and it is told apart as a plugin that writes frames.
    private func noteIdleFrame() -> String? {
        let tenth = monotonicNanoseconds() / 100_000_000
        let limit = max(link.configuration.maxIdleFrames / 10, 1)
        let (isTooMuch, isForged) = health.withLock { health -> (Bool, Bool) in
            health.begin(tenth)
            health.idleFrames += 1
            guard health.idleFrames == limit else { return (false, false) }
            health.throttledTenths = tenth == health.lastThrottled + 1 ? health.throttledTenths + 1 : 1
            health.lastThrottled = tenth
            let most = RunnerFrame.idleBurst + RunnerFrame.idleTenth * health.throttledTenths
            return (true, limit * health.throttledTenths > most)
        }
        if isForged { return "sent thousands of frames that nobody waits for" }
        if isTooMuch {
            link.noteThrottled()
            pause(until: (tenth + 1) * 100_000_000)
        }
        return nil
    }

    private func pause(until instant: UInt64 = 0) {
        health.withLock { health in
            health.isPaused = true
            health.pausedUntil = max(health.pausedUntil, instant)
        }
        updateWatch()
        guard instant > 0 else { return resume() }
        DeadlineTimer.shared.schedule(at: instant) { [self] in resume() }
    }

    private func resume() {
        let now = monotonicNanoseconds()
        let was = health.withLock { health -> Bool in
            // Within the lock: whoever pauses looks again, so what ended meanwhile is seen by one of the two.
            guard openBodies.load(ordering: .relaxed) < Self.maxOpenBodies,
                openRequests.load(ordering: .relaxed) < link.configuration.maxOpenRequests
            else { return false }
            guard now >= health.pausedUntil else { return false }
            defer { health.isPaused = false }
            // What it answered meanwhile has not been read yet.
            if health.isPaused { health.pingAt = monotonicNanoseconds() }
            return health.isPaused
        }
        if was { updateWatch() }
    }

    // MARK: Health

    /// The library is loaded; from now on the runner is looked after.
    func serve() { isServing.store(true, ordering: .releasing) }

    /// On the loop's thread, many times a second: cheap.
    func glance(now: UInt64) {
        let used = tandem_processor_ns(pid)
        guard used > 0 else { return }
        let change = processor.withLock {
            $0.note(
                now: now, used: used, answers: answers.load(ordering: .relaxed),
                isStarting: !isServing.load(ordering: .acquiring))
        }
        guard let change else { return }
        tandem_yield_runner(pid, change == .yield ? 1 : 0)
        if change == .yield { link.noteYielded() }
    }

    /// On the loop's thread, now and then.
    func look(now: UInt64) {
        let configuration = link.configuration
        let isReady = state.withLock { !$0.isDead }
        guard isReady else {
            // A process that outlives the end of its stream.
            tandem_kill_runner(pid, descriptor)
            exited()
            return
        }
        // Threads that began while the others were told.
        if processor.withLock({ $0.mustYield }) { tandem_yield_runner(pid, 1) }
        // Loading may take long; a runner that says nothing is ended by the one who waits for its start.
        guard isServing.load(ordering: .acquiring) else { return }
        let usage = ProcessUsage(of: pid)
        var reason: String?
        var mustPing = false
        var mustStop = false
        let allowance = health.withLock { health -> Double? in
            if health.isPinged, !health.isPaused, now > health.pingAt + configuration.pingTimeout.nanoseconds {
                reason = "did not answer for \(configuration.pingTimeout)"
            }
            if !health.isPinged, now > health.pingAt + 1_000_000_000 {
                health.isPinged = true
                health.pingAt = now
                mustPing = true
            }
            if instanceCount > 0 {
                health.idleSince = 0
            } else if health.idleSince == 0 {
                health.idleSince = now
            } else if now > health.idleSince + configuration.idleAfter.nanoseconds {
                mustStop = true
            }
            guard let usage else { return nil }
            let answers = answers.load(ordering: .relaxed)
            let earned = Double(answers - health.answers) * Double(ProcessorWatch.answerNanoseconds) / 1e9
            let used = max(usage.processorSeconds - health.processor - earned, 0)
            health.processor = usage.processorSeconds
            health.answers = answers
            health.processorLeft = min(
                configuration.processorBurst, health.processorLeft - used + configuration.processorShare / 2)
            // The signal of the limit reaches only who wants it: the first process of a namespace does without.
            if health.processorLeft <= 0 { reason = "used up its processor time" }
            return usage.processorSeconds + max(health.processorLeft, 0)
        }
        if let usage, usage.threads > Int(configuration.threads) + 16 { reason = "has \(usage.threads) threads" }
        if let allowance { tandem_limit_processor(pid, UInt64(allowance.rounded(.up)) + 1) }
        if let reason { return kill(reason) }
        if mustStop { return stop() }
        if mustPing { send(TANDEM_F_PING, isUrgent: true) }
    }

    // MARK: End

    /// How it ended, when it has or does so soon. Blocks.
    func exit(within limit: Duration) -> RunnerExit? {
        ending.wait(untilNanoseconds: monotonicNanoseconds() + limit.nanoseconds)
    }

    /// Ends the process; what is in flight is answered.
    func kill(_ reason: String) {
        state.withLock { if $0.reason == nil { $0.reason = reason } }
        tandem_kill_runner(pid, descriptor)
    }

    /// Ends the process, which has nothing to do any more.
    func stop() {
        // One that has ended by itself was not wanted to.
        state.withLock { if !$0.isDead { $0.isStopping = true } }
        out.withLock { out in
            guard !out.isClosed else { return }
            // It sees the end of the stream and exits; the loop sees that.
            _ = shutdown(socket, Int32(SHUT_RDWR))
        }
    }

    /// On the loop's thread: the stream has ended, or something was wrong with it.
    private func end(_ fault: String?) {
        let ended = state.withLock {
            state -> (questions: [Waiter<Answer>], instances: [RunnerInstance], isFirst: Bool) in
            guard !state.isDead else { return ([], [], false) }
            state.isDead = true
            if let fault, state.reason == nil { state.reason = fault }
            defer {
                state.questions = [:]
                state.instances = [:]
            }
            return (Array(state.questions.values) + [state.hello], Array(state.instances.values), true)
        }
        guard ended.isFirst else { return }
        // It may have closed its end and live on; nothing of it is wanted any more.
        let hasEnded = fault == nil && hasExited
        if !hasEnded {
            state.withLock { $0.hasHungUp = fault == nil && !$0.isStopping }
            tandem_kill_runner(pid, descriptor)
        }
        RunnerLoop.shared.ignore(self)
        out.withLock { out in
            out.isClosed = true
            if out.isBlocked {
                out.isBlocked = false
                out.isSending = false
            }
        }
        for file in files { close(file) }
        files = []
        link.died(self, instances: ended.instances)
        for waiter in ended.questions { waiter.set(.dead) }
        exited()
    }

    private var hasExited: Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0
            && info._sifields._sigchld.si_pid == pid
    }

    /// On the loop's thread: reaps the process when it has ended.
    func exited() {
        var status: Int32 = 0
        let result = tandem_reap(pid, &status)
        guard result != 0 else { return }
        let report = state.withLock { state -> (reason: String?, isStopping: Bool, isDead: Bool)? in
            guard !state.isReaped else { return nil }
            state.isReaped = true
            // A process that dies closes its descriptors first; one that dies of our signal lived on without them.
            let isLost = status & 0x7F == SIGKILL ? state.hasHungUp : status == TANDEM_EXIT_HUNG_UP << 8
            if isLost, state.reason == nil { state.reason = "closed its connection to the host" }
            return (state.reason, state.isStopping, state.isDead)
        }
        guard let report else { return }
        if !report.isDead { end(nil) }
        RunnerLoop.shared.remove(self)
        let mayClose = out.withLock { out -> Bool in
            out.mustClose = out.isSending
            return !out.isSending
        }
        if mayClose { close(socket) }
        if descriptor >= 0 { close(descriptor) }
        let exit = RunnerExit(status: result > 0 ? status : 0, reason: report.reason)
        link.reaped(self, exit: exit, wasWanted: report.isStopping && report.reason == nil)
        ending.set(exit)
    }
}

/// Constants of the frames in Swift's types.
enum RunnerFrame {
    static let maxLength = Int(8 << 20)
    /// Frames that nobody waits for: `tandem-plugin-runner` sends fewer at once …
    static let idleBurst = 5000
    /// … and in a tenth of a second, whatever its plugin does.
    static let idleTenth = 300
}

/// How a runner ended.
public struct RunnerExit: Sendable, Hashable, CustomStringConvertible {
    /// The signal that ended it, if one did.
    public var signal: Int32?
    public var code: Int32
    /// Why the host ended it.
    public var reason: String?

    init(signal: Int32?, code: Int32, reason: String?) {
        self.signal = signal
        self.code = code
        self.reason = reason
    }

    init(status: Int32, reason: String?) {
        let low = status & 0x7F
        if low != 0 {
            signal = low
            code = 0
        } else {
            code = (status >> 8) & 0xFF
            // The first process of a namespace does not die of these by itself (Host/Runner/main.c).
            signal = [SIGABRT, SIGXCPU, SIGXFSZ].contains(code - 128) ? code - 128 : nil
        }
        self.reason = reason
    }

    public var description: String {
        if let reason { return reason }
        if let signal { return "ended by \(Self.name(of: signal))" }
        return code == 0 ? "ended by itself" : "ended with code \(code)"
    }

    private static func name(of signal: Int32) -> String {
        let names: [Int32: String] = [
            SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGILL: "SIGILL", SIGKILL: "SIGKILL",
            SIGSEGV: "SIGSEGV", SIGSYS: "SIGSYS", SIGTRAP: "SIGTRAP", SIGXCPU: "SIGXCPU (processor time)",
            SIGXFSZ: "SIGXFSZ (file size)", SIGTERM: "SIGTERM",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}

/// What the kernel says of a process: its threads, processor time and memory.
struct ProcessUsage: Sendable {
    var threads: Int
    var processorSeconds: Double
    var residentBytes: Int

    /// From `/proc/PID/stat`; nil when it cannot be read.
    init?(of pid: pid_t) {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let fields = withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer -> [Int] in
            let amount = read(file, buffer.baseAddress, buffer.count)
            guard amount > 0 else { return [] }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<amount])
            // The name stands in parentheses and may hold anything; numbers come after the last one.
            guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return [] }
            return bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).dropFirst().map {
                Int(String(decoding: $0, as: UTF8.self)) ?? 0
            }
        }
        // From field 4 on: utime and stime are 14 and 15, threads 20, rss 24.
        guard fields.count > 20 else { return nil }
        let ticks = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
        processorSeconds = Double(fields[10] + fields[11]) / ticks
        threads = fields[16]
        residentBytes = fields[20] * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// A payload that came as a file, mapped as long as this lives.
private final class RunnerBody: @unchecked Sendable {
    // Read-only memory of a sealed file.
    let bytes: UnsafeRawBufferPointer

    init(bytes: UnsafeRawPointer, count: Int) { self.bytes = UnsafeRawBufferPointer(start: bytes, count: count) }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
