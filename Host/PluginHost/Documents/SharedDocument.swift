import Glibc
import Synchronization

/// A small document in the data folder that several processes of an installation change: one at a time, atomically.
enum SharedDocument {
    private static let gate = Mutex(())

    /// The text of a document, or nil when there is none. Throws `FileRefusal` for a file that others may write.
    static func read(_ path: String) throws -> [UInt8]? {
        do throws(FileRefusal) {
            let file = try RegularFile(path: path, limit: 4 << 20, requiresPrivateWriting: true)
            return try file.read()
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    /// Replaces a document (temporary file, `fsync`, rename; mode 0600) while no other process changes it.
    ///
    /// - Parameter change: gives the new text, or nil to leave it as it is; reads the old one itself.
    static func update(_ path: String, _ change: () throws -> [UInt8]?) throws {
        try gate.withLock { _ in
            let guardian = open(path + ".guard", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            if guardian >= 0 { flock(guardian, LOCK_EX) }
            defer { if guardian >= 0 { close(guardian) } }
            guard let text = try change() else { return }
            try AtomicFile.write(text, to: path, mode: 0o600)
        }
    }
}
