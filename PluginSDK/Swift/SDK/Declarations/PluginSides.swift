public import TandemJSON

/// A plugin that tries settings before they are saved (`tandem.config-check/1`).
public protocol CheckingSettings: Plugin {
    /// What speaks against the settings; nothing: they are saved. Throws when they cannot be tried: they are then saved
    /// only when the person insists. The context is read-only, and its `config` still gives the old ones. Within 30 s.
    static func check(_ settings: ProposedSettings, _ context: Context) async throws -> [SettingProblem]
}

/// Settings as they would be.
public struct ProposedSettings: Sendable {
    /// All of them, with defaults filled in, valid against the schema.
    public let values: JSONObject
    /// The names of those that change.
    public let changed: Set<String>

    /// The settings, read as the plugin's type.
    public func values<C: Configuration>(as type: C.Type) throws -> C { try C(json: .object(values)) }

    init(_ arguments: JSON) {
        values = arguments["values"]?.objectValue ?? [:]
        changed = Set((arguments["changed"]?.arrayValue ?? []).compactMap(\.stringValue))
    }
}

/// What speaks against a setting, in one sentence for the person.
public struct SettingProblem: Sendable, Hashable {
    /// The setting on the wire (`targetDate` is `target_date`); empty: all together.
    public var name: String
    public var message: String

    public init(_ name: String = "", _ message: String) {
        self.name = name
        self.message = message
    }
}

/// A plugin that brings data of other versions up to date (`tandem.migrate/1`).
public protocol Migrating: Plugin {
    /// Called once per person and version, before the first call of somebody whose data another version wrote; rows and
    /// values may be written. Gives the settings to replace the person's, or nil to leave them. When it throws, its rows
    /// are rolled back, the person's calls are answered that the plugin does not work right now, and it is tried again.
    /// Within 60 s.
    static func migrate(_ migration: Migration, _ context: Context) async throws -> JSONObject?
}

/// From which version to which.
public struct Migration: Sendable {
    public let from: String
    /// The version of now. Less than `from` after a rollback: throw when the data cannot be read.
    public let to: String
    /// What the person had set, as it was saved: it may not match the schema of now.
    public let settings: JSONObject

    init(_ arguments: JSON) {
        from = arguments["from"]?.stringValue ?? ""
        to = arguments["to"]?.stringValue ?? ""
        settings = arguments["config"]?.objectValue ?? [:]
    }
}

/// A plugin that describes its inner state for the operator (`tandem.diagnostics/1`).
public protocol Diagnosing: Plugin {
    /// Sizes, counts, ages, the last error; nothing that a person wrote, no secret, no address. Changes nothing. Within
    /// 10 s.
    static func diagnostics(_ context: Context) async throws -> JSONObject
}
