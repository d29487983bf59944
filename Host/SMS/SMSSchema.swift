public import TandemCore
public import TandemStorage

/// The tables of the SMS channel.
///
/// Numbers are kept as keyed hashes; where a number or a text must be kept to be sent, it is sealed with the person's key
/// and removed once the message has reached its final state.
public enum SMSSchema {
    public static let migrations: [Migration] = [
        Migration("sms/1-channel") { migration in
            // What was received: a MessageSid has one effect. The ids are random, so each lies on a page of its own:
            // they are kept as 17 bytes and without a second index, since every page counts on the way to an answer.
            migration.createTable("sms_receipts") { table in
                table.column("sid", .blob)
                table.column("received_at", .integer)
                table.primaryKey("sid")
                table.isWithoutRowID = true
            }

            // Numbers that must not be sent to, and since when: 1 opted out, 2 does not take messages, 0 welcome again.
            migration.createTable("sms_consents") { table in
                table.column("number", .blob)
                table.column("state", .integer)
                table.column("changed_at", .integer)
                table.column("source", .text)
                table.primaryKey("number")
                table.isWithoutRowID = true
            }

            // Which unknown numbers were answered on which day.
            migration.createTable("sms_invitations") { table in
                table.column("day", .integer)
                table.column("number", .blob)
                table.primaryKey("day", "number")
                table.isWithoutRowID = true
            }

            migration.createTable("sms_outbox") { table in
                table.column("id", .integer)
                table.column("user_id", .integer)
                table.column("turn", .integer)
                table.column("ordinal", .integer)
                table.column("state", .integer)
                table.column("due_at", .integer)
                table.column("created_at", .integer)
                table.column("number", .blob)
                table.column("sender", .text)
                table.column("sealed_to", .blob, nullable: true)
                table.column("sealed_text", .blob, nullable: true)
                table.column("segments", .integer)
                table.column("attempts", .integer, default: "0")
                table.column("checks", .integer, default: "0")
                table.column("retries", .integer, default: "0")
                table.column("tried_at", .integer, nullable: true)
                table.column("lease_until", .integer, nullable: true)
                table.column("lease_owner", .text, nullable: true)
                table.column("sid", .text, nullable: true)
                table.column("status", .text, nullable: true)
                table.column("error_code", .integer, nullable: true)
                table.column("usage_id", .integer, nullable: true)
                table.column("sent_at", .integer, nullable: true)
                table.column("followed_up", .integer, default: "0")
                table.primaryKey("id")
                table.unique("user_id", "turn", "ordinal")
            }
            migration.createIndex("sms_outbox_due", on: "sms_outbox", ["due_at"], where: "state < 3")
            migration.createIndex("sms_outbox_order", on: "sms_outbox", ["user_id", "id"], where: "state < 3")
            migration.createIndex("sms_outbox_number", on: "sms_outbox", ["number"], where: "state < 3")
            migration.createIndex("sms_outbox_sid", on: "sms_outbox", ["sid"], unique: true)
            migration.createIndex(
                "sms_outbox_follow_up", on: "sms_outbox", ["sent_at"], where: "state = 3 AND followed_up = 0")
            migration.createIndex("sms_outbox_time", on: "sms_outbox", ["created_at"])

            // Reports, kept because one may come before the answer to the request that it is about.
            migration.createTable("sms_reports") { table in
                table.column("sid", .text)
                table.column("status", .text)
                table.column("error_code", .integer)
                table.column("received_at", .integer)
                table.primaryKey("sid", "status")
                table.isWithoutRowID = true
            }
        }
    ]

    /// The owner of the person's own tables.
    public static let owner = "host.sms"

    /// To be registered with the storage's table catalogue.
    public static let tables: [TableDefinition] = [
        TableDefinition(
            name: usage,
            columns: [
                // `in` or `out`.
                ColumnDefinition("direction", .text),
                ColumnDefinition("segments", .integer),
                ColumnDefinition("status", .text),
                ColumnDefinition("error_code", .integer, nullable: true),
                ColumnDefinition("price", .decimal(scale: 5), nullable: true),
                ColumnDefinition("currency", .text, nullable: true),
                ColumnDefinition("turn", .id, nullable: true),
            ],
            purpose: "how many SMS were exchanged and what they cost")
    ]

    static let usage = "sms_usage_logs"
}
