import CArchive
import Crypto
import Glibc

/// A file of an archive.
struct ArchiveFile: Sendable {
    var path: String
    var bytes: [UInt8]
}

/// Why an archive cannot be read or written; no content.
struct ArchiveFailure: Error {
    var reason: String
}

/// ZIP archives, by libarchive (https://www.libarchive.org): every system opens them without more.
enum Archive {
    /// What a hostile archive may cost at most.
    static let mostBytes = 512 << 20
    static let mostFiles = 4096

    static func write(_ files: [ArchiveFile], at time: Int64) throws -> [UInt8] {
        guard let archive = archive_write_new() else { throw ArchiveFailure(reason: "out of memory") }
        defer { archive_write_free(archive) }
        func check(_ status: Int32) throws {
            guard status == ARCHIVE_OK else {
                throw ArchiveFailure(
                    reason: archive_error_string(archive).map { String(cString: $0) } ?? "libarchive failed")
            }
        }
        try check(archive_write_set_format_zip(archive))
        try check(archive_write_set_bytes_per_block(archive, 0))
        let output = Output()
        try check(
            archive_write_open2(
                archive, Unmanaged.passUnretained(output).toOpaque(), nil,
                { _, context, buffer, count in
                    guard let context, let buffer else { return -1 }
                    Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
                        .bytes.append(contentsOf: UnsafeRawBufferPointer(start: buffer, count: count))
                    return count
                }, nil, nil))
        for file in files {
            guard let entry = archive_entry_new() else { throw ArchiveFailure(reason: "out of memory") }
            defer { archive_entry_free(entry) }
            archive_entry_set_pathname(entry, file.path)
            archive_entry_set_size(entry, Int64(file.bytes.count))
            // AE_IFREG, which is a macro with a cast.
            archive_entry_set_filetype(entry, 0o100000)
            archive_entry_set_perm(entry, 0o600)
            archive_entry_set_mtime(entry, Int(time), 0)
            try check(archive_write_header(archive, entry))
            var sent = 0
            while sent < file.bytes.count {
                let count = file.bytes[sent...].withUnsafeBytes {
                    archive_write_data(archive, $0.baseAddress, $0.count)
                }
                guard count > 0 else { throw ArchiveFailure(reason: "the archive cannot be written") }
                sent += count
            }
        }
        try check(archive_write_close(archive))
        return withExtendedLifetime(output) { output.bytes }
    }

    private final class Output {
        var bytes: [UInt8] = []
    }

    /// Reads a ZIP archive; ordinary files with plain relative names only, within the limits.
    static func read(_ bytes: [UInt8], upTo mostBytes: Int = mostBytes) throws -> [ArchiveFile] {
        guard let archive = archive_read_new() else { throw ArchiveFailure(reason: "out of memory") }
        defer { archive_read_free(archive) }
        guard archive_read_support_format_zip(archive) == ARCHIVE_OK else {
            throw ArchiveFailure(reason: "libarchive reads no ZIP")
        }
        return try bytes.withUnsafeBytes { buffer in
            guard archive_read_open_memory(archive, buffer.baseAddress, buffer.count) == ARCHIVE_OK else {
                throw ArchiveFailure(reason: "it is no ZIP archive")
            }
            var files: [ArchiveFile] = []
            var names: Set<String> = []
            var total = 0
            while true {
                var entry: OpaquePointer?
                let status = archive_read_next_header(archive, &entry)
                if status == ARCHIVE_EOF { return files }
                guard status == ARCHIVE_OK, let entry else { throw ArchiveFailure(reason: "it is damaged") }
                guard let name = archive_entry_pathname(entry).map({ String(cString: $0) }), isPlain(name),
                    archive_entry_filetype(entry) == 0o100000, archive_entry_is_encrypted(entry) == 0,
                    names.insert(name).inserted
                else { throw ArchiveFailure(reason: "it holds something else than ordinary files with plain names") }
                guard files.count < mostFiles else { throw ArchiveFailure(reason: "it holds too many files") }
                var content: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let count = chunk.withUnsafeMutableBytes { archive_read_data(archive, $0.baseAddress, $0.count) }
                    guard count >= 0 else { throw ArchiveFailure(reason: "it is damaged") }
                    if count == 0 { break }
                    total += count
                    guard total <= mostBytes else {
                        throw ArchiveFailure(reason: "it unpacks to more than \(mostBytes >> 20) MiB")
                    }
                    content.append(contentsOf: chunk[..<count])
                }
                files.append(ArchiveFile(path: name, bytes: content))
            }
        }
    }

    private static func isPlain(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return (1...200).contains(name.utf8.count)
            && parts.allSatisfy { part in
                !part.isEmpty && part.first != UInt8(ascii: ".")
                    && part.allSatisfy {
                        ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 26) || $0 == 95 || $0 == 45 || $0 == 46
                    }
            }
    }

    static func checksum(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
