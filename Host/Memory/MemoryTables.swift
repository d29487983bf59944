public import TandemCore

/// The table of long-term memory, with the fields of the architecture document (§4.3.2) and those that validity and
/// provenance need.
public enum MemoryTables {
    /// Who owns it, towards the storage.
    public static let owner = "host.memory"

    public static let definitions = [memories, accesses, uses, proposals, focusAreas]

    static let memories = TableDefinition(
        name: "ltm_memories",
        columns: [
            ColumnDefinition("content", .text, sealed: true, searchable: true),
            ColumnDefinition("tags", .json, nullable: true, sealed: true),
            // A `StatementKind`, or what an integration named it.
            ColumnDefinition("memory_type", .text, default: .text("fact")),
            ColumnDefinition("category", .text, nullable: true, sealed: true),
            // 1…10.
            ColumnDefinition("importance_score", .integer, default: .integer(5)),
            // 0…1.
            ColumnDefinition("confidence_score", .real, default: .real(1)),
            ColumnDefinition("dynamic_importance", .real, default: .real(1)),
            // The focus area that was current when it was said.
            ColumnDefinition("context", .text, nullable: true, sealed: true),
            ColumnDefinition("context_data", .json, nullable: true, sealed: true),
            // `message`: said in a conversation. The id is the turn's.
            ColumnDefinition("source_type", .text, default: .text("message")),
            ColumnDefinition("source_id", .text, nullable: true),
            ColumnDefinition("created_by", .text, default: .text("owner")),
            // Taken over from `ltm_accesses` when memories are consolidated.
            ColumnDefinition("last_accessed", .timestamp, nullable: true),
            ColumnDefinition("last_modified", .timestamp, nullable: true),
            ColumnDefinition("access_count", .integer, default: .integer(0)),
            ColumnDefinition("last_access_context", .text, nullable: true, sealed: true),
            ColumnDefinition("related_memory_ids", .json, nullable: true),
            ColumnDefinition("parent_memory_id", .id, nullable: true),
            ColumnDefinition("memory_metadata", .json, nullable: true, sealed: true),
            ColumnDefinition("is_archived", .boolean, default: .boolean(false)),
            ColumnDefinition("archive_reason", .text, nullable: true),
            // Facts are closed, not overwritten: true from, true until, and the memory that took its place.
            ColumnDefinition("valid_from", .timestamp, nullable: true),
            ColumnDefinition("valid_until", .timestamp, nullable: true),
            ColumnDefinition("superseded_by", .id, nullable: true),
            ColumnDefinition("channel", .text, nullable: true),
            // A `TrustLabel`: who said it.
            ColumnDefinition("trust_label", .text, default: .text("owner")),
            // When it ends by itself; it is then archived with the reason `expired`.
            ColumnDefinition("expires_at", .timestamp, nullable: true),
            // Of earlier versions.
            ColumnDefinition("revision", .integer, default: .integer(0)),
        ],
        indexes: [IndexDefinition(["superseded_by"])],
        purpose: "what you asked me to remember")

    /// How often and when memories were used: a table of its own, since counting is no change that an undo may meet.
    static let accesses = TableDefinition(
        name: "ltm_accesses",
        columns: [
            ColumnDefinition("memory_id", .id), ColumnDefinition("access_count", .integer, default: .integer(0)),
            ColumnDefinition("last_accessed", .timestamp, nullable: true),
        ],
        indexes: [IndexDefinition(["memory_id"], unique: true)],
        purpose: "how often what you asked me to remember was used")

    /// Why the last answers said what they said: which memories they used, and the parts of their scores. No texts.
    static let uses = TableDefinition(
        name: "ltm_uses",
        columns: [
            // The message that was answered.
            ColumnDefinition("turn", .id),
            // Best first: `[{"memory":"12","parts":[{"name":"words","value":3.1}]}]`.
            ColumnDefinition("memories", .json),
        ],
        indexes: [IndexDefinition(["turn"], unique: true)],
        purpose: "which of your memories the last answers used, and why")

    /// What the person is at: one is current.
    static let focusAreas = TableDefinition(
        name: "focus_areas",
        columns: [
            ColumnDefinition("name", .text, sealed: true),
            // A `FocusArea.State`.
            ColumnDefinition("state", .text),
            ColumnDefinition("active_at", .timestamp),
        ],
        indexes: [IndexDefinition(["state"])],
        purpose: "what you focus on")

    /// What plugins propose to remember, until the person says.
    static let proposals = TableDefinition(
        name: "ltm_proposals",
        columns: [
            ColumnDefinition("plugin", .text),
            // For the person: `Recipes`.
            ColumnDefinition("proposed_by", .text),
            ColumnDefinition("memory_type", .text),
            ColumnDefinition("content", .text, sealed: true),
            // `waiting`, `kept`, `declined`.
            ColumnDefinition("state", .text),
            ColumnDefinition("decided_at", .timestamp, nullable: true),
        ],
        indexes: [IndexDefinition(["state"]), IndexDefinition(["plugin", "state"])],
        purpose: "what integrations would like me to remember")
}
