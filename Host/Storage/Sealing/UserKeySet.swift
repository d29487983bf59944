import Crypto

/// One person's keys, unwrapped: every version opens, the highest seals.
final class UserKeySet: Sendable {
    let keys: [Int: SymmetricKey]
    let current: Int
    let currentKey: SymmetricKey
    /// For keyed hashes of sealed columns; made from the first version, so that it stays when a new one is added.
    let indexKey: SymmetricKey

    init?(_ keys: [Int: SymmetricKey]) {
        guard let current = keys.keys.max(), let key = keys[current], let first = keys.keys.min(),
            let base = keys[first]
        else { return nil }
        self.keys = keys
        self.current = current
        currentKey = key
        indexKey = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: base, info: Array("tandem/1 index".utf8), outputByteCount: 32)
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

    static func authenticated(_ header: some Sequence<UInt8>, user: Int64, _ context: SealContext) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(40 + context.table.utf8.count + context.column.utf8.count)
        bytes.append(contentsOf: header)
        bytes.append(bigEndian: user)
        bytes.append(bigEndian: context.row)
        bytes.append(contentsOf: context.table.utf8)
        bytes.append(0)
        bytes.append(contentsOf: context.column.utf8)
        return bytes
    }

    static func seal(_ plain: [UInt8], keys: UserKeySet, user: Int64, _ context: SealContext) throws -> [UInt8] {
        var sealed: [UInt8] = []
        sealed.reserveCapacity(plain.count + overhead)
        sealed.append(1)
        let version = UInt32(truncatingIfNeeded: keys.current)
        for shift in [24, 16, 8, 0] as [UInt32] { sealed.append(UInt8(truncatingIfNeeded: version >> shift)) }
        let box = try AES.GCM.seal(
            plain, using: keys.currentKey, authenticating: authenticated(sealed, user: user, context))
        sealed.append(contentsOf: box.nonce)
        sealed.append(contentsOf: box.ciphertext)
        sealed.append(contentsOf: box.tag)
        return sealed
    }

    static func open(_ sealed: [UInt8], keys: UserKeySet?, user: Int64, _ context: SealContext) throws -> [UInt8] {
        guard sealed.count >= overhead, sealed[0] == 1 else {
            throw StorageError(
                .sealBroken, "the sealed value has no known format", table: context.table, column: context.column)
        }
        let version = sealed[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard let key = keys?.keys[version] else {
            throw StorageError(
                .keyMissing, "version \(version) of the person's key is not there: it was erased, or never was here",
                table: context.table, column: context.column)
        }
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: sealed[5..<17]), ciphertext: sealed[17..<(sealed.count - 16)],
                tag: sealed[(sealed.count - 16)...])
            let plain = try AES.GCM.open(
                box, using: key, authenticating: authenticated(sealed[0..<5], user: user, context))
            return [UInt8](plain)
        } catch {
            throw StorageError(
                .sealBroken, "the sealed value does not open: it was changed, or belongs to another row",
                table: context.table, column: context.column)
        }
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: Int64) {
        let bits = UInt64(bitPattern: value)
        for shift in stride(from: UInt64(56), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
}
