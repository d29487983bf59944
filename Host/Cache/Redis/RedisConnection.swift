import CHiredis
import Glibc
import Synchronization
import TandemCore

/// One connection to the server on a thread of its own, made anew whenever it is lost.
///
/// Commands of many callers are collected while the thread is busy and go out in one write, their answers come back in
/// order. A command that is not answered in time ends the connection: the server hangs, or nothing is known of it any more.
/// While there is no connection commands fail at once.
final class RedisConnection: Sendable {
    struct Options: Sendable {
        var address: RedisAddress
        /// Until an answer has to be there.
        var timeLimit = Duration.seconds(1)
        var connectLimit = Duration.seconds(2)
        /// Commands that may wait, answers outstanding included, and their bytes.
        var maxPending = 20_000
        var maxPendingBytes = 32 << 20
        var firstPause = Duration.milliseconds(50)
        var longestPause = Duration.milliseconds(1500)
        /// Without anything to do the server is asked for a sign of life so often.
        var idle = Duration.seconds(1)

        init(address: RedisAddress) { self.address = address }
    }

    /// What the connection is for.
    enum Role: Sendable {
        case commands
        /// Gives every reply that is not an answer to a command to this; commands have no answers.
        case pushes(@Sendable (RedisReply) -> Void)
    }

    /// Called on the thread.
    struct Events: Sendable {
        /// Sent before all else, and has to be answered without error.
        var greeting: @Sendable () -> [RedisCommand] = { [] }
        var onUp: @Sendable () -> Void = {}
        var onDown: @Sendable (String) -> Void = { _ in }
    }

    typealias Answer = Result<RedisReply, CacheError>

    private struct Waiter {
        /// Nil: nobody waits.
        var finish: (@Sendable (Answer) -> Void)?
        var continuation: UnsafeContinuation<Answer, Never>?
        var deadline: UInt64

        func resume(_ answer: Answer) {
            continuation?.resume(returning: answer)
            finish?(answer)
        }
    }

    private struct State {
        var output: [UInt8] = []
        var queued: [Waiter] = []
        /// Sent and not answered.
        var flying = 0
        var isUp = false
        var isAsleep = false
        var isStopping = false
        var hasEnded = false
        var problem = "not connected yet"
        var isFirstAttemptOver = false
        var waitingForAttempt: [CheckedContinuation<Void, Never>] = []
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    let options: Options
    private let role: Role
    private let events: Events
    private let event: Int32
    private let state = Mutex(State())

    init(_ options: Options, role: Role, events: Events) {
        self.options = options
        self.role = role
        self.events = events
        event = tandem_event()
    }

    deinit { if event >= 0 { close(event) } }

    // MARK: From any thread

    /// Starts the thread, which keeps the connection alive until `shutdown`.
    func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        guard event >= 0, pthread_create(&thread, nil, runRedisConnection, context.toOpaque()) == 0 else {
            context.release()
            state.withLock {
                $0.hasEnded = true
                $0.isFirstAttemptOver = true
                $0.problem = "no thread can be started"
            }
            return
        }
        pthread_detach(thread)
    }

    var isUp: Bool { state.withLock { $0.isUp } }

    /// Why it is not up; nil when it is.
    var problem: String? { state.withLock { $0.isUp ? nil : $0.problem } }

    /// Commands waiting or unanswered.
    var pending: Int { state.withLock { $0.queued.count + $0.flying } }

