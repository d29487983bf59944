import Crypto
public import TandemCore
import TandemJSON

/// What is stored about one person and one plugin.
public struct GrantRecord: Sendable, Hashable {
    public var plugin: String
    public var state: GrantState
    /// The hash of what the person approved; empty before.
    public var approval: String
    /// What the person approved, in detail; nil before, and in records of a time when only the hash was kept.
    public var reach: StoredReach?
    /// What the person decided about single tools, by id.
    public var tools: [String: ToolGrant]
    /// How far it went when it was on last; nil: it never was.
    public var lastLevel: GrantLevel?
    /// The hash of what the person was asked to approve last, so that nobody is asked twice.
    public var asked: String

    public init(
        plugin: String, state: GrantState, approval: String, approved: ApprovedReach? = nil,
        tools: [String: ToolGrant] = [:], asked: String = ""
    ) {
        self.plugin = plugin
        self.state = state
        self.approval = approval
        reach = approved.map(StoredReach.init)
        lastLevel = state.level
        self.tools = tools
        self.asked = asked
    }

    /// `reach`, read; each time anew.
    public var approved: ApprovedReach? {
        get { reach?.value }
        set { reach = newValue.map(StoredReach.init) }
    }

    /// The user table of the records. Its columns are added to, never changed: older records stay good.
    public static let table = TableDefinition(
        name: "plugin_grants",
        columns: [
            ColumnDefinition("plugin", .text), ColumnDefinition("state", .text),
            ColumnDefinition("level", .text, nullable: true), ColumnDefinition("approved_hash", .text),
            ColumnDefinition("approved", .text, nullable: true), ColumnDefinition("reach_hash", .text, nullable: true),
            ColumnDefinition("tools", .json, nullable: true), ColumnDefinition("asked_hash", .text, nullable: true),
        ],
        indexes: [IndexDefinition(["plugin"], unique: true)], purpose: "which integrations are on, and what they may do"
    )
}

/// Where grants are kept. Implemented on the storage, and in memory for programs that keep nothing.
public protocol GrantStore: Sendable {
    func grants(of scope: UserScope) async throws -> [GrantRecord]

    /// - Parameter origin: the turn and step that caused it, so that undo takes it back; nil: it is not taken back.
    func save(_ record: GrantRecord, for scope: UserScope, origin: WriteOrigin?) async throws

    /// Changes with every change of any person's records that this process made, also by undo. Cheap, from any thread.
    var changeCount: Int { get }
}

extension GrantStore {
    public func save(_ record: GrantRecord, for scope: UserScope) async throws {
        try await save(record, for: scope, origin: nil)
    }
}

/// The hash of everything that a person approves: what the tools say, take and do, and what the plugin reaches.
///
/// SHA-256 over the canonical JSON (RFC 8785) of the tools' ids, titles, descriptions, schemas, effects, undo and trust,
/// the extensions, the tables, the declared calls, hosts, handlers, secrets, events and kinds of memory.
/// Example utterances are not part of it.
enum GrantApproval {
    static func hash(of manifest: PluginManifest) -> String {
        let tools = manifest.tools.map { tool -> JSON in
            let undo: String =
                switch tool.undo {
                case .rows: "rows"
                case .tool(let name): "tool:" + name
                case .none: "none"
                }
            return [
                "id": .string(tool.id), "title": .string(tool.title), "description": .string(tool.description),
                "parameters": tool.parameters, "result": tool.result, "effect": .string(tool.effect.rawValue),
                "undo": .string(undo), "trust": .string(tool.trust.rawValue),
            ]
        }
        var approved: JSONObject = [
            "id": .string(manifest.id),
            "tools": .array(tools),
            "extensions": .array(manifest.extensions.sorted().map { .string($0) }),
            "tables": manifest.document["tables"] ?? [],
            "calls": manifest.document["calls"] ?? [],
        ]
        // Only what is declared: the hash of a manifest without them is the same as before they existed.
        for name in ["hosts", "handlers", "secrets", "grants", "events", "memory"] {
            if let value = manifest.document[name] { approved[name] = value }
        }
        return Checksum.of(JSON.object(approved).canonical())
    }
}
