import CRunner
import CTandemPlugin
import Glibc
import Synchronization
import TandemCore

// The end of a runner: of its stream, and of its process.
extension RunnerProcess {
    /// How it ended, when it has or does so soon. Blocks.
    func exit(within limit: Duration) -> RunnerExit? {
        ending.wait(untilNanoseconds: monotonicNanoseconds() + limit.nanoseconds)
    }

    /// Ends the process; what is in flight is answered.
    func kill(_ reason: String) {
        state.withLock { state in
            // Within the lock: once it has been reaped, its numbers may be another's.
            guard !state.isReaped else { return }
            if state.reason == nil { state.reason = reason }
            tandem_kill_runner(pid, descriptor)
        }
    }

    /// Ends the process, which has nothing to do any more, unless an instance has come meanwhile.
    func stopWhenEmpty() {
        let isEmpty = state.withLock { state -> Bool in
            guard state.instances.isEmpty else { return false }
            if !state.isDead { state.isStopping = true }
            return true
        }
        if isEmpty { stop() }
    }

    /// Ends the process.
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
    func end(_ fault: String?) {
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
        let left = files
        files = []
        // What they hold is freed with them.
        if !left.isEmpty { WorkerPool.shared.submit { for file in left { close(file) } } }
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
        // With what nobody has read of it.
        if mayClose { WorkerPool.shared.submit { [socket] in close(socket) } }
        if descriptor >= 0 { close(descriptor) }
        let exit = RunnerExit(status: result > 0 ? status : 0, reason: report.reason)
        link.reaped(self, exit: exit, wasWanted: report.isStopping && report.reason == nil)
        ending.set(exit)
    }
}
