import Glibc
import Synchronization
public import TandemJSON

/// Runs `tandem-plugin-check-worker`: one test in a process of its own, which is killed when its time is over.
struct CheckWorker: Sendable {
    /// The worker's executable.
    let executable: String
    /// The library, or the folder of a bundle without code.
    let plugin: String

    /// What a test is given.
    struct Script: Sendable {
        var settings: [(String, String)] = []
        var calls: [PlannedCall] = []
    }

    /// What a test came to.
    struct Run: Sendable {
        var events: [JSON] = []
        /// The worker said that it was done.
        var isComplete = false
        /// The time was over.
        var wasKilled = false
        /// How the process ended: `signal 11`, `exit code 97`; nil when it ended as it should.
        var ending: String?
        /// What the plugin wrote to its standard output and error, the start of it.
        var output: [UInt8] = []
        var milliseconds = 0

        func events(_ name: String) -> [JSON] { events.filter { $0["e"]?.stringValue == name } }

        var lastStage: String? { events.last { $0["e"]?.stringValue == "stage" }?["text"]?.stringValue }
    }

    static let maxOutputBytes = 64 << 10
    static let maxEventBytes = 48 << 20

    /// Runs a test; `answer` is asked for what the plugin asks of the host. Blocks no thread of the shared pool.
    func run(_ test: String, _ script: Script, limitSeconds: Int, services: CheckServices) async -> Run {
        await withCheckedContinuation { continuation in
            let body = Box { continuation.resume(returning: blockingRun(test, script, limitSeconds, services)) }
            var thread = pthread_t()
            let context = Unmanaged.passRetained(body).toOpaque()
            let failure = pthread_create(&thread, nil, checkWorkerThread, context)
            if failure == 0 {
                pthread_detach(thread)
            } else {
                Unmanaged<Box>.fromOpaque(context).release()
                continuation.resume(returning: Run(ending: "no thread (\(failure))"))
            }
        }
    }

