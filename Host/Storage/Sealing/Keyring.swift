import Crypto
import Synchronization
import TandemCore

/// The master keys, and the people's keys that they wrap (envelope encryption).
///
/// A person's key is made with their first sealed value, kept wrapped in `user_keys`, and cached here unwrapped. Erasing a
/// person removes it, which makes every sealed value of theirs unreadable, in backups too once these are re-keyed.
/// Safe from any thread.
public final class Keyring: Sendable {
    private struct Cache {
        var sets: [Int64: UserKeySet] = [:]
        /// Raised whenever a key is removed, so that an older snapshot's keys are not put back.
        var generation = 0
    }

    /// The "person" whose key serves the program itself.
    static let systemUser: Int64 = 0
    private static let maxCachedUsers = 50_000

    private let masters: MasterKeys
    private let cache = Mutex(Cache())

    public init(_ masters: MasterKeys) { self.masters = masters }

    /// A keyring with a random master key, for data that ends with the process.
    public static func ephemeral() throws -> Keyring {
        try Keyring(MasterKeys([1: SymmetricKey(size: .bits256)]))
    }

    // MARK: Statements

    private static let selectProofs = RowStatement("SELECT version, proof FROM master_keys ORDER BY version")
    private static let insertProof = RowStatement(
        "INSERT INTO master_keys (version, proof, created_at) VALUES (?, ?, ?)")
    private static let selectVersions = RowStatement("SELECT DISTINCT master_version FROM user_keys")
    private static let selectOld = RowStatement(
        "SELECT user_id, version, master_version, wrapped FROM user_keys WHERE master_version <> ?")
    private static let rewrapKey = RowStatement(
        "UPDATE user_keys SET wrapped = ?, master_version = ? WHERE user_id = ? AND version = ?")
    private static let selectKeys = RowStatement(
        "SELECT version, master_version, wrapped FROM user_keys WHERE user_id = ?")
    private static let insertKey = RowStatement(
        "INSERT INTO user_keys (user_id, version, master_version, wrapped, created_at) VALUES (?, ?, ?, ?, ?)")
    private static let deleteKeys = RowStatement("DELETE FROM user_keys WHERE user_id = ?")

    // MARK: Master keys

    /// Checks that the configured master keys are those of the database, wraps with the newest what an older one wrapped,
    /// and makes the program's own key.
    ///
    /// Throws `key_missing` when a version that wraps keys is not configured, `master_key` when one has another value.
    func verifyMasterKeys(in context: TransactionContext) throws {
        var known: [Int: [UInt8]] = [:]
        let proofs = try context.engine.run(Keyring.selectProofs, [])
        for row in 0..<proofs.rowCount {
            guard case .int(let version) = proofs.values[row * 2], case .blob(let proof) = proofs.values[row * 2 + 1]
            else { continue }
            known[Int(version)] = proof
        }
        for version in masters.versions {
            let proof = Keyring.proof(masters.keys[version])
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
        for case .int(let version) in try context.engine.run(Keyring.selectVersions, []).values
        where masters.keys[Int(version)] == nil {
            let present = masters.versions.map(String.init).joined(separator: ", ")
            throw StorageError(
                .keyMissing,
                "the database has keys under master key version \(version), which is not configured (present: \(present))",
                operation: "check the master key")
        }
        try rewrap(in: context)
        _ = try keys(for: Keyring.systemUser, in: context, create: true)
    }

    private static func proof(_ key: SymmetricKey?) -> [UInt8] {
        guard let key else { return [] }
        let code = HMAC<SHA256>.authenticationCode(for: Array("tandem/1 master key".utf8), using: key)
        return Array(Array(code).prefix(16))
    }

    /// Wraps anew what an older master key wrapped.
    private func rewrap(in context: TransactionContext) throws {
        let answer = try context.engine.run(Keyring.selectOld, [.int(Int64(masters.current))])
        for row in 0..<answer.rowCount {
            guard case .int(let user) = answer.values[row * 4], case .int(let version) = answer.values[row * 4 + 1],
                case .int(let master) = answer.values[row * 4 + 2], case .blob(let wrapped) = answer.values[row * 4 + 3]
            else { continue }
            let key = try unwrap(wrapped, user: user, version: Int(version), master: Int(master))
            _ = try context.engine.run(
                Keyring.rewrapKey,
                [
                    .blob(try wrap(key, user: user, version: Int(version))), .int(Int64(masters.current)), .int(user),
                    .int(version),
                ])
        }
    }

    private static func wrapContext(user: Int64, version: Int, master: Int) -> [UInt8] {
        var bytes = Array("tandem/1 user key".utf8)
        bytes.append(bigEndian: user)
        bytes.append(bigEndian: Int64(version))
        bytes.append(bigEndian: Int64(master))
        return bytes
    }

    private func wrap(_ key: SymmetricKey, user: Int64, version: Int) throws -> [UInt8] {
        guard let master = masters.keys[masters.current] else {
            throw StorageError(.masterKey, "there is no master key", operation: "wrap a key")
        }
        let plain = key.withUnsafeBytes { Array($0) }
        let box = try AES.GCM.seal(
            plain, using: master,
            authenticating: Keyring.wrapContext(user: user, version: version, master: masters.current))
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    private func unwrap(_ wrapped: [UInt8], user: Int64, version: Int, master: Int) throws -> SymmetricKey {
        guard let masterKey = masters.keys[master] else {
            throw StorageError(
                .keyMissing, "a person's key is under master key version \(master), which is not configured",
                operation: "unwrap a key")
        }
        do {
            guard wrapped.count == 60 else { throw StorageError(.sealBroken, "") }
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: wrapped[0..<12]), ciphertext: wrapped[12..<44], tag: wrapped[44...])
            let plain = try AES.GCM.open(
                box, using: masterKey,
                authenticating: Keyring.wrapContext(user: user, version: version, master: master))
            return SymmetricKey(data: [UInt8](plain))
        } catch {
            throw StorageError(
                .sealBroken, "a person's key does not open with master key version \(master): the row was changed",
                operation: "unwrap a key", table: "user_keys")
        }
    }

