import Crypto
import Synchronization

/// Wraps and unwraps people's keys, with keys of this machine or by a service.
///
/// A wrapped key has the version of what wrapped it: from 1 for this machine's keys, from -1 downwards for the service's.
/// With a service, it wraps what is new; what this machine's keys wrapped still opens.
final class MasterKeyring: Sendable {
    private struct Known {
        var wrapped: [UInt8]
        var key: SymmetricKey
        var at: UInt64
    }

    private struct Place: Hashable {
        var user: Int64
        var version: Int
    }

    private struct State {
        var local: MasterKeys?
        var loadedAt: UInt64
        /// What the service unwrapped, for a bounded time: it need not be asked again each time the rows are read.
        var known: [Place: Known] = [:]
        var latestRemote: (version: Int, at: UInt64)?
    }

    private static let mostKnown = 50_000

    let remote: (any RemoteMasterKeys)?
    private let state: Mutex<State>
    private let reload: (@Sendable () throws -> MasterKeys?)?
    private let life: UInt64
    private let now: @Sendable () -> UInt64

    init(
        local: MasterKeys?, remote: (any RemoteMasterKeys)?, life: Duration,
        reload: (@Sendable () throws -> MasterKeys?)?, now: @escaping @Sendable () -> UInt64
    ) {
        self.remote = remote
        self.reload = reload
        self.life = UInt64(max(0, life.components.seconds)) * 1_000_000_000
        self.now = now
        state = Mutex(State(local: local, loadedAt: now()))
    }

    var local: MasterKeys? { state.withLock { $0.local } }

    /// Reads this machine's keys again, since somebody may have added a version.
    func reloadLocal() throws {
        guard let reload, let keys = try reload() else { return }
        state.withLock { state in
            state.local = keys
            state.loadedAt = now()
        }
    }

    /// The version that wraps what is new.
    func target() throws -> Int {
        guard let remote else {
            guard let local else {
                throw StorageError(.masterKey, "there is no master key", operation: "wrap a key")
            }
            return local.current
        }
        if let known = state.withLock({ $0.latestRemote }), now() - known.at < 60_000_000_000 { return -known.version }
        let version = try remote.latestVersion()
        state.withLock { $0.latestRemote = (version, now()) }
        return -version
    }

    func forgetTarget() { state.withLock { $0.latestRemote = nil } }

    // MARK: Wrapping

    private static func context(user: Int64, version: Int, master: Int) -> [UInt8] {
        var bytes = Array("tandem/1 user key".utf8)
        bytes.append(bigEndian: user)
        bytes.append(bigEndian: Int64(version))
        bytes.append(bigEndian: Int64(master))
        return bytes
    }

    /// What a service wraps with a key, so that it does not open in another's place: the service may wrap it anew, which
    /// it could not with authenticated data.
    private static func binding(user: Int64, version: Int) -> [UInt8] {
        Array(SHA256.hash(data: context(user: user, version: version, master: 0)).prefix(16))
    }

    func wrap(_ key: SymmetricKey, user: Int64, version: Int) throws -> (wrapped: [UInt8], master: Int) {
        let plain = key.withUnsafeBytes { Array($0) }
        if let remote {
            let text = try remote.encrypt(plain + MasterKeyring.binding(user: user, version: version))
            guard let master = TransitText.version(text) else {
                throw StorageError(
                    .masterKey, "\(remote.name) gave no ciphertext of the form vault:v1:...", operation: "wrap a key")
            }
            let wrapped = Array(text.utf8)
            remember(key, wrapped, user, version)
            return (wrapped, -master)
        }
        guard let local, let master = local.keys[local.current] else {
            throw StorageError(.masterKey, "there is no master key", operation: "wrap a key")
        }
        let box = try AES.GCM.seal(
            plain, using: master,
            authenticating: MasterKeyring.context(user: user, version: version, master: local.current))
        return (Array(box.nonce) + Array(box.ciphertext) + Array(box.tag), local.current)
    }

    struct Wrapped: Sendable {
        var user: Int64
        var version: Int
        var master: Int
        var bytes: [UInt8]
    }

