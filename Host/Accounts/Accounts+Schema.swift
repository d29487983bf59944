public import TandemCore
public import TandemStorage

extension Accounts {
    /// The owner of the accounts' user tables.
    public static let owner = "host.accounts"

    /// The system tables: who there is, how they prove it, and whose a verified number is.
    public static let migrations: [Migration] = [
        Migration("accounts/1-users") { builder in
            builder.createTable("users") { table in
                table.column("id", .integer)
                table.column("email", .text)
                table.column("email_key", .text)
                table.column("full_name", .text)
                table.column("role", .text)
                table.column("status", .text)
                table.column("created_at", .integer)
                table.column("updated_at", .integer)
                table.primaryKey("id")
                table.unique("email_key")
            }
        },
        Migration("accounts/2-phones") { builder in
            builder.createTable("phone_index") { table in
                table.column("phone_hash", .blob)
                table.column("user_id", .integer)
                table.column("phone_id", .integer)
                table.primaryKey("phone_hash")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
                table.isWithoutRowID = true
            }
            builder.createIndex("phone_index_user", on: "phone_index", ["user_id"])
            // Also of numbers that belong to nobody.
            builder.createTable("phone_opt_outs") { table in
                table.column("phone_hash", .blob)
                table.column("is_opted_out", .integer)
                table.column("updated_at", .integer)
                table.primaryKey("phone_hash")
                table.isWithoutRowID = true
            }
        },
        Migration("accounts/3-roles") { builder in
            builder.sql("UPDATE users SET role = 'administrator' WHERE role = 'admin'")
        },
        Migration("accounts/4-credentials") { builder in
            builder.createTable("account_credentials") { table in
                table.column("user_id", .integer)
                table.column("password_hash", .text)
                table.column("changed_at", .integer)
                table.primaryKey("user_id")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
            }
            builder.createTable("verified_emails") { table in
                table.column("user_id", .integer)
                table.column("verified_at", .integer)
                table.primaryKey("user_id")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
            }
            builder.createTable("known_devices") { table in
                table.column("token_hash", .blob)
                table.column("user_id", .integer)
                table.column("created_at", .integer)
                table.column("last_used_at", .integer)
                table.column("expires_at", .integer)
                table.primaryKey("token_hash")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
                table.isWithoutRowID = true
            }
            builder.createIndex("known_devices_user", on: "known_devices", ["user_id"])
            // Also of addresses and sources that belong to nobody.
            builder.createTable("login_throttles") { table in
                table.column("kind", .text)
                table.column("target_hash", .blob)
                table.column("source_hash", .blob)
                table.column("attempts", .integer)
                table.column("blocked_until", .integer)
                table.column("updated_at", .integer)
                table.primaryKey("kind", "target_hash", "source_hash")
                table.isWithoutRowID = true
            }
            builder.createIndex("login_throttles_target", on: "login_throttles", ["target_hash"])
        },
        Migration("accounts/5-sessions") { builder in
            builder.createTable("token_keys") { table in
                table.column("id", .integer)
                table.column("kid", .text)
                table.column("sealed", .blob)
                table.column("active_from", .integer)
                table.column("replaced_at", .integer, nullable: true)
                table.column("created_at", .integer)
                table.primaryKey("id")
                table.unique("kid")
            }
            builder.createTable("account_sessions") { table in
                table.column("id", .integer)
                table.column("user_id", .integer)
                table.column("detail", .blob)
                table.column("methods", .text)
                table.column("created_at", .integer)
                table.column("last_seen_at", .integer)
                table.column("proved_at", .integer, nullable: true)
                table.column("expires_at", .integer)
                table.column("ended_at", .integer, nullable: true)
                table.column("end_reason", .text, nullable: true)
                table.column("refresh_generation", .integer)
                table.column("refresh_hash", .blob)
                table.column("previous_hash", .blob, nullable: true)
                table.column("successor", .blob, nullable: true)
                table.column("rotated_at", .integer, nullable: true)
                table.primaryKey("id")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
            }
            builder.createIndex("account_sessions_user", on: "account_sessions", ["user_id"])
            builder.createTable("channel_proofs") { table in
                table.column("user_id", .integer)
                table.column("channel", .text)
                table.column("proved_at", .integer)
                table.primaryKey("user_id", "channel")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
                table.isWithoutRowID = true
            }
        },
        Migration("accounts/6-codes") { builder in
            builder.createTable("one_time_codes") { table in
                table.column("id", .integer)
                table.column("user_id", .integer)
                table.column("purpose", .text)
                table.column("target_hash", .blob)
                table.column("code_hash", .blob)
                table.column("detail", .blob, nullable: true)
                table.column("attempts_left", .integer)
                table.column("expires_at", .integer)
                table.column("created_at", .integer)
                table.primaryKey("id")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
            }
            builder.createIndex("one_time_codes_user", on: "one_time_codes", ["user_id", "purpose", "target_hash"])
            builder.createIndex("one_time_codes_hash", on: "one_time_codes", ["code_hash"])
            builder.createTable("login_challenges") { table in
                table.column("token_hash", .blob)
                table.column("user_id", .integer)
                table.column("attempts_left", .integer)
                table.column("expires_at", .integer)
                table.column("created_at", .integer)
                table.primaryKey("token_hash")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
                table.isWithoutRowID = true
            }
            builder.createIndex("login_challenges_user", on: "login_challenges", ["user_id"])
            builder.createTable("totp_secrets") { table in
                table.column("id", .integer)
                table.column("user_id", .integer)
                table.column("sealed", .blob)
                table.column("is_confirmed", .integer)
                table.column("last_step", .integer)
                table.column("created_at", .integer)
                table.primaryKey("id")
                table.unique("user_id", "is_confirmed")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
            }
            builder.createTable("recovery_codes") { table in
                table.column("user_id", .integer)
                table.column("code_hash", .blob)
                table.column("created_at", .integer)
                table.column("used_at", .integer, nullable: true)
                table.primaryKey("user_id", "code_hash")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
                table.isWithoutRowID = true
            }
            builder.createTable("mail_outbox") { table in
                table.column("id", .integer)
                // Null where there is no account yet.
                table.column("user_id", .integer, nullable: true)
                table.column("sealed", .blob)
                table.column("attempts", .integer)
                table.column("due_at", .integer)
                table.column("created_at", .integer)
                table.primaryKey("id")
            }
            builder.createIndex("mail_outbox_due", on: "mail_outbox", ["due_at"])
        },
        Migration("accounts/7-sign-up") { builder in
            builder.createTable("sign_ups") { table in
                table.column("id", .integer)
                table.column("token_hash", .blob)
                table.column("email_hash", .blob)
                table.column("invitation_hash", .blob, nullable: true)
                table.column("sealed", .blob)
                table.column("expires_at", .integer)
                table.column("created_at", .integer)
                table.primaryKey("id")
                table.unique("token_hash")
                table.unique("email_hash")
            }
            builder.createTable("phone_invitations") { table in
                table.column("id", .integer)
                table.column("phone_hash", .blob)
                table.column("token_hash", .blob)
                table.column("sealed", .blob)
                table.column("expires_at", .integer)
                table.column("created_at", .integer)
                table.primaryKey("id")
                table.unique("phone_hash")
                table.unique("token_hash")
            }
            builder.createTable("invitation_days") { table in
                table.column("day", .integer)
                table.column("sent", .integer)
                table.primaryKey("day")
            }
            // How far a verified number can be trusted to be the same person's still.
            builder.createTable("phone_states") { table in
                table.column("phone_hash", .blob)
                table.column("user_id", .integer)
                table.column("last_seen_at", .integer)
                table.column("suspended_at", .integer, nullable: true)
                table.column("suspension", .text, nullable: true)
                table.primaryKey("phone_hash")
                table.foreignKey(["phone_hash"], references: "phone_index", ["phone_hash"], cascade: true)
                table.isWithoutRowID = true
            }
            builder.createIndex("phone_states_user", on: "phone_states", ["user_id"])
        },
        Migration("accounts/8-keys") { builder in
            builder.createTable("api_keys") { table in
                table.column("id", .integer)
                table.column("user_id", .integer)
                table.column("public_id", .text)
                table.column("secret_hash", .blob)
                table.column("name", .text)
                table.column("scopes", .text)
                table.column("created_at", .integer)
                table.column("expires_at", .integer, nullable: true)
                table.column("last_used_at", .integer, nullable: true)
                table.column("revoked_at", .integer, nullable: true)
                table.primaryKey("id")
                table.unique("public_id")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
            }
            builder.createIndex("api_keys_user", on: "api_keys", ["user_id"])
        },
    ]

