import Synchronization
public import TandemCore

/// Texts in memory only: the throw-away store of `tandem memory --json` and of tests. Safe from any thread.
public final class TransientMemories: RecallStore {
    private let indexes = Mutex<[String: RecallIndex<String>]>([:])

    public init() {}

    public func remember(user: String, id: String, text: String, at timestamp: Timestamp) {
        indexes.withLock { indexes in
            indexes[user, default: TransientMemories.empty].insert(id, text: text, at: timestamp)
        }
    }

    /// Whoever asks for `k` texts gets the best `k`, however unlike.
    private static let empty: RecallIndex<String> = {
        var tuning = RecallTuning()
        tuning.leastMeaning = nil
        return RecallIndex(tuning: tuning)
    }()

    public func recall(user: String, query: String, limit: Int) -> [String] {
        indexes.withLock { indexes in
            indexes[user]?.search(query, limit: limit).map(\.key) ?? []
        }
    }
}
