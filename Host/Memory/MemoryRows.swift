import TandemCore
import TandemJSON
import TandemStorage

/// The memory table's rows within one transaction.
struct MemoryRows {
    static let table = "ltm_memories"
    static let accesses = "ltm_accesses"

    /// What memories are found by.
    static let source = SearchSource(
        table: table,
        columns: [
            "content", "tags", "category", "last_modified", "superseded_by", "is_archived", "valid_until",
        ]
    ) { row in
        let values = row.values
        guard values.count == 7, values[4].isNull, values[5].boolValue != true, values[6].isNull,
            var text = values[0].stringValue
        else { return nil }
        for tag in values[1].arrayValue ?? [] { text += " " + (tag.stringValue ?? "") }
        if let category = values[2].stringValue { text += " " + category }
        return (text, values[3].stringValue.flatMap { Timestamp($0) } ?? row.updatedAt)
    }

    let reading: any ReadTransaction
    private let writing: (any WriteTransaction)?
    private let origin: WriteOrigin?

    init(_ transaction: any ReadTransaction) {
        reading = transaction
        writing = nil
        origin = nil
    }

    /// Writes are journalled under `origin`; without one they are no part of any undo.
    init(_ transaction: any WriteTransaction, _ origin: WriteOrigin?) {
        reading = transaction
        writing = transaction
        self.origin = origin
    }

    func writer() throws -> any WriteTransaction {
        guard let writing else { throw StorageError(.notAllowed, "a write in a reading transaction") }
        return writing
    }

    // MARK: - Reading

    func memory(_ id: RecordID) throws -> Memory? { try reading.row(MemoryRows.table, id).map(Memory.init(row:)) }

    func count() throws -> Int { try reading.count(MemoryRows.table) }

    private static let page = 500

    /// Newest first.
    func open(limit: Int) throws -> [Memory] {
        try reading.list(
            MemoryRows.table, where: MemoryRows.isOpen, order: [RowOrder("id", descending: true)], limit: limit
        ).map(Memory.init(row:))
    }

    /// Newest first.
    func open(ofFocus name: String, limit: Int) throws -> [Memory] {
        try reading.list(
            MemoryRows.table, where: MemoryRows.isOpen + [RowCondition("context", .equal, .string(name))],
            order: [RowOrder("id", descending: true)], limit: limit
        ).map(Memory.init(row:))
    }

    func countOpen() throws -> Int { try reading.count(MemoryRows.table, where: MemoryRows.isOpen) }

    static let isOpen = [
        RowCondition("superseded_by", .isNull), RowCondition("is_archived", .equal, false),
        RowCondition("valid_until", .isNull),
    ]

    func replaced(by id: RecordID) throws -> [RecordID] {
        try reading.list(
            MemoryRows.table, where: [RowCondition("superseded_by", .equal, .id(id))], limit: MemoryRows.page
        ).map(\.id)
    }

    // MARK: - Writing

    func insert(_ new: NewMemory) throws -> Memory {
        let transaction = try writer()
        let now = JSON.timestamp(transaction.now)
        let channel = new.channel ?? origin.flatMap { self.channel(of: $0.turn) }
        let id = try transaction.insert(
            MemoryRows.table,
            [
                "content": .string(new.content), "tags": .array(new.tags.map { .string($0) }),
                "memory_type": .string(new.type), "category": new.category.map { .string($0) } ?? .null,
                "source_id": origin.map { .string($0.turn.description) } ?? .null,
                "channel": channel.map { .string($0) } ?? .null, "trust_label": .string(new.trust.rawValue),
                "context": try LongTermMemory.currentFocus(in: transaction).map { .string($0) } ?? .null,
                "importance_score": .integer(Int64(new.importance)),
                "expires_at": new.expiresAt.map { .timestamp($0) } ?? .null, "valid_from": now, "last_modified": now,
            ], origin: origin)
        guard let memory = try memory(id) else { throw StorageError(.internalFailure, "an inserted row is not there") }
        return memory
    }

    /// Over what the person sent the message of that turn; nil when it was no message.
    private func channel(of turn: RecordID) -> String? {
        (try? reading.row("messages", turn))?.string("channel")
    }

    /// The same statement, said again: its newer wording, fully trusted again.
    func refresh(_ old: Memory, with new: NewMemory) throws -> Memory {
        let transaction = try writer()
        let tags = old.tags + new.tags.filter { !old.tags.contains($0) }
        var set: JSONObject = [
            "content": .string(new.content), "tags": .array(tags.map { .string($0) }), "confidence_score": 1,
            "last_modified": .timestamp(transaction.now), "related_memory_ids": .null,
        ]
        if let category = new.category { set["category"] = .string(category) }
        try transaction.update(MemoryRows.table, old.id, set: set, origin: origin)
        return try memory(old.id) ?? old
    }

