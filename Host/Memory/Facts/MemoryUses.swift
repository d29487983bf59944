public import TandemCore
import TandemJSON
import TandemStorage

/// That a memory was part of an answer, and why it was found.
public struct MemoryUse: Sendable, Hashable {
    /// Nil when it was forgotten since.
    public var memory: Memory?
    /// The parts of its score then, by name, in the order of `RecallScore.parts`.
    public var parts: [Part]

    public struct Part: Sendable, Hashable {
        public var name: String
        public var value: Double
    }

    public var total: Double { parts.reduce(0) { $0 + $1.value } }
}

extension LongTermMemory {
    /// Answers of one person whose reasons are kept.
    static let mostExplained = 50
    /// Memories of one answer whose reasons are kept.
    static let mostUses = 10

    /// Counts that memories were used, and keeps why they were found for the question "why did you say that"; no part of
    /// what an undo takes back. A turn that runs again replaces what it noted before.
    public func noteUse(_ found: [RecalledMemory], turn: RecordID, in scope: UserScope) async throws {
        guard !found.isEmpty else { return }
        let uses = found.prefix(LongTermMemory.mostUses).map { hit -> JSON in
            let parts = hit.score.parts.map { part -> JSON in
                ["name": .string(part.name), "value": .number((part.value * 100).rounded() / 100)]
            }
            return ["memory": .id(hit.memory.id), "parts": .array(parts)]
        }
        try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, nil)
            for hit in found { try rows.countAccess(hit.memory.id) }
            try rows.keep(uses: uses, of: turn, most: LongTermMemory.mostExplained)
        }
    }

    /// The memories that were part of a turn's answer, best first; empty when there were none, or it is long ago.
    public func uses(of turn: RecordID, in scope: UserScope) async throws -> [MemoryUse] {
        try await database.read(scope) { transaction in
            let rows = MemoryRows(transaction)
            return try rows.uses(of: turn).compactMap { use in
                guard let id = use["memory"]?.stringValue.flatMap({ RecordID($0) }) else { return nil }
                let parts = (use["parts"]?.arrayValue ?? []).compactMap { part -> MemoryUse.Part? in
                    guard let name = part["name"]?.stringValue, let value = part["value"]?.doubleValue else {
                        return nil
                    }
                    return MemoryUse.Part(name: name, value: value)
                }
                return MemoryUse(memory: try rows.memory(id), parts: parts)
            }
        }
    }
}

extension MemoryRows {
    static let uses = "ltm_uses"

    func uses(of turn: RecordID) throws -> [JSON] {
        let match = [RowCondition("turn", .equal, .id(turn))]
        return try reading.list(MemoryRows.uses, where: match, limit: 1).first?["memories"].arrayValue ?? []
    }

    func keep(uses: [JSON], of turn: RecordID, most: Int) throws {
        let transaction = try writer()
        try transaction.delete(MemoryRows.uses, where: [RowCondition("turn", .equal, .id(turn))])
        try transaction.insert(MemoryRows.uses, ["turn": .id(turn), "memories": .array(uses)])
        let old = try transaction.list(
            MemoryRows.uses, order: [RowOrder("id", descending: true)], limit: 50, offset: most)
        for row in old { try transaction.delete(MemoryRows.uses, row.id) }
    }

    /// Forgets how often memories were used, since they are forgotten; nil: all of them, and why they were.
    func dropUses(of memories: [RecordID]?) throws {
        let transaction = try writer()
        guard let memories else {
            try transaction.delete(MemoryRows.accesses, where: [])
            try transaction.delete(MemoryRows.uses, where: [])
            return
        }
        for id in memories {
            try transaction.delete(MemoryRows.accesses, where: [RowCondition("memory_id", .equal, .id(id))])
        }
    }
}
