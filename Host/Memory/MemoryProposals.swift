public import TandemCore
import TandemJSON
public import TandemStorage

/// Something that a plugin proposes to remember.
public struct MemoryProposal: Sendable, Hashable {
    public var id: RecordID
    /// The plugin's id, and its name for the person.
    public var plugin: String
    public var proposedBy: String
    public var type: String
    public var content: String
    public var proposedAt: Timestamp
}

/// What became of a proposal when it was made.
public enum ProposalResult: Sendable, Hashable {
    case waiting(RecordID)
    /// There is such a memory, or it was confirmed before.
    case known
    /// The person declined the same words before.
    case declined
    /// Too many of the plugin's wait.
    case tooMany
}

/// Proposals of plugins: kept apart from the memories until the person confirms them.
public struct MemoryProposals: Sendable {
    /// Proposals of one plugin and person that may wait.
    public static let mostWaiting = 20
    /// Declined ones that are remembered as such, of one plugin and person.
    static let mostDeclined = 500
    /// How long a proposal waits.
    public static let patience: Duration = .seconds(30 * 86_400)
    private static let table = "ltm_proposals"

    private let database: any Database
    private let memory: LongTermMemory

    public init(database: any Database, memory: LongTermMemory) {
        self.database = database
        self.memory = memory
    }

    /// Keeps a proposal. No part of an undo: it changes nothing that the person has.
    public func propose(
        _ content: String, type: String, plugin: String, name: String, in scope: UserScope
    ) async throws -> ProposalResult {
        let near = try await memory.recall(content, limit: 5, in: scope)
        if near.contains(where: { Likeness.isSame($0.memory.content, content) }) { return .known }
        return try await database.write(scope) { transaction in
            try Self.dropOld(transaction)
            let own = try transaction.list(
                Self.table, where: [RowCondition("plugin", .equal, .string(plugin))],
                order: [RowOrder("id", descending: true)], limit: Self.mostDeclined + 2 * Self.mostWaiting)
            for row in own where Likeness.isSame(row.string("content") ?? "", content) {
                switch row.string("state") {
                case "waiting": return .waiting(row.id)
                case "kept": return .known
                default: return .declined
                }
            }
            guard own.count(where: { $0.string("state") == "waiting" }) < Self.mostWaiting else { return .tooMany }
            let decided = own.filter { $0.string("state") != "waiting" }
            for old in decided.dropFirst(Self.mostDeclined) { try transaction.delete(Self.table, old.id) }
            let id = try transaction.insert(
                Self.table,
                [
                    "plugin": .string(plugin), "proposed_by": .string(name), "memory_type": .string(type),
                    "content": .string(content), "state": "waiting",
                ])
            return .waiting(id)
        }
    }

    /// What waits for the person, oldest first.
    public func waiting(limit: Int, in scope: UserScope) async throws -> [MemoryProposal] {
        let now = database.store.clock.now
        return try await database.read(scope) { transaction in
            try transaction.list(
                Self.table, where: [RowCondition("state", .equal, "waiting")], order: [RowOrder("id")], limit: limit
            ).filter { now.since($0.createdAt) < Self.patience }.map(Self.proposal)
        }
    }

    /// One that waits; nil when there is none with that id, or it was decided before.
    public func proposal(_ id: RecordID, in scope: UserScope) async throws -> MemoryProposal? {
        try await database.read(scope) { transaction in
            guard let row = try transaction.row(Self.table, id), row.string("state") == "waiting" else { return nil }
            return Self.proposal(row)
        }
    }

    /// The person confirmed: it becomes a memory in their own name. Nil when it does not wait any more.
    public func keep(
        _ id: RecordID, in scope: UserScope, origin: WriteOrigin
    ) async throws -> (proposal: MemoryProposal, result: RememberResult)? {
        guard let proposal = try await decide(id, "kept", in: scope, origin: origin) else { return nil }
        let new = NewMemory(proposal.content, type: proposal.type, channel: "plugin:\(proposal.plugin)")
        return (proposal, try await memory.remember(new, in: scope, origin: origin))
    }

    /// The person declined. Nil when it does not wait any more.
    public func decline(_ id: RecordID, in scope: UserScope, origin: WriteOrigin) async throws -> MemoryProposal? {
        try await decide(id, "declined", in: scope, origin: origin)
    }

    private func decide(
        _ id: RecordID, _ state: String, in scope: UserScope, origin: WriteOrigin
    ) async throws -> MemoryProposal? {
        try await database.write(scope) { transaction in
            guard let row = try transaction.row(Self.table, id), row.string("state") == "waiting" else { return nil }
            try transaction.update(
                Self.table, id, set: ["state": .string(state), "decided_at": .timestamp(transaction.now)],
                origin: origin)
            return Self.proposal(row)
        }
    }

    private static func dropOld(_ transaction: any WriteTransaction) throws {
        let oldest = Timestamp(
            millisecondsSinceEpoch: transaction.now.millisecondsSinceEpoch - patience.components.seconds * 1000)
        try transaction.delete(
            table,
            where: [
                RowCondition("state", .equal, "waiting"), RowCondition("created_at", .less, .timestamp(oldest)),
            ])
    }

    private static func proposal(_ row: UserRow) -> MemoryProposal {
        MemoryProposal(
            id: row.id, plugin: row.string("plugin") ?? "", proposedBy: row.string("proposed_by") ?? "",
            type: row.string("memory_type") ?? "fact", content: row.string("content") ?? "",
            proposedAt: row.createdAt)
    }
}
