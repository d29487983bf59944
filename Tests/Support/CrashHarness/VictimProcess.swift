import ChildProcess
import Foundation
import Synchronization
import TandemJSON

/// A serving process that a run may kill at any time.
final class VictimProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let pid: pid_t
    let port: Int
    private let isReaped = Mutex(false)

    /// Starts the program and waits until it listens.
    init(program: String, arguments: [String], environment: [String: String], log: String) async throws {
        var inherited = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("TANDEM_") && !name.hasPrefix("TWILIO_") && !name.hasPrefix("DATABASE_")
                && !name.lowercased().hasSuffix("_proxy")
        }
        inherited.merge(environment) { $1 }
        let pid = ChildProcess.spawn([program] + arguments, environment: inherited, errors: .newFile(log))
        guard pid > 0 else { throw Failure(description: "\(program) cannot be started: \(-pid)") }
        self.pid = pid
        let end = ContinuousClock.now + .seconds(60)
        var found: Int?
        while found == nil, !VictimProcess.isGone(pid), ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(2))
            found = VictimProcess.port(in: log)
        }
        guard let found else {
            kill(pid, SIGKILL)
            VictimProcess.reap(pid)
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Failure(description: "the server does not listen: \(text.suffix(2000))")
        }
        port = found
    }

    deinit {
        guard !isReaped.withLock({ $0 }) else { return }
        kill(pid, SIGKILL)
        Thread.detachNewThread { [pid] in VictimProcess.reap(pid) }
    }

    var isGone: Bool { VictimProcess.isGone(pid) }

    /// Ends the process between any two of its instructions.
    func killNow() async {
        kill(pid, SIGKILL)
        await end()
    }

    /// Asks the process to end in good order.
    func terminate() async {
        kill(pid, SIGTERM)
        await end()
    }

    private func end() async {
        let isFirst = isReaped.withLock { isReaped in
            defer { isReaped = true }
            return !isReaped
        }
        guard isFirst else { return }
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [pid] in
                VictimProcess.reap(pid)
                continuation.resume()
            }
        }
    }

    private static func reap(_ pid: pid_t) {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
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
