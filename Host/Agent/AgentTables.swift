public import TandemCore
public import TandemStorage

/// The agent's tables of a user's data: conversation, turns, confirmations, log.
public enum AgentTables {
    public static let owner = "host.agent"

    static let messages = "messages"
    static let turns = "turns"
    static let confirmations = "confirmations"
    static let conversation = "conversation_state"
    static let logs = "agent_logs"
    static let summaries = "conversation_summaries"

    /// Work to do, across users: ids and who works on it, no content.
    public static let migrations: [Migration] = [
        Migration("agent/1-turn-queue") { builder in
            builder.createTable("turn_queue") { table in
                table.column("turn", .integer)
                table.column("user_id", .integer)
                table.column("holder", .text)
                table.column("lease_until", .integer)
                table.primaryKey("user_id", "turn")
                table.isWithoutRowID = true
            }
        },
        // How often a turn was left behind: by a process that died or an attempt that failed. Not by one that waited.
        Migration("agent/2-turns-left-behind") { builder in
            builder.sql(
                sqlite: "ALTER TABLE turn_queue ADD COLUMN times_left INTEGER NOT NULL DEFAULT 0",
                postgres: "ALTER TABLE turn_queue ADD COLUMN times_left BIGINT NOT NULL DEFAULT 0")
        },
    ]

    public static let definitions: [TableDefinition] = [
        TableDefinition(
            name: messages,
            columns: [
                ColumnDefinition("direction", .text),
                ColumnDefinition("channel", .text),
                // Of an answer: the message that it answers.
                ColumnDefinition("turn", .id, nullable: true),
                ColumnDefinition("text", .text, sealed: true, searchable: true),
                ColumnDefinition("address", .text, nullable: true, sealed: true),
                ColumnDefinition("external_id", .text, nullable: true),
            ],
            purpose: "what you wrote and what was answered"),
        TableDefinition(
            name: turns,
            columns: [
                // The inbound message that this turn answers.
                ColumnDefinition("message", .id),
                // `running`, `later` (it was answered and goes on), `done`.
                ColumnDefinition("state", .text),
                ColumnDefinition("channel", .text),
                ColumnDefinition("handled_by", .text),
                ColumnDefinition("attempts", .integer, default: .integer(1)),
                // The plan, with outcomes once there are some.
                ColumnDefinition("steps", .json, sealed: true),
                // Calls that take back what no journal can, and whether they still may: `open`, `done`.
                ColumnDefinition("undo_calls", .json, nullable: true, sealed: true),
                ColumnDefinition("undo_state", .text, nullable: true),
                ColumnDefinition("ended_at", .timestamp, nullable: true),
            ],
            indexes: [IndexDefinition(["message"], unique: true), IndexDefinition(["undo_state"])],
            purpose: "what was done for each of your messages"),
        TableDefinition(
            name: confirmations,
            columns: [
                // `open`, `used`, `dropped`, `expired`; between the owner's word and its effect `held`, then `going`.
                ColumnDefinition("state", .text),
                ColumnDefinition("code", .integer),
                ColumnDefinition("tool", .text),
                ColumnDefinition("arguments", .json, sealed: true),
                ColumnDefinition("arguments_hash", .text),
                ColumnDefinition("summary", .text, sealed: true),
                ColumnDefinition("expires_at", .timestamp),
                // Whose words the arguments are; null: the person's own.
                ColumnDefinition("label", .text, nullable: true),
            ],
            indexes: [IndexDefinition(["state"])],
            purpose: "actions that wait for your word"),
        TableDefinition(
            name: conversation,
            columns: [ColumnDefinition("state", .json, sealed: true)],
            purpose: "what the last answers showed"),
        TableDefinition(
            name: summaries,
            columns: [
                // Points with their messages, times and labels, and a model's prose where there is one.
                ColumnDefinition("summary", .json, sealed: true),
                // The last message that is in it, and how many are.
                ColumnDefinition("up_to", .id),
                ColumnDefinition("message_count", .integer),
                // The least trusted of what it came from.
                ColumnDefinition("trust_label", .text),
                // `local`, or the model that wrote the prose.
                ColumnDefinition("made_by", .text),
            ],
            purpose: "what you talked about longer ago, in short"),
        TableDefinition(
            name: logs,
            columns: [
                ColumnDefinition("log_level", .text),
                ColumnDefinition("log_message", .text),
                ColumnDefinition("log_context", .json),
                ColumnDefinition("turn", .id, nullable: true),
            ],
            purpose: "every decision that the assistant took for you"),
    ]
}
