import CRunner
import CTandemPlugin
import Glibc
import Synchronization
import TandemCore

/// One process of `tandem-plugin-runner`: what is written to it, what it says, and its end.
///
/// Written to from any thread, directly; read by the loop, or by a caller that is alone (`RunnerProcess+Own`). Nothing that it
/// sends is believed: a frame that is not whole, a number that means nothing here, an answer to nothing or a file that is not
/// sealed ends it.
final class RunnerProcess: @unchecked Sendable {
    // `inbox`, `inboxCount`, `helping`, `answered`, `files` and `ownFault` belong to whoever has the right to read, `sending` to
    // whoever has the right to send, `key`, `changesSeen` and `toolsAtDeath` to the loop; the rest is constant, atomic or guarded
    // by `out`, `state` or `health`.
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

    let out = Mutex(Outbox())
    /// What is being sent, by the one who set `isSending`.
    var sending = FrameQueue()
    let state = Mutex(State())
    let inbox: UnsafeMutableRawPointer
    var inboxCount = 0
    /// How much is received at once: what can be taken and handled within a turn, as the last ones have shown.
    var helping = RunnerProcess.smallestHelping
    /// Whole frames lie in the inbox that are to be handled in a later turn.
    let hasLeftover = Atomic<Bool>(false)
    /// It has something to do, or does it: to be looked at often.
    let isWarm = Atomic<Bool>(true)
    /// Resident memory when it was last looked at.
    let residentBytes = Atomic<Int>(0)
    /// The changes of `SetAside` that it has been placed after; the loop's.
    var changesSeen = 0
    /// What was in flight when it ended; the loop's.
    var toolsAtDeath: [String] = []
    var files: [Int32] = []
    /// Somebody has the right to read: the loop, or a caller that waits for its own answer.
    let isReading = Atomic<Bool>(false)
    /// A caller has it: the loop is not to be woken.
    let isReadByCaller = Atomic<Bool>(false)
    /// What such a caller found wrong: the process is being ended, nothing of it is read any more.
    var ownFault: String?
    /// Calls of the host that are not over.
    let openCalls = Atomic<Int>(0)
    let openRequests = Atomic<Int>(0)
    /// Frames with a file that are worked on by other threads than the loop's.
    let openBodies = Atomic<Int>(0)
    let answers = Atomic<Int>(0)
    /// Calls, questions and pings that have been sent: a runner sends one answer to each at most.
    let owed = Owed()
    /// What has come of them; of whoever has the right to read.
    var answered = Owed.Answered()
    /// When it was last not read from because it said too much; 0: never.
    let throttledAt = Atomic<UInt64>(0)
    /// Completions in a row that could not be read.
    let badAnswers = Atomic<Int>(0)
    let processor: Mutex<ProcessorWatch>
    let isServing = Atomic<Bool>(false)
    let ending = Waiter<RunnerExit>()
    let lastHeard: Atomic<UInt64>
    let health: Mutex<Health>

    static let inboxSize = 256 << 10
    /// How much is received at once, at first and at least.
    static let smallestHelping = 8 << 10
    static let maxOpenBodies = 2
    /// How long one runner's frames are handled before it is the others' turn.
    static let turnNanoseconds: UInt64 = 60_000

    /// How much a runner has been asked for.
    final class Owed: Sendable {
        let calls = Atomic<Int>(0)
        let questions = Atomic<Int>(0)
        let pings = Atomic<Int>(0)

        /// How much has been said to that: completions, returns of `invoke`, answers of the runner's own.
        struct Answered {
            var completions = 0
            var returns = 0
            var questions = 0
            var pings = 0
        }
    }

    struct Outbox: ~Copyable {
        /// What waits while `sending` is under way.
        var waiting = FrameQueue()
        /// Somebody has the right to use `sending`.
        var isSending = false
        /// The socket is full: the loop goes on when it is not.
        var isBlocked = false
        var isClosed = false
        var mustClose = false
    }

