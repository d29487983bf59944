import Synchronization
public import TandemCore

/// Texts in memory only: the throw-away store of `tandem memory --json` and of tests. Safe from any thread.
public final class TransientMemories: RecallStore {
    private let indexes = Mutex<[String: LexicalIndex<String>]>([:])

    public init() {}

    public func remember(user: String, id: String, text: String, at timestamp: Timestamp) {
        indexes.withLock { indexes in
            indexes[user, default: LexicalIndex()].insert(id, text: text, at: timestamp)
        }
    }

    public func recall(user: String, query: String, limit: Int) -> [String] {
        indexes.withLock { indexes in
            indexes[user]?.search(query, limit: limit).map(\.key) ?? []
        }
    }
}
