import Glibc
import TandemJSON

/// A bundle's folder, read and checked without loading code.
struct Bundle: Sendable {
    /// The real path of the folder.
    let path: String
    let manifest: PluginManifest
    /// Of `plugin.json`.
    let manifestChecksum: String
    /// Of every other file, as found.
    let files: [String: String]
    /// Empty for a manifest-only plugin that calls a library of the system.
    let library: [UInt8]
    /// Nil when `library` is empty.
    let image: ELFImage?

    static let maxLibraryBytes = 256 << 20

    var libraryChecksum: String { files[manifest.packaging?.library ?? ""] ?? "" }

    /// Opens each file once, relative to the opened folder; what is checked is what is kept.
    init(at path: String) throws(PluginRefusal) {
        guard let real = realpath(path, nil) else {
            throw PluginRefusal(.missingFile, "the bundle \(path) is missing")
        }
        self.path = String(cString: real)
        free(real)
        let folder = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard folder >= 0 else {
            throw PluginRefusal(
                errno == ENOTDIR ? .unsafeFile : .missingFile,
                "the bundle \(path) is no readable folder: \(systemMessage(errno))")
        }
        defer { close(folder) }
        var status = stat()
        guard fstat(folder, &status) == 0, status.st_mode & 0o022 == 0 else {
            throw PluginRefusal(.unsafeFile, "the bundle \(path) can be written by its group or by everybody")
        }
        let text = try Self.read("plugin.json", in: folder, limit: PluginManifest.maxDocumentBytes)
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
        for name in try Self.names(in: self.path) where name != "plugin.json" && packaging.files[name] == nil {
            throw PluginRefusal(.unsafeFile, "\(name) lies in the bundle but not in the manifest's list of files")
        }
        var found: [String: String] = [:]
        var library: [UInt8] = []
        for name in packaging.files.keys.sorted() {
            let bytes = try Self.read(name, in: folder, limit: Self.maxLibraryBytes)
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

    /// A plugin exports the entry; a plain C library exports every function that the manifest names.
    private static func image(of library: [UInt8], _ manifest: PluginManifest) throws(PluginRefusal) -> ELFImage? {
        guard let foreign = manifest.foreign else { return try ELFImage(library) }
        guard let file = foreign.libraryFile else { return nil }
        let image = try ELFImage(library, isPlugin: false)
        let exported = Set(image.exported)
        for symbol in foreign.symbols where !exported.contains(symbol) {
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

    private static func names(in path: String) throws(PluginRefusal) -> [String] {
        guard let folder = opendir(path) else {
            throw PluginRefusal(.missingFile, "the bundle cannot be listed: \(systemMessage(errno))")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
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
