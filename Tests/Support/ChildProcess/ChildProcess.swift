import CLinux
import Glibc

/// Starts the programs that tests need beside themselves: with the descriptors that are named and no other, whatever a library
/// opened without close-on-exec (libcurl's wake-up sockets, say, of which a run of all tests has hundreds).
public enum ChildProcess {
    /// Where one of the three standard descriptors leads.
    public enum Stream: Sendable {
        case nothing
        /// A file, empty at first.
        case newFile(String)
        /// A file that it writes to the end of.
        case appending(String)
        /// One of ours; it stays open here.
        case descriptor(Int32)
    }

    /// Starts a program, which is looked for in `PATH` when its name has no slash.
    ///
    /// - Parameters:
    ///   - environment: All that it gets; nil: this process's own.
    ///   - isLeader: In a session of its own, so that what a terminal sends to the tests does not reach it, with no signal held back.
    /// - Returns: The process, which the caller waits for; or what `posix_spawn` answered, negative.
    public static func spawn(
        _ command: [String], environment: [String: String]? = nil, input: Stream = .nothing, output: Stream = .nothing,
        errors: Stream = .nothing, isLeader: Bool = false
    ) -> Int32 {
        guard let program = command.first else { return -EINVAL }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in [input, output, errors].enumerated() {
            let number = Int32(number)
            switch stream {
            case .nothing:
                posix_spawn_file_actions_addopen(&actions, number, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
            case .newFile(let path):
                posix_spawn_file_actions_addopen(&actions, number, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            case .appending(let path):
                posix_spawn_file_actions_addopen(&actions, number, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, number)
            }
        }
        _ = withUnsafeMutablePointer(to: &actions) { tandem_spawn_close_from($0, 3) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if isLeader {
            let newSession: Int16 = 0x80
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | newSession)
            var none = sigset_t()
            sigemptyset(&none)
            posix_spawnattr_setsigmask(&attributes, &none)
        }
        var words = command.map { strdup($0) } + [nil]
        var variables = environment.map { list in list.map { strdup("\($0)=\($1)") } + [nil] } ?? []
        defer { for pointer in words + variables { free(pointer) } }
        var process: pid_t = 0
        let code =
            environment == nil
            ? posix_spawnp(&process, program, &actions, &attributes, &words, environ)
            : posix_spawnp(&process, program, &actions, &attributes, &words, &variables)
        return code == 0 ? process : -code
    }
}