    private func blockingRun(_ test: String, _ script: Script, _ limitSeconds: Int, _ services: CheckServices) -> Run {
        var run = Run()
        let started = Self.now()
        var input: (Int32, Int32) = (-1, -1)
        var output = input
        var results = input
        guard Self.channel(&input), Self.pipe(&output), Self.pipe(&results) else {
            run.ending = "no pipe (errno \(errno))"
            return run
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Numbers above those wanted first: a pipe's own number may be one of them.
        posix_spawn_file_actions_adddup2(&actions, input.0, 0)
        posix_spawn_file_actions_adddup2(&actions, output.1, 1)
        posix_spawn_file_actions_adddup2(&actions, output.1, 2)
        posix_spawn_file_actions_adddup2(&actions, results.1, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        var allSignals = sigset_t()
        sigfillset(&allSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setsigdefault(&attributes, &allSignals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
        // Freed memory is filled, so that what is read after it was freed is not by chance what it was, and is not kept
        // in a cache per thread, so that growth can be told.
        let environment = [
            "MALLOC_PERTURB_=165", "GLIBC_TUNABLES=glibc.malloc.tcache_count=0", "SWIFT_BACKTRACE=enable=no",
            "LC_ALL=C", "PATH=/usr/bin:/bin",
        ]
        let pid = Self.spawn([executable, plugin, test], environment, &actions, &attributes)
        for descriptor in [input.0, output.1, results.1] { close(descriptor) }
        guard pid > 0 else {
            run.ending = "the worker cannot be started (errno \(-pid))"
            for descriptor in [input.1, output.0, results.0] { close(descriptor) }
            return run
        }
        let pipe = AnswerPipe(input.1)
        pipe.send(Self.text(script))
        pump(&run, results: results.0, output: output.0, until: started + UInt64(limitSeconds) * 1_000_000_000) {
            event in
            services.handle(event, answeringThrough: pipe)
        }
        if run.wasKilled { kill(-pid, SIGKILL) }
        pipe.close()
        for descriptor in [output.0, results.0] { close(descriptor) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        // Children that the plugin left behind.
        kill(-pid, SIGKILL)
        if status & 0x7F != 0 {
            run.ending = "signal \(status & 0x7F)"
        } else if status >> 8 & 0xFF != 0 {
            run.ending = "exit code \(status >> 8 & 0xFF)"
        }
        run.milliseconds = Int((Self.now() - started) / 1_000_000)
        return run
    }

    private static func text(_ script: Script) -> [UInt8] {
        var text: [UInt8] = []
        for (name, value) in script.settings { text += Array("set\t\(name)\t\(value)\n".utf8) }
        for call in script.calls {
            text += Array("call\t\(call.tool)\t".utf8) + call.arguments
            if let answers = call.answers { text += [0x09] + answers }
            text.append(0x0A)
        }
        return text + Array("go\n".utf8)
    }

    /// Reads both pipes until the results end, everything is said or the time is over.
    private func pump(
        _ run: inout Run, results: Int32, output: Int32, until deadline: UInt64, _ handle: (JSON) -> Void
    ) {
        var line: [UInt8] = []
        var total = 0
        var open = [true, true]
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while open[0] || open[1] {
            let now = Self.now()
            guard now < deadline, total <= Self.maxEventBytes else {
                run.wasKilled = true
                return
            }
            var polled = [
                pollfd(fd: open[0] ? results : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[1] ? output : -1, events: Int16(POLLIN), revents: 0),
            ]
            // Once it is done, what it still holds open does not matter.
            let wait = run.isComplete ? 20 : Int32(min((deadline - now) / 1_000_000 + 1, 1000))
            let ready = poll(&polled, 2, wait)
            if ready < 0, errno != EINTR { return }
            if ready == 0, run.isComplete { return }
            for index in 0..<2 where polled[index].revents != 0 {
                let count = read(polled[index].fd, &buffer, buffer.count)
                if count <= 0 {
                    if count < 0, errno == EINTR { continue }
                    open[index] = false
                    if index == 0 { open[1] = run.output.isEmpty ? open[1] : false }
                    continue
                }
                if index == 1 {
                    run.output += buffer[0..<min(count, max(0, Self.maxOutputBytes - run.output.count))]
                    continue
                }
                total += count
                for byte in buffer[0..<count] {
                    guard byte == 0x0A else {
                        line.append(byte)
                        continue
                    }
                    if let event = try? JSON(parsing: line, limits: JSONLimits(maxBytes: 64 << 20)) {
                        if event["e"]?.stringValue == "end" { run.isComplete = true }
                        handle(event)
                        run.events.append(event)
                    }
                    line.removeAll(keepingCapacity: true)
                }
            }
            if !open[0] { return }
        }
    }

    // MARK: System calls

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// A pipe of two numbers above 9, both closed by exec.
    private static func pipe(_ ends: inout (Int32, Int32)) -> Bool {
        var raw: [Int32] = [-1, -1]
        guard Glibc.pipe(&raw) == 0 else { return false }
        var high: [Int32] = []
        for end in raw {
            high.append(fcntl(end, F_DUPFD_CLOEXEC, 10))
            Glibc.close(end)
        }
        ends = (high[0], high[1])
        return high[0] >= 0 && high[1] >= 0
    }

    /// A connected pair of sockets: writing to one whose reader is gone is an error, never a signal.
    private static func channel(_ ends: inout (Int32, Int32)) -> Bool {
        var raw: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &raw) == 0 else { return false }
        ends = (fcntl(raw[0], F_DUPFD_CLOEXEC, 10), fcntl(raw[1], F_DUPFD_CLOEXEC, 10))
        for end in raw { Glibc.close(end) }
        return ends.0 >= 0 && ends.1 >= 0
    }

    /// The process id, or minus an `errno`.
    private static func spawn(
        _ arguments: [String], _ environment: [String], _ actions: inout posix_spawn_file_actions_t,
        _ attributes: inout posix_spawnattr_t
    ) -> pid_t {
        var argv = arguments.map { strdup($0) }
        argv.append(nil)
        var envp = environment.map { strdup($0) }
        envp.append(nil)
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, arguments[0], &actions, &attributes, argv, envp)
        return failure == 0 ? pid : -failure
    }

    fileprivate final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// The worker's standard input. Safe from any thread; nothing is written after `close`.
final class AnswerPipe: Sendable {
    private let descriptor: Mutex<Int32>

    init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    /// A script may be longer than a socket holds: the worker reads it at once.
    func send(_ bytes: [UInt8]) {
        descriptor.withLock { descriptor in
            var rest = bytes[...]
            while descriptor >= 0, !rest.isEmpty {
                let written = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if written < 0 {
                    if errno == EINTR { continue }
                    return
                }
                rest = rest.dropFirst(written)
            }
        }
    }

    func close() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { Glibc.close(descriptor) }
            descriptor = -1
        }
    }
}

private func checkWorkerThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<CheckWorker.Box>.fromOpaque(context).takeRetainedValue().body() }
    return nil
}

/// Hexadecimal digits, as the worker writes bytes.
enum Hex {
    static func bytes(_ text: String?) -> [UInt8] {
        guard let text else { return [] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 2)
        var high: UInt8?
        for digit in text.utf8 {
            let value = digit >= UInt8(ascii: "a") ? digit &- 87 : digit &- 48
            if let first = high {
                bytes.append(first << 4 | value & 15)
                high = nil
            } else {
                high = value & 15
            }
        }
        return bytes
    }

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// A call that a test makes.
public struct PlannedCall: Sendable, Hashable {
    public var tool: String
    /// JSON text on one line.
    public var arguments: [UInt8]
    /// The arguments match the tool's schema.
    public var isValid: Bool
    /// JSON text: what the person answers to the question that was asked last; the call is made again with it.
    public var answers: [UInt8]?

    public init(tool: String, arguments: JSON, answers: JSON? = nil, isValid: Bool = true) {
        self.tool = tool
        self.arguments = arguments.serialized()
        self.answers = answers?.serialized()
        self.isValid = isValid
    }
}
