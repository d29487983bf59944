import Crypto
import Synchronization
import TandemCore

/// The master keys, and the people's keys that they wrap (envelope encryption).
///
/// A person's key is made with their first sealed value, kept wrapped in `user_keys`, and cached here unwrapped. Erasing a
/// person removes it, which makes every sealed value of theirs unreadable, in backups too once these are re-keyed.
///
/// Versions of a person's key: from 1 the ones that seal, the highest what is new; 0 and -1, once the first is gone, what
/// look-up hashes and the audit were made with from it. The rows are read again after `freshness`, so that another
/// process's rotation is known everywhere soon. Safe from any thread.
public final class Keyring: Sendable {
    private struct Cached {
        var set: UserKeySet
        var at: UInt64
    }

    private struct Cache {
        var sets: [Int64: Cached] = [:]
        /// Raised whenever a key is removed, so that an older snapshot's keys are not put back.
        var generation = 0
    }

    /// The "person" whose key serves the program itself.
    static let systemUser: Int64 = 0
    /// For how long a process may seal with a key that another process has replaced.
    static let freshness = Duration.seconds(15)
    private static let maxCachedUsers = 50_000

    let masters: MasterKeyring
    private let cache = Mutex(Cache())
    private let now: @Sendable () -> UInt64

    public convenience init(_ masters: MasterKeys) { self.init(masters, remote: nil) }

    /// - Parameters:
    ///   - masters: This machine's keys; may be nil with a service.
    ///   - remote: The service that wraps what is new.
    ///   - life: How long what the service unwrapped is kept; the program's own key stays until it ends.
    ///   - reload: Reads this machine's keys again when a version is missing, as after a rotation by another process.
    ///   - now: Nanoseconds of a clock that never steps back.
    public init(
        _ masters: MasterKeys?, remote: (any RemoteMasterKeys)?, life: Duration = .seconds(600),
        reload: (@Sendable () throws -> MasterKeys?)? = nil,
        now: (@Sendable () -> UInt64)? = nil
    ) {
        let now = now ?? { monotonicNanoseconds() }
        self.masters = MasterKeyring(local: masters, remote: remote, life: life, reload: reload, now: now)
        self.now = now
    }

    /// A keyring with a random master key, for data that ends with the process.
    public static func ephemeral() throws -> Keyring {
        try Keyring(MasterKeys([1: SymmetricKey(size: .bits256)]))
    }

    // MARK: Statements

    private static let selectProofs = RowStatement("SELECT version, proof FROM master_keys ORDER BY version")
    private static let insertProof = RowStatement(
        "INSERT INTO master_keys (version, proof, created_at) VALUES (?, ?, ?) ON CONFLICT (version) DO NOTHING")
    private static let selectVersions = RowStatement("SELECT DISTINCT master_version FROM user_keys")
    static let selectOld = RowStatement(
        """
        SELECT user_id, version, master_version, wrapped FROM user_keys WHERE master_version <> ? \
        ORDER BY user_id, version LIMIT ?
        """)
    static let rewrapKey = RowStatement(
        "UPDATE user_keys SET wrapped = ?, master_version = ? WHERE user_id = ? AND version = ? AND wrapped = ?")
    private static let selectKeys = RowStatement(
        "SELECT version, master_version, wrapped FROM user_keys WHERE user_id = ?")
    private static let insertKey = RowStatement(
        "INSERT INTO user_keys (user_id, version, master_version, wrapped, created_at) VALUES (?, ?, ?, ?, ?)")
    private static let deleteKeys = RowStatement("DELETE FROM user_keys WHERE user_id = ?")
    private static let deleteOldKeys = RowStatement(
        "DELETE FROM user_keys WHERE user_id = ? AND version > 0 AND version < ?")

    /// How many keys are wrapped anew when the database is opened; more are the rotation's work.
    private static let rewrapsAtOnce = 500

    // MARK: Master keys

    /// Checks that the configured master keys are those of the database, wraps with the newest what an older one of this
    /// machine wrapped, where that is soon done, and makes the program's own key.
    ///
    /// Throws `key_missing` when a version that wraps keys is not configured, `master_key` when one has another value.
    func verifyMasterKeys(in context: TransactionContext) throws {
        try recordProofs(in: context)
        for case .int(let version) in try context.engine.run(Keyring.selectVersions, []).values {
            if version < 0 {
                guard masters.remote == nil else { continue }
                throw StorageError(
                    .keyMissing,
                    "the database has keys under version \(-version) of a transit engine's key, and none is configured:"
                        + " set TANDEM_VAULT_ADDR and the rest", operation: "check the master key")
            }
            guard masters.local?.keys[Int(version)] == nil else { continue }
            let present = masters.local.map { $0.versions.map(String.init).joined(separator: ", ") } ?? "none"
            throw StorageError(
                .keyMissing,
                "the database has keys under master key version \(version), which is not configured (present: \(present))",
                operation: "check the master key")
        }
        if masters.remote == nil {
            let old = try Keyring.wrapped(
                context.engine.run(
                    Keyring.selectOld, [.int(Int64(try masters.target())), .int(Int64(Keyring.rewrapsAtOnce + 1))]))
            if old.count <= Keyring.rewrapsAtOnce { try replace(old, with: try masters.rewrap(old), in: context) }
        }
        _ = try keys(for: Keyring.systemUser, in: context, create: true)
    }

