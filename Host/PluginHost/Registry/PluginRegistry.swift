public import TandemCore
public import TandemEgress
import TandemJSON

/// The catalogue of plugins, `registry.json` (docs/plugins/registry.md): what may be loaded and how far it may go.
public struct PluginRegistry: Sendable, Hashable {
    /// In the order of the document, which decides who is refused when two clash.
    public var entries: [RegistryEntry]

    public init(entries: [RegistryEntry] = []) { self.entries = entries }

    static let maxDocumentBytes = 4 << 20

    /// Reads and checks a registry; throws every problem with JSON pointer, line and column. Two entries with one id are
    /// no error of the document: the second one is refused when it would be loaded.
    public init(reading text: [UInt8]) throws(DocumentError) {
        let document: JSON
        do {
            document = try JSON(parsing: text, limits: JSONLimits(maxBytes: PluginRegistry.maxDocumentBytes))
        } catch {
            throw DocumentError(document: "registry.json", parsing: error)
        }
        let problems = ProblemList()
        var entries: [RegistryEntry] = []
        if let reader = ObjectReader(document, at: "", problems: problems) {
            if let version = reader.value("version", required: true), version.int64Value != 1 {
                reader.problem("version", "must be 1, the only format this host reads")
            }
            entries = reader.array("plugins", required: true, atMost: 1000).compactMap { pointer, value in
                ObjectReader(value, at: pointer, problems: problems).flatMap(RegistryEntry.init(reading:))
            }
            reader.finish()
        }
        try problems.check(document: "registry.json", text: text)
        self.entries = entries
    }
}

/// One plugin of the catalogue.
public struct RegistryEntry: Sendable, Hashable {
    public var id: String
    /// When given, the bundle's manifest must say the same.
    public var namespace: String?
    /// The bundle's folder, relative to a search path.
    public var bundle: String
    public var trust: Trust
    public var isolation: Isolation
    /// How many people an isolated process serves.
    public var processes: Processes
    /// The SHA-256 of the bundle's `plugin.json`, which names the checksum of every other file, by target triple.
    public var pins: [String: String]
    public var ceiling: Ceiling
    public var network = Network()
    /// Effects that the operator takes tools to have, by tool id: only what is more than the plugin declares counts.
    public var effects: [String: Effect] = [:]
    /// The plan a person needs; nil: all.
    public var plan: String?
    public var defaultState: DefaultState

    /// Who answers for the plugin.
    public enum Trust: String, Sendable, Hashable, CaseIterable {
        /// Built and shipped with the host.
        case firstParty = "first-party"
        /// Checked and signed by the publisher of the host.
        case verified
        /// Signed by the operator of this host.
        case `operator`
        /// Somebody's work in progress.
        case developer
    }

    public enum Isolation: String, Sendable, Hashable, CaseIterable {
        case inProcess = "in-process"
        /// A process of its own.
        case runner
    }

    public enum Processes: String, Sendable, Hashable, CaseIterable {
        /// One process for each person: what a call does to its process reaches nobody else's data.
        case perPerson = "per-person"
        /// One process for all people of the plugin.
        case shared
    }

    /// Where a person begins who has not decided anything.
    public enum DefaultState: String, Sendable, Hashable, CaseIterable {
        /// Not shown.
        case unavailable
        /// Shown, with an invitation to switch it on.
        case offered
        /// On, for first-party plugins only.
        case enabled
    }

    /// The most that the plugin may be given, whatever it asks for and whoever agrees.
    public struct Ceiling: Sendable, Hashable {
        /// Nil: all that this host has.
        public var extensions: Set<String>?
        /// Other plugins' tools; nil: all that the manifest declares.
        public var calls: Set<String>?
        public var quota: PluginQuota
        /// Network hosts; nil: all that the manifest declares.
        public var hosts: [HostRule]?
        /// Sonames of the system's libraries that a manifest-only plugin may call.
        public var libraries: Set<String>

        public init(
            extensions: Set<String>? = nil, calls: Set<String>? = nil, quota: PluginQuota = .standard,
            hosts: [HostRule]? = nil, libraries: Set<String> = []
        ) {
            self.extensions = extensions
            self.calls = calls
            self.quota = quota
            self.hosts = hosts
            self.libraries = libraries
        }
    }

    /// How the plugin's requests to the network are treated.
    public struct Network: Sendable, Hashable {
        /// Addresses that are not public and may be connected to all the same, such as a service in the house.
        public var addresses: [IPNetwork] = []
        /// How often it may call which host.
        public var limits: [ProviderLimit] = []

