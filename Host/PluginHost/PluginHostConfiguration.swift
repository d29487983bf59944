import Glibc

/// Where the plugin host finds things and how long it waits.
public struct PluginHostConfiguration: Sendable {
    /// `registry.json`.
    public var registryPath: String
    /// Folders in which bundles are looked for, first match wins.
    public var searchPaths: [String]
    /// Where this host's own build puts its bundles: what lies there counts as first-party without a checksum in the
    /// registry. Nil: nothing does.
    public var buildFolder: String?
    /// `plugins.lock.json` in the data folder; nil: local builds are not pinned (tests, pipes).
    public var lockPath: String?
    /// What decides whom this host trusts.
    public var trust: TrustPaths
    /// The target triple of this host: `x86_64-unknown-linux-gnu`.
    public var platform: String
    /// First parts of the ids of the host's own tools.
    public var reservedNamespaces: Set<String>
    /// Names of the host's own tables.
    public var reservedTables: Set<String>
    /// An instance that was not used for so long is dropped.
    public var idleAfter: Duration
    /// How often the registry, the lock and the bundles are looked at.
    public var pollInterval: Duration
    /// How old a person's grants in memory may be: another process may change them in the database.
    public var grantsMaxAge: Duration
    /// How long before a deadline the plugin is told.
    public var cancelLead: Duration
    /// How long a cancelled call may take to end.
    public var cancelGrace: Duration
    /// `plugins.versions.json` in the data folder; nil: no version is chosen beside the registry's.
    public var versionsPath: String?
    /// Where bundles are kept that an upgrade came from or went to; nil: upgrades are not undone by themselves.
    public var storePath: String?
    /// `plugins.crashes.json` in the data folder; nil: crashes are only logged and counted.
    public var crashesPath: String?
    /// How long a version that took over from another is watched.
    public var probation: Duration
    /// Libraries of plugins in this process are mapped when somebody needs them for the first time, not when the host
    /// starts: each takes some megabytes. What one says of itself is then compared with its manifest that late, too.
    public var mapsAtFirstUse: Bool
    /// How plugins run that are not allowed into this process.
    public var runner: RunnerConfiguration

    public init(
        registryPath: String, searchPaths: [String], buildFolder: String? = nil, lockPath: String? = nil,
        trust: TrustPaths = TrustPaths(), platform: String = PluginHostConfiguration.ownPlatform,
        reservedNamespaces: Set<String> = [],
        reservedTables: Set<String> = [], idleAfter: Duration = .seconds(600),
        pollInterval: Duration = .milliseconds(500), grantsMaxAge: Duration = .seconds(2),
        cancelLead: Duration = .milliseconds(100), cancelGrace: Duration = .milliseconds(500),
        versionsPath: String? = nil, storePath: String? = nil, crashesPath: String? = nil,
        probation: Duration = .seconds(60), mapsAtFirstUse: Bool = false,
        runner: RunnerConfiguration = RunnerConfiguration()
    ) {
        self.registryPath = registryPath
        self.searchPaths = searchPaths
        self.buildFolder = buildFolder
        self.lockPath = lockPath
        self.trust = trust
        self.platform = platform
        self.reservedNamespaces = reservedNamespaces
        self.reservedTables = reservedTables
        self.idleAfter = idleAfter
        self.pollInterval = pollInterval
        self.grantsMaxAge = grantsMaxAge
        self.cancelLead = cancelLead
        self.cancelGrace = cancelGrace
        self.versionsPath = versionsPath
        self.storePath = storePath
        self.crashesPath = crashesPath
        self.probation = probation
        self.mapsAtFirstUse = mapsAtFirstUse
        self.runner = runner
    }

    /// The triple of the machine that this was compiled for.
    public static var ownPlatform: String {
        #if arch(x86_64)
            "x86_64-unknown-linux-gnu"
        #elseif arch(arm64)
            "aarch64-unknown-linux-gnu"
        #else
            "unknown-unknown-linux-gnu"
        #endif
    }

    var bundleStore: BundleStore? { storePath.map { BundleStore(folder: $0) } }

    var realBuildFolder: String? {
        guard let buildFolder, let real = realpath(buildFolder, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}

extension Duration {
    /// Whole nanoseconds, not negative.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
