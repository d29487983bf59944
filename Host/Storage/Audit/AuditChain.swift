import Crypto
public import TandemCore

/// A sequence of events of which each names the one before it by its hash.
public enum AuditChain: Sendable, Hashable {
    /// What concerns nobody in particular, or somebody who is no more.
    case system
    case person(UserID)
}

/// An event as it lies in its chain.
public struct AuditEntry: Sendable, Hashable {
    /// From 1, without gaps.
    public var sequence: Int64
    public var at: Timestamp
    /// What was recorded; nil once the person was erased.
    public var body: [UInt8]?
    /// By which the next one names it.
    public var hash: [UInt8]
}

/// The end of a chain, and where it now begins.
struct AuditHead {
    var chain: Int64
    var sequence: Int64
    var hash: [UInt8]
    /// Entries up to this one are gone, by retention.
    var prunedTo: Int64
    var prunedHash: [UInt8]
    var closedAt: Int64?
    var proof: [UInt8] = []

    static let columns = "chain, sequence, hash, pruned_to, pruned_hash, closed_at, proof"

    /// Of a chain without entries.
    init(unused chain: Int64) {
        self.chain = chain
        sequence = 0
        hash = AuditCode.first
        prunedTo = 0
        prunedHash = AuditCode.first
    }

    /// Nil for a row that is not of the columns' types.
    init?(_ values: ArraySlice<SQLValue>) {
        let values = Array(values)
        guard values.count == 7, case .int(let chain) = values[0], case .int(let sequence) = values[1],
            case .blob(let hash) = values[2], case .int(let prunedTo) = values[3],
            case .blob(let prunedHash) = values[4], case .blob(let proof) = values[6]
        else { return nil }
        self.chain = chain
        self.sequence = sequence
        self.hash = hash
        self.prunedTo = prunedTo
        self.prunedHash = prunedHash
        if case .int(let time) = values[5] { closedAt = time }
        self.proof = proof
    }
}

/// The cryptography of the chains: HMAC-SHA256 under a key that is made from the program's own, so that only who has the
/// master key can make or renew an entry; bodies sealed with the person's key, so that erasing it takes them along and
/// leaves the chain as it was.
enum AuditCode {
    static let first = [UInt8](repeating: 0, count: 32)

    /// An entry's hash: over chain, number, time, the hash before and the sealed body.
    static func hash(
        _ key: SymmetricKey, chain: Int64, sequence: Int64, at: Int64, previous: [UInt8], body: [UInt8]
    ) -> [UInt8] {
        var bytes = Array("tandem/1 audit entry".utf8)
        bytes.append(bigEndian: chain)
        bytes.append(bigEndian: sequence)
        bytes.append(bigEndian: at)
        bytes.append(bigEndian: Int64(previous.count))
        bytes.append(contentsOf: previous)
        bytes.append(contentsOf: body)
        return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }

    static func proof(_ key: SymmetricKey, of head: AuditHead) -> [UInt8] {
        var bytes = Array("tandem/1 audit head".utf8)
        bytes.append(bigEndian: head.chain)
        bytes.append(bigEndian: head.sequence)
        bytes.append(bigEndian: head.prunedTo)
        bytes.append(bigEndian: head.closedAt ?? -1)
        bytes.append(bigEndian: Int64(head.hash.count))
        bytes.append(contentsOf: head.hash)
        bytes.append(contentsOf: head.prunedHash)
        return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }

    private static func context(chain: Int64, sequence: Int64) -> [UInt8] {
        var bytes = Array("tandem/1 audit body".utf8)
        bytes.append(bigEndian: chain)
        bytes.append(bigEndian: sequence)
        return bytes
    }

    /// 12 bytes nonce, ciphertext, 16 bytes tag.
    static func seal(_ body: [UInt8], _ keys: UserKeySet, chain: Int64, sequence: Int64) throws -> [UInt8] {
        let box = try AES.GCM.seal(
            body, using: keys.auditKey, nonce: AES.GCM.Nonce(data: Nonces.next()),
            authenticating: context(chain: chain, sequence: sequence))
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    static func open(_ sealed: [UInt8], _ keys: UserKeySet, chain: Int64, sequence: Int64) throws -> [UInt8] {
        do {
            guard sealed.count >= 28 else { throw StorageError(.sealBroken, "") }
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: sealed[..<12]), ciphertext: sealed[12..<(sealed.count - 16)],
                tag: sealed[(sealed.count - 16)...])
            return [UInt8](
                try AES.GCM.open(
                    box, using: keys.auditKey, authenticating: context(chain: chain, sequence: sequence)))
        } catch {
            throw StorageError(.sealBroken, "an entry of the audit does not open", table: AuditSchema.entries)
        }
    }
}

/// How chains are numbered: a person's by their id, the system's from 0 downwards.
enum AuditNumber {
    /// On PostgreSQL transactions that add to one chain at once make each other run again, so that the system has several.
    static let systemChains: Int64 = 8

    static func of(_ chain: AuditChain, dialect: SQLDialect) -> Int64 {
        switch chain {
        case .person(let user): user.rawValue
        case .system: dialect == .sqlite ? 0 : -Int64.random(in: 0..<systemChains)
        }
    }
}
