/// The storage's own tables. Closed to the domains' SQL, as the people's tables are.
enum StorageMigrations {
    static let tables: Set<String> = [
        "tandem_migrations", "tandem_tables", "master_keys", "user_keys", "row_journal", "row_turns", "row_usage",
        CopyMark.table, AuditSchema.entries, AuditSchema.heads,
        "key_rotations",
    ]

    static let all: [Migration] = [
        Migration("storage/1-catalogue") { builder in
            builder.createTable("tandem_tables") { table in
                table.column("name", .text)
                table.column("owner", .text)
                table.column("definition", .text)
                table.column("definition_hash", .text)
                table.column("created_at", .integer)
                table.column("updated_at", .integer)
                table.primaryKey("name")
            }
        },
        Migration("storage/2-keys") { builder in
            builder.createTable("master_keys") { table in
                table.column("version", .integer)
                table.column("proof", .blob)
                table.column("created_at", .integer)
                table.primaryKey("version")
            }
            builder.createTable("user_keys") { table in
                table.column("user_id", .integer)
                table.column("version", .integer)
                table.column("master_version", .integer)
                table.column("wrapped", .blob)
                table.column("created_at", .integer)
                table.primaryKey("user_id", "version")
                table.isWithoutRowID = true
            }
        },
        Migration("storage/3-journal") { builder in
            builder.createTable("row_journal") { table in
                table.column("user_id", .integer)
                table.column("id", .integer)
                table.column("turn", .integer)
                table.column("step", .integer)
                table.column("table_name", .text)
                table.column("row_id", .integer)
                table.column("version_before", .integer)
                table.column("version_after", .integer)
                table.column("before_image", .blob, nullable: true)
                table.column("is_undone", .integer, default: "0")
                table.column("created_at", .integer)
                table.primaryKey("user_id", "id")
                table.isWithoutRowID = true
            }
            builder.createTable("row_turns") { table in
                table.column("user_id", .integer)
                table.column("turn", .integer)
                table.column("title", .blob)
                table.column("created_at", .integer)
                table.primaryKey("user_id", "turn")
                table.isWithoutRowID = true
            }
            builder.createTable("row_usage") { table in
                table.column("user_id", .integer)
                table.column("owner", .text)
                table.column("row_count", .integer)
                table.column("byte_count", .integer)
                table.primaryKey("user_id", "owner")
                table.isWithoutRowID = true
            }
        },
        AuditSchema.migration,
        KeyRotation.migration,
    ]
}
