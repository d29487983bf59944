public import TandemCore

/// The tables of the built-in tools.
public enum LifeTables {
    /// Who owns them, towards the storage.
    public static let owner = "host.life"

    /// Tasks and their steps; notes. Fields of the architecture document, §4.3.2, and what steps and zones need.
    public static let definitions = [tasks, taskFocus, notes]

    static let tasks = TableDefinition(
        name: "tasks",
        columns: [
            ColumnDefinition("title", .text, sealed: true),
            ColumnDefinition("description", .text, nullable: true, sealed: true),
            // `open`, `done`.
            ColumnDefinition("status", .text, default: .text("open")),
            // `low`, `normal`, `high`.
            ColumnDefinition("priority", .text, default: .text("normal")),
            // A day in the person's zone; with a time as well, the instant.
            ColumnDefinition("due_date", .date, nullable: true),
            ColumnDefinition("due_at", .timestamp, nullable: true),
            // The person wants to be texted when it is time.
            ColumnDefinition("reminds", .boolean, default: .boolean(false)),
            // Not suggested before.
            ColumnDefinition("snoozed_until", .timestamp, nullable: true),
            ColumnDefinition("completed_at", .timestamp, nullable: true),
            ColumnDefinition("goal_id", .id, nullable: true),
            // A step of that task, or of that step.
            ColumnDefinition("parent_id", .id, nullable: true, references: "tasks"),
            ColumnDefinition("step_order", .integer, default: .integer(0)),
        ],
        indexes: [IndexDefinition(["status"]), IndexDefinition(["parent_id"]), IndexDefinition(["title"])],
        purpose: "your tasks and their steps")

    /// One row: the task that was last offered, saved or begun, for a bare `done` or `smaller`. No part of any undo.
    static let taskFocus = TableDefinition(
        name: "task_focus", columns: [ColumnDefinition("task_id", .id)],
        purpose: "which of your tasks we last spoke of")

    static let notes = TableDefinition(
        name: "notes",
        columns: [
            ColumnDefinition("title", .text, sealed: true, searchable: true),
            ColumnDefinition("content", .text, sealed: true, searchable: true),
            ColumnDefinition("summary", .text, nullable: true, sealed: true),
            // Lower-case words without `#`, as a JSON array.
            ColumnDefinition("tags", .json, nullable: true, sealed: true),
            ColumnDefinition("category", .text, nullable: true, sealed: true),
            ColumnDefinition("importance", .text, default: .text("normal")),
            ColumnDefinition("status", .text, default: .text("active")),
            ColumnDefinition("template_id", .text, nullable: true),
            ColumnDefinition("parent_note_id", .id, nullable: true, references: "notes"),
            ColumnDefinition("external_id", .text, nullable: true, sealed: true),
            ColumnDefinition("external_source", .text, nullable: true),
            ColumnDefinition("last_accessed", .timestamp, nullable: true),
            // Of earlier versions.
            ColumnDefinition("revision", .integer, default: .integer(0)),
        ],
        indexes: [IndexDefinition(["status"])],
        purpose: "your notes")
}
