import Crypto
import Glibc

/// Why a file is not read.
struct FileRefusal: Error, Sendable {
    var errno: Int32
    var reason: String
}

/// A regular file, opened once: what is checked through this descriptor is what is read.
///
/// A symbolic link is not followed, a pipe is not waited for, and a file that others may write is refused, since it
/// could change after its checksum was taken.
struct RegularFile: ~Copyable {
    let descriptor: Int32
    let size: Int
    /// Nobody but the owner may read or write it.
    let isPrivate: Bool
    private let name: String

    /// Opens `path`, relative to the folder `directory` when given.
    init(
        path: String, in directory: Int32 = AT_FDCWD, limit: Int, requiresPrivateWriting: Bool
    ) throws(FileRefusal) {
        name = path
        let descriptor = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            let code = errno
            switch code {
            case ENOENT, ENOTDIR: throw FileRefusal(errno: ENOENT, reason: "\(path) is missing")
            case ELOOP: throw FileRefusal(errno: code, reason: "\(path) is a symbolic link")
            case ENXIO: throw FileRefusal(errno: code, reason: "\(path) is not a regular file")
            default: throw FileRefusal(errno: code, reason: "\(path) cannot be opened: \(systemMessage(code))")
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw FileRefusal(errno: code, reason: "\(path) cannot be examined: \(systemMessage(code))")
        }
        let problem: String? =
            if status.st_mode & S_IFMT != S_IFREG {
                "\(path) is not a regular file"
            } else if requiresPrivateWriting, status.st_mode & 0o022 != 0 {
                "\(path) can be written by its group or by everybody"
            } else if status.st_size > limit {
                "\(path) has \(status.st_size) bytes, more than the \(limit) allowed"
            } else {
                nil
            }
        if let problem {
            close(descriptor)
            throw FileRefusal(errno: EACCES, reason: problem)
        }
        self.descriptor = descriptor
        isPrivate = status.st_mode & 0o077 == 0
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// The bytes, once; throws when the file is shorter or longer than it was when opened.
    borrowing func read() throws(FileRefusal) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, count in
            while count < size + 1 {
                let amount = pread(descriptor, buffer.baseAddress.map { $0 + count }, size + 1 - count, off_t(count))
                if amount == 0 { break }
                if amount < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    break
                }
                count += amount
            }
        }
        if failure != 0 {
            throw FileRefusal(errno: failure, reason: "\(name) cannot be read: \(systemMessage(failure))")
        }
        guard bytes.count == size else { throw FileRefusal(errno: EIO, reason: "\(name) changed while it was read") }
        return bytes
    }
}

/// The C library's text for an `errno`.
func systemMessage(_ code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard let start = buffer.baseAddress else { return "error \(code)" }
        return strerror_r(code, start, buffer.count) == 0 ? String(cString: start) : "error \(code)"
    }
}

/// Writes files so that a reader sees the old or the new one, never a part.
enum AtomicFile {
    /// Temporary file in the same folder, `fsync`, rename.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(FileRefusal) {
        let temporary = "\(path).\(getpid()).\(UInt64.random(in: 0 ... .max)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else {
            throw FileRefusal(errno: errno, reason: "\(path) cannot be written: \(systemMessage(errno))")
        }
        var failure: Int32 = 0
        if fchmod(descriptor, mode) != 0 { failure = errno }
        if failure == 0 { failure = writeAll(bytes, to: descriptor) }
        if failure == 0, fsync(descriptor) != 0 { failure = errno }
        close(descriptor)
        if failure == 0, rename(temporary, path) != 0 { failure = errno }
        if failure != 0 {
            unlink(temporary)
            throw FileRefusal(errno: failure, reason: "\(path) cannot be written: \(systemMessage(failure))")
        }
    }

    /// 0 or an `errno`.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 { writeAll(bytes[...], to: descriptor) }

    static func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let amount = Glibc.write(
                    descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
                if amount < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                offset += amount
            }
            return 0
        }
    }
}

/// `sha256:` and lower-case hexadecimal digits.
enum Checksum {
    static func of(_ bytes: [UInt8]) -> String { text(SHA256.hash(data: bytes)) }

    private static func text(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text = Array("sha256:".utf8)
        text.reserveCapacity(71)
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