    /// Returns once the first attempt to connect has ended, one way or the other.
    func waitForFirstAttempt() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isFirstAttemptOver || state.hasEnded { return true }
                state.waitingForAttempt.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Ends the thread; everything that waits fails.
    func shutdown() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                state.isStopping = true
                if state.hasEnded { return true }
                state.waitingForEnd.append(continuation)
                return false
            }
            if hasEnded { continuation.resume() } else { signal() }
        }
    }

    /// Ends the thread soon; everything that waits fails.
    func stop() {
        state.withLock { $0.isStopping = true }
        signal()
    }

    func send(_ command: RedisCommand) async throws(CacheError) -> RedisReply {
        let answer = await withUnsafeContinuation { (continuation: UnsafeContinuation<Answer, Never>) in
            submit([command], continuation: continuation, finish: nil)
        }
        return try answer.get()
    }

    /// Sends without waiting; what is given is called for each answer, in order, on the thread or at once.
    func post(_ commands: [RedisCommand], _ finish: (@Sendable (Answer) -> Void)? = nil) {
        submit(commands, continuation: nil, finish: finish)
    }

    /// Sends several in one piece and waits for all answers.
    func send(all commands: [RedisCommand]) async throws(CacheError) -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        let collected = Collector(count: commands.count)
        let answers = await withUnsafeContinuation { (continuation: UnsafeContinuation<[Answer], Never>) in
            collected.begin(continuation)
            submit(commands, continuation: nil, finish: { collected.add($0) })
        }
        var replies: [RedisReply] = []
        replies.reserveCapacity(answers.count)
        for answer in answers { replies.append(try answer.get()) }
        return replies
    }

    private func submit(
        _ commands: [RedisCommand], continuation: UnsafeContinuation<Answer, Never>?,
        finish: (@Sendable (Answer) -> Void)?
    ) {
        let deadline = monotonicNanoseconds() &+ UInt64(clamping: options.timeLimit.milliseconds) * 1_000_000
        var refusal: CacheError?
        let mustWake = state.withLock { state in
            if state.isStopping || state.hasEnded {
                refusal = CacheError(.closed, "it has been shut down")
            } else if !state.isUp {
                refusal = CacheError(.unavailable, state.problem)
            } else if state.queued.count + state.flying + commands.count > options.maxPending
                || state.output.count > options.maxPendingBytes
            {
                refusal = CacheError(.overloaded, "more commands wait than may")
            }
            if refusal != nil { return false }
            let isPush = if case .pushes = role { true } else { false }
            for command in commands {
                state.output.append(contentsOf: command.bytes)
                if !isPush {
                    state.queued.append(Waiter(finish: finish, continuation: continuation, deadline: deadline))
                }
            }
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if let refusal {
            continuation?.resume(returning: .failure(refusal))
            if let finish { for _ in commands { finish(.failure(refusal)) } }
        } else if mustWake {
            signal()
        }
    }

    private func signal() {
        var one: UInt64 = 1
        _ = write(event, &one, 8)
    }

    // MARK: On the thread

    fileprivate func run() {
        var failures = 0
        while !isStopping {
            do throws(RedisSocket.Failure) {
                let deadline = after(options.connectLimit)
                let socket = try RedisSocket.connect(
                    options.address, deadline: deadline, silence: options.timeLimit + options.connectLimit,
                    event: event,
                    isStopped: { self.isStopping })
                guard let reader = RedisReader() else { throw .problem("no memory") }
                var serving = Serving(socket: socket, reader: reader)
                try greet(&serving, deadline: deadline)
                failures = 0
                state.withLock { state in
                    state.isUp = true
                    state.output.removeAll(keepingCapacity: true)
                    state.queued.removeAll()
                }
                events.onUp()
                endAttempt()
                let reason = serve(&serving)
                goDown(reason, &serving)
            } catch {
                if case .problem(let text) = error {
                    state.withLock { $0.problem = text }
                    events.onDown(text)
                }
                endAttempt()
            }
            if isStopping { break }
            pause(after: failures)
            failures += 1
        }
        let (ends, attempts) = state.withLock { state in
            state.hasEnded = true
            defer {
                state.waitingForEnd = []
                state.waitingForAttempt = []
            }
            return (state.waitingForEnd, state.waitingForAttempt)
        }
        for continuation in ends + attempts { continuation.resume() }
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func after(_ duration: Duration) -> UInt64 {
        monotonicNanoseconds() &+ UInt64(clamping: duration.milliseconds) * 1_000_000
    }

    private func endAttempt() {
        let waiting = state.withLock { state in
            state.isFirstAttemptOver = true
            defer { state.waitingForAttempt = [] }
            return state.waitingForAttempt
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Exponential with jitter between a half and the whole.
    private func pause(after failures: Int) {
        let longest = options.longestPause.milliseconds
        let whole = min(options.firstPause.milliseconds << Int64(min(failures, 10)), longest)
        let end = after(.milliseconds(Int64(Double(whole) * Double.random(in: 0.5...1))))
        while !isStopping {
            let now = monotonicNanoseconds()
            guard now < end else { return }
            var polled = pollfd(fd: event, events: Int16(POLLIN), revents: 0)
            poll(&polled, 1, Int32((end - now) / 1_000_000 + 1))
            if polled.revents != 0 { RedisSocket.drain(event) }
        }
    }

    /// What the thread keeps of one connection.
    private struct Serving: ~Copyable {
        let socket: RedisSocket
        let reader: RedisReader
        var output: [UInt8] = []
        var sent = 0
        var flying: [Waiter] = []
        var answered = 0
        var input = [UInt8](repeating: 0, count: 65_536)
        var lastSign = monotonicNanoseconds()
        var lastAsked: UInt64 = 0
        /// What TLS waits for, besides being readable.
        var wanted: Int16 = 0

        init(socket: RedisSocket, reader: consuming RedisReader) {
            self.socket = socket
            self.reader = reader
        }
    }

    /// Signs in and looks whether the server works.
    private func greet(_ serving: inout Serving, deadline: UInt64) throws(RedisSocket.Failure) {
        var greeting: [RedisCommand] = []
        let address = options.address
        if let password = address.password {
            var command = RedisCommand("AUTH", count: address.user == nil ? 1 : 2)
            if let user = address.user { command.append(user) }
            command.append(password.reveal())
            greeting.append(command)
        }
        if address.database != 0 { greeting.append(RedisCommand("SELECT", String(address.database))) }
        // Valkey and Redis know it since 2.6; a user without the right to it is fine, too.
        greeting.append(RedisCommand("CLIENT", "SETNAME", "tandem"))
        let optional = greeting.count - 1
        greeting.append(RedisCommand("PING"))
        greeting += events.greeting()
        for command in greeting { serving.output.append(contentsOf: command.bytes) }
        var expected = greeting.count
        while expected > 0 {
            if isStopping { throw .stopped }
            let now = monotonicNanoseconds()
            guard now < deadline else { throw .problem("the server does not answer in time") }
            guard let problem = exchange(&serving, timeout: Int32(min((deadline - now) / 1_000_000 + 1, 60_000)))
            else {
                while expected > 0 {
                    switch serving.reader.next() {
                    case .incomplete: break
                    case .broken: throw .problem("the server does not speak Redis's protocol")
                    case .reply(let reply):
                        let index = greeting.count - expected
                        expected -= 1
                        if case .failure(let text) = reply, index != optional {
                            throw .problem(RedisReply.error(text).reason)
                        }
                        continue
                    }
                    break
                }
                continue
            }
            throw .problem(problem)
        }
    }

    /// Sends what is there, waits, and reads what came into the reader; a text when the connection is over.
    private func exchange(_ serving: inout Serving, timeout: Int32) -> String? {
        serving.wanted = 0
        while serving.sent < serving.output.count {
            let transfer = serving.output.withUnsafeBytes { bytes in
                serving.socket.send(UnsafeRawBufferPointer(rebasing: bytes[serving.sent...]))
            }
            switch transfer {
            case .moved(let count):
                serving.sent += count
                continue
            case .wait(let events): serving.wanted = events
            case .ended: return "the server closed the connection"
            }
            break
        }
        if serving.sent == serving.output.count, serving.sent > 0 {
            serving.output.removeAll(keepingCapacity: serving.output.capacity < 1 << 20)
            serving.sent = 0
        }
        var polled = [
            pollfd(fd: serving.socket.descriptor, events: Int16(POLLIN) | serving.wanted, revents: 0),
            pollfd(fd: event, events: Int16(POLLIN), revents: 0),
        ]
        let count = poll(&polled, 2, timeout)
        if count < 0, errno != EINTR { return "poll failed (errno \(errno))" }
        // Nobody needs to wake a thread that is about to look by itself.
        state.withLock { $0.isAsleep = false }
        if polled[1].revents != 0 { RedisSocket.drain(event) }
        guard polled[0].revents != 0 else { return nil }
        while true {
            let transfer = serving.input.withUnsafeMutableBytes { serving.socket.receive($0) }
            switch transfer {
            case .moved(let count):
                serving.lastSign = monotonicNanoseconds()
                let isGood = serving.input.withUnsafeBytes {
                    serving.reader.feed(UnsafeRawBufferPointer(rebasing: $0[..<count]))
                }
                guard isGood else { return "the server does not speak Redis's protocol" }
                // The rest is there after the next poll; with TLS it may lie in the session already.
                if count < serving.input.count, !options.address.usesTLS { return nil }
            case .wait: return nil
            case .ended: return "the server closed the connection"
            }
        }
    }

    /// Until the connection is over; says why.
    private func serve(_ serving: inout Serving) -> String {
        let isPush = if case .pushes = role { true } else { false }
        let idle = UInt64(clamping: options.idle.milliseconds) * 1_000_000
        let limit = UInt64(clamping: options.timeLimit.milliseconds) * 1_000_000
        serving.lastAsked = serving.lastSign
        if let problem = deliver(&serving, isPush: isPush) { return problem }
        while true {
            let isStopping = state.withLock { state in
                if serving.output.isEmpty {
                    swap(&serving.output, &state.output)
                } else if !state.output.isEmpty {
                    serving.output.append(contentsOf: state.output)
                    state.output.removeAll(keepingCapacity: true)
                }
                if !state.queued.isEmpty {
                    serving.flying.append(contentsOf: state.queued)
                    state.flying += state.queued.count
                    state.queued.removeAll(keepingCapacity: true)
                }
                state.isAsleep = true
                return state.isStopping
            }
            if isStopping { return "it has been shut down" }
            let now = monotonicNanoseconds()
            var wake = now + idle
            if isPush {
                if now >= serving.lastSign + idle + limit { return "the server does not answer in time" }
                if now >= serving.lastAsked + idle {
                    serving.output.append(contentsOf: RedisCommand("PING").bytes)
                    serving.lastAsked = now
                }
                wake = min(serving.lastAsked + idle, serving.lastSign + idle + limit)
            } else if serving.answered < serving.flying.count {
                let deadline = serving.flying[serving.answered].deadline
                if now >= deadline { return "the server does not answer in time" }
                wake = deadline
            } else if now >= serving.lastSign + idle {
                serving.output.append(contentsOf: RedisCommand("PING").bytes)
                serving.flying.append(Waiter(finish: nil, continuation: nil, deadline: now + limit))
                state.withLock { $0.flying += 1 }
                wake = now + limit
            } else {
                wake = serving.lastSign + idle
            }
            let timeout = wake > now ? Int32(min((wake - now) / 1_000_000 + 1, 60_000)) : 0
            if let problem = exchange(&serving, timeout: timeout) {
                // What came before the end still counts.
                _ = deliver(&serving, isPush: isPush)
                return problem
            }
            if let problem = deliver(&serving, isPush: isPush) { return problem }
        }
    }

    private func deliver(_ serving: inout Serving, isPush: Bool) -> String? {
        var delivered = 0
        defer { if delivered > 0 { state.withLock { $0.flying -= delivered } } }
        while true {
            switch serving.reader.next() {
            case .incomplete:
                if serving.answered > 0, serving.answered == serving.flying.count {
                    serving.flying.removeAll(keepingCapacity: serving.flying.capacity < 4096)
                    serving.answered = 0
                } else if serving.answered > 4096, serving.answered * 2 > serving.flying.count {
                    serving.flying.removeFirst(serving.answered)
                    serving.answered = 0
                }
                return nil
            case .broken: return "the server does not speak Redis's protocol"
            case .reply(let reply):
                if case .pushes(let receive) = role {
                    receive(reply)
                    continue
                }
                guard serving.answered < serving.flying.count else { return "the server answered what was not asked" }
                let waiter = serving.flying[serving.answered]
                serving.flying[serving.answered] = Waiter(finish: nil, continuation: nil, deadline: 0)
                serving.answered += 1
                delivered += 1
                waiter.resume(.success(reply))
                // A primary that became a replica, or a server that lost our sign-in: a new connection finds out.
                if case .failure(let text) = reply, text.hasPrefix("READONLY ") || text.hasPrefix("NOAUTH ") {
                    return RedisReply.error(text).reason
                }
            }
        }
    }

    private func goDown(_ reason: String, _ serving: inout Serving) {
        let waiters = state.withLock { state in
            state.isUp = false
            state.problem = reason
            state.flying = 0
            state.output.removeAll()
            defer { state.queued.removeAll() }
            return state.queued
        }
        let error = CacheError(.unavailable, reason)
        for waiter in serving.flying[serving.answered...] { waiter.resume(.failure(error)) }
        for waiter in waiters { waiter.resume(.failure(error)) }
        if !isStopping { events.onDown(reason) }
    }
}

/// Gathers the answers to commands that were sent together.
private final class Collector: Sendable {
    private struct State {
        var answers: [RedisConnection.Answer] = []
        var continuation: UnsafeContinuation<[RedisConnection.Answer], Never>?
    }

    private let count: Int
    private let state = Mutex(State())

    init(count: Int) {
        self.count = count
        state.withLock { $0.answers.reserveCapacity(count) }
    }

    func begin(_ continuation: UnsafeContinuation<[RedisConnection.Answer], Never>) {
        state.withLock { $0.continuation = continuation }
    }

    func add(_ answer: RedisConnection.Answer) {
        let done = state.withLock {
            state -> (UnsafeContinuation<[RedisConnection.Answer], Never>, [RedisConnection.Answer])? in
            state.answers.append(answer)
            guard state.answers.count == count, let continuation = state.continuation else { return nil }
            state.continuation = nil
            return (continuation, state.answers)
        }
        if let (continuation, answers) = done { continuation.resume(returning: answers) }
    }
}

/// The thread's function: top-level, so that it belongs to no actor.
private func runRedisConnection(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<RedisConnection>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
