import CRunner
import Glibc
import Synchronization
import TandemCore

/// One thread that reads from all runners, sees them end, and looks after them, what they burn many times a second.
///
/// Each runner gets a bounded share of a turn, so that one which never stops talking does not keep the others waiting.
final class RunnerLoop: @unchecked Sendable {
    // `queue` is written before the thread starts and only read afterwards; the rest is in the mutex.
    static let shared = RunnerLoop()

    private struct State {
        var processes: [UInt64: RunnerProcess] = [:]
        var nextKey: UInt64 = 1
        var isRunning = false
    }

    private let state = Mutex(State())
    private let queue: Int32

    /// What the high bit of an event's key says: the process itself, not its socket.
    private static let exitBit: UInt64 = 1 << 63
    /// Of the clock's events.
    private static let tickKey = UInt64.max

    private init() { queue = epoll_create1(Int32(EPOLL_CLOEXEC)) }

    /// The runners that there are.
    var processes: [RunnerProcess] { state.withLock { Array($0.processes.values) } }

    /// False when the system gives no thread or no event queue.
    func add(_ process: RunnerProcess) -> Bool {
        let (key, mustStart) = state.withLock { state -> (UInt64, Bool) in
            let key = state.nextKey
            state.nextKey += 1
            state.processes[key] = process
            let mustStart = !state.isRunning
            state.isRunning = true
            return (key, mustStart)
        }
        process.key = key
        if mustStart, !HostThread.start(named: "tandem-runners", { [self] in run() }) {
            state.withLock { state in
                state.isRunning = false
                state.processes[key] = nil
            }
            return false
        }
        guard control(EPOLL_CTL_ADD, process.socket, RunnerLoop.reading, key),
            process.descriptor < 0
                || control(EPOLL_CTL_ADD, process.descriptor, RunnerLoop.reading, key | Self.exitBit)
        else {
            _ = state.withLock { $0.processes.removeValue(forKey: key) }
            return false
        }
        return true
    }

    static let reading = UInt32(EPOLLIN.rawValue)
    static let writing = UInt32(EPOLLOUT.rawValue)

    /// What the loop waits for on a runner's socket.
    func watch(_ process: RunnerProcess, events: UInt32) {
        _ = control(EPOLL_CTL_MOD, process.socket, events, process.key)
    }

    /// The socket is closed next.
    func ignore(_ process: RunnerProcess) { _ = control(EPOLL_CTL_DEL, process.socket, 0, process.key) }

    /// The process has been reaped.
    func remove(_ process: RunnerProcess) {
        if process.descriptor >= 0 { _ = control(EPOLL_CTL_DEL, process.descriptor, 0, process.key) }
        _ = state.withLock { $0.processes.removeValue(forKey: process.key) }
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ events: UInt32, _ key: UInt64) -> Bool {
        var event = epoll_event()
        event.events = events
        event.data.u64 = key
        return epoll_ctl(queue, operation, descriptor, &event) == 0
    }

    private func run() {
        let room = 64
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: room)
        defer { events.deallocate() }
        var nextLook = monotonicNanoseconds() + Self.lookInterval
        var nextGlance: UInt64 = 0
        var nextFullGlance: UInt64 = 0
        // One clock that ticks by itself: a time limit of each wait would set a timer for each frame, which is dear where a
        // hypervisor keeps the timers.
        let ticker = tandem_ticker()
        var interval: UInt64 = 0
        if ticker >= 0 { _ = control(EPOLL_CTL_ADD, ticker, RunnerLoop.reading, Self.tickKey) }
        tandem_answer_quickly()
        var aside = SetAside()
        var isAwaitedOften: Int32 = 0
        while true {
            let now = monotonicNanoseconds()
            if now >= nextGlance {
                let processes = processes
                let isFull = now >= nextFullGlance
                if isFull { nextFullGlance = now + Self.glanceInterval }
                var isAnyWarm = false
                for process in processes {
                    let isWarm = process.isWarm.load(ordering: .relaxed)
                    if isFull || isWarm { process.glance(now: now, &aside) }
                    isAnyWarm = isAnyWarm || isWarm
                }
                if aside.decide(
                    now: now, hostUsed: tandem_processor_ns(getpid()), processors: Int(tandem_processor_count()))
                {
                    keepOff(aside.isSetAside, processes)
                }
                if now >= nextLook {
                    nextLook = now + Self.lookInterval
                    for process in processes where process.takeReading() {
                        process.look(now: now)
                        process.giveReading()
                    }
                }
                nextGlance = processes.isEmpty ? nextLook : isAnyWarm ? now + Self.warmInterval : nextFullGlance
                // While nothing happens, glances are rarer; whoever burns time at rest is seen soon enough.
                let wanted = processes.isEmpty ? Self.lookInterval : isAnyWarm ? Self.warmInterval : Self.restInterval
                if wanted != interval {
                    interval = wanted
                    tandem_set_ticker(ticker, wanted)
                }
            }
            let isTicking = ticker >= 0 && interval > 0
            let count = tandem_await_events(
                queue, events, Int32(room), isTicking ? -1 : Self.blindMilliseconds, &isAwaitedOften)
            guard count > 0 else { continue }
            for index in 0..<Int(count) {
                let key = events[index].data.u64
                if key == Self.tickKey {
                    tandem_take_ticks(ticker)
                    continue
                }
                guard let process = state.withLock({ $0.processes[key & ~Self.exitBit] }) else { continue }
                // Else a caller is reading its answer: the event is there again when it has.
                guard process.takeReading() else { continue }
                if key & Self.exitBit != 0 {
                    process.exited()
                } else {
                    process.ready(events[index].events)
                }
                process.giveReading()
            }
        }
    }

    private func keepOff(_ isSetAside: Bool, _ processes: [RunnerProcess]) {
        let equals = processes.filter { $0.processor.withLock { $0.place == .equal } }.map(\.pid)
        tandem_set_aside(isSetAside ? 1 : 0, equals, equals.count)
    }

    private static let lookInterval: UInt64 = 500_000_000
    private static let glanceInterval: UInt64 = 20_000_000
    private static let warmInterval: UInt64 = 8_000_000
    private static let restInterval: UInt64 = 100_000_000
    /// Without a clock, and before it ticks.
    private static let blindMilliseconds: Int32 = 10
}
