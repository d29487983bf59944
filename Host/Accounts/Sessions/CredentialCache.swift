import Synchronization
import TandemCore

/// What sessions and API keys were found to be, for two seconds: another process may end them.
///
/// Processes that tell each other what changed have it at once; while one cannot hear the others, nothing is kept.
final class CredentialCache: Sendable {
    /// A session by its id, which only a signed token can bring; a key by the hash of its text.
    enum Name: Sendable, Hashable {
        case session(RecordID)
        case key([UInt8])
    }

    private struct Entry {
        /// Nil: it is over, or never was.
        var principal: Principal?
        var expiresAt: Timestamp?
        var loadedAt: Timestamp
    }

    private struct State {
        var entries: [Name: Entry] = [:]
        var generation = 0
    }

    private static let lifetimeMilliseconds: Int64 = 2000
    private static let maxEntries = 50_000
    private let state = Mutex(State())
    private let news: (any AccountNews)?

    init(news: (any AccountNews)? = nil) { self.news = news }

    enum Answer {
        case known(Principal?)
        /// Look it up, and give the number back with what was found.
        case unknown(generation: Int)
    }

    func find(_ name: Name, now: Timestamp) -> Answer {
        let isDeaf = news.map { !$0.isListening } ?? false
        return state.withLock { state in
            if isDeaf { return .unknown(generation: state.generation) }
            // A clock that was put back makes everything unknown.
            guard let entry = state.entries[name], now >= entry.loadedAt,
                now.millisecondsSinceEpoch - entry.loadedAt.millisecondsSinceEpoch
                    < CredentialCache.lifetimeMilliseconds
            else { return .unknown(generation: state.generation) }
            if let expiresAt = entry.expiresAt, now >= expiresAt { return .known(nil) }
            return .known(entry.principal)
        }
    }

    /// Keeps what was looked up after `find`, unless something was forgotten meanwhile.
    func remember(
        _ name: Name, _ principal: Principal?, expiresAt: Timestamp?, loadedAt: Timestamp, generation: Int
    ) {
        state.withLock { state in
            guard state.generation == generation else { return }
            // Tokens and keys can be tried by anybody.
            if state.entries.count >= CredentialCache.maxEntries { state.entries.removeAll(keepingCapacity: true) }
            state.entries[name] = Entry(principal: principal, expiresAt: expiresAt, loadedAt: loadedAt)
        }
    }

    func forget(session: RecordID) {
        drop(session: session)
        news?.tell(.session(session))
    }

    /// Everything of one account.
    func forget(_ user: UserID) {
        drop(user)
        news?.tell(.account(user))
    }

    // MARK: What other processes told

    func drop(session: RecordID) {
        state.withLock { state in
            state.entries[.session(session)] = nil
            state.generation += 1
        }
    }

    func drop(_ user: UserID) {
        state.withLock { state in
            state.entries = state.entries.filter { $0.value.principal?.user != user }
            state.generation += 1
        }
    }

    func dropAll() {
        state.withLock { state in
            state.entries.removeAll(keepingCapacity: true)
            state.generation += 1
        }
    }
}
