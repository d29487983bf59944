import CTandemPlugin

/// The host extensions of this version.
struct ExtensionSet: OptionSet, Sendable {
    let rawValue: UInt32

    static let log = ExtensionSet(rawValue: 1 << 0)
    static let clock = ExtensionSet(rawValue: 1 << 1)
    static let config = ExtensionSet(rawValue: 1 << 2)
    static let rows = ExtensionSet(rawValue: 1 << 3)
    static let tools = ExtensionSet(rawValue: 1 << 4)
    static let http = ExtensionSet(rawValue: 1 << 5)
    static let kv = ExtensionSet(rawValue: 1 << 6)
    static let secret = ExtensionSet(rawValue: 1 << 7)
    static let metrics = ExtensionSet(rawValue: 1 << 8)
    static let timer = ExtensionSet(rawValue: 1 << 9)
    static let event = ExtensionSet(rawValue: 1 << 10)
    static let memory = ExtensionSet(rawValue: 1 << 11)

    init(rawValue: UInt32) { self.rawValue = rawValue }

    private static let known: [(id: String, set: ExtensionSet)] = [
        (TANDEM_EXT_LOG, .log), (TANDEM_EXT_CLOCK, .clock), (TANDEM_EXT_CONFIG, .config), (TANDEM_EXT_ROWS, .rows),
        (TANDEM_EXT_TOOLS, .tools), (TANDEM_EXT_HTTP, .http), (TANDEM_EXT_KV, .kv), (TANDEM_EXT_SECRET, .secret),
        (TANDEM_EXT_METRICS, .metrics), (TANDEM_EXT_TIMER, .timer), (TANDEM_EXT_EVENT, .event),
        (TANDEM_EXT_MEMORY, .memory),
    ]

    init(ids: Set<String>) {
        self = []
        for (id, set) in ExtensionSet.known where ids.contains(id) { insert(set) }
    }

    /// What is of use: declared in the manifest as far as it must be, and offered by this host.
    func usable(by manifest: PluginManifest, calls: Set<String>, services: HostServices) -> ExtensionSet {
        var set = self
        if manifest.tables.isEmpty { set.remove(.rows) }
        if manifest.config == nil { set.remove(.config) }
        if calls.isEmpty { set.remove(.tools) }
        if manifest.hosts.isEmpty || services.egress == nil { set.remove(.http) }
        if services.keyValues == nil { set.remove(.kv) }
        if manifest.secrets.isEmpty || services.secrets == nil { set.remove(.secret) }
        if manifest.metrics.isEmpty { set.remove(.metrics) }
        if manifest.handlers.isEmpty || services.timers == nil { set.remove(.timer) }
        if manifest.publishes.isEmpty || services.events == nil { set.remove(.event) }
        if manifest.memory == nil || services.memories == nil { set.remove(.memory) }
        return set
    }
}