    /// As its owner wants it.
    func correct(_ old: Memory, _ correction: MemoryCorrection) throws -> Memory {
        let transaction = try writer()
        var set: JSONObject = [
            "last_modified": .timestamp(transaction.now), "related_memory_ids": .null,
        ]
        if let content = correction.content {
            let new = NewMemory(content)
            set["content"] = .string(content)
            set["expires_at"] = LongTermMemory.end(of: new, now: transaction.now).map { .timestamp($0) } ?? .null
            if StatementKind(rawValue: old.type) != nil {
                set["memory_type"] = .string(new.type)
                set["importance_score"] = .integer(Int64(new.importance))
            }
        }
        if let tags = correction.tags { set["tags"] = .array(tags.map { .string($0) }) }
        if let category = correction.category { set["category"] = category.map { .string($0) } ?? .null }
        try transaction.update(MemoryRows.table, old.id, set: set, origin: origin)
        return try memory(old.id) ?? old
    }

    /// An older statement ends where the newer one begins.
    func close(_ old: Memory, by new: Memory) throws {
        let transaction = try writer()
        try transaction.update(
            MemoryRows.table, old.id,
            set: [
                "superseded_by": .id(new.id), "valid_until": .timestamp(transaction.now),
            ], origin: origin)
    }

    /// Takes a memory out of use, with the reason; it stays readable and exportable.
    func archive(_ memory: Memory, _ reason: ArchiveReason, keptBy kept: RecordID? = nil) throws {
        let transaction = try writer()
        var set: JSONObject = [
            "is_archived": true, "archive_reason": .string(reason.rawValue),
        ]
        if let kept { set["parent_memory_id"] = .id(kept) }
        try transaction.update(MemoryRows.table, memory.id, set: set, origin: origin)
    }

    /// What consolidation found of a memory that stays; nothing is written when that is about what is there.
    ///
    /// - Parameter memory: With its use as it is now.
    func consolidate(_ memory: Memory, strength: Double, related: [RecordID]) throws {
        let row = try reading.row(MemoryRows.table, memory.id)
        let isKnown =
            memory.relatedIDs == related && Int64(memory.accessCount) == row?.integer("access_count")
            && abs(strength - (row?["dynamic_importance"].doubleValue ?? 9)) < 0.02
        guard !isKnown else { return }
        try writer().update(
            MemoryRows.table, memory.id,
            set: [
                "dynamic_importance": .number(strength), "access_count": .integer(Int64(memory.accessCount)),
                "last_accessed": memory.lastAccessed.map { .timestamp($0) } ?? .null,
                "related_memory_ids": .array(related.map { .id($0) }),
            ], origin: origin)
    }

    /// With how often and when it was used, as counted since the last consolidation.
    func withUse(_ memory: Memory) throws -> Memory {
        var memory = memory
        let match = [RowCondition("memory_id", .equal, .id(memory.id))]
        guard let row = try reading.list(MemoryRows.accesses, where: match, limit: 1).first else { return memory }
        memory.accessCount = max(memory.accessCount, Int(min(max(row.integer("access_count") ?? 0, 0), 1 << 30)))
        memory.lastAccessed = row.timestamp("last_accessed") ?? memory.lastAccessed
        return memory
    }

    /// In the order of their ids.
    func open(after id: RecordID?, limit: Int) throws -> [Memory] {
        var conditions = MemoryRows.isOpen
        if let id { conditions.append(RowCondition("id", .greater, .id(id))) }
        return try reading.list(MemoryRows.table, where: conditions, order: [RowOrder("id")], limit: limit)
            .map(Memory.init(row:))
    }

    /// Apart from the memory's own row, whose version an undo compares.
    func countAccess(_ id: RecordID) throws {
        let transaction = try writer()
        let now = JSON.timestamp(transaction.now)
        let match = [RowCondition("memory_id", .equal, .id(id))]
        if let row = try transaction.list(MemoryRows.accesses, where: match, limit: 1).first {
            try transaction.update(
                MemoryRows.accesses, row.id,
                set: ["access_count": .integer((row.integer("access_count") ?? 0) + 1), "last_accessed": now])
        } else {
            try transaction.insert(
                MemoryRows.accesses, ["memory_id": .id(id), "access_count": 1, "last_accessed": now])
        }
    }

    func accessCount(_ id: RecordID) throws -> Int {
        let match = [RowCondition("memory_id", .equal, .id(id))]
        return Int(try reading.list(MemoryRows.accesses, where: match, limit: 1).first?.integer("access_count") ?? 0)
    }

    func delete(_ id: RecordID) throws { try writer().delete(MemoryRows.table, id, origin: origin) }

    func deleteAll() throws { try writer().delete(MemoryRows.table, where: [], origin: origin) }
}
