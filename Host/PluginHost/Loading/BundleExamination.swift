import Glibc

/// A bundle as the tools for authors look at it: everything the host checks before it loads code, as plain values.
///
/// Reads each file once; runs nothing.
public struct BundleExamination: Sendable {
    /// The real path of the bundle's folder.
    public let folder: String
    public let manifest: PluginManifest
    /// `sha256:` of `plugin.json`.
    public let manifestChecksum: String
    /// Well formed; whether the key is one to trust is for `tandem plugin verify` to say.
    public let signature: ManifestSignature?
    /// Size and checksum by file name, of every file but `plugin.json`.
    public let files: [(name: String, bytes: Int, checksum: String)]
    /// Nil for a plugin without code (`foreign` in the manifest).
    public let library: Library?

    /// What a library's headers say.
    public struct Library: Sendable {
        public let path: String
        public let bytes: Int
        /// Exported symbols, the entry among them.
        public let exported: [String]
        /// Exported symbols that no plugin needs to export.
        public let strayExports: [String]
        /// Names that other libraries have to define.
        public let undefined: [String]
        public let needed: [String]
        /// Linked with `-z nodelete`.
        public let isNeverDeleted: Bool
        /// Linked with `-z relro`.
        public let hasReadOnlyRelocations: Bool
        public let isSwift: Bool
        /// What compilers say of themselves.
        public let compilers: [String]
    }

    /// Throws why a host would refuse the bundle.
    public init(folder path: String) throws(PluginRefusal) {
        let bundle = try Bundle(at: path)
        folder = bundle.path
        manifest = bundle.manifest
        manifestChecksum = bundle.manifestChecksum
        signature = bundle.signature
        let name = bundle.manifest.packaging?.library ?? ""
        library = bundle.image.map { Self.library($0, path: bundle.path + "/" + name, bytes: bundle.library.count) }
        files = bundle.files.sorted { $0.key < $1.key }.map { file in
            var status = stat()
            let isThere = stat(bundle.path + "/" + file.key, &status) == 0
            return (file.key, isThere ? Int(status.st_size) : 0, file.value)
        }
    }

    private static func library(_ image: ELFImage, path: String, bytes: Int) -> Library {
        Library(
            path: path, bytes: bytes, exported: image.exported, strayExports: image.strayExports,
            undefined: image.undefined, needed: image.needed, isNeverDeleted: image.isNeverDeleted,
            hasReadOnlyRelocations: image.hasReadOnlyRelocations,
            isSwift: image.hasSwiftMetadata || image.needsSwiftRuntime, compilers: image.compilers)
    }

    /// Where `plugin.json` and the manifest in the code differ, as a JSON pointer; nil when they agree.
    ///
    /// Throws what is wrong with the code's.
    public func difference(fromCode text: [UInt8]) throws -> String? {
        let code = try PluginManifest(reading: text, packaged: false)
        return ManifestDifference.pointer(file: manifest.document, code: code.document).map { $0.isEmpty ? "/" : $0 }
    }
}
