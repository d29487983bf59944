public import TandemCore
public import TandemStorage

extension OAuthConnections {
    /// The owner of the person's own table.
    public static let owner = "host.oauth"

    /// The system tables.
    ///
    /// `oauth_tokens` is none of the person's tables on purpose: those are exported whole, and a token is no data about
    /// the person but a key. Sealed with the person's key: `access_token`, `refresh_token`, `verifier`; with the
    /// program's: `oauth_revocations.token`, which outlives an erasure by the time that giving it back takes.
    public static let migrations: [Migration] =
        DatabaseLocks.migrations + [
            Migration("oauth/1-connections") { migration in
                migration.createTable("oauth_tokens") { table in
                    table.column("id", .integer)
                    table.column("user_id", .integer)
                    table.column("provider", .text)
                    // `connected` or `needs_reauth`.
                    table.column("state", .text)
                    table.column("access_token", .blob, nullable: true)
                    table.column("refresh_token", .blob, nullable: true)
                    // Separated by spaces.
                    table.column("scopes", .text)
                    // Raised with every pair that is stored.
                    table.column("version", .integer)
                    // Of the lock under which it was stored.
                    table.column("fence", .integer)
                    table.column("obtained_at", .integer)
                    table.column("expires_at", .integer, nullable: true)
                    table.column("refresh_at", .integer, nullable: true)
                    table.column("idle_at", .integer, nullable: true)
                    table.column("used_at", .integer, nullable: true)
                    table.column("failures", .integer, default: "0")
                    table.column("retry_at", .integer, nullable: true)
                    table.column("reason", .text, nullable: true)
                    // What nobody has been told yet: `lost` or `connected`.
                    table.column("pending", .text, nullable: true)
                    table.column("created_at", .integer)
                    table.column("updated_at", .integer)
                    table.primaryKey("id")
                    table.unique("user_id", "provider")
                }
                migration.createIndex("oauth_tokens_due", on: "oauth_tokens", ["refresh_at"])
                migration.createIndex("oauth_tokens_idle", on: "oauth_tokens", ["idle_at"])
                migration.createIndex(
                    "oauth_tokens_pending", on: "oauth_tokens", ["pending"], where: "pending IS NOT NULL")

                migration.createTable("oauth_states") { table in
                    table.column("state_hash", .blob)
                    table.column("id", .integer)
                    table.column("user_id", .integer)
                    table.column("session_hash", .blob)
                    table.column("provider", .text)
                    table.column("redirect", .text)
                    table.column("scopes", .text)
                    table.column("verifier", .blob, nullable: true)
                    table.column("expires_at", .integer)
                    table.primaryKey("state_hash")
                }
                migration.createIndex("oauth_states_user", on: "oauth_states", ["user_id", "id"])
                migration.createIndex("oauth_states_expiry", on: "oauth_states", ["expires_at"])

                migration.createTable("oauth_links") { table in
                    table.column("link_hash", .blob)
                    table.column("id", .integer)
                    table.column("user_id", .integer)
                    table.column("provider", .text)
                    table.column("plugin", .text, nullable: true)
                    table.column("level", .text)
                    table.column("expires_at", .integer)
                    table.primaryKey("link_hash")
                }
                migration.createIndex("oauth_links_user", on: "oauth_links", ["user_id", "id"])
                migration.createIndex("oauth_links_expiry", on: "oauth_links", ["expires_at"])

                migration.createTable("oauth_revocations") { table in
                    table.column("id", .integer)
                    table.column("provider", .text)
                    table.column("token", .blob)
                    table.column("attempts", .integer, default: "0")
                    table.column("due_at", .integer)
                    table.column("created_at", .integer)
                    table.primaryKey("id")
                }
                migration.createIndex("oauth_revocations_due", on: "oauth_revocations", ["due_at"])
            }
        ]

    /// What the person sees and takes along: which accounts are connected, and what was allowed when. No token.
    public static let tables: [TableDefinition] = [
        TableDefinition(
            name: "oauth_integrations",
            columns: [
                ColumnDefinition("provider", .text),
                // `connected`, `needs_reauth` or `disconnected`.
                ColumnDefinition("status", .text),
                ColumnDefinition("account", .text, nullable: true, sealed: true),
                ColumnDefinition("scopes", .json),
                ColumnDefinition("connected_at", .timestamp, nullable: true),
                ColumnDefinition("status_changed_at", .timestamp),
                ColumnDefinition("reason", .text, nullable: true),
            ],
            indexes: [IndexDefinition(["provider"], unique: true)],
            purpose: "which of your accounts elsewhere are connected")
    ]
}
