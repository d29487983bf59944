import Glibc
import TandemCore
import TandemJSON

/// A bundle's folder, read and checked without loading code.
struct Bundle: Sendable {
    /// The real path of the folder.
    let path: String
    private(set) var manifest: PluginManifest
    /// `plugin.json` as read: what is signed.
    let manifestBytes: [UInt8]
    /// Of `plugin.json`.
    let manifestChecksum: String
    /// `manifest.sig`, well formed; whether it holds is for the host's trust to say.
    let signature: ManifestSignature?
    /// Of every other file, as found.
    let files: [String: String]
    /// Empty for a manifest-only plugin that calls a library of the system.
    let library: [UInt8]
    /// Nil when `library` is empty.
    let image: ELFImage?

    static let maxLibraryBytes = 256 << 20
    /// Of all files together: what a look at a bundle may cost.
    static let maxBytes = 512 << 20

    var libraryChecksum: String { files[manifest.packaging?.library ?? ""] ?? "" }

    /// Opens each file once, relative to the opened folder; what is checked is what is kept.
    ///
    /// - Parameters:
    ///   - base: the folder that `path` is relative to, given by the operator: it may be a link, what is below may not.
    ///   - ignoresSignature: true to sign it anew.
    init(at path: String, in base: String? = nil, ignoresSignature: Bool = false) throws(PluginRefusal) {
        let folder = try Self.folder(path, in: base)
        defer { close(folder) }
        self.path = try Self.realPath(of: folder)
        var status = stat()
        guard fstat(folder, &status) == 0, status.st_mode & 0o022 == 0 else {
            throw PluginRefusal(.unsafeFile, "the bundle \(path) can be written by its group or by everybody")
        }
        let text = try Self.read("plugin.json", in: folder, limit: PluginManifest.maxDocumentBytes)
        manifestBytes = text
        manifestChecksum = Checksum.of(text)
        do {
            manifest = try PluginManifest(reading: text, packaged: true)
        } catch {
            throw PluginRefusal(.invalidManifest, error.description)
        }
        guard let packaging = manifest.packaging else {
            throw PluginRefusal(.invalidManifest, "plugin.json was not packaged")
        }
        guard manifest.abi.major == PluginTable.hostABI.major else {
            throw PluginRefusal(
                .abiMismatch,
                "the plugin was built for ABI \(manifest.abi), this host has ABI \(PluginTable.hostABI)")
        }
        let names = try Self.names(in: folder)
        for name in names where !Self.unlisted.contains(name) && packaging.files[name] == nil {
            throw PluginRefusal(
                .unsafeFile,
                "\(PlainText.sanitized(name)) lies in the bundle but not in the manifest's list of files")
        }
        signature =
            ignoresSignature || !names.contains(ManifestSignature.fileName) ? nil : try Self.signature(in: folder)
        var found: [String: String] = [:]
        var library: [UInt8] = []
        var room = Self.maxBytes
        for name in packaging.files.keys.sorted() {
            let bytes = try Self.read(name, in: folder, limit: min(Self.maxLibraryBytes, room))
            room -= bytes.count
            let checksum = Checksum.of(bytes)
            guard checksum == packaging.files[name] else {
                throw PluginRefusal(.wrongChecksum, "\(name) does not have the checksum that plugin.json names")
            }
            found[name] = checksum
            if name == packaging.library { library = bytes }
        }
        files = found
        self.library = library
        image = try Self.image(of: library, manifest)
    }

    /// Takes tools for riskier than `plugin.json` says; never for less.
    mutating func raise(_ effects: [String: Effect]) {
        for index in manifest.tools.indices {
            guard let effect = effects[manifest.tools[index].id], effect > manifest.tools[index].effect else {
                continue
            }
            manifest.tools[index].effect = effect
        }
    }

    /// Says with each tool whose it is.
    mutating func attribute(to source: String) {
        for index in manifest.tools.indices { manifest.tools[index].source = source }
    }

    /// A plugin exports the entry; a plain C library exports every function that the manifest names.
    private static func image(of library: [UInt8], _ manifest: PluginManifest) throws(PluginRefusal) -> ELFImage? {
        guard let foreign = manifest.foreign else { return try ELFImage(library) }
        guard let file = foreign.libraryFile else { return nil }
        let image = try ELFImage(library, isPlugin: false)
        let exported = Set(image.exported)
        // What the caller frees is freed by the C library that the library itself needs.
        for symbol in foreign.symbols where !exported.contains(symbol) && symbol != "free" {
            throw PluginRefusal(.noEntry, "\(file) does not export the function \(symbol)")
        }
        return image
    }

    private static func read(_ name: String, in folder: Int32, limit: Int) throws(PluginRefusal) -> [UInt8] {
        do throws(FileRefusal) {
            let file = try RegularFile(path: name, in: folder, limit: limit, requiresPrivateWriting: true)
            return try file.read()
        } catch {
            throw PluginRefusal(error.errno == ENOENT ? .missingFile : .unsafeFile, error.reason)
        }
    }

    /// What the manifest cannot list.
    private static let unlisted: Set<String> = ["plugin.json", ManifestSignature.fileName]

    private static func signature(in folder: Int32) throws(PluginRefusal) -> ManifestSignature {
        let text = try read(ManifestSignature.fileName, in: folder, limit: ManifestSignature.maxDocumentBytes)
        do {
            return try ManifestSignature(reading: text)
        } catch {
            throw PluginRefusal(.wrongSignature, error.description)
        }
    }

    /// Opens the folder: below `base` no component may be a link.
    private static func folder(_ path: String, in base: String?) throws(PluginRefusal) -> Int32 {
        var current = AT_FDCWD
        var parts = [Substring(path)]
        if let base {
            current = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard current >= 0 else {
                throw PluginRefusal(.missingFile, "the bundle \(path) is missing: \(systemMessage(errno))")
            }
            parts = path.split(separator: "/", omittingEmptySubsequences: false)
        }
        for part in parts {
            let next = openat(current, String(part), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            let code = errno
            if current != AT_FDCWD { close(current) }
            guard next >= 0 else {
                switch code {
                case ENOENT: throw PluginRefusal(.missingFile, "the bundle \(path) is missing")
                // What Linux says of a link that O_NOFOLLOW met, with and without O_DIRECTORY.
                case ELOOP, ENOTDIR:
                    throw PluginRefusal(.unsafeFile, "the bundle \(path) is no folder, or reached over a symbolic link")
                default:
                    throw PluginRefusal(
                        .missingFile, "the bundle \(path) is no readable folder: \(systemMessage(code))")
                }
            }
            current = next
        }
        return current
    }

    /// Where an opened folder is.
    private static func realPath(of folder: Int32) throws(PluginRefusal) -> String {
        guard let real = realpath("/proc/self/fd/\(folder)", nil) else {
            throw PluginRefusal(.missingFile, "the bundle's place cannot be found: \(systemMessage(errno))")
        }
        defer { free(real) }
        return String(cString: real)
    }

    private static func names(in folder: Int32) throws(PluginRefusal) -> [String] {
        // A descriptor of its own: its position and its end are this listing's.
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let listing = fdopendir(copy) else {
            let code = errno
            if copy >= 0 { close(copy) }
            throw PluginRefusal(.missingFile, "the bundle cannot be listed: \(systemMessage(code))")
        }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            names.append(name)
            guard names.count <= 1000 else { throw PluginRefusal(.unsafeFile, "the bundle holds over 1000 files") }
        }
        return names
    }
}
