import TandemCore
import TandemStorage

/// The tables of what language models were used for: days, by which budgets go, and single requests.
enum ModelSchema {
    static let migrations: [Migration] = [
        Migration("models/1-days") { builder in
            // What each person's day has used, the part that nobody waited for once more.
            builder.createTable("llm_days") { table in
                table.column("user_id", .integer)
                table.column("day", .integer)
                for column in ["requests", "tokens", "micros", "silent_requests", "silent_tokens", "silent_micros"] {
                    table.column(column, .integer)
                }
                table.primaryKey("user_id", "day")
                table.isWithoutRowID = true
            }
            // Everybody's together: nobody's data, so that a budget need not read other people's.
            builder.createTable("llm_totals") { table in
                table.column("day", .integer)
                table.column("requests", .integer)
                table.column("tokens", .integer)
                table.column("micros", .integer)
                table.primaryKey("day")
                table.isWithoutRowID = true
            }
        }
    ]

    /// The owner of the person's own tables.
    static let owner = "host.models"
    static let usage = "llm_usage"

    static let tables: [TableDefinition] = [
        TableDefinition(
            name: usage,
            columns: [
                ColumnDefinition("provider", .text),
                ColumnDefinition("model", .text),
                ColumnDefinition("turn", .id, nullable: true),
                // `turn`, or `silent` when nobody waited for it.
                ColumnDefinition("purpose", .text),
                ColumnDefinition("outcome", .text),
                ColumnDefinition("input_tokens", .integer),
                ColumnDefinition("cached_tokens", .integer),
                ColumnDefinition("output_tokens", .integer),
                ColumnDefinition("cost", .decimal(scale: 6)),
                ColumnDefinition("currency", .text),
                ColumnDefinition("milliseconds", .integer),
            ],
            purpose: "what language models were asked for you and what it cost")
    ]
}
