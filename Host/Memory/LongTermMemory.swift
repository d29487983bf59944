public import TandemCore
public import TandemStorage

/// What people asked us to keep: stored sealed, found by an index in memory, one per person.
///
/// The index holds stems, not texts; it is built on the first question, follows every change (also an undo's and another
/// replica's: see `PersonalIndex`), and is dropped when too many people's are held. What is returned is always read from
/// the table, so that nothing that was forgotten comes back. Safe from any thread.
public final class LongTermMemory: Sendable {
    /// Memories of one person at most.
    public static let mostMemories = 200_000
    /// The longest text, in Unicode scalars.
    public static let longestText = 2000

    public let database: any Database
    /// The search over everything that a person has, of which the memories are a part.
    public let search: TextSearch
    let index: PersonalIndex

    /// - Parameter budget: What the search indexes of everything hold together.
    public init(database: any Database, budget: SearchBudget = SearchBudget()) {
        self.database = database
        search = TextSearch(database: database, budget: budget)
        index = search.add(MemoryRows.source, as: "memory")
    }

    /// What the search indexes of everything hold together.
    public var budget: SearchBudget { index.budget }

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
        var new = new
        if new.expiresAt == nil { new.expiresAt = LongTermMemory.end(of: new, now: database.store.clock.now) }
        let dated = new
        let index = index
        let near = try await database.read(scope) { transaction in
            var near = try index.search(dated.content, limit: 6, of: scope.user, in: transaction).map(\.key)
            if let probe = FactShape(dated.content)?.probe {
                near += try index.search(probe, limit: 12, of: scope.user, in: transaction).map(\.key)
                    .filter { !near.contains($0) }
            }
            return near
        }
        return try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, origin)
            let known = try near.compactMap { try rows.memory($0) }.filter(\.isOpen)
            let result: RememberResult
            if let same = known.first(where: { Likeness.isSame($0.content, dated.content) }) {
                result = .refreshed(try rows.refresh(same, with: dated))
            } else {
                guard try rows.count() < LongTermMemory.mostMemories else {
                    throw ToolFailure(
                        status: -21, code: "too_many",
                        message: "My memory of you is full. Let me forget something first.")
                }
                let older = known.filter { LongTermMemory.contradicts(dated, $0) }
                let memory = try rows.insert(dated)
                for one in older { try rows.close(one, by: memory) }
                result = older.first.map { .replaced(memory, older: $0) } ?? .added(memory)
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
        return try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, origin)
            guard let old = try rows.memory(id) else { return nil }
            try check(old)
            return try rows.correct(old, correction)
        }
    }

    /// They cannot both be so now: another value of what one has one of, or the opposite.
    ///
    /// What somebody means to do, or only supposes, closes no fact.
    private static func contradicts(_ new: NewMemory, _ old: Memory) -> Bool {
        guard StatementKind(rawValue: new.type)?.isFact ?? true else { return false }
        if let shape = FactShape(new.content), FactShape(old.content)?.subject == shape.subject { return true }
        return Likeness.isOpposite(new.content, old.content)
    }

    /// A plan or an appointment ends with the last day that it names, when that is to come.
    static func end(of new: NewMemory, now: Timestamp) -> Timestamp? {
        guard let kind = StatementKind(rawValue: new.type), kind == .fact || kind == .plan,
            let day = DateHints(new.content, now: nil).lastDay
        else { return nil }
        // Whatever the zone, the day is over then.
        let end = Timestamp(millisecondsSinceEpoch: Int64(day + 2) * 86_400_000)
        return end > now.advanced(by: .seconds(2 * 86_400)) ? end : nil
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
        return try await database.write(scope) { transaction in
            let rows = MemoryRows(transaction, origin)
            guard let memory = try rows.memory(id) else { return nil }
            var doomed = [id]
            var next = 0
            while next < doomed.count, doomed.count < 1000 {
                for older in try rows.replaced(by: doomed[next]) where !doomed.contains(older) { doomed.append(older) }
                next += 1
            }
            for id in doomed { try rows.delete(id) }
            try rows.dropUses(of: doomed)
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
            try rows.dropUses(of: nil)
            transaction.afterCommit { index.drop(scope.user) }
            return open
        }
    }

    // MARK: - Reading

    /// What a memory's own strength counts in a ranking.
    private static let standing = 1.5
    /// What it counts that a memory belongs to what the person is at now.
    private static let focus = 1.5
    /// What it counts that it belongs to what the question names.
    private static let ofNamedFocus = 3.0

    /// The memories that answer a question, best first, with the parts of their scores.
    ///
    /// Only what holds now, and only what is about as good as the best. Strength (`MemoryStrength`) decides between about
    /// equal matches.
    public func recall(_ question: String, limit: Int, now: Timestamp? = nil, in scope: UserScope) async throws
        -> [RecalledMemory]
    {
        guard limit > 0 else { return [] }
        let index = index
        let clock = now ?? database.store.clock.now
        let vector = await search.models.vector(of: question, for: scope, in: database)
        return try await database.read(scope) { transaction in
            let rows = MemoryRows(transaction)
            let hits = try index.search(
                question, limit: limit + 5, now: now, vector: vector, of: scope.user, in: transaction)
            let areas = try LongTermMemory.areas(in: transaction)
            let focus = areas.first { $0.state == .current }?.name
            let best = hits.first?.score.total ?? 0
            var found: [RecalledMemory] = try hits.filter { $0.score.total >= best * 0.4 }.compactMap { hit in
                guard let memory = try rows.memory(hit.key), memory.isOpen, !memory.hasExpired(at: clock) else {
                    return nil
                }
                var score = hit.score
                score.standing = LongTermMemory.standing * MemoryStrength.strength(of: memory, at: clock)
                if let focus, memory.context == focus { score.focus = LongTermMemory.focus }
                return RecalledMemory(memory: memory, score: score)
            }
            // What was said while the person was at what the question names.
            for area in LongTermMemory.areas(areas, namedBy: question) where found.count < limit {
                for memory in try rows.open(ofFocus: area.name, limit: limit)
                where !memory.hasExpired(at: clock) && !found.contains(where: { $0.memory.id == memory.id }) {
                    var score = RecallScore()
                    score.focus = LongTermMemory.ofNamedFocus
                    score.standing = LongTermMemory.standing * MemoryStrength.strength(of: memory, at: clock)
                    found.append(RecalledMemory(memory: memory, score: score))
                }
            }
            found.sort { left, right in
                let (a, b) = (left.score.total, right.score.total)
                return a != b ? a > b : left.memory.modifiedAt > right.memory.modifiedAt
            }
            return Array(found.prefix(limit))
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
