import Synchronization
import TandemCore

/// What is kept of one plugin's requests for one person.
struct CacheKey: Sendable, Hashable {
    var user: UserID
    var plugin: String
    /// Whose answer it is, when a grant was used: the account behind it.
    var subject: String
    var url: String
}

/// Answers in memory: a private cache (RFC 9111) for each person and plugin, bounded for each and in all.
final class ResponseCache: Sendable {
    struct Limits: Sendable, Hashable {
        var totalBytes = 32 << 20
        var bytesPerUser = 4 << 20
        /// Answers to one address that differ by `Vary`.
        var variants = 4
    }

    private struct Entry {
        var variants: [StoredResponse]
        var lastUse: UInt64
        var cost: Int
    }

    private struct State {
        var entries: [CacheKey: Entry] = [:]
        var users: [UserID: Int] = [:]
        var total = 0
        var uses: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limits: Limits

    init(limits: Limits = Limits()) { self.limits = limits }

    var byteCount: Int { state.withLock { $0.total } }

    func response(for key: CacheKey, request: HTTPHeaders) -> StoredResponse? {
        state.withLock { state in
            guard let found = state.entries[key]?.variants.first(where: { $0.fits(request) }) else { return nil }
            state.uses += 1
            state.entries[key]?.lastUse = state.uses
            return found
        }
    }

    /// Keeps an answer in place of the one that fitted the same request.
    func store(_ response: StoredResponse, for key: CacheKey, request: HTTPHeaders) {
        guard response.cost <= limits.bytesPerUser / 2 else { return remove(key) }
        state.withLock { state in
            var variants = state.entries[key]?.variants ?? []
            variants.removeAll { $0.fits(request) }
            variants.insert(response, at: 0)
            if variants.count > limits.variants { variants.removeLast() }
            state.uses += 1
            Self.drop(key, &state)
            let cost = variants.reduce(key.url.utf8.count + 128) { $0 + $1.cost }
            state.entries[key] = Entry(variants: variants, lastUse: state.uses, cost: cost)
            state.total += cost
            state.users[key.user, default: 0] += cost
            if state.users[key.user, default: 0] > limits.bytesPerUser {
                Self.shrink(&state, to: limits.bytesPerUser / 10 * 9, user: key.user)
            }
            if state.total > limits.totalBytes { Self.shrink(&state, to: limits.totalBytes / 10 * 9, user: nil) }
        }
    }

    func remove(_ key: CacheKey) { state.withLock { Self.drop(key, &$0) } }

    /// Everything of a person, or of one plugin for that person.
    func removeAll(of user: UserID, plugin: String? = nil) {
        state.withLock { state in
            for key in state.entries.keys where key.user == user && (plugin == nil || key.plugin == plugin) {
                Self.drop(key, &state)
            }
        }
    }

    private static func drop(_ key: CacheKey, _ state: inout State) {
        guard let entry = state.entries.removeValue(forKey: key) else { return }
        state.total -= entry.cost
        let rest = (state.users[key.user] ?? 0) - entry.cost
        state.users[key.user] = rest > 0 ? rest : nil
    }

    /// Drops what was used least recently, of one person or of all.
    private static func shrink(_ state: inout State, to target: Int, user: UserID?) {
        let candidates = state.entries.filter { user == nil || $0.key.user == user }
            .sorted { $0.value.lastUse < $1.value.lastUse }
        for candidate in candidates {
            let size = user.map { state.users[$0] ?? 0 } ?? state.total
            guard size > target else { return }
            drop(candidate.key, &state)
        }
    }
}
