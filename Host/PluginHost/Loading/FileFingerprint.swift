import Glibc

/// Notices that a file or a folder's files changed, without reading them.
enum FileFingerprint {
    static func add(_ path: String, to print: inout [UInt64]) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            print.append(0)
            return
        }
        append(status, to: &print)
        if status.st_mode & S_IFMT == S_IFLNK, stat(path, &status) == 0 { append(status, to: &print) }
    }

    /// The folder itself and its files, in any order.
    static func addFolder(_ path: String, to print: inout [UInt64]) {
        add(path, to: &print)
        guard let folder = opendir(path) else { return }
        defer { closedir(folder) }
        var sum: UInt64 = 0
        var count = 0
        while let entry = readdir(folder), count < 1000 {
            count += 1
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var file: [UInt64] = []
            add(path + "/" + name, to: &file)
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            for word in file { hash = (hash ^ word) &* 0x100_0000_01B3 }
            sum = sum &+ hash
        }
        print.append(sum)
    }

    private static func append(_ status: stat, to print: inout [UInt64]) {
        print.append(UInt64(bitPattern: Int64(status.st_mtim.tv_sec)))
        print.append(UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)))
        print.append(UInt64(bitPattern: Int64(status.st_ctim.tv_nsec)))
        print.append(UInt64(bitPattern: Int64(status.st_size)))
        print.append(UInt64(status.st_ino))
        print.append(UInt64(status.st_mode))
    }
}