    /// The tables of each person.
    public static let tables: [TableDefinition] = [
        TableDefinition(
            name: "user_settings",
            columns: [
                ColumnDefinition("setting_key", .text),
                ColumnDefinition("setting_value", .text, sealed: true),
                ColumnDefinition("setting_metadata", .json, nullable: true),
            ],
            indexes: [IndexDefinition(["setting_key"], unique: true)], purpose: "your settings"),
        TableDefinition(
            name: "user_phone_numbers",
            columns: [
                ColumnDefinition("phone_number", .text, sealed: true),
                ColumnDefinition("label", .text, nullable: true),
                ColumnDefinition("is_primary", .boolean, default: .boolean(false)),
                ColumnDefinition("verified_at", .timestamp, nullable: true),
                ColumnDefinition("opt_out_state", .text, default: .text("in")),
                ColumnDefinition("opt_out_changed_at", .timestamp, nullable: true),
            ],
            indexes: [IndexDefinition(["phone_number"], unique: true)], purpose: "your phone numbers"),
        TableDefinition(
            name: "user_identification_logs",
            columns: [
                ColumnDefinition("channel", .text),
                ColumnDefinition("method", .text),
                ColumnDefinition("outcome", .text),
                ColumnDefinition("external_id", .text, nullable: true),
            ],
            indexes: [IndexDefinition(["created_at"])], purpose: "when and how you were recognised"),
    ]
}
