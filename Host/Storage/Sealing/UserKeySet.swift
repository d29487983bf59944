import CSodium
import Crypto
import Glibc
import Synchronization

/// One person's keys, unwrapped: every version from 1 opens, the highest seals; 0 and -1 are kept of the first (`Keyring`).
final class UserKeySet: Sendable {
    let keys: [Int: SymmetricKey]
    let current: Int
    let currentKey: SymmetricKey
    /// For keyed hashes of sealed columns. Made from the first version, so that it stays when a new one is added.
    let indexKey: SymmetricKey
    /// HMAC-SHA256 under `indexKey` with nothing hashed yet, so that the key is worked in once.
    let indexHash: HMAC<SHA256>
    /// Seals what the audit says of the person; made from the first version, too.
    let auditKey: SymmetricKey

    init?(_ keys: [Int: SymmetricKey]) {
        let versions = keys.keys.filter { $0 > 0 }
        guard let current = versions.max(), let key = keys[current], let first = versions.min(), let base = keys[first]
        else { return nil }
        self.keys = keys
        self.current = current
        currentKey = key
        indexKey = keys[0] ?? UserKeySet.derived(base, "tandem/1 index")
        indexHash = HMAC(key: indexKey)
        auditKey = keys[-1] ?? UserKeySet.derived(base, "tandem/1 audit body")
    }

    /// Of the program's own keys: what the chains of the audit are made with.
    var auditChainKey: SymmetricKey { UserKeySet.derived(auditKey, "tandem/1 audit chain") }

    private static func derived(_ key: SymmetricKey, _ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Array(purpose.utf8), outputByteCount: 32)
    }
}

/// Random nonces, drawn from the kernel many at a time: one draw for each would cost more than what it is for.
enum Nonces {
    static let count = 12
    private static let pool = Mutex(Pool())

    private struct Pool {
        var bytes = [UInt8](repeating: 0, count: 12 * 256)
        var next = 12 * 256
    }

    /// Twelve bytes that were never given before.
    static func next() -> [UInt8] {
        pool.withLock { pool in
            if pool.next == pool.bytes.count {
                fill(&pool.bytes)
                pool.next = 0
            }
            defer { pool.next += count }
            return Array(pool.bytes[pool.next..<(pool.next + count)])
        }
    }

    private static func fill(_ bytes: inout [UInt8]) {
        let isFilled = bytes.withUnsafeMutableBytes { buffer in
            // getentropy(3) gives at most 256 bytes at once.
            stride(from: 0, to: buffer.count, by: 256).allSatisfy { start in
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<min(start + 256, buffer.count)])
                return part.baseAddress.map { getentropy($0, part.count) == 0 } ?? false
            }
        }
        guard !isFilled else { return }
        var generator = SystemRandomNumberGenerator()
        for index in bytes.indices { bytes[index] = .random(in: 0 ... .max, using: &generator) }
    }
}

/// What a sealed value is bound to: moved to another table, column, row or person it does not open.
public struct SealContext: Sendable, Hashable {
    public var table: String
    public var column: String
    /// The row's id, or any number that names it.
    public var row: Int64

    public init(table: String, column: String, row: Int64) {
        self.table = table
        self.column = column
        self.row = row
    }
}

/// The sealed form: 1 byte format (1), 4 bytes key version (big endian), 12 bytes nonce, ciphertext, 16 bytes tag.
///
/// AES-256-GCM (NIST SP 800-38D) with a random nonce; authenticated besides: the first five bytes, user, table, column and
/// row.
enum SealedForm {
    static let overhead = 1 + 4 + 12 + 16

