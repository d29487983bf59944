public import TandemCore
import TandemStorage

extension LongTermMemory {
    /// Goes over some of a person's memories: archives what has ended, merges what says the same, takes over how often each
    /// was used, and relates those that are about the same things.
    ///
    /// To be called until `next` is nil; what was done stays done, so that it can stop and go on at any place. Writes no
    /// undo: everything stays readable, archived with its reason. Memories of the last two days are left alone.
    public func consolidate(after: RecordID? = nil, limit: Int = 100, in scope: UserScope) async throws
        -> ConsolidationStep
    {
        let index = index
        return try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, nil)
            let now = transaction.now
            let memories = try rows.open(after: after, limit: limit)
            // Before the first write: what follows is searched in this state.
            if memories.contains(where: { $0.relatedIDs == nil }) { try index.prepare(scope.user, in: transaction) }
            var step = ConsolidationStep()
            step.next = memories.count == limit ? memories.last?.id : nil
            var gone: [RecordID] = []
            for memory in memories where !gone.contains(memory.id) {
                step.seen += 1
                if memory.hasExpired(at: now) {
                    try rows.archive(memory, .expired)
                    gone.append(memory.id)
                    step.expired += 1
                    continue
                }
                guard now.since(memory.modifiedAt) > .seconds(2 * 86_400) else { continue }
                let used = try rows.withUse(memory)
                if LongTermMemory.hasFaded(used, at: now) {
                    try rows.archive(memory, .faded)
                    gone.append(memory.id)
                    step.faded += 1
                    continue
                }
                var related = memory.relatedIDs
                if related == nil {
                    related = try LongTermMemory.examine(memory, index, rows, scope.user, transaction, &gone, &step)
                }
                try rows.consolidate(used, strength: MemoryStrength.strength(of: used, at: now), related: related ?? [])
            }
            return step
        }
    }

    /// Compares a memory with those most like it: archives the older ones that say the same, returns those that are about the
    /// same things. Once for each wording.
    private static func examine(
        _ memory: Memory, _ index: PersonalIndex, _ rows: MemoryRows, _ user: UserID,
        _ transaction: any WriteTransaction, _ gone: inout [RecordID], _ step: inout ConsolidationStep
    ) throws -> [RecordID] {
        var related: [RecordID] = []
        for hit in try index.search(memory.content, limit: 8, of: user, in: transaction)
        where hit.key != memory.id && !gone.contains(hit.key) {
            guard let other = try rows.memory(hit.key), other.isOpen else { continue }
            if other.id < memory.id, Likeness.isSame(other.content, memory.content) {
                // The newer wording stays.
                try rows.archive(other, .duplicate, keptBy: memory.id)
                gone.append(other.id)
                step.merged += 1
            } else if related.count < 3, hit.score.meaning > 3 || hit.score.lexical > 2 {
                related.append(other.id)
            }
        }
        return related
    }

    /// A plan or supposition of half a year ago that was in no answer since.
    private static func hasFaded(_ memory: Memory, at now: Timestamp) -> Bool {
        guard let kind = StatementKind(rawValue: memory.type), kind == .plan || kind == .hypothetical else {
            return false
        }
        return now.since(max(memory.modifiedAt, memory.lastAccessed ?? memory.modifiedAt)) > .seconds(180 * 86_400)
    }
}
