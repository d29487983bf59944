import TandemCache
public import TandemJSON
import TandemPluginHost
import TandemStorage

/// What an operator wants to know at a glance; no message, number or secret.
public struct ApplicationStatus: Sendable {
    /// In the order of the display; names in snake case.
    public var values: [(name: String, value: JSON)]

    public var json: JSON {
        var object: JSONObject = [:]
        for (name, value) in values { object[name] = value }
        return .object(object)
    }

    /// For people.
    public var lines: [(String, String)] {
        values.map { name, value in
            let text: String =
                switch value {
                case .array(let items): items.compactMap(\.stringValue).joined(separator: ", ")
                case .string(let text): text
                case .bool(let flag): flag ? "on" : "off"
                default: value.text
                }
            return (name.replacing("_", with: " "), text.isEmpty ? "-" : text)
        }
    }
}

extension Application {
    /// Reads the state of the parts. Throws what the database throws.
    public func status() async throws -> ApplicationStatus {
        let counts = try await database.read(.system) { transaction in
            let people = try transaction.first("SELECT count(*) AS n FROM users")?.int64("n") ?? 0
            let queued = try transaction.first("SELECT count(*) AS n FROM turn_queue")?.int64("n") ?? 0
            return (people, queued)
        }
        let statuses = plugins.statuses()
        let health = shared.health
        let sharing = health.problem.map { "away: \($0)" } ?? health.address ?? "none"
        return ApplicationStatus(values: [
            ("data_folder", .string(paths.dataFolder)),
            ("database", .string(database.dialect.rawValue)),
            ("registry", .string(paths.registry)),
            ("registry_problem", plugins.registryProblem.map { .string($0.description) } ?? .null),
            ("plugins_loaded", .array(statuses.filter { $0.refusal == nil }.map { .string($0.id) })),
            ("plugins_refused", .array(statuses.filter { $0.refusal != nil }.map { .string($0.id) })),
            ("redis", .string(sharing)),
            ("accounts", .integer(counts.0)),
            ("turns_waiting", .integer(counts.1)),
            ("sms", .bool(sms != nil)),
            ("models", .array(language.models.map { .string($0) })),
        ])
    }
}
