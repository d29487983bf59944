import CTandemPlugin
import TandemCore
public import TandemJSON

/// One thing that a plugin reaches beyond its own tools: a host, another plugin's tool, a kind of memory, a table.
///
/// The text form is `kind:name`; it is what a person's approval keeps.
struct ReachItem: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        /// A host extension that reaches beyond the plugin's own data.
        case `extension`
        /// A tool of another plugin.
        case call
        /// A network host.
        case host
        /// A right at a service, `provider/scope`; `provider/scope#write` where it is only asked for to change things;
        /// `provider/` for one without scopes.
        case scope
        /// A key or password that is entered for it.
        case secret
        /// What it tells other plugins, and what it hears from them.
        case publishes, subscribes
        /// Kinds of memories.
        case recall, propose
        /// A handler that timers or events call, with its effect: `id/effect`.
        case handler
        /// A table with its purpose.
        case table
        /// Nobody but its developer answers for it.
        case developer
        /// A member of the manifest that this host does not know better, with a hash of its value.
        case other
    }

    var kind: Kind
    var name: String

    var text: String { "\(kind.rawValue):\(name)" }

    init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    init?(text: String) {
        guard let colon = text.firstIndex(of: ":"), let kind = Kind(rawValue: String(text[..<colon])) else {
            return nil
        }
        self.init(kind, String(text[text.index(after: colon)...]))
    }

    /// A host as the manifest declares it, with the requests that count as reading there: `api.example.org#POST /query`.
    static func host(_ declaration: JSON) -> ReachItem? {
        guard let host = declaration["host"]?.stringValue else { return nil }
        let reads = (declaration["reads"]?.arrayValue ?? []).compactMap(\.stringValue).sorted()
        return ReachItem(.host, reads.isEmpty ? host : "\(host)#\(reads.joined(separator: ","))")
    }

    /// The plugin works without it: it is withheld until it is approved. False: the plugin as a whole waits.
    var canBeWithheld: Bool {
        switch kind {
        case .table, .developer, .other: false
        default: true
        }
    }
}

/// What one tool was when it was approved: enough to see what changed, not what it says.
struct ToolPin: Sendable, Hashable {
    /// Hashes of title and description, and of both schemas.
    var text: String
    var schema: String
    var effect: Effect
    var undo: UndoPolicy
    var trust: TrustLabel

    init(_ tool: ToolDefinition) {
        text = ToolPin.hash([.string(tool.title), .string(tool.description)])
        schema = ToolPin.hash([tool.parameters, tool.result])
        effect = tool.effect
        undo = tool.undo
        trust = tool.trust
    }

    /// 96 bits: a change that goes unnoticed would have to be searched for among 2^96 texts.
    private static func hash(_ values: [JSON]) -> String {
        String(Checksum.of(JSON.array(values).canonical()).dropFirst(7).prefix(24))
    }

    /// How a tool of today goes beyond this pin; empty: not at all. Less is never a drift.
    func drift(to now: ToolPin) -> Set<ToolDrift> {
        var drift: Set<ToolDrift> = []
        if now.text != text { drift.insert(.text) }
        if now.schema != schema { drift.insert(.schema) }
        if now.effect > effect { drift.insert(.effect) }
        if now.trust < trust { drift.insert(.trust) }
        if now.effect != .read, ToolPin.rank(now.undo) > ToolPin.rank(undo) { drift.insert(.undo) }
        return drift
    }

    private static func rank(_ undo: UndoPolicy) -> Int {
        switch undo {
        case .rows: 0
        case .tool: 1
        case .none: 2
        }
    }

    var json: JSON {
        let undo: String =
            switch undo {
            case .rows: "rows"
            case .tool(let name): "tool:" + name
            case .none: "none"
            }
        return [
            .string(text), .string(schema), .string(effect.rawValue), .string(undo), .string(trust.rawValue),
        ]
    }

    init?(json: JSON) {
        guard case .array(let parts) = json, parts.count == 5, let text = parts[0].stringValue,
            let schema = parts[1].stringValue, let effect = parts[2].stringValue.flatMap(Effect.init(rawValue:)),
            let undo = parts[3].stringValue, let trust = parts[4].stringValue.flatMap(TrustLabel.init(rawValue:))
        else { return nil }
        self.text = text
        self.schema = schema
        self.effect = effect
        self.undo = undo == "rows" ? .rows : undo == "none" ? .none : .tool(String(undo.dropFirst(5)))
        self.trust = trust
    }
}

/// In what way a tool went beyond its pin.
enum ToolDrift: Sendable, Hashable {
    case isNew, text, schema, effect, trust, undo
}

/// Everything of one plugin that a person approves, and later compares with.
public struct ApprovedReach: Sendable, Hashable {
    var tools: [String: ToolPin]
    var items: Set<ReachItem>

    init(tools: [String: ToolPin], items: Set<ReachItem>) {
        self.tools = tools
        self.items = items
    }

