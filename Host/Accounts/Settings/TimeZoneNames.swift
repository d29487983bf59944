import Glibc

/// The time zones that this machine knows (IANA tz database, as compiled files).
enum TimeZoneNames {
    /// The canonical spelling of a zone's name, whatever its case; nil when the machine has no such zone.
    ///
    /// Looks in `$TZDIR` or `/usr/share/zoneinfo`; `UTC` is known without it.
    static func find(_ name: String) -> String? {
        if name.lowercased() == "utc" { return "UTC" }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), name.utf8.count <= 64,
            parts.allSatisfy({ part in
                !part.isEmpty
                    && part.utf8.allSatisfy {
                        (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95
                            || $0 == 45
                            || $0 == 43
                    }
            })
        else { return nil }
        var folder = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
        var found: [String] = []
        for part in parts {
            // Copies with other leap seconds, not zones of their own.
            guard let entry = entry(part.lowercased(), in: folder),
                !(found.isEmpty && ["posix", "right"].contains(entry))
            else { return nil }
            found.append(entry)
            folder += "/\(entry)"
        }
        return isZone(folder) ? found.joined(separator: "/") : nil
    }

    private static func entry(_ lowered: String, in path: String) -> String? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.lowercased() == lowered { return name }
        }
        return nil
    }

    /// RFC 8536 §3.1: the file begins with `TZif`.
    private static func isZone(_ path: String) -> Bool {
        guard let file = fopen(path, "rb") else { return false }
        defer { fclose(file) }
        var magic = [UInt8](repeating: 0, count: 4)
        return fread(&magic, 1, 4, file) == 4 && magic == Array("TZif".utf8)
    }
}
