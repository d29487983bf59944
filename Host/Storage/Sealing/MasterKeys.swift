import Crypto
import Glibc

/// The keys that wrap the users' keys: 32 bytes each, with a version.
///
/// Text form: one key per line (or separated by commas), in base64 or 64 hexadecimal digits, with a version before it as in
/// `2:…`; a single key without one has version 1. The highest version wraps what is new, the others still open what they
/// wrapped. A file of exactly 32 bytes is one raw key.
public struct MasterKeys: Sendable {
    let keys: [Int: SymmetricKey]
    let current: Int

    /// The versions, ascending.
    public var versions: [Int] { keys.keys.sorted() }

    init(_ keys: [Int: SymmetricKey]) throws {
        guard let current = keys.keys.max() else {
            throw StorageError(.masterKey, "there is no master key", operation: "read the master key")
        }
        self.keys = keys
        self.current = current
    }

    /// Reads the text form.
    public init(text: String) throws { try self.init(bytes: Array(text.utf8)) }

    /// Reads the content of a key file.
    public init(bytes: [UInt8]) throws {
        if bytes.count == 32 {
            try self.init([1: MasterKeys.key(bytes)])
            return
        }
        var keys: [Int: SymmetricKey] = [:]
        let separators: Set<UInt8> = [10, 13, 9, 32, 44]
        for part in bytes.split(whereSeparator: separators.contains) {
            var version = 1
            var digits = part
            if let colon = part.firstIndex(of: UInt8(ascii: ":")) {
                guard let number = Int(String(decoding: part[..<colon], as: UTF8.self)),
                    (1...1_000_000).contains(number)
                else {
                    throw StorageError(
                        .masterKey, "a key's version is a number from 1: VERSION:KEY", operation: "read the master key")
                }
                version = number
                digits = part[(colon + 1)...]
            }
            guard keys[version] == nil else {
                throw StorageError(
                    .masterKey, "version \(version) is there twice: put VERSION: before each key",
                    operation: "read the master key")
            }
            guard let raw = digits.count == 64 ? decoded(hexadecimal: digits) : decoded(base64: digits), raw.count == 32
            else {
                throw StorageError(
                    .masterKey, "a master key is 32 bytes in base64 (44 characters) or hexadecimal (64 characters)",
                    operation: "read the master key")
            }
            keys[version] = try MasterKeys.key(raw)
        }
        try self.init(keys)
    }

    private static func key(_ bytes: [UInt8]) throws -> SymmetricKey {
        guard let first = bytes.first, bytes.contains(where: { $0 != first }) else {
            throw StorageError(
                .masterKey, "the key is one byte repeated, not a random key", operation: "read the master key")
        }
        return SymmetricKey(data: bytes)
    }

    /// Reads a key file that only its owner may read.
    public init(file path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            let code = errno
            throw StorageError(
                .masterKey, "\(path) cannot be read: \(String(cString: strerror(code)))",
                operation: "read the master key",
                nativeCode: code)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError(.masterKey, "\(path) is no ordinary file", operation: "read the master key")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw StorageError(
                .masterKey, "others may read \(path): set its mode to 0600, and replace the key if it was seen",
                operation: "read the master key")
        }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while content.count <= 65_536 {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            content.append(contentsOf: buffer[..<count])
        }
        try self.init(bytes: content)
    }

    /// Adds a new random key to a key file, with the next version; returns it. The file is replaced as a whole, so that it
    /// always has either the old or the new content.
    public static func addVersion(file path: String) throws -> Int {
        let old = try MasterKeys(file: path)
        var keys = old.keys
        let version = old.current + 1
        keys[version] = SymmetricKey(size: .bits256)
        let lines = keys.sorted { $0.key < $1.key }.map { "\($0):\($1.withUnsafeBytes { hexadecimal($0) })\n" }
        let other = "\(path).new"
        unlink(other)
        try writeFile(Array(lines.joined().utf8), to: other, "add a master key")
        guard rename(other, path) == 0 else {
            let code = errno
            unlink(other)
            throw StorageError(
                .masterKey, "\(path) cannot be replaced: \(String(cString: strerror(code)))",
                operation: "add a master key", nativeCode: code)
        }
        let folder = open(path.lastIndex(of: "/").map { String(path[..<$0]) + "/" } ?? ".", O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
        return version
    }

    /// Makes a durable file that only this user may read.
    private static func writeFile(_ bytes: [UInt8], to path: String, _ operation: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let code = errno
            throw StorageError(
                .masterKey, "\(path) cannot be made: \(String(cString: strerror(code)))", operation: operation,
                nativeCode: code)
        }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0, count <= bytes.count else {
                let code = errno
                unlink(path)
                throw StorageError(
                    .masterKey, "\(path) cannot be written: \(String(cString: strerror(code)))", operation: operation,
                    nativeCode: code)
            }
            written += count
        }
        guard fsync(descriptor) == 0 else {
            throw StorageError(.masterKey, "\(path) cannot be made durable", operation: operation, nativeCode: errno)
        }
    }

    /// Reads the key file, or creates it with a new random key and mode 0600.
    public static func loadOrCreate(file path: String) throws -> MasterKeys {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST { return try MasterKeys(file: path) }
            let code = errno
            throw StorageError(
                .masterKey, "\(path) cannot be created: \(String(cString: strerror(code)))",
                operation: "create the master key", nativeCode: code)
        }
        defer { close(descriptor) }
        var text = Array("1:".utf8)
        text.append(contentsOf: SymmetricKey(size: .bits256).withUnsafeBytes { Array(hexadecimal($0).utf8) })
        text.append(10)
        var written = 0
        while written < text.count {
            let count = text[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = errno
                unlink(path)
                throw StorageError(
                    .masterKey, "\(path) cannot be written: \(String(cString: strerror(code)))",
                    operation: "create the master key", nativeCode: code)
            }
            written += count
        }
        guard fsync(descriptor) == 0 else {
            throw StorageError(
                .masterKey, "\(path) cannot be made durable", operation: "create the master key", nativeCode: errno)
        }
        return try MasterKeys(file: path)
    }
}

private func decoded(hexadecimal digits: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in digits {
        let value: UInt8
        switch digit {
        case 48...57: value = digit - 48
        case 65...70: value = digit - 55
        case 97...102: value = digit - 87
        default: return nil
        }
        if let first = high {
            bytes.append(first << 4 | value)
            high = nil
        } else {
            high = value
        }
    }
    return high == nil ? bytes : nil
}

/// RFC 4648 §4 and §5, padding optional.
private func decoded(base64 digits: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    var padding = 0
    for digit in digits {
        let value: UInt8
        switch digit {
        case 65...90: value = digit - 65
        case 97...122: value = digit - 71
        case 48...57: value = digit + 4
        case 43, 45: value = 62
        case 47, 95: value = 63
        case 61:
            padding += 1
            continue
        default: return nil
        }
        guard padding == 0 else { return nil }
        bits = bits << 6 | UInt32(value)
        count += 6
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
    }
    return padding <= 2 ? bytes : nil
}
