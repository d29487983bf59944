import Glibc

/// The program's own code, of which starting touches two thirds and serving little.
enum StartCode {
    /// Lets go of the pages that the program's file backs read-only; those that are used come back from the page cache.
    static func release() {
        guard let program = realpath("/proc/self/exe", nil) else { return }
        defer { free(program) }
        let path = String(cString: program)
        // `558c-559c r-xp 00000000 fe:00 123   /path`, see proc_pid_maps(5).
        for line in maps().split(separator: UInt8(ascii: "\n")) {
            let line = String(decoding: line, as: UTF8.self)
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].drop(while: { $0 == " " }) == path else { continue }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, bounds[0] < bounds[1] else { continue }
            madvise(UnsafeMutableRawPointer(bitPattern: bounds[0]), Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
    }

    private static func maps() -> [UInt8] {
        let file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < 4 << 20 {
            let amount = read(file, &part, part.count)
            if amount <= 0 { break }
            bytes += part[..<amount]
        }
        return bytes
    }
}