    /// The keys of one or several people, in order.
    func unwrap(_ items: [Wrapped]) throws -> [SymmetricKey] {
        var keys = [SymmetricKey?](repeating: nil, count: items.count)
        var asked: [(place: Int, text: String)] = []
        for (place, item) in items.enumerated() {
            if item.master > 0 {
                keys[place] = try unwrapLocally(item)
            } else if let known = known(item) {
                keys[place] = known
            } else {
                let text = String(decoding: item.bytes, as: UTF8.self)
                guard TransitText.version(text) == -item.master else { throw MasterKeyring.broken(item) }
                asked.append((place, text))
            }
        }
        if !asked.isEmpty {
            guard let remote else { throw MasterKeyring.noService }
            let plain = try remote.decrypt(asked.map(\.text))
            guard plain.count == asked.count else { throw MasterKeyring.broken(items[asked[0].place]) }
            for (bytes, (place, _)) in zip(plain, asked) {
                let item = items[place]
                guard bytes.count == 48,
                    Array(bytes[32...]) == MasterKeyring.binding(user: item.user, version: item.version)
                else { throw MasterKeyring.broken(item) }
                let key = SymmetricKey(data: bytes[..<32])
                remember(key, item.bytes, item.user, item.version)
                keys[place] = key
            }
        }
        return keys.compactMap(\.self)
    }

    /// Whether `unwrap` would ask the service.
    func asks(for items: [Wrapped]) -> Bool { items.contains { $0.master < 0 && known($0) == nil } }

    private func known(_ item: Wrapped) -> SymmetricKey? {
        state.withLock { state in
            guard let known = state.known[Place(user: item.user, version: item.version)], known.wrapped == item.bytes,
                item.user == Keyring.systemUser || now() - known.at < life
            else { return nil }
            return known.key
        }
    }

    private func remember(_ key: SymmetricKey, _ wrapped: [UInt8], _ user: Int64, _ version: Int) {
        state.withLock { state in
            if state.known.count >= MasterKeyring.mostKnown {
                state.known = state.known.filter { $0.key.user == Keyring.systemUser }
            }
            state.known[Place(user: user, version: version)] = Known(wrapped: wrapped, key: key, at: now())
        }
    }

    func forget(_ user: Int64) {
        state.withLock { state in
            guard !state.known.isEmpty else { return }
            state.known = state.known.filter { $0.key.user != user }
        }
    }

    private static let noService = StorageError(
        .keyMissing,
        "people's keys are wrapped by a transit engine, which is not configured: set TANDEM_VAULT_ADDR and the rest",
        operation: "unwrap a key")

    private static func broken(_ item: Wrapped) -> StorageError {
        StorageError(
            .sealBroken, "a person's key does not open with master key version \(item.master): the row was changed",
            operation: "unwrap a key", table: "user_keys")
    }

    private func unwrapLocally(_ item: Wrapped) throws -> SymmetricKey {
        if local?.keys[item.master] == nil { try reloadLocal() }
        guard let masterKey = local?.keys[item.master] else {
            throw StorageError(
                .keyMissing, "a person's key is under master key version \(item.master), which is not configured",
                operation: "unwrap a key")
        }
        do {
            let wrapped = item.bytes
            guard wrapped.count == 60 else { throw StorageError(.sealBroken, "") }
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: wrapped[0..<12]), ciphertext: wrapped[12..<44], tag: wrapped[44...])
            let plain = try AES.GCM.open(
                box, using: masterKey,
                authenticating: MasterKeyring.context(user: item.user, version: item.version, master: item.master))
            return SymmetricKey(data: [UInt8](plain))
        } catch {
            throw MasterKeyring.broken(item)
        }
    }

    /// The same keys under the version that wraps what is new; the service does that without showing them.
    func rewrap(_ items: [Wrapped]) throws -> [Wrapped] {
        if let remote, items.allSatisfy({ $0.master < 0 }) {
            let texts = try remote.rewrap(items.map { String(decoding: $0.bytes, as: UTF8.self) })
            guard texts.count == items.count else {
                throw StorageError(.masterKey, "\(remote.name) did not answer for every key", operation: "wrap anew")
            }
            return try zip(items, texts).map { item, text in
                guard let master = TransitText.version(text) else { throw MasterKeyring.broken(item) }
                var item = item
                item.bytes = Array(text.utf8)
                item.master = -master
                return item
            }
        }
        return try zip(items, unwrap(items)).map { item, key in
            let (wrapped, master) = try wrap(key, user: item.user, version: item.version)
            var item = item
            item.bytes = wrapped
            item.master = master
            return item
        }
    }
}
