public import TandemCore
public import TandemEgress
public import TandemJSON

/// What a plugin declares about itself (`plugin.json`, docs/plugins/manifest.md), checked.
public struct PluginManifest: Sendable, Hashable {
    /// Reverse domain: `tandem.grocery`.
    public var id: String
    /// The first part of its tool ids: `grocery`.
    public var namespace: String
    public var name: String
    /// Semantic Versioning 2.0.0.
    public var version: String
    public var summary: String
    public var aliases: [String]
    public var publisher: Publisher?
    public var license: String?
    public var abi: ABIVersion
    /// Host extensions that it asks for, also those that its tables, calls and settings imply.
    public var extensions: Set<String>
    public var tables: [TableDefinition]
    public var tools: [ToolDefinition]
    /// What timers and events call: like tools, but nobody asks for them.
    public var handlers: [ToolDefinition]
    public var calls: [DeclaredCall]
    /// Where it sends requests (`tandem.http/1`).
    public var hosts: [DeclaredHost]
    public var secrets: [DeclaredSecret]
    /// Accounts elsewhere that it uses: the section `grants`.
    public var accounts: [DeclaredAccount]
    public var metrics: [DeclaredMetric]
    public var publishes: [DeclaredTopic]
    public var subscribes: [DeclaredSubscription]
    public var memory: DeclaredMemory?
    /// JSON Schema of its settings.
    public var config: JSON?
    public var quota: PluginQuota?
    public var maxInFlight: Int
    /// Address space that its runner needs, in bytes; nil: as much as others.
    public var memoryBytes: UInt64?
    /// How a plain C library is called; nil for a plugin with code of its own.
    public var foreign: ForeignInterface?
    public var packaging: Packaging?
    /// The document as read.
    public var document: JSONObject

    public struct Publisher: Sendable, Hashable {
        public var name: String
        public var contact: String?
    }

    /// A tool of another plugin that it may call, and why.
    public struct DeclaredCall: Sendable, Hashable {
        public var tool: String
        public var reason: String
    }

    /// What packaging adds.
    public struct Packaging: Sendable, Hashable {
        /// File name within the bundle; empty for a manifest-only plugin that calls a library of the system.
        public var library: String
        /// `sha256:` checksums by file name, of every file but `plugin.json`.
        public var files: [String: String]
        public var language: String?
        public var toolchain: String?
        /// Target triple.
        public var platform: String?
    }

    /// The members that packaging adds and code does not know.
    public static let packagingMembers: Set<String> = ["library", "files", "build"]

    static let maxDocumentBytes = 1 << 20
}

/// A version of the plugin ABI; same major and a minor that both sides accept work together.
public struct ABIVersion: Sendable, Hashable, CustomStringConvertible {
    public var major: UInt32
    public var minor: UInt32

    public init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    public var description: String { "\(major).\(minor)" }
}

/// How much a plugin may keep for one person.
public struct PluginQuota: Sendable, Hashable {
    public var rows: Int
    public var bytes: Int
    /// Entries of `tandem.kv/1`, and the bytes of their keys and values.
    public var kvEntries: Int
    public var kvBytes: Int
    public var timers: Int

    /// 10,000 rows and 10 MiB; 1,000 keys and 1 MiB; 64 timers.
    public static let standard = PluginQuota(rows: 10_000, bytes: 10 << 20)

    public init(rows: Int, bytes: Int, kvEntries: Int = 1000, kvBytes: Int = 1 << 20, timers: Int = 64) {
        self.rows = rows
        self.bytes = bytes
        self.kvEntries = kvEntries
        self.kvBytes = kvBytes
        self.timers = timers
    }

    func limited(to ceiling: PluginQuota) -> PluginQuota {
        PluginQuota(
            rows: min(rows, ceiling.rows), bytes: min(bytes, ceiling.bytes),
            kvEntries: min(kvEntries, ceiling.kvEntries), kvBytes: min(kvBytes, ceiling.kvBytes),
            timers: min(timers, ceiling.timers))
    }
}