    /// Writes what is authenticated besides; `header` begins with the first five bytes.
    static func authenticated(
        _ header: [UInt8], user: Int64, _ context: SealContext, into bytes: inout [UInt8]
    ) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: header[..<5])
        bytes.append(bigEndian: user)
        bytes.append(bigEndian: context.row)
        bytes.append(contentsOf: context.table.utf8)
        bytes.append(0)
        bytes.append(contentsOf: context.column.utf8)
    }

    private static func authenticated(_ header: [UInt8], user: Int64, _ context: SealContext) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(40 + context.table.utf8.count + context.column.utf8.count)
        authenticated(header, user: user, context, into: &bytes)
        return bytes
    }

    static func seal(_ plain: [UInt8], keys: UserKeySet, user: Int64, _ context: SealContext) throws -> [UInt8] {
        var sealed: [UInt8] = []
        sealed.reserveCapacity(plain.count + overhead)
        sealed.append(1)
        let version = UInt32(truncatingIfNeeded: keys.current)
        for shift in [24, 16, 8, 0] as [UInt32] { sealed.append(UInt8(truncatingIfNeeded: version >> shift)) }
        let box = try AES.GCM.seal(
            plain, using: keys.currentKey, nonce: AES.GCM.Nonce(data: Nonces.next()),
            authenticating: authenticated(sealed, user: user, context))
        sealed.append(contentsOf: box.nonce)
        sealed.append(contentsOf: box.ciphertext)
        sealed.append(contentsOf: box.tag)
        return sealed
    }

    /// The version of the key that sealed it.
    static func version(_ sealed: some RandomAccessCollection<UInt8>) -> Int? {
        guard sealed.count >= overhead, sealed.first == 1 else { return nil }
        return sealed.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }

    static func open(_ sealed: [UInt8], keys: UserKeySet?, user: Int64, _ context: SealContext) throws -> [UInt8] {
        let version = try checkedVersion(sealed, context)
        guard let key = keys?.keys[version] else { throw missing(version, context) }
        if DirectGCM.isAvailable {
            guard let plain = direct(sealed, key, authenticated(sealed, user: user, context)) else {
                throw broken(context)
            }
            return plain
        }
        return try openPortably(sealed, keys: keys, user: user, context)
    }

    /// The same with swift-crypto, for processors without the instructions.
    static func openPortably(
        _ sealed: [UInt8], keys: UserKeySet?, user: Int64, _ context: SealContext
    ) throws -> [UInt8] {
        let version = try checkedVersion(sealed, context)
        guard let key = keys?.keys[version] else { throw missing(version, context) }
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: sealed[5..<17]), ciphertext: sealed[17..<(sealed.count - 16)],
                tag: sealed[(sealed.count - 16)...])
            return [UInt8](
                try AES.GCM.open(box, using: key, authenticating: authenticated(sealed, user: user, context)))
        } catch {
            throw broken(context)
        }
    }

    /// Nil: it is not authentic.
    private static func direct(_ sealed: [UInt8], _ key: SymmetricKey, _ authenticated: [UInt8]) -> [UInt8]? {
        let count = sealed.count - overhead
        var isAuthentic = false
        let plain = [UInt8](unsafeUninitializedCapacity: max(1, count)) { plain, initialized in
            let code = sealed.withUnsafeBufferPointer { sealed in
                key.withUnsafeBytes { key -> Int32 in
                    guard let base = sealed.baseAddress, key.count == 32,
                        let key = key.bindMemory(to: UInt8.self).baseAddress
                    else { return -1 }
                    return crypto_aead_aes256gcm_decrypt_detached(
                        plain.baseAddress, nil, base + 17, UInt64(count), base + 17 + count, authenticated,
                        UInt64(authenticated.count), base + 5, key)
                }
            }
            isAuthentic = code == 0
            initialized = isAuthentic ? count : 0
        }
        return isAuthentic ? plain : nil
    }

    /// Throws `seal_broken` for what has not the form; gives the version of the key otherwise.
    static func checkedVersion(_ sealed: [UInt8], _ context: SealContext) throws -> Int {
        guard sealed.count >= overhead, sealed[0] == 1 else {
            throw StorageError(
                .sealBroken, "the sealed value has no known format", table: context.table, column: context.column)
        }
        let version = sealed[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard version > 0 else { throw missing(version, context) }
        return version
    }

    static func missing(_ version: Int, _ context: SealContext) -> StorageError {
        StorageError(
            .keyMissing, "version \(version) of the person's key is not there: it was erased, or never was here",
            table: context.table, column: context.column)
    }

    static func broken(_ context: SealContext) -> StorageError {
        StorageError(
            .sealBroken, "the sealed value does not open: it was changed, or belongs to another row",
            table: context.table, column: context.column)
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: Int64) {
        let bits = UInt64(bitPattern: value)
        for shift in stride(from: UInt64(56), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
}
