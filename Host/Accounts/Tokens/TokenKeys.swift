import Synchronization
import TandemCore
import TandemStorage

/// The keys that sign access tokens: in the database, sealed with the program's key, the same for every process.
///
/// The newest one whose time has come signs; the older ones verify until the last token that they signed is over. A new
/// key signs only a little after it was made, when every process can have seen it.
final class TokenKeys: Sendable {
    struct Entry: Sendable {
        let id: String
        let key: WebSignature.Key
        /// The header's part of the tokens that it signs.
        let header: String
        let activeFrom: Timestamp
        /// When a newer one took its place; nil for the newest.
        let replacedAt: Timestamp?
    }

    private struct State {
        var entries: [Entry] = []
        var loadedAt: Timestamp?
    }

    /// Longer than `reloadMilliseconds`.
    static let headStart: Duration = .seconds(10)
    /// How often this process looks for keys that others made or revoked.
    private static let reloadMilliseconds: Int64 = 2000
    private static let staleAfter: Duration = .seconds(60)
    private let state = Mutex(State())
    private let lifetime: Duration
    private let age: Duration

    init(lifetime: Duration, age: Duration) {
        self.lifetime = lifetime
        self.age = age
    }

    // MARK: Verifying

    /// The key of an id in memory.
    func known(_ id: String) -> Entry? { state.withLock { state in state.entries.first { $0.id == id } } }

    /// The key whose tokens begin with a header, byte by byte: most tokens are found so, without reading it.
    func known(header: ArraySlice<UInt8>) -> Entry? {
        state.withLock { state in state.entries.first { $0.header.utf8.elementsEqual(header) } }
    }

    /// Looks into the database for keys that were added or removed, unless it just did.
    func reload(from database: any Database, now: Timestamp) async throws {
        let isDue = state.withLock { state in
            guard let loadedAt = state.loadedAt, now >= loadedAt, !state.entries.isEmpty,
                now.millisecondsSinceEpoch - loadedAt.millisecondsSinceEpoch < TokenKeys.reloadMilliseconds
            else {
                state.loadedAt = now
                return true
            }
            return false
        }
        guard isDue else { return }
        do {
            let entries = try await database.read(.system) { try TokenKeys.load(in: $0) }
            state.withLock { $0.entries = entries }
        } catch {
            state.withLock { $0.loadedAt = nil }
            throw error
        }
    }

    /// Whether the entry's tokens may still be good.
    func accepts(_ entry: Entry, now: Timestamp) -> Bool {
        guard let replacedAt = entry.replacedAt else { return true }
        return now < replacedAt.advanced(by: lifetime).advanced(by: TokenKeys.headStart)
    }

    // MARK: Signing

    /// The key to sign with; makes one when there is none, or a new one when it is too old.
    func signer(of database: any Database, audit: any AuditSink) async throws -> Entry {
        let now = database.store.clock.now
        let current = state.withLock { state -> Entry? in
            guard let loadedAt = state.loadedAt, now >= loadedAt, now.since(loadedAt) < TokenKeys.staleAfter else {
                return nil
            }
            return TokenKeys.signer(state.entries, now)
        }
        if let current, current.replacedAt != nil || now.since(current.activeFrom) < age { return current }
        return try await database.write(.system) { [self] transaction in
            var entries = try TokenKeys.load(in: transaction)
            if let newest = entries.first {
                if now.since(newest.activeFrom) >= age {
                    let start = now.advanced(by: TokenKeys.headStart)
                    try TokenKeys.add(activeFrom: start, replacing: newest, in: transaction)
                    try audit.record(AuditEvent(.tokenKeyRotated, user: nil, actor: .program), in: transaction)
                    entries = try TokenKeys.load(in: transaction)
                }
            } else {
                try TokenKeys.add(activeFrom: now, replacing: nil, in: transaction)
                entries = try TokenKeys.load(in: transaction)
            }
            let loaded = entries
            transaction.afterCommit { [self] in remember(loaded, now) }
            guard let signer = TokenKeys.signer(entries, now) else {
                throw StorageError(.internalFailure, "there is no key to sign tokens with", operation: "sign a token")
            }
            return signer
        }
    }

    /// Gives the tokens a new key now rather than at its time; older tokens stay good unless `revokingOld`.
    func rotate(in transaction: any WriteTransaction, revokingOld: Bool) throws {
        let now = transaction.now
        let newest = try TokenKeys.load(in: transaction).first
        if revokingOld { try transaction.execute("DELETE FROM token_keys") }
        let start = revokingOld || newest == nil ? now : now.advanced(by: TokenKeys.headStart)
        try TokenKeys.add(activeFrom: start, replacing: revokingOld ? nil : newest, in: transaction)
        let loaded = try TokenKeys.load(in: transaction)
        transaction.afterCommit { [self] in remember(loaded, now) }
    }

    /// Removes keys whose last token is over.
    func prune(in transaction: any WriteTransaction) throws -> Int {
        let before = transaction.now.advanced(by: .zero - lifetime - TokenKeys.headStart)
        return try transaction.execute("DELETE FROM token_keys WHERE replaced_at < \(before)")
    }

    private func remember(_ entries: [Entry], _ now: Timestamp) {
        state.withLock { state in
            state.entries = entries
            state.loadedAt = now
        }
    }

    /// The newest whose time has come; right after the start, the newest at all.
    private static func signer(_ entries: [Entry], _ now: Timestamp) -> Entry? {
        entries.first { $0.activeFrom <= now } ?? entries.last
    }

    // MARK: Database

    /// All keys, newest first.
    private static func load(in transaction: any ReadTransaction) throws -> [Entry] {
        let rows = try transaction.query(
            "SELECT id, kid, sealed, active_from, replaced_at FROM token_keys ORDER BY active_from DESC, id DESC")
        return try rows.compactMap { row in
            let secret = try transaction.open(try row.blob("sealed"), seal(try row.recordID("id")))
            guard let key = WebSignature.Key(secret) else { return nil }
            let kid = try row.text("kid")
            return Entry(
                id: kid, key: key, header: header(kid), activeFrom: try row.timestamp("active_from"),
                replacedAt: try row.timestampIfPresent("replaced_at"))
        }
    }

    private static func add(activeFrom: Timestamp, replacing: Entry?, in transaction: any WriteTransaction) throws {
        let id = transaction.nextID()
        let kid = Base64URL.text(SecureRandom.bytes(9))
        let sealed = try transaction.seal(SecureRandom.bytes(32), seal(id))
        if let replacing {
            try transaction.execute(
                "UPDATE token_keys SET replaced_at = \(activeFrom) WHERE kid = \(replacing.id) AND replaced_at IS NULL")
        }
        try transaction.execute(
            """
            INSERT INTO token_keys (id, kid, sealed, active_from, created_at)
            VALUES (\(id), \(kid), \(sealed), \(activeFrom), \(transaction.now))
            """)
    }

    private static func seal(_ id: RecordID) -> SealContext {
        SealContext(table: "token_keys", column: "sealed", row: id.rawValue)
    }

    private static func header(_ kid: String) -> String {
        Base64URL.text(Array(#"{"alg":"HS256","typ":"at+jwt","kid":""#.utf8) + Array(kid.utf8) + Array("\"}".utf8))
    }
}
