import Foundation
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// What plugins keep of a person besides rows, for the person's export. Of secrets it says only that they were entered.
enum PluginRecords {
    static let all = [values, secrets, timers, deliveries, versions, settings]

    private static let values = PersonalRecords("plugin_values", "small values that plugins keep") {
        user, transaction in
        try transaction.query("SELECT * FROM plugin_values WHERE user_id = \(user) ORDER BY plugin, key").map { row in
            let bytes = try transaction.open(try row.blob("value"), StoredValues.seal(try row.int64("id")))
            var object: JSONObject = [
                "plugin": .string(try row.text("plugin")), "key": .string(try row.text("key")),
                "expiresAt": try row.timestampIfPresent("expires_at").map { .string($0.description) } ?? .null,
            ]
            if let text = String(validating: bytes, as: UTF8.self) {
                object["value"] = .string(text)
            } else {
                object["base64"] = .string(Data(bytes).base64EncodedString())
            }
            return .object(object)
        }
    }

    private static let secrets = PersonalRecords(
        "plugin_secrets", "keys and passwords that you entered for plugins, without their values"
    ) { user, transaction in
        try transaction.query("SELECT * FROM plugin_secrets WHERE user_id = \(user) ORDER BY plugin, name").map { row in
            [
                "plugin": .string(try row.text("plugin")), "name": .string(try row.text("name")),
                "enteredAt": .string(try row.timestamp("entered_at").description),
            ]
        }
    }

    private static let timers = PersonalRecords("plugin_timers", "timers that plugins set") { user, transaction in
        try transaction.query("SELECT * FROM plugin_timers WHERE user_id = \(user) ORDER BY plugin, name").map { row in
            [
                "plugin": .string(try row.text("plugin")), "name": .string(try row.text("name")),
                "handler": .string(try row.text("handler")),
                "nextAt": .string(try row.timestamp("next_at").description),
                "repeat": try StoredTimers.schedule(row).repeats?.json ?? .null,
                "data": .object(try StoredTimers.data(row, transaction)),
            ]
        }
    }

    private static let deliveries = PersonalRecords(
        "plugin_deliveries", "events that plugins told each other and that are not delivered yet"
    ) { user, transaction in
        try transaction.query("SELECT * FROM plugin_deliveries WHERE user_id = \(user) ORDER BY id").map { row in
            [
                "publisher": .string(try row.text("publisher")), "plugin": .string(try row.text("plugin")),
                "topic": .string(try row.text("topic")),
                "publishedAt": .string(try row.timestamp("published_at").description),
                "data": .object(try StoredEvents.data(row, transaction)),
            ]
        }
    }

    private static let versions = PersonalRecords(
        "plugin_versions", "which version of a plugin served you last"
    ) { user, transaction in
        try transaction.query("SELECT * FROM plugin_versions WHERE user_id = \(user) ORDER BY plugin").map { row in
            ["plugin": .string(try row.text("plugin")), "version": .string(try row.text("version"))]
        }
    }

    private static let settings = PersonalRecords("plugin_settings", "your settings of plugins") { user, transaction in
        let scope = UserScope(authenticated: user)
        return try transaction.query("SELECT plugin FROM plugin_settings WHERE user_id = \(user) ORDER BY plugin").map {
            let plugin = try $0.text("plugin")
            return [
                "plugin": .string(plugin),
                "settings": .object(try PersonSettings.values(plugin: plugin, in: scope, transaction)),
            ]
        }
    }
}
