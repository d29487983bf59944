import Crypto
public import TandemCore
import TandemJSON

/// What is stored about one person and one plugin.
public struct GrantRecord: Sendable, Hashable {
    public var plugin: String
    public var state: GrantState
    /// The hash of what the person approved; empty before.
    public var approval: String

    public init(plugin: String, state: GrantState, approval: String) {
        self.plugin = plugin
        self.state = state
        self.approval = approval
    }

    /// The user table of the records: `plugin` (unique), `state`, `level`, `approved_hash`.
    public static let table = TableDefinition(
        name: "plugin_grants",
        columns: [
            ColumnDefinition("plugin", .text), ColumnDefinition("state", .text),
            ColumnDefinition("level", .text, nullable: true), ColumnDefinition("approved_hash", .text),
        ],
        indexes: [IndexDefinition(["plugin"], unique: true)], purpose: "which integrations are on, and what they may do"
    )
}

/// Where grants are kept. Implemented on the storage, and in memory for programs that keep nothing.
public protocol GrantStore: Sendable {
    func grants(of scope: UserScope) async throws -> [GrantRecord]
    func save(_ record: GrantRecord, for scope: UserScope) async throws
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
        for name in ["hosts", "handlers", "secrets", "events", "memory"] {
            if let value = manifest.document[name] { approved[name] = value }
        }
        return Checksum.of(JSON.object(approved).canonical())
    }
}
