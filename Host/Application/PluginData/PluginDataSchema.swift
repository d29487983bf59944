import TandemStorage

/// The system tables of what plugins keep besides their rows: values, secrets, timers, events, versions, settings.
///
/// What a plugin or a person wrote is sealed; keys, names and times are not. Every table of a person's data has `user_id`.
enum PluginDataSchema {
    static let migrations: [Migration] = [
        Migration("plugins/1-values") { builder in
            builder.createTable("plugin_values") { table in
                table.column("user_id", .integer)
                table.column("plugin", .text)
                table.column("key", .text)
                table.column("id", .integer)
                table.column("version", .integer)
                table.column("value", .blob)
                table.column("byte_count", .integer)
                table.column("expires_at", .integer, nullable: true)
                table.primaryKey("user_id", "plugin", "key")
            }
            builder.createIndex(
                "plugin_values_expiry", on: "plugin_values", ["expires_at"], where: "expires_at IS NOT NULL")
            builder.createTable("plugin_value_usage") { table in
                table.column("user_id", .integer)
                table.column("plugin", .text)
                table.column("entries", .integer)
                table.column("bytes", .integer)
                table.column("last_version", .integer)
                table.primaryKey("user_id", "plugin")
                table.isWithoutRowID = true
            }
        },
        Migration("plugins/2-secrets") { builder in
            builder.createTable("plugin_secrets") { table in
                table.column("user_id", .integer)
                table.column("plugin", .text)
                table.column("name", .text)
                table.column("id", .integer)
                table.column("value", .blob)
                table.column("entered_at", .integer)
                table.primaryKey("user_id", "plugin", "name")
            }
            builder.createTable("plugin_operator_secrets") { table in
                table.column("plugin", .text)
                table.column("name", .text)
                table.column("id", .integer)
                table.column("value", .blob)
                table.column("entered_at", .integer)
                table.primaryKey("plugin", "name")
            }
        },
        Migration("plugins/3-timers") { builder in
            builder.createTable("plugin_timers") { table in
                table.column("user_id", .integer)
                table.column("id", .integer)
                table.column("plugin", .text)
                table.column("name", .text)
                table.column("handler", .text)
                table.column("data", .blob)
                table.column("due_at", .integer)
                // `seconds`, `days`, `months`, or null for a timer that fires once.
                table.column("repeat_unit", .text, nullable: true)
                table.column("repeat_every", .integer, default: "0")
                // The first due time as the person's clock showed it, in milliseconds, and how often it came since.
                table.column("anchor_local", .integer)
                table.column("occurrence", .integer, default: "0")
                // Occurrences before it at which it could not fire.
                table.column("missed", .integer, default: "0")
                table.column("next_at", .integer)
                table.column("attempts", .integer, default: "0")
                table.column("turn", .integer, nullable: true)
                table.column("holder", .text, nullable: true)
                table.column("lease_until", .integer, default: "0")
                table.primaryKey("user_id", "id")
                table.unique("user_id", "plugin", "name")
            }
            builder.createIndex("plugin_timers_next", on: "plugin_timers", ["next_at"])
        },
        Migration("plugins/4-events") { builder in
            builder.createTable("plugin_deliveries") { table in
                table.column("user_id", .integer)
                table.column("id", .integer)
                table.column("event", .integer)
                table.column("publisher", .text)
                table.column("plugin", .text)
                table.column("topic", .text)
                table.column("handler", .text)
                table.column("data", .blob)
                table.column("published_at", .integer)
                table.column("depth", .integer)
                table.column("next_at", .integer)
                table.column("attempts", .integer, default: "0")
                table.column("turn", .integer, nullable: true)
                table.column("holder", .text, nullable: true)
                table.column("lease_until", .integer, default: "0")
                table.primaryKey("user_id", "id")
            }
            builder.createIndex("plugin_deliveries_next", on: "plugin_deliveries", ["next_at"])
            builder.createIndex("plugin_deliveries_lane", on: "plugin_deliveries", ["user_id", "plugin", "id"])
            builder.createIndex("plugin_deliveries_publisher", on: "plugin_deliveries", ["user_id", "publisher"])
            builder.createTable("plugin_event_keys") { table in
                table.column("user_id", .integer)
                table.column("plugin", .text)
                table.column("topic", .text)
                table.column("key", .text)
                table.column("event", .integer)
                table.column("published_at", .integer)
                table.primaryKey("user_id", "plugin", "topic", "key")
                table.isWithoutRowID = true
            }
            builder.createIndex("plugin_event_keys_age", on: "plugin_event_keys", ["published_at"])
        },
        Migration("plugins/5-versions") { builder in
            builder.createTable("plugin_versions") { table in
                table.column("user_id", .integer)
                table.column("plugin", .text)
                table.column("version", .text)
                // A migration that has begun: to where, under which journal entry, how often it failed.
                table.column("pending", .text, nullable: true)
                table.column("turn", .integer, nullable: true)
                table.column("attempts", .integer, default: "0")
                table.column("next_at", .integer, default: "0")
                table.primaryKey("user_id", "plugin")
                table.isWithoutRowID = true
            }
        },
        Migration("plugins/6-settings") { builder in
            builder.createTable("plugin_settings") { table in
                table.column("user_id", .integer)
                table.column("plugin", .text)
                table.column("id", .integer)
                table.column("settings", .blob)
                table.primaryKey("user_id", "plugin")
            }
            builder.createTable("plugin_operator_settings") { table in
                table.column("plugin", .text)
                table.column("settings", .text)
                table.primaryKey("plugin")
            }
            builder.createTable("plugin_settings_state") { table in
                table.column("id", .integer)
                table.column("generation", .integer)
                table.primaryKey("id")
            }
            builder.sql("INSERT INTO plugin_settings_state (id, generation) VALUES (1, 1)")
        },
    ]
}
