import Glibc

/// Who works on a queued turn: this process, told apart from every other, dead or alive.
///
/// Text form `host:pid:start`, start being field 22 of `/proc/PID/stat` (proc(5)): a process id that was given to another
/// process later has another start. A turn whose holder is dead on this host is taken over at once; one whose holder is on
/// another host, when its lease has run out.
public struct TurnHolder: Sendable, Hashable {
    public let text: String

    public static let current = TurnHolder(host: hostName(), process: getpid())

    public init(text: String) { self.text = text }

    private init(host: String, process: Int32) {
        text = "\(host):\(process):\(TurnHolder.startTime(of: process) ?? "0")"
    }

    /// Nobody: whoever sees it first takes it.
    static let nobody = TurnHolder(text: "")

    /// Whether it is a process of this machine, of which it is known for certain whether it lives.
    var isHere: Bool {
        text.split(separator: ":", omittingEmptySubsequences: false).first.map { $0 == TurnHolder.hostName() } ?? false
    }

    /// True unless it is certain that the process is gone.
    public var mayBeAlive: Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let process = Int32(parts[1]) else { return false }
        guard parts[0] == TurnHolder.hostName() else { return true }
        return TurnHolder.startTime(of: process) == String(parts[2])
    }

    /// Without colons, which separate the parts.
    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self).replacing(":", with: "-")
    }

    private static func startTime(of process: Int32) -> String? {
        guard let file = fopen("/proc/\(process)/stat", "re") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = fread(&buffer, 1, buffer.count, file)
        let line = String(decoding: buffer.prefix(count), as: UTF8.self)
        // The second field is the program's name in parentheses and may hold anything: count from the last one.
        guard let close = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: close)...].split(separator: " ")
        return fields.count > 19 ? String(fields[19]) : nil
    }
}
