import TandemCore
import TandemPluginHost
import TandemStorage

/// `tandem.secret/1` on the storage: sealed with the person's key, or with the program's for what the operator entered.
///
/// Values are in no journal, no export and no message; there is no way to read one back but the plugin's call.
struct StoredSecrets: SecretStore {
    let database: any Database
    /// What the program's settings give where the operator entered nothing, by plugin and name.
    var settings: [String: [String: Secret]] = [:]

    /// The longest value, in bytes.
    static let longest = 64 << 10

    func value(of secret: DeclaredSecret, in place: PluginPlace) async throws -> [UInt8]? {
        let persons = try await database.read(place.scope) { transaction -> [UInt8]? in
            if secret.enteredBy != .operator,
                let row = try transaction.first(
                    """
                    SELECT id, value FROM plugin_secrets WHERE user_id = \(place.scope.user)
                    AND plugin = \(place.plugin) AND name = \(secret.name)
                    """)
            {
                return try transaction.open(try row.blob("value"), Self.seal(try row.int64("id"), isOperator: false))
            }
            return nil
        }
        if let persons { return persons }
        return try await operatorsValue(of: secret, plugin: place.plugin)
    }

    private func operatorsValue(of secret: DeclaredSecret, plugin: String) async throws -> [UInt8]? {
        guard secret.enteredBy != .person else { return nil }
        let stored = try await database.read(.system) { transaction -> [UInt8]? in
            guard
                let row = try transaction.first(
                    "SELECT id, value FROM plugin_operator_secrets WHERE plugin = \(plugin) AND name = \(secret.name)")
            else { return nil }
            return try transaction.open(try row.blob("value"), Self.seal(try row.int64("id"), isOperator: true))
        }
        return stored ?? settings[plugin]?[secret.name].map { Array($0.reveal().utf8) }
    }

    func entered(_ secrets: [DeclaredSecret], in place: PluginPlace) async throws -> Set<String> {
        try await database.read(place.scope) { transaction in
            let persons = Set(
                try transaction.query(
                    """
                    SELECT name FROM plugin_secrets WHERE user_id = \(place.scope.user) AND plugin = \(place.plugin)
                    """
                ).map { try $0.text("name") })
            let operators = Set(
                try transaction.query("SELECT name FROM plugin_operator_secrets WHERE plugin = \(place.plugin)")
                    .map { try $0.text("name") })
            return Set(
                secrets.filter { secret in
                    (secret.enteredBy != .operator && persons.contains(secret.name))
                        || (secret.enteredBy != .person
                            && (operators.contains(secret.name) || settings[place.plugin]?[secret.name] != nil))
                }.map(\.name))
        }
    }

    /// Keeps a value that a person entered, or the operator when `scope` is nil. The name has been checked against the
    /// manifest; the value has 1 to `longest` bytes.
    func set(_ value: [UInt8], name: String, plugin: String, in scope: UserScope?) async throws {
        if let scope {
            try await database.write(scope) { transaction in
                let id = transaction.nextID().rawValue
                let sealed = try transaction.seal(value, Self.seal(id, isOperator: false))
                try transaction.execute(
                    """
                    INSERT INTO plugin_secrets (user_id, plugin, name, id, value, entered_at)
                    VALUES (\(scope.user), \(plugin), \(name), \(id), \(sealed), \(transaction.now))
                    ON CONFLICT (user_id, plugin, name) DO UPDATE SET id = excluded.id, value = excluded.value,
                    entered_at = excluded.entered_at
                    """)
            }
        } else {
            try await database.write(.system) { transaction in
                let id = transaction.nextID().rawValue
                let sealed = try transaction.seal(value, Self.seal(id, isOperator: true))
                try transaction.execute(
                    """
                    INSERT INTO plugin_operator_secrets (plugin, name, id, value, entered_at)
                    VALUES (\(plugin), \(name), \(id), \(sealed), \(transaction.now))
                    ON CONFLICT (plugin, name) DO UPDATE SET id = excluded.id, value = excluded.value,
                    entered_at = excluded.entered_at
                    """)
            }
        }
    }

    /// False when there was none.
    func remove(_ name: String, plugin: String, in scope: UserScope?) async throws -> Bool {
        if let scope {
            return try await database.write(scope) { transaction in
                try transaction.execute(
                    """
                    DELETE FROM plugin_secrets WHERE user_id = \(scope.user) AND plugin = \(plugin) AND name = \(name)
                    """) > 0
            }
        }
        return try await database.write(.system) { transaction in
            try transaction.execute(
                "DELETE FROM plugin_operator_secrets WHERE plugin = \(plugin) AND name = \(name)") > 0
        }
    }

    private static func seal(_ id: Int64, isOperator: Bool) -> SealContext {
        SealContext(table: isOperator ? "plugin_operator_secrets" : "plugin_secrets", column: "value", row: id)
    }
}
