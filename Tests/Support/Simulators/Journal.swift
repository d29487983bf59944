import Foundation
import ScriptServer
import Synchronization

/// Writes down when each request was worked on, and holds its answer back as a service far away would: for measuring.
final class Journal: Sendable {
    private let file: Mutex<FileHandle?>
    private let latency: UInt32

    /// - Parameters:
    ///   - path: takes a line for each request: nanoseconds of `CLOCK_MONOTONIC` from and to, the service, and whose it is:
    ///     the bearer token, or the words that are looked for.
    ///   - latency: milliseconds before each answer.
    init(path: String?, latency: UInt32) {
        if let path {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            file = Mutex(FileHandle(forWritingAtPath: path))
        } else {
            file = Mutex(nil)
        }
        self.latency = latency
    }

    func answer(
        _ service: String, _ request: ScriptServer.Request,
        _ usual: @Sendable (ScriptServer.Request) -> ScriptServer.Answer
    ) -> ScriptServer.Answer {
        let start = Self.now
        if latency > 0 { usleep(latency * 1000) }
        let answer = usual(request)
        let end = Self.now
        file.withLock { file in
            guard let file else { return }
            let words = (request.query + request.form).first { $0.name == "q" }?.value
            let owner = request["authorization"].map { $0.split(separator: " ").last.map(String.init) ?? "" } ?? words
            file.write(Data("\(start) \(end) \(service) \(owner ?? "-")\n".utf8))
        }
        return answer
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
