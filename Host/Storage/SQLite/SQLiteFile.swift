import Glibc

/// The database file on its file system.
enum SQLiteFile {
    /// Creates the file with mode 0600, or takes the rights of others away; SQLite gives its log files the same mode.
    ///
    /// An existing file is not opened here: closing it would drop the locks that this process holds on it elsewhere
    /// (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    static func prepare(_ path: String) throws {
        var status = stat()
        if stat(path, &status) != 0 {
            guard errno == ENOENT else { throw failure(errno, path) }
            let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 {
                Glibc.close(descriptor)
                return
            }
            guard errno == EEXIST, stat(path, &status) == 0 else { throw failure(errno, path) }
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw failure(EISDIR, path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError(.cannotOpen, "\(path) is no ordinary file", operation: "open the database")
        }
        if status.st_mode & 0o077 != 0, chmod(path, 0o600) != 0 {
            throw StorageError(
                .permission, "others may read \(path) and its mode cannot be changed: set it to 0600",
                operation: "open the database", nativeCode: errno)
        }
        guard access(path, R_OK | W_OK) == 0 else { throw failure(errno, path) }
    }

    private static func failure(_ code: Int32, _ path: String) -> StorageError {
        let kind: StorageError.Code
        let message: String
        switch code {
        case EACCES, EPERM:
            kind = .permission
            message =
                "\(path) may not be read and written by this user: change the owner or the mode of it and its folder"
        case EROFS:
            kind = .readOnly
            message = "\(path) is on a read-only file system: mount it writable or choose another data folder"
        case ENOENT:
            kind = .cannotOpen
            message = "the folder of \(path) does not exist: create it or choose another data folder"
        case ENOSPC, EDQUOT:
            kind = .diskFull
            message = "no space is left for \(path): free some"
        case EISDIR:
            kind = .cannotOpen
            message = "\(path) is a folder, not a database file"
        default:
            kind = .cannotOpen
            message = "\(path) cannot be opened: \(String(cString: strerror(code)))"
        }
        return StorageError(kind, message, operation: "open the database", nativeCode: code)
    }

    /// Adds the file's name to an error that concerns the whole file.
    static func explain(_ error: StorageError, path: String) -> StorageError {
        switch error.code {
        case .corrupt, .databaseNewer, .busy, .diskFull, .readOnly, .io, .permission, .cannotOpen:
            guard !error.message.contains(path) else { return error }
            var explained = error
            explained.message = "\(path): \(error.message)"
            return explained
        default: return error
        }
    }
}
