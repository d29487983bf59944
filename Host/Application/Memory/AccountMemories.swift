import TandemCore
import TandemMemory

/// The memory pipe on one account: the caller's ids are kept as tags. The request's `user` does not choose whose memory
/// it is: the account does.
struct AccountMemories: RecallStore {
    let memory: LongTermMemory
    let scope: UserScope
    let ids: IDGenerator

    private static let prefix = "id:"

    func remember(user: String, id: String, text: String, at timestamp: Timestamp) async throws {
        let new = NewMemory(text, tags: [AccountMemories.prefix + id], channel: "pipe")
        _ = try await memory.remember(new, in: scope, origin: WriteOrigin(turn: ids.next(), step: 0))
    }

    /// Memories that came another way have their own number as id.
    func recall(user: String, query: String, limit: Int) async throws -> [String] {
        try await memory.recall(query, limit: limit, in: scope).map { hit in
            let tag = hit.memory.tags.first { $0.utf8.starts(with: AccountMemories.prefix.utf8) }
            return tag.map { String($0.dropFirst(AccountMemories.prefix.count)) } ?? hit.memory.id.description
        }
    }
}
