import CRunner
import Glibc
import TandemCore

/// Starts runners, on one thread that lives as long as the host: a runner ends with the thread that started it.
final class RunnerStarter: @unchecked Sendable {
    // Everything mutable is guarded by the monitor.
    static let shared = RunnerStarter()

    private let monitor = Monitor()
    private var jobs: [@Sendable () -> Void] = []
    private var isRunning = false

    /// Blocks until the program runs; the descriptors stay the caller's.
    func start(
        path: String, socket: Int32, library: Int32, folder: Int32
    ) throws(PluginRefusal) -> tandem_started {
        let done = Waiter<(code: Int32, started: tandem_started)>()
        let isThere = submit {
            var started = tandem_started()
            let code = tandem_start_runner(path, socket, library, folder, &started)
            done.set((code, started))
        }
        guard isThere, let result = done.wait(untilNanoseconds: .max) else {
            throw PluginRefusal(.runnerFailed, "no thread can be started for the isolated runner")
        }
        guard result.code == 0 else {
            throw PluginRefusal(
                .runnerFailed, "the isolated runner cannot be started: \(systemMessage(result.started.error))")
        }
        return result.started
    }

    private func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        monitor.lock()
        jobs.append(job)
        let mustStart = !isRunning
        isRunning = true
        monitor.unlock()
        monitor.signal()
        guard mustStart, !HostThread.start(named: "tandem-starter", { [self] in run() }) else { return true }
        monitor.lock()
        isRunning = false
        jobs.removeAll()
        monitor.unlock()
        return false
    }

    private func run() {
        monitor.lock()
        while true {
            guard !jobs.isEmpty else {
                _ = monitor.wait(untilNanoseconds: monotonicSoon)
                continue
            }
            let job = jobs.removeFirst()
            monitor.unlock()
            job()
            monitor.lock()
        }
    }

    private var monotonicSoon: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec + 3600) * 1_000_000_000
    }
}

/// A value that one thread sets and another, a host's own, blocks for.
final class Waiter<Value: Sendable>: @unchecked Sendable {
    // Guarded by the monitor.
    private let monitor = Monitor()
    private var value: Value?

    /// The first value counts.
    func set(_ new: Value) {
        monitor.lock()
        if value == nil { value = new }
        monitor.unlock()
        monitor.signal()
    }

    /// Nil when the time is over.
    func wait(untilNanoseconds deadline: UInt64) -> Value? {
        monitor.lock()
        defer { monitor.unlock() }
        while value == nil {
            if !monitor.wait(untilNanoseconds: min(deadline, 1 << 62)) { return value }
        }
        return value
    }
}