    /// Records each version's proof; throws where one has another value.
    func recordProofs(in context: TransactionContext) throws {
        guard let local = masters.local else { return }
        var known: [Int: [UInt8]] = [:]
        let proofs = try context.engine.run(Keyring.selectProofs, [])
        for row in 0..<proofs.rowCount {
            guard case .int(let version) = proofs.values[row * 2], case .blob(let proof) = proofs.values[row * 2 + 1]
            else { continue }
            known[Int(version)] = proof
        }
        for version in local.versions {
            let proof = Keyring.proof(local.keys[version])
            if let recorded = known[version] {
                guard recorded == proof else {
                    throw StorageError(
                        .masterKey,
                        "master key version \(version) is not the one that this database was made with: give back the old"
                            + " key, or give the new one a higher version", operation: "check the master key")
                }
            } else {
                _ = try context.engine.run(
                    Keyring.insertProof,
                    [.int(Int64(version)), .blob(proof), .int(context.store.clock.now.millisecondsSinceEpoch)])
            }
        }
    }

    private static func proof(_ key: SymmetricKey?) -> [UInt8] {
        guard let key else { return [] }
        let code = HMAC<SHA256>.authenticationCode(for: Array("tandem/1 master key".utf8), using: key)
        return Array(Array(code).prefix(16))
    }

    /// Rows of `selectOld`.
    static func wrapped(_ answer: SQLAnswer) -> [MasterKeyring.Wrapped] {
        (0..<answer.rowCount).compactMap { row in
            guard case .int(let user) = answer.values[row * 4], case .int(let version) = answer.values[row * 4 + 1],
                case .int(let master) = answer.values[row * 4 + 2], case .blob(let bytes) = answer.values[row * 4 + 3]
            else { return nil }
            return MasterKeyring.Wrapped(user: user, version: Int(version), master: Int(master), bytes: bytes)
        }
    }

    /// Writes keys that were wrapped anew, where nobody did since; returns their number.
    @discardableResult
    func replace(
        _ old: [MasterKeyring.Wrapped], with new: [MasterKeyring.Wrapped], in context: TransactionContext
    ) throws -> Int {
        var count = 0
        for (before, after) in zip(old, new) {
            count += try context.engine.run(
                Keyring.rewrapKey,
                [
                    .blob(after.bytes), .int(Int64(after.master)), .int(after.user), .int(Int64(after.version)),
                    .blob(before.bytes),
                ]
            ).changes
        }
        return count
    }

    // MARK: People's keys

    /// The person's keys; nil when there are none and `create` is false.
    func keys(for user: Int64, in context: TransactionContext, create: Bool) throws -> UserKeySet? {
        if let local = context.userKeys[user] { return local }
        let (cached, generation) = cache.withLock { ($0.sets[user], $0.generation) }
        if let cached, now() - cached.at < Keyring.staleAfter { return cached.set }
        return try load(user, in: context, create: create, generation: generation)
    }

    /// The person's keys where memory has them and they are not to be read again.
    func fresh(_ user: Int64) -> UserKeySet? {
        guard let cached = cache.withLock({ $0.sets[user] }), now() - cached.at < Keyring.staleAfter else { return nil }
        return cached.set
    }

    /// The person's keys as the transaction's snapshot has them, whatever is cached.
    func reload(_ user: Int64, in context: TransactionContext) throws -> UserKeySet? {
        try load(user, in: context, create: false, generation: cache.withLock { $0.generation })
    }

    private static let staleAfter = UInt64(freshness.components.seconds) * 1_000_000_000

    private func load(
        _ user: Int64, in context: TransactionContext, create: Bool, generation: Int
    ) throws -> UserKeySet? {
        let rows = try wrappedKeys(of: user, in: context)
        var keys: [Int: SymmetricKey] = [:]
        for (row, key) in zip(rows, try masters.unwrap(rows)) { keys[row.version] = key }
        if keys.isEmpty {
            guard create else { return nil }
            keys[1] = SymmetricKey(size: .bits256)
            try add(keys[1], version: 1, for: user, in: context)
        }
        guard let set = UserKeySet(keys) else { return nil }
        context.userKeys[user] = set
        if context.canWrite {
            // A key may be of this very transaction: others get it only when it is durable.
            context.afterCommit { [self] in remember(set, for: user, generation: generation) }
        } else {
            remember(set, for: user, generation: generation)
        }
        return set
    }

    func wrappedKeys(of user: Int64, in context: TransactionContext) throws -> [MasterKeyring.Wrapped] {
        // The program's own key serves within people's transactions, too.
        let answer = try context.engine.asSystem { try context.engine.run(Keyring.selectKeys, [.int(user)]) }
        return (0..<answer.rowCount).compactMap { row in
            guard case .int(let version) = answer.values[row * 3], case .int(let master) = answer.values[row * 3 + 1],
                case .blob(let bytes) = answer.values[row * 3 + 2]
            else { return nil }
            return MasterKeyring.Wrapped(user: user, version: Int(version), master: Int(master), bytes: bytes)
        }
    }

