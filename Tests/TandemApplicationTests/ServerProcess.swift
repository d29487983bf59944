import ChildProcess
import Foundation
import Synchronization
import TandemJSON
import Testing

/// `tandem serve` as a process of its own, which a test may kill.
final class ServerProcess: Sendable {
    let port: Int
    private let pid: pid_t
    private let ended = Mutex(false)

    /// Starts the program and waits until it listens.
    ///
    /// - Parameter program: Another one that serves in its place.
    init(_ environment: [String: String], log: String, program: String? = nil) async throws {
        let installation = try Installation.shared()
        var inherited = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("TANDEM_") && !name.hasPrefix("TWILIO_") && !name.hasPrefix("DATABASE_")
                && !name.lowercased().hasSuffix("_proxy")
        }
        inherited.merge(environment) { $1 }
        let pid = ChildProcess.spawn(
            [program ?? installation.folder + "/tandem", "serve"], environment: inherited, errors: .newFile(log))
        try #require(pid > 0, "tandem cannot be started: \(-pid)")
        self.pid = pid
        var port: Int?
        let isListening = await eventually(within: .seconds(60)) {
            port = ServerProcess.port(in: log)
            return port != nil || ServerProcess.isGone(pid)
        }
        guard isListening, let port else {
            kill(pid, SIGKILL)
            _ = ServerProcess.reap(pid)
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            Issue.record("tandem serve does not listen: \(text.suffix(2000))")
            throw Installation.Missing("tandem serve does not listen")
        }
        self.port = port
    }

    /// Waited for as well: an ended child that nobody waits for hides those of tests which expect an exit.
    deinit {
        guard !ended.withLock({ $0 }) else { return }
        kill(pid, SIGKILL)
        Thread.detachNewThread { [pid] in _ = ServerProcess.reap(pid) }
    }

    /// It has ended by itself.
    var isGone: Bool { ServerProcess.isGone(pid) }

    /// Ends the process between any two of its instructions.
    func killNow() async {
        kill(pid, SIGKILL)
        await end()
    }

    /// Asks the process to end, and gives its exit status.
    @discardableResult
    func terminate() async -> Int32 {
        kill(pid, SIGTERM)
        return await end()
    }

    @discardableResult
    private func end() async -> Int32 {
        ended.withLock { $0 = true }
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { [pid] in continuation.resume(returning: ServerProcess.reap(pid)) }
        }
    }

    private static func reap(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Ended, and not waited for yet.
    private static func isGone(_ pid: pid_t) -> Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == SIGCHLD
    }

    /// The port that the log names: `{"message":"listening","metadata":{"http.port":…}}`.
    private static func port(in log: String) -> Int? {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.contains("\"listening\"") {
            let port = (try? JSON(parsing: String(line)))?["metadata"]?["http.port"]
            return port?.stringValue.flatMap { Int($0) } ?? port?.int64Value.map { Int($0) }
        }
        return nil
    }
}
