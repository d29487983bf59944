import Synchronization
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// The settings of plugins on the storage: a person's sealed with their key, the operator's in memory as last read.
final class StoredSettings: PluginSettings {
    private let database: any Database
    private let operators = Mutex<[String: JSONObject]>([:])

    init(database: any Database) { self.database = database }

    /// Reads the operator's values; before the first plugin asks for them.
    func load() async throws {
        let read = try await database.read(.system) { transaction in
            var values: [String: JSONObject] = [:]
            for row in try transaction.query("SELECT plugin, settings FROM plugin_operator_settings") {
                guard case .object(let object)? = try? JSON(parsing: Array(try row.text("settings").utf8)) else {
                    continue
                }
                values[try row.text("plugin")] = object
            }
            return values
        }
        operators.withLock { $0 = read }
    }

    func operatorValues(plugin: String) -> JSONObject { operators.withLock { $0[plugin] ?? [:] } }

    func personValues(plugin: String, in scope: UserScope) async throws -> JSONObject {
        try await database.read(scope) { try PersonSettings.values(plugin: plugin, in: scope, $0) }
    }

    func save(_ values: JSONObject, plugin: String, in scope: UserScope?) async throws {
        if let scope {
            try await database.write(scope) { transaction in
                try PersonSettings.save(values, plugin: plugin, in: scope, transaction)
            }
        } else {
            let text = JSON.object(values).text
            try await database.write(.system) { transaction in
                try transaction.execute(
                    """
                    INSERT INTO plugin_operator_settings (plugin, settings) VALUES (\(plugin), \(text))
                    ON CONFLICT (plugin) DO UPDATE SET settings = excluded.settings
                    """)
                try PersonSettings.noteChange(transaction)
            }
            operators.withLock { $0[plugin] = values }
        }
    }

    func generation() async throws -> UInt64 {
        let generation = try await database.read(.system) { transaction in
            try transaction.first("SELECT generation FROM plugin_settings_state WHERE id = 1")?.int64("generation") ?? 0
        }
        // Another process may have changed the operator's.
        try await load()
        return UInt64(bitPattern: generation)
    }
}

/// One person's settings of one plugin, within a transaction.
enum PersonSettings {
    private static func seal(_ id: Int64) -> SealContext {
        SealContext(table: "plugin_settings", column: "settings", row: id)
    }

    static func values(
        plugin: String, in scope: UserScope, _ transaction: any ReadTransaction
    ) throws -> JSONObject {
        guard
            let row = try transaction.first(
                "SELECT id, settings FROM plugin_settings WHERE user_id = \(scope.user) AND plugin = \(plugin)"),
            case .object(let object) = try JSON(
                parsing: try transaction.open(try row.blob("settings"), seal(try row.int64("id"))))
        else { return [:] }
        return object
    }

    static func save(
        _ values: JSONObject, plugin: String, in scope: UserScope, _ transaction: any WriteTransaction
    ) throws {
        let id = transaction.nextID().rawValue
        let sealed = try transaction.seal(JSON.object(values).serialized(), seal(id))
        try transaction.execute(
            """
            INSERT INTO plugin_settings (user_id, plugin, id, settings)
            VALUES (\(scope.user), \(plugin), \(id), \(sealed))
            ON CONFLICT (user_id, plugin) DO UPDATE SET id = excluded.id, settings = excluded.settings
            """)
        try noteChange(transaction)
    }

    static func noteChange(_ transaction: any WriteTransaction) throws {
        try transaction.execute("UPDATE plugin_settings_state SET generation = generation + 1 WHERE id = 1")
    }
}
