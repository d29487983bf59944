import CRunner
import Glibc
import Logging
import Synchronization

/// The parts of the isolation, by name.
enum RunnerIsolation {
    static let all = UInt32(TANDEM_ISOLATION_ALL)

    /// Without these untrusted code is not loaded. The other namespaces stand behind what seccomp and Landlock forbid
    /// already.
    static let required = UInt32(
        TANDEM_ISOLATION_NETWORK | TANDEM_ISOLATION_USER | TANDEM_ISOLATION_LIMITS | TANDEM_ISOLATION_LANDLOCK
            | TANDEM_ISOLATION_SECCOMP | TANDEM_ISOLATION_PARENT)

    private static let reported = Mutex<UInt32>(0)

    /// Says, once in the life of this process, what the kernel does not give.
    static func report(_ missing: UInt32, to logger: Logger) {
        guard missing != 0,
            reported.withLock({ reported in
                defer { reported |= missing }
                return missing & ~reported != 0
            })
        else { return }
        let parts = names(of: missing).joined(separator: ", ")
        if missing & required != 0 {
            logger.error(
                """
                plugins are NOT isolated as they should be: this system lacks parts of it, and \
                TANDEM_ALLOW_WEAK_ISOLATION loads them anyway
                """, metadata: ["missing": "\(parts)"])
        } else {
            logger.warning(
                "this system lacks a part of the isolation of plugins that others make up for",
                metadata: ["missing": "\(parts)"])
        }
    }

    static func names(of bits: UInt32) -> [String] {
        let names: [(UInt32, String)] = [
            (TANDEM_ISOLATION_NETWORK, "network namespace"), (TANDEM_ISOLATION_PROCESSES, "pid namespace"),
            (TANDEM_ISOLATION_USER, "dropped privileges"), (TANDEM_ISOLATION_MOUNTS, "mount namespace"),
            (TANDEM_ISOLATION_IPC, "ipc namespace"), (TANDEM_ISOLATION_LIMITS, "limits"),
            (TANDEM_ISOLATION_LANDLOCK, "landlock"), (TANDEM_ISOLATION_SECCOMP, "seccomp"),
            (TANDEM_ISOLATION_PARENT, "parent death signal"),
        ]
        return names.filter { bits & $0.0 != 0 }.map(\.1)
    }
}

/// Where this host has its Swift runtime from: plugins in runners get the same.
enum SwiftRuntime {
    /// The folder of `libswiftCore.so` as mapped here; empty in a host that is linked statically.
    static let folder: String = {
        guard let name = tandem_library_of("swift_retain") else { return "" }
        let path = String(cString: name)
        guard path.hasPrefix("/"), path.contains("libswiftCore.so"), let slash = path.lastIndex(of: "/") else {
            return ""
        }
        return String(path[..<slash])
    }()

    /// Those of a library's needs that lie in the folder.
    static func libraries(of needed: [String]) -> (folder: String, names: [String]) {
        guard !folder.isEmpty else { return ("", []) }
        let names = needed.filter { name in
            (name.hasPrefix("libswift") || name.hasPrefix("lib_") || name.hasPrefix("libFoundation")
                || name.hasPrefix("libdispatch") || name.hasPrefix("libBlocksRuntime"))
                && access(folder + "/" + name, R_OK) == 0
        }
        return (folder, names)
    }
}
