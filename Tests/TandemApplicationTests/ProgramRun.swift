import ChildProcess
import Foundation
import Synchronization
import Testing

/// One run of the program as a process of its own, which a test may kill, with what it writes in files.
final class ProgramRun: Sendable {
    let output: String
    let log: String
    private let pid: pid_t
    private let status = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - folder: Where its two streams are kept; each run has files of its own.
    ///   - input: What it reads; nothing unless given.
    init(
        _ arguments: [String], _ environment: [String: String], in folder: TestFolder,
        input: ChildProcess.Stream = .nothing
    ) throws {
        let installation = try Installation.shared()
        let number = ProgramRun.count.withLock { count in
            count += 1
            return count
        }
        output = folder.path + "/run-\(number).out"
        log = folder.path + "/run-\(number).err"
        var inherited = ProcessInfo.processInfo.environment.filter { name, _ in
            !["TANDEM_", "TWILIO_", "DATABASE_", "REDIS_"].contains { name.hasPrefix($0) }
                && !name.lowercased().hasSuffix("_proxy")
        }
        inherited.merge(environment) { $1 }
        let pid = ChildProcess.spawn(
            [installation.folder + "/tandem"] + arguments, environment: inherited, input: input,
            output: .newFile(output),
            errors: .newFile(log))
        try #require(pid > 0, "tandem cannot be started: \(-pid)")
        self.pid = pid
    }

    private static let count = Mutex(0)

    /// Waited for as well: an ended child that nobody waits for hides those of tests which expect an exit.
    deinit {
        guard status.withLock({ $0 == nil }) else { return }
        kill(pid, SIGKILL)
        Thread.detachNewThread { [pid] in _ = ProgramRun.reap(pid) }
    }

    var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// It has ended by itself; still to be waited for.
    var isOver: Bool {
        if status.withLock({ $0 != nil }) { return true }
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == SIGCHLD
    }

    /// Ends it between any two of its instructions. False: it was over already.
    func killNow() async -> Bool {
        let isLate = isOver
        kill(pid, SIGKILL)
        _ = await end()
        return !isLate
    }

    /// The exit status; -9 after a kill.
    func end() async -> Int32 {
        if let known = status.withLock({ $0 }) { return known }
        let code = await withCheckedContinuation { continuation in
            Thread.detachNewThread { [pid] in continuation.resume(returning: ProgramRun.reap(pid)) }
        }
        let word = code & 0x7F == 0 ? (code >> 8) & 0xFF : -(code & 0x7F)
        status.withLock { $0 = word }
        return word
    }

    private static func reap(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }
}
