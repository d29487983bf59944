public import TandemCore
public import TandemStorage

extension Accounts {
    /// The owner of the accounts' user tables.
    public static let owner = "host.accounts"

    /// The system tables: who there is, and whose a verified number is.
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
