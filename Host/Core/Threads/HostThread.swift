import Glibc

/// Starts detached POSIX threads of the host's own: what blocks, and other people's code, never runs on Swift's shared pool.
package enum HostThread {
    /// Runs `body` on a new thread, which ends with it.
    ///
    /// - Parameter name: what the system's tools show, at most 15 bytes.
    /// - Returns: false when the system has no thread to give; `body` is not called then.
    package static func start(named name: String? = nil, _ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(ThreadBody(name: name, body))
        var thread = pthread_t()
        guard pthread_create(&thread, nil, hostThreadMain, box.toOpaque()) == 0 else {
            box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}

private final class ThreadBody: Sendable {
    let name: String?
    let run: @Sendable () -> Void

    init(name: String?, _ run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

private func hostThreadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
    if let name = body.name { setOwnName(name) }
    body.run()
    return nil
}

/// By the file, since the function for it is none of POSIX's.
private func setOwnName(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = name.utf8.withContiguousStorageIfAvailable { write(file, $0.baseAddress, $0.count) }
    close(file)
}