    /// What a manifest asks for, at a tier.
    init(of manifest: PluginManifest, trust: RegistryEntry.Trust) {
        tools = Dictionary(manifest.tools.map { ($0.id, ToolPin($0)) }, uniquingKeysWith: { first, _ in first })
        var items: Set<ReachItem> = []
        func add(_ kind: ReachItem.Kind, _ name: String) { items.insert(ReachItem(kind, name)) }
        // The others are the plugin's own data, or stand below by what they reach.
        let harmless: Set<String> = [
            TANDEM_EXT_LOG, TANDEM_EXT_CLOCK, TANDEM_EXT_CONFIG, TANDEM_EXT_METRICS, TANDEM_EXT_KV, TANDEM_EXT_ROWS,
            TANDEM_EXT_TOOLS, TANDEM_EXT_SECRET, TANDEM_EXT_EVENT, TANDEM_EXT_MEMORY,
        ]
        for id in manifest.extensions.subtracting(harmless) { add(.extension, id) }
        for call in manifest.calls { add(.call, call.tool) }
        for secret in manifest.secrets { add(.secret, secret.name) }
        for right in manifest.accounts.flatMap(\.rights) { add(.scope, right) }
        for topic in manifest.publishes { add(.publishes, topic.topic) }
        // What the host tells a plugin is about the plugin itself.
        for topic in manifest.subscribes where !topic.topic.utf8.starts(with: "\(HostTopic.namespace).".utf8) {
            add(.subscribes, topic.topic)
        }
        for kind in manifest.memory?.recall ?? [] { add(.recall, kind) }
        for kind in manifest.memory?.propose ?? [] { add(.propose, kind) }
        for handler in manifest.handlers { add(.handler, "\(handler.id)/\(handler.effect.rawValue)") }
        for table in manifest.tables { add(.table, "\(table.name)/\(table.purpose)") }
        if trust == .developer { add(.developer, "") }
        for (name, value) in manifest.document where !ApprovedReach.known.contains(name) {
            ApprovedReach.add(name, value, to: &items)
        }
        self.items = items
    }

    /// Members that say nothing about what the plugin may do, or that are read above.
    private static let known: Set<String> = [
        "manifest", "id", "namespace", "name", "version", "summary", "aliases", "publisher", "license", "abi",
        "extensions", "tables", "tools", "calls", "config", "quota", "limits", "library", "files", "build", "handlers",
        "secrets", "grants", "events", "memory", "metrics", "foreign",
    ]

    /// Members of later versions: hosts and scopes by their names, the rest by a hash, so that nothing slips through.
    private static func add(_ name: String, _ value: JSON, to items: inout Set<ReachItem>) {
        let kind: ReachItem.Kind? = ["hosts": .host, "scopes": .scope][name]
        if let kind, case .array(let elements) = value {
            for element in elements {
                if kind == .host, let host = ReachItem.host(element) {
                    items.insert(host)
                } else if let text = element.stringValue ?? element["scope"]?.stringValue {
                    items.insert(ReachItem(kind, text))
                } else {
                    items.insert(ReachItem(.other, "\(name)/\(Checksum.of(element.canonical()))"))
                }
            }
            return
        }
        items.insert(ReachItem(.other, "\(name)/\(Checksum.of(value.canonical()))"))
    }

    // MARK: Stored form

    var json: JSON {
        var tools: JSONObject = [:]
        for (id, pin) in self.tools.sorted(by: { $0.key < $1.key }) { tools[id] = pin.json }
        return [
            "tools": .object(tools), "reach": .array(items.map(\.text).sorted().map { .string($0) }),
        ]
    }

    /// Reads the stored form; nil for anything else. What a later version wrote and this one does not know counts as
    /// not approved.
    public init?(json: JSON) {
        guard let tools = json["tools"]?.objectValue, let reach = json["reach"]?.arrayValue else { return nil }
        self.tools = [:]
        for (id, value) in tools { self.tools[id] = ToolPin(json: value) }
        items = Set(reach.compactMap { $0.stringValue.flatMap(ReachItem.init(text:)) })
    }

    var hash: String { Checksum.of(json.canonical()) }
}

/// An approval as it is kept: read only where a plugin no longer asks for exactly this.
public struct StoredReach: Sendable, Hashable {
    /// Of the approval when it was given.
    public var hash: String
    /// JSON.
    public var text: String

    public init(hash: String, text: String) {
        self.hash = hash
        self.text = text
    }

    init(_ reach: ApprovedReach) {
        let bytes = reach.json.canonical()
        hash = Checksum.of(bytes)
        text = String(decoding: bytes, as: UTF8.self)
    }

    var value: ApprovedReach {
        (try? JSON(parsing: text)).flatMap(ApprovedReach.init(json:)) ?? ApprovedReach(tools: [:], items: [])
    }
}

/// What a plugin asks beyond what a person approved.
struct ReachDrift: Sendable, Hashable {
    var tools: [String: Set<ToolDrift>] = [:]
    var items: Set<ReachItem> = []

    init() {}

    init(from approved: ApprovedReach, to wanted: ApprovedReach) {
        for (id, pin) in wanted.tools {
            guard let before = approved.tools[id] else {
                tools[id] = [.isNew]
                continue
            }
            let drift = before.drift(to: pin)
            if !drift.isEmpty { tools[id] = drift }
        }
        items = wanted.items.subtracting(approved.items)
        // A handler that does less than it did needs no question.
        items = items.filter { item in
            guard item.kind == .handler, let (id, effect) = ReachDrift.handler(item) else { return true }
            return !approved.items.contains { before in
                before.kind == .handler && ReachDrift.handler(before).map { $0.id == id && $0.effect >= effect } == true
            }
        }
        // Nor does a right that is asked for later than it was.
        items = items.filter { item in
            guard item.kind == .scope, item.name.hasSuffix("#write") else { return true }
            return !approved.items.contains(ReachItem(.scope, String(item.name.dropLast(6))))
        }
    }

    private static func handler(_ item: ReachItem) -> (id: String, effect: Effect)? {
        guard let slash = item.name.lastIndex(of: "/"),
            let effect = Effect(rawValue: String(item.name[item.name.index(after: slash)...]))
        else { return nil }
        return (String(item.name[..<slash]), effect)
    }

    var isEmpty: Bool { tools.isEmpty && items.isEmpty }
    /// The plugin as a whole waits for the person.
    var concernsAll: Bool { items.contains { !$0.canBeWithheld } }
}
