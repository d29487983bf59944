public import TandemCore
public import TandemStorage

/// What people asked us to keep: stored sealed, found by an index in memory, one per person.
///
/// The index holds stems, not texts; it is built on the first question, follows every change (also an undo and another
/// replica's) by comparing the table's state, and is dropped when too many people's are held. What is returned is always
/// read from the table, so that nothing that was forgotten comes back. Safe from any thread.
public final class LongTermMemory: Sendable {
    /// Memories of one person at most.
    public static let mostMemories = 20_000
    /// The longest text, in Unicode scalars.
    public static let longestText = 2000

    private let database: any Database
    private let index = PersonalIndex(
        table: MemoryRows.table, where: MemoryRows.isOpen, tuning: .facts,
        text: { row in
            let memory = Memory(row: row)
            return (memory.searchText, memory.modifiedAt)
        })

    public init(database: any Database) { self.database = database }

    // MARK: - Writing

    /// Keeps a statement; one that is known is refreshed, and a newer one about the same single thing replaces the older.
    ///
    /// Only what the owner said becomes durable: `trust` other than `.owner` is refused.
    ///
    /// - Throws: `ToolFailure` with a text for the person (empty, too long, full, not the owner's words), or what the
    ///   storage throws.
    public func remember(_ new: NewMemory, in scope: UserScope, origin: WriteOrigin) async throws -> RememberResult {
        guard new.trust == .owner else {
            throw ToolFailure(status: -40, code: "not_owner", message: "I only keep what you tell me yourself.")
        }
        try LongTermMemory.require(new.content)
        let index = index
        let near = try await database.read(scope) { transaction in
            try index.search(new.content, limit: 6, of: scope.user, in: transaction).map(\.key)
        }
        return try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, origin)
            let before = try index.mark(transaction)
            let known = try near.compactMap { try rows.memory($0) }.filter(\.isOpen)
            let result: RememberResult
            if let same = known.first(where: { Likeness.isSame($0.content, new.content) }) {
                result = .refreshed(try rows.refresh(same, with: new))
            } else {
                guard try rows.count() < LongTermMemory.mostMemories else {
                    throw ToolFailure(
                        status: -21, code: "too_many",
                        message: "My memory of you is full. Let me forget something first.")
                }
                let shape = FactShape(new.content)
                let older = shape.flatMap { shape in
                    known.first { FactShape($0.content)?.subject == shape.subject }
                }
                let memory = try rows.insert(new)
                if let older {
                    try rows.close(older, by: memory)
                    result = .replaced(memory, older: older)
                } else {
                    result = .added(memory)
                }
            }
            let after = try index.mark(transaction)
            transaction.afterCommit {
                var closed: [RecordID] = []
                if case .replaced(_, let older) = result { closed = [older.id] }
                let memory = result.memory
                index.update(
                    scope.user, from: before, to: after, remove: closed,
                    insert: (memory.id, memory.searchText, memory.modifiedAt))
            }
            return result
        }
    }

    /// Changes a memory as its owner wants it, in its place; nil when the person has no such memory.
    ///
    /// - Parameter check: May refuse, seeing it as it is, in the same transaction.
    /// - Throws: `ToolFailure` (empty, too long), and what `check` and the storage throw.
    public func correct(
        _ id: RecordID, _ correction: MemoryCorrection, in scope: UserScope, origin: WriteOrigin,
        check: @escaping @Sendable (Memory) throws -> Void = { _ in }
    ) async throws -> Memory? {
        if let content = correction.content { try LongTermMemory.require(content) }
        let index = index
        return try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, origin)
            guard let old = try rows.memory(id) else { return nil }
            try check(old)
            let before = try index.mark(transaction)
            let memory = try rows.correct(old, correction)
            let after = try index.mark(transaction)
            transaction.afterCommit {
                index.update(
                    scope.user, from: before, to: after, remove: [id],
                    insert: memory.isOpen ? (memory.id, memory.searchText, memory.modifiedAt) : nil)
            }
            return memory
        }
    }

    private static func require(_ content: String) throws {
        guard content.unicodeScalars.count <= LongTermMemory.longestText else {
            throw ToolFailure(
                status: -25, code: "too_long",
                message: "That is long to remember. A note can hold it: say note and the text.")
        }
        guard content.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw ToolFailure(status: -1, code: "empty", message: "What should I remember?")
        }
    }

    /// Deletes a memory and the older versions that it replaced; nil when the person has no such memory.
    public func forget(_ id: RecordID, in scope: UserScope, origin: WriteOrigin) async throws -> Memory? {
        let index = index
        return try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, origin)
            guard let memory = try rows.memory(id) else { return nil }
            let before = try index.mark(transaction)
            var doomed = [id]
            var next = 0
            while next < doomed.count, doomed.count < 1000 {
                for older in try rows.replaced(by: doomed[next]) where !doomed.contains(older) { doomed.append(older) }
                next += 1
            }
            for id in doomed { try rows.delete(id) }
            let gone = doomed
            let after = try index.mark(transaction)
            transaction.afterCommit {
                index.update(scope.user, from: before, to: after, remove: gone)
            }
            return memory
        }
    }

    /// Deletes all memories; returns how many still held.
    public func forgetAll(in scope: UserScope, origin: WriteOrigin) async throws -> Int {
        let index = index
        return try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, origin)
            let open = try rows.countOpen()
            try rows.deleteAll()
            transaction.afterCommit { index.drop(scope.user) }
            return open
        }
    }

    // MARK: - Reading

    /// The memories that answer a question, best first, with the parts of their scores.
    ///
    /// Only what holds now, and only what is about as good as the best.
    public func recall(_ question: String, limit: Int, now: Timestamp? = nil, in scope: UserScope) async throws
        -> [RecalledMemory]
    {
        let index = index
        return try await database.read(scope) { transaction in
            let rows = MemoryRows(transaction)
            let hits = try index.search(question, limit: limit, now: now, of: scope.user, in: transaction)
            guard let best = hits.first?.score.total else { return [] }
            return try hits.filter { $0.score.total >= best * 0.4 }.compactMap { hit in
                guard let memory = try rows.memory(hit.key), memory.isOpen else { return nil }
                return RecalledMemory(memory: memory, score: hit.score)
            }
        }
    }

    /// Counts that memories were used, for their importance later; not part of what an undo takes back.
    public func noteAccess(_ ids: [RecordID], in scope: UserScope) async throws {
        guard !ids.isEmpty else { return }
        try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, nil)
            for id in ids { try rows.countAccess(id) }
        }
    }

    /// How often a memory was part of an answer.
    public func accessCount(_ id: RecordID, in scope: UserScope) async throws -> Int {
        try await database.read(scope) { try MemoryRows($0).accessCount(id) }
    }

    /// The newest memories that hold, newest first.
    public func all(limit: Int, in scope: UserScope) async throws -> [Memory] {
        try await database.read(scope) { try MemoryRows($0).open(limit: limit) }
    }

    public func memory(_ id: RecordID, in scope: UserScope) async throws -> Memory? {
        try await database.read(scope) { try MemoryRows($0).memory(id) }
    }
}
