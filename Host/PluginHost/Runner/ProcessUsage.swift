import Glibc

/// What the kernel says of a process: its threads, processor time and memory.
struct ProcessUsage: Sendable {
    var threads: Int
    var processorSeconds: Double
    var residentBytes: Int

    /// From `/proc/PID/stat`; nil when it cannot be read.
    init?(of pid: pid_t) {
        // The name stands in parentheses and may hold anything; numbers come after the last one.
        let fields = Self.numbers(in: "/proc/\(pid)/stat", after: UInt8(ascii: ")"))
        // From field 4 on: utime and stime are 14 and 15, threads 20, rss 24.
        guard fields.count > 21 else { return nil }
        let ticks = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
        processorSeconds = Double(fields[11] + fields[12]) / ticks
        threads = fields[17]
        residentBytes = fields[21] * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Resident memory that no file backs; 0 when it cannot be read.
    static func privateBytes(of pid: pid_t) -> Int {
        let fields = numbers(in: "/proc/\(pid)/statm", after: nil)
        return fields.count > 2 ? max(fields[1] - fields[2], 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// The words of a small file as numbers, 0 for those that are none, from the last of some byte on.
    private static func numbers(in path: String, after mark: UInt8?) -> [Int] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer -> [Int] in
            let amount = read(file, buffer.baseAddress, buffer.count)
            guard amount > 0 else { return [] }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<amount])
            var start = 0
            if let mark {
                guard let end = bytes.lastIndex(of: mark) else { return [] }
                start = end + 1
            }
            return bytes[start...].split(whereSeparator: { $0 <= UInt8(ascii: " ") }).map {
                Int(String(decoding: $0, as: UTF8.self)) ?? 0
            }
        }
    }
}