    private func add(_ key: SymmetricKey?, version: Int, for user: Int64, in context: TransactionContext) throws {
        guard context.canWrite, let key else {
            throw StorageError(.notAllowed, "a read transaction makes no key", operation: "make a person's key")
        }
        let (wrapped, master) = try masters.wrap(key, user: user, version: version)
        _ = try context.engine.run(
            Keyring.insertKey,
            [
                .int(user), .int(Int64(version)), .int(Int64(master)), .blob(wrapped),
                .int(context.store.clock.now.millisecondsSinceEpoch),
            ])
    }

    private func remember(_ set: UserKeySet, for user: Int64, generation: Int) {
        cache.withLock { cache in
            guard cache.generation == generation else { return }
            if cache.sets.count >= Keyring.maxCachedUsers {
                cache.sets = cache.sets.filter { $0.key == Keyring.systemUser }
            }
            cache.sets[user] = Cached(set: set, at: now())
        }
    }

    private func forget(_ user: Int64) {
        masters.forget(user)
        cache.withLock { cache in
            // The program's own stays known, for hashes that need no transaction; it is read again at the next use.
            if user == Keyring.systemUser { cache.sets[user]?.at = 0 } else { cache.sets[user] = nil }
            cache.generation += 1
        }
    }

    /// Adds a new version of the person's key; what is sealed from now on uses it.
    func rotate(_ user: Int64, in context: TransactionContext) throws {
        guard let old = try reload(user, in: context) ?? keys(for: user, in: context, create: true) else { return }
        var keys = old.keys
        let key = SymmetricKey(size: .bits256)
        try add(key, version: old.current + 1, for: user, in: context)
        keys[old.current + 1] = key
        context.userKeys[user] = UserKeySet(keys)
        context.afterCommit { [self] in forget(user) }
    }

    /// Destroys the versions before the current one, once nothing is sealed with them; what was made from the first for
    /// hashes and the audit becomes a key of its own.
    func retire(_ user: Int64, in context: TransactionContext) throws {
        guard let set = try reload(user, in: context) else { return }
        guard set.keys.keys.contains(where: { $0 > 0 && $0 < set.current }) else { return }
        if set.keys[0] == nil { try add(set.indexKey, version: 0, for: user, in: context) }
        if set.keys[-1] == nil { try add(set.auditKey, version: -1, for: user, in: context) }
        _ = try context.engine.run(Keyring.deleteOldKeys, [.int(user), .int(Int64(set.current))])
        var keys = set.keys.filter { $0.key == set.current }
        keys[0] = set.indexKey
        keys[-1] = set.auditKey
        context.userKeys[user] = UserKeySet(keys)
        context.afterCommit { [self] in forget(user) }
    }

    /// Destroys the person's keys.
    func destroy(_ user: Int64, in context: TransactionContext) throws {
        _ = try context.engine.run(Keyring.deleteKeys, [.int(user)])
        context.userKeys[user] = nil
        context.afterCommit { [self] in forget(user) }
    }

    // MARK: Asking a service ahead

    /// Whether a transaction of this person would have to wait for the service that unwraps keys.
    func mayAsk(for user: UserID) -> Bool {
        guard masters.remote != nil else { return false }
        return cache.withLock { $0.sets[user.rawValue].map { now() - $0.at >= Keyring.staleAfter } ?? true }
    }

    /// Makes a new version of the key that a service keeps; nil without a service.
    public func rotateRemoteKey() async throws -> Int? {
        guard masters.remote != nil else { return nil }
        let version = try await onThread { try $0.masters.remote?.rotate() }
        masters.forgetTarget()
        return version
    }

    // MARK: Keyed hashes

    /// A keyed hash of a value by which the program finds it again, such as a phone number; the same on every start.
    ///
    /// HMAC-SHA256, the first 16 bytes. Different purposes give unrelated hashes. Cheap; needs no transaction.
    public func lookupHash(_ value: some StringProtocol, purpose: String) throws -> [UInt8] {
        guard let set = cache.withLock({ $0.sets[Keyring.systemUser]?.set }) else {
            throw StorageError(.keyMissing, "the program's own key is not loaded", operation: "hash for look-up")
        }
        return Keyring.hash(Array(value.utf8), set, table: "", column: purpose)
    }

    static func hash(_ value: [UInt8], _ keys: UserKeySet, table: String, column: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.count + table.utf8.count + column.utf8.count + 2)
        bytes.append(contentsOf: table.utf8)
        bytes.append(0)
        bytes.append(contentsOf: column.utf8)
        bytes.append(0)
        bytes.append(contentsOf: value)
        var hash = keys.indexHash
        hash.update(data: bytes)
        return hash.finalize().withUnsafeBytes { Array($0.prefix(16)) }
    }
}
