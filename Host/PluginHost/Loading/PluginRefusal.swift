/// Why a plugin is not loaded: a stable code for programs and a sentence for the operator.
public struct PluginRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// An open set; codes are never renamed.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public static let missingFile = Code(rawValue: "missing_file")
        /// A link, a pipe, a folder; too large; writable by others; not in the manifest's list.
        public static let unsafeFile = Code(rawValue: "unsafe_file")
        public static let wrongChecksum = Code(rawValue: "wrong_checksum")
        public static let notPinned = Code(rawValue: "not_pinned")
        /// Its tier asks for a signature, and there is none.
        public static let notSigned = Code(rawValue: "not_signed")
        /// The signature does not belong to these bytes.
        public static let wrongSignature = Code(rawValue: "wrong_signature")
        /// Signed by a key that this host does not trust, not for this plugin or not at this tier.
        public static let untrustedKey = Code(rawValue: "untrusted_key")
        /// The key, the version or the build was revoked.
        public static let revoked = Code(rawValue: "revoked")
        public static let needsRunner = Code(rawValue: "needs_runner")
        /// The isolated process cannot be started.
        public static let runnerFailed = Code(rawValue: "runner_failed")
        /// The kernel lacks a part of what isolates a plugin.
        public static let weakIsolation = Code(rawValue: "weak_isolation")
        public static let invalidManifest = Code(rawValue: "invalid_manifest")
        /// A library of the system that the registry entry does not allow.
        public static let libraryNotAllowed = Code(rawValue: "library_not_allowed")
        public static let notELF = Code(rawValue: "not_elf")
        public static let otherArchitecture = Code(rawValue: "other_architecture")
        /// An ELF file that is no loadable plugin: no library, damaged, executable stack …
        public static let unsuitableImage = Code(rawValue: "unsuitable_image")
        public static let embeddedRuntime = Code(rawValue: "embedded_runtime")
        public static let noEntry = Code(rawValue: "no_entry")
        public static let loadFailed = Code(rawValue: "load_failed")
        public static let abiMismatch = Code(rawValue: "abi_mismatch")
        public static let brokenTable = Code(rawValue: "broken_table")
        public static let manifestDiffers = Code(rawValue: "manifest_differs")
        public static let duplicatePlugin = Code(rawValue: "duplicate_plugin")
        public static let duplicateTool = Code(rawValue: "duplicate_tool")
        public static let duplicateTable = Code(rawValue: "duplicate_table")
        public static let createFailed = Code(rawValue: "create_failed")
        public static let storageFailed = Code(rawValue: "storage_failed")
    }

    public var code: Code
    /// One sentence; names files and symbols, no secrets.
    public var reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public var description: String { reason }
}
