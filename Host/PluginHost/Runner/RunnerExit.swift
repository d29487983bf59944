import Glibc

/// How a runner ended.
public struct RunnerExit: Sendable, Hashable, CustomStringConvertible {
    /// The signal that ended it, if one did.
    public var signal: Int32?
    public var code: Int32
    /// Why the host ended it.
    public var reason: String?

    init(signal: Int32?, code: Int32, reason: String?) {
        self.signal = signal
        self.code = code
        self.reason = reason
    }

    init(status: Int32, reason: String?) {
        let low = status & 0x7F
        if low != 0 {
            signal = low
            code = 0
        } else {
            code = (status >> 8) & 0xFF
            // The first process of a namespace does not die of these by itself (Host/Runner/main.c).
            signal = [SIGABRT, SIGXCPU, SIGXFSZ].contains(code - 128) ? code - 128 : nil
        }
        self.reason = reason
    }

    public var description: String {
        if let reason { return reason }
        if let signal { return "ended by \(Self.name(of: signal))" }
        return code == 0 ? "ended by itself" : "ended with code \(code)"
    }

    private static func name(of signal: Int32) -> String {
        let names: [Int32: String] = [
            SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGILL: "SIGILL", SIGKILL: "SIGKILL",
            SIGSEGV: "SIGSEGV", SIGSYS: "SIGSYS", SIGTRAP: "SIGTRAP", SIGXCPU: "SIGXCPU (processor time)",
            SIGXFSZ: "SIGXFSZ (file size)", SIGTERM: "SIGTERM",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}
