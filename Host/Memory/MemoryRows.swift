import TandemCore
import TandemJSON
import TandemStorage

/// The memory table's rows within one transaction.
struct MemoryRows {
    static let table = "ltm_memories"
    private static let accesses = "ltm_accesses"

    private let reading: any ReadTransaction
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

    private func writer() throws -> any WriteTransaction {
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
        let id = try transaction.insert(
            MemoryRows.table,
            [
                "content": .string(new.content), "tags": .array(new.tags.map { .string($0) }),
                "memory_type": .string(new.type), "category": new.category.map { .string($0) } ?? .null,
                "source_id": origin.map { .string($0.turn.description) } ?? .null,
                "channel": new.channel.map { .string($0) } ?? .null, "trust_label": .string(new.trust.rawValue),
                "valid_from": now, "last_modified": now,
                "revision": .integer(PersonalIndex.revision(transaction)),
            ], origin: origin)
        guard let memory = try memory(id) else { throw StorageError(.internalFailure, "an inserted row is not there") }
        return memory
    }

    /// The same statement, said again: its newer wording, fully trusted again.
    func refresh(_ old: Memory, with new: NewMemory) throws -> Memory {
        let transaction = try writer()
        let tags = old.tags + new.tags.filter { !old.tags.contains($0) }
        var set: JSONObject = [
            "content": .string(new.content), "tags": .array(tags.map { .string($0) }), "confidence_score": 1,
            "last_modified": .timestamp(transaction.now),
            "revision": .integer(PersonalIndex.revision(transaction)),
        ]
        if let category = new.category { set["category"] = .string(category) }
        try transaction.update(MemoryRows.table, old.id, set: set, origin: origin)
        return try memory(old.id) ?? old
    }

    /// As its owner wants it.
    func correct(_ old: Memory, _ correction: MemoryCorrection) throws -> Memory {
        let transaction = try writer()
        var set: JSONObject = [
            "last_modified": .timestamp(transaction.now), "revision": .integer(PersonalIndex.revision(transaction)),
        ]
        if let content = correction.content { set["content"] = .string(content) }
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
                "revision": .integer(PersonalIndex.revision(transaction)),
            ], origin: origin)
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
