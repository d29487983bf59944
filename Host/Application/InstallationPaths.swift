import Glibc
public import TandemCore
public import TandemPluginHost

/// Where this installation's files are: found from the executable, not from the working folder.
public struct InstallationPaths: Sendable {
    /// The folder of the executable, links resolved.
    public var executableFolder: String
    /// `TANDEM_REGISTRY`, or the nearest `registry.json` in the executable's folder or above it.
    public var registry: String
    /// Where bundles lie: `plugins` beside the executable.
    public var plugins: String
    public var dataFolder: String
    /// `TANDEM_TRUST`, or `trust.json` beside the registry.
    public var trustFile: String

    public var databaseFile: String { dataFolder + "/tandem.sqlite" }
    public var keyFile: String { dataFolder + "/master.key" }
    public var lockFile: String { dataFolder + "/plugins.lock.json" }
    /// Which version of a plugin runs where that is not the registry's.
    public var versionsFile: String { dataFolder + "/plugins.versions.json" }
    /// The last crashes of isolated plugins.
    public var crashesFile: String { dataFolder + "/plugins.crashes.json" }
    /// Bundles that upgrades came from and went to.
    public var bundleStore: String { dataFolder + "/bundles" }
    /// What was revoked, beside the keys that are trusted.
    public var revocationsFile: String {
        (trustFile.lastIndex(of: "/").map { String(trustFile[...$0]) } ?? "") + "revocations.json"
    }
    /// This machine's signing keys.
    public var keysFolder: String { dataFolder + "/keys" }

    /// Where the plugin host looks for what it trusts.
    public var trust: TrustPaths {
        TrustPaths(
            store: trustFile, revocations: revocationsFile,
            acceptedRevocations: dataFolder + "/revocations.accepted.json", keys: keysFolder)
    }

    public init(configuration: Configuration, executable: String? = nil) {
        let folder = executable ?? InstallationPaths.ownFolder()
        executableFolder = folder
        plugins = folder + "/plugins"
        dataFolder = configuration.dataFolder
        let registry = configuration.registry ?? InstallationPaths.nearestRegistry(from: folder)
        self.registry = registry
        trustFile =
            configuration.trust
            ?? (registry.lastIndex(of: "/").map { String(registry[...$0]) } ?? "") + "trust.json"
    }

    /// Makes the data folder for this user alone (mode 0700).
    ///
    /// Throws `ApplicationError` when it cannot be made or is no folder.
    public func makeDataFolder() throws {
        var partial = ""
        for part in dataFolder.split(separator: "/") {
            partial += "/" + part
            var status = stat()
            if stat(partial, &status) == 0 {
                guard status.st_mode & S_IFMT == S_IFDIR else {
                    throw ApplicationError(
                        "\(partial) is no folder, so the data folder cannot be there. Set TANDEM_DATA to another one.")
                }
            } else if mkdir(partial, 0o700) != 0, errno != EEXIST {
                throw ApplicationError(
                    "The data folder \(dataFolder) cannot be made (errno \(errno)). Set TANDEM_DATA to a folder that "
                        + "this user may write to.")
            }
        }
    }

    private static func ownFolder() -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return "." }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    private static func nearestRegistry(from folder: String) -> String {
        var candidate = folder
        for _ in 0..<6 {
            if access(candidate + "/registry.json", R_OK) == 0 { return candidate + "/registry.json" }
            guard let slash = candidate.lastIndex(of: "/"), slash != candidate.startIndex else { break }
            candidate = String(candidate[..<slash])
        }
        return folder + "/registry.json"
    }
}

/// Why the program cannot be set up: one or two sentences, what was wrong and what to do.
public struct ApplicationError: Error, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