    struct State {
        var instances: [UInt32: RunnerInstance] = [:]
        var nextInstance: UInt32 = 1
        var questions: [UInt64: Waiter<Answer>] = [:]
        var nextQuestion: UInt64 = 1
        var hello = Waiter<Answer>()
        var isDead = false
        var isReaped = false
        /// Ends because we want it to.
        var isStopping = false
        /// Takes no instance any more, and ends with the last that it has.
        var isLeaving = false
        /// The stream ended while the process seemed to live.
        var hasHungUp = false
        var reason: String?
    }

    struct Health {
        var pingAt: UInt64 = 0
        var isPinged = false
        var processor: Double
        var processorLeft: Double
        /// Answers that have been set off against processor time.
        var answers = 0
        var idleSince: UInt64 = 0
        /// Requests that have been read are paid for up to this instant.
        var paidUntil: UInt64 = 0
        /// Frames that nobody waits for are paid for up to this instant.
        var idlePaidUntil: UInt64 = 0
        /// When there began to be too many of them, the last instant at which there were, and their number since.
        var idleSinceBegun: UInt64 = 0
        var lastThrottled: UInt64 = 0
        var idleFrames = 0
        var isPaused = false
        /// Not read from before this instant, whatever has been answered meanwhile.
        var pausedUntil: UInt64 = 0
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
            defer {
                explicit_bzero(body, length)
                body.deallocate()
            }
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
        if !isWarm.load(ordering: .relaxed) { isWarm.store(true, ordering: .relaxed) }
        if mustSend { drain() }
        return sent
    }

    /// With the right to send: until nothing waits or the socket is full.
    func drain() {
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

    func updateWatch() {
        // Within the lock: the descriptor is not closed meanwhile, and who comes last knows what is so now.
        out.withLock { out in
            guard !out.isClosed else { return }
            let isPaused = health.withLock { $0.isPaused } || isReadByCaller.load(ordering: .acquiring)
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
        owed.questions.wrappingAdd(1, ordering: .releasing)
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
    func answer(_ frame: tandem_frame, _ payload: UnsafeRawBufferPointer) -> Bool {
        guard let waiter = state.withLock({ $0.questions.removeValue(forKey: frame.id) }) else { return false }
        waiter.set(Answer(kind: frame.kind, code: frame.code, bytes: Array(payload)))
        return true
    }

    // MARK: Instances

    /// Nil when the process is gone or about to go.
    func add(_ make: (UInt32) -> RunnerInstance) -> RunnerInstance? {
        state.withLock { state in
            guard !state.isDead, !state.isStopping, !state.isLeaving else { return nil }
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

    /// Whether it takes another instance.
    var isAlive: Bool { state.withLock { !$0.isDead && !$0.isStopping && !$0.isLeaving } }

    /// Whether it is asked for nothing right now.
    var isIdle: Bool {
        let instances = state.withLock { $0.isDead || $0.isLeaving ? nil : Array($0.instances.values) }
        return instances?.allSatisfy { $0.owner.isIdle(since: .max) } ?? false
    }

    /// When it was last asked for something.
    var lastUse: UInt64 {
        let instances = state.withLock { Array($0.instances.values) }
        return instances.reduce(startedAt) { max($0, $1.owner.lastUse) }
    }

    /// Takes no instance any more; those that it has end as soon as nothing is in flight on them, and it with them.
    func leave() {
        let instances = state.withLock { state -> [RunnerInstance] in
            state.isLeaving = true
            return Array(state.instances.values)
        }
        for instance in instances {
            instance.owner.plugin.remove(instance.owner)
            instance.owner.close()
        }
        stopWhenEmpty()
    }

    func instance(_ number: UInt32) -> RunnerInstance? { state.withLock { $0.instances[number] } }

    /// Whether it has it or had it: what it said last may come when an instance is gone.
    func hasHadInstance(_ number: UInt32) -> Bool { number > 0 && number < state.withLock { $0.nextInstance } }
}