    // MARK: People's keys

    /// The person's keys; nil when there are none and `create` is false.
    func keys(for user: Int64, in context: TransactionContext, create: Bool) throws -> UserKeySet? {
        if let local = context.userKeys[user] { return local }
        let (cached, generation) = cache.withLock { ($0.sets[user], $0.generation) }
        if let cached { return cached }
        var keys: [Int: SymmetricKey] = [:]
        let answer = try context.engine.run(Keyring.selectKeys, [.int(user)])
        for row in 0..<answer.rowCount {
            guard case .int(let version) = answer.values[row * 3], case .int(let master) = answer.values[row * 3 + 1],
                case .blob(let wrapped) = answer.values[row * 3 + 2]
            else { continue }
            keys[Int(version)] = try unwrap(wrapped, user: user, version: Int(version), master: Int(master))
        }
        if keys.isEmpty {
            guard create else { return nil }
            keys[1] = try addKey(version: 1, for: user, in: context)
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

    private func addKey(version: Int, for user: Int64, in context: TransactionContext) throws -> SymmetricKey {
        guard context.canWrite else {
            throw StorageError(.notAllowed, "a read transaction makes no key", operation: "make a person's key")
        }
        let key = SymmetricKey(size: .bits256)
        _ = try context.engine.run(
            Keyring.insertKey,
            [
                .int(user), .int(Int64(version)), .int(Int64(masters.current)),
                .blob(try wrap(key, user: user, version: version)),
                .int(context.store.clock.now.millisecondsSinceEpoch),
            ])
        return key
    }

    private func remember(_ set: UserKeySet, for user: Int64, generation: Int) {
        cache.withLock { cache in
            guard cache.generation == generation else { return }
            if cache.sets.count >= Keyring.maxCachedUsers {
                cache.sets = cache.sets.filter { $0.key == Keyring.systemUser }
            }
            cache.sets[user] = set
        }
    }

    private func forget(_ user: Int64) {
        cache.withLock { cache in
            cache.sets[user] = nil
            cache.generation += 1
        }
    }

    /// Adds a new version of the person's key; what is sealed from now on uses it.
    func rotate(_ user: Int64, in context: TransactionContext) throws {
        guard let old = try keys(for: user, in: context, create: true) else { return }
        var keys = old.keys
        keys[old.current + 1] = try addKey(version: old.current + 1, for: user, in: context)
        context.userKeys[user] = UserKeySet(keys)
        context.afterCommit { [self] in forget(user) }
    }

    /// Destroys the person's keys.
    func destroy(_ user: Int64, in context: TransactionContext) throws {
        _ = try context.engine.run(Keyring.deleteKeys, [.int(user)])
        context.userKeys[user] = nil
        context.afterCommit { [self] in forget(user) }
    }

    // MARK: Keyed hashes

    /// A keyed hash of a value by which the program finds it again, such as a phone number; the same on every start.
    ///
    /// HMAC-SHA256, the first 16 bytes. Different purposes give unrelated hashes. Cheap; needs no transaction.
    public func lookupHash(_ value: some StringProtocol, purpose: String) throws -> [UInt8] {
        guard let set = cache.withLock({ $0.sets[Keyring.systemUser] }) else {
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