        public init() {}
    }

    public init(
        id: String, namespace: String? = nil, bundle: String, trust: Trust = .firstParty,
        isolation: Isolation = .inProcess, processes: Processes? = nil, pins: [String: String] = [:],
        ceiling: Ceiling = Ceiling(),
        plan: String? = nil, defaultState: DefaultState = .offered
    ) {
        self.id = id
        self.namespace = namespace
        self.bundle = bundle
        self.trust = trust
        self.isolation = isolation
        self.processes = processes ?? (trust == .firstParty ? .shared : .perPerson)
        self.pins = pins
        self.ceiling = ceiling
        self.plan = plan
        self.defaultState = defaultState
    }
}

extension RegistryEntry {
    init?(reading reader: ObjectReader) {
        defer { reader.finish() }
        id = reader.string("id", PluginManifest.idRequirement, TextRule.isPluginID)
        let namespace = reader.string("namespace")
        if let namespace, !TextRule.isName(namespace, atMost: 24) {
            reader.problem("namespace", "must match [a-z][a-z0-9_]{0,23}")
        }
        self.namespace = namespace
        bundle = reader.string(
            "bundle", "must be a folder relative to the plugin search path, without . or ..", Self.isRelativePath)
        trust = reader.word("trust", Trust.self, required: true) ?? .developer
        isolation = reader.word("isolation", Isolation.self) ?? (trust == .firstParty ? .inProcess : .runner)
        processes = reader.word("processes", Processes.self) ?? (trust == .firstParty ? .shared : .perPerson)
        pins = [:]
        for (pointer, platform, value) in reader.members("pins") {
            if let checksum = value.stringValue, TextRule.isChecksum(checksum) {
                pins[platform] = checksum
            } else {
                reader.problems.add(pointer, "must be sha256: and 64 lower-case hexadecimal digits")
            }
        }
        ceiling = reader.object("ceiling").map(Ceiling.init(reading:)) ?? Ceiling()
        network = reader.object("network").map(Network.init(reading:)) ?? Network()
        for (pointer, tool, value) in reader.members("effects") {
            if !TextRule.isToolID(tool) {
                reader.problems.add(pointer, "must be a tool id like grocery.add", atName: true)
            } else if let effect = value.stringValue.flatMap(Effect.init(rawValue:)) {
                effects[tool] = effect
            } else {
                reader.problems.add(pointer, "must be read, write, delete, send or spend")
            }
        }
        plan = reader.string("plan")
        if let plan, !TextRule.isName(plan, atMost: 32) { reader.problem("plan", "must match [a-z][a-z0-9_]{0,31}") }
        defaultState = reader.word("default", DefaultState.self) ?? .offered
        if defaultState == .enabled, trust != .firstParty {
            reader.problem("default", "only a first-party plugin may be on without having been asked")
        }
        if isolation == .inProcess, trust != .firstParty {
            reader.problem("isolation", "only a first-party plugin may run inside the host's process")
        }
        if processes == .shared, trust != .firstParty, trust != .verified {
            reader.problem("processes", "only a first-party or verified plugin may serve all people in one process")
        }
    }

    private static func isRelativePath(_ path: String) -> Bool {
        guard !path.isEmpty, path.utf8.count <= 512, !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            return false
        }
        return path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
        }
    }
}

extension RegistryEntry.Ceiling {
    init(reading reader: ObjectReader) {
        self.init()
        defer { reader.finish() }
        if reader.has("extensions") {
            let ids = reader.strings("extensions", atMost: 64)
            for (pointer, id) in ids where !TextRule.isExtensionID(id) {
                reader.problems.add(pointer, "must look like tandem.rows/1")
            }
            extensions = Set(ids.map(\.value))
        }
        if reader.has("calls") {
            let tools = reader.strings("calls", atMost: 64)
            for (pointer, tool) in tools where !TextRule.isToolID(tool) {
                reader.problems.add(pointer, "must be a tool id like grocery.add")
            }
            calls = Set(tools.map(\.value))
        }
        if let quota = reader.object("quota") {
            self.quota = PluginManifest.quotaMembers(of: quota)
            quota.finish()
        }
        hosts = HostReading.ceiling(in: reader)
        libraries = Set(
            reader.strings("libraries", atMost: 32).map { pointer, name in
                if !ForeignNames.isSoname(name) {
                    reader.problems.add(pointer, "must be a soname like libm.so.6, without a folder")
                }
                return name
            })
    }
}
