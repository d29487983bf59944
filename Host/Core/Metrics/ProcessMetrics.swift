import Glibc

extension MetricsRegistry {
    /// Adds the customary `process_…` metrics, read from `/proc/self` when they are asked for.
    public func addProcessMetrics() {
        let started = Double(SystemClock().now.millisecondsSinceEpoch) / 1000
        reading("process_start_time_seconds", help: "Start of the process, seconds since 1970.") { started }
        reading("process_resident_memory_bytes", help: "Resident memory.") {
            guard let pages = processStatistic(field: 24) else { return nil }
            return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
        }
        reading("process_virtual_memory_bytes", help: "Virtual memory.") { processStatistic(field: 23) }
        reading("process_threads", help: "Threads.") { processStatistic(field: 20) }
        reading("process_cpu_seconds_total", help: "User and system time.", kind: .counter) {
            guard let user = processStatistic(field: 14), let system = processStatistic(field: 15) else { return nil }
            return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
        reading("process_open_fds", help: "Open file descriptors.") {
            guard let folder = opendir("/proc/self/fd") else { return nil }
            defer { closedir(folder) }
            var count = 0
            while let entry = readdir(folder) {
                if entry.pointee.d_name.0 != 46 { count += 1 }
            }
            return Double(count - 1)
        }
    }
}

/// A numbered field of `/proc/self/stat` (proc(5)), counted from 1; nil when it cannot be read.
private func processStatistic(field: Int) -> Double? {
    let descriptor = open("/proc/self/stat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 2048)
    let count = read(descriptor, &bytes, bytes.count)
    // The name in field 2 may hold spaces and brackets: the fields count from its last bracket.
    guard count > 0, let bracket = bytes[0..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(bracket + 1)..<count].split(separator: UInt8(ascii: " "))
    guard fields.indices.contains(field - 3) else { return nil }
    return Double(String(decoding: fields[field - 3], as: UTF8.self))
}
