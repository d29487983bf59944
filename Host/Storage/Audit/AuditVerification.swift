/// What `verifyAudit` found.
public struct AuditVerification: Sendable, Hashable {
    /// Something in a chain that is not as it was written.
    public struct Finding: Sendable, Hashable {
        public enum Kind: String, Sendable, Hashable {
            /// The entry is not what was written, or was not written by the program.
            case altered
            /// An entry is not there.
            case missing
            /// The entry does not name the one before it.
            case misplaced
            /// Entries are missing at the end.
            case cut
            /// There are entries after the end.
            case extra
            /// The record of the chain's end is not what was written.
            case headAltered = "head_altered"
            /// The record of the chain's end is not there, or the whole chain is gone.
            case headMissing = "head_missing"
            /// An anchor that was kept elsewhere says otherwise.
            case differsFromAnchor = "differs_from_anchor"
        }

        public var kind: Kind
        /// A person's id, or 0 and below for the system's.
        public var chain: Int64
        public var sequence: Int64?

        public init(_ kind: Kind, chain: Int64, sequence: Int64? = nil) {
            self.kind = kind
            self.chain = chain
            self.sequence = sequence
        }
    }

    public var chains = 0
    public var entries = 0
    /// Chains of people who were erased.
    public var closedChains = 0
    /// At most `maxFindings`.
    public var findings: [Finding] = []

    public static let maxFindings = 1000

    public var isIntact: Bool { findings.isEmpty }

    mutating func note(_ kind: Finding.Kind, _ chain: Int64, _ sequence: Int64? = nil) {
        if findings.count < AuditVerification.maxFindings {
            findings.append(Finding(kind, chain: chain, sequence: sequence))
        }
    }
}

/// Where a chain ended at some time: to be kept where whoever can change the database cannot, so that a database that was
/// put back as a whole is found, too.
public struct AuditAnchor: Sendable, Hashable {
    public var chain: Int64
    public var sequence: Int64
    public var hash: [UInt8]

    public init(chain: Int64, sequence: Int64, hash: [UInt8]) {
        self.chain = chain
        self.sequence = sequence
        self.hash = hash
    }
}

private let selectHeads = RowStatement(
    "SELECT \(AuditHead.columns) FROM audit_heads WHERE chain > ? ORDER BY chain LIMIT ?")
private let selectOrphans = RowStatement(
    """
    SELECT DISTINCT e.chain FROM audit_entries e LEFT JOIN audit_heads h ON h.chain = e.chain \
    WHERE h.chain IS NULL ORDER BY 1 LIMIT ?
    """)
private let selectLinks = RowStatement(
    """
    SELECT sequence, at, previous, hash, body FROM audit_entries WHERE chain = ? AND sequence > ? \
    ORDER BY sequence LIMIT ?
    """)
private let selectHash = RowStatement("SELECT hash FROM audit_entries WHERE chain = ? AND sequence = ?")

extension Database {
    /// Reads every chain from its beginning, and compares it with its hashes, its end and `anchors`.
    ///
    /// Needs the master key. Goes on while others add; each chain is read in one snapshot.
    public func verifyAudit(anchors: [AuditAnchor] = []) async throws -> AuditVerification {
        var result = AuditVerification()
        var opened: Set<Int64> = []
        var last = Int64.min
        var seen: Set<Int64> = []
        let anchored = Dictionary(grouping: anchors, by: \.chain)
        while true {
            let start = last
            let page = try await read(.system) { transaction in
                var page = AuditPage()
                try page.read(after: start, anchored, transaction.context)
                return page
            }
            guard let end = page.chains.last else { break }
            result.chains += page.chains.count
            result.entries += page.result.entries
            result.closedChains += page.result.closedChains
            for finding in page.result.findings { result.note(finding.kind, finding.chain, finding.sequence) }
            opened.formUnion(page.opened)
            seen.formUnion(page.chains)
            last = end
        }
        let orphans = try await read(.system) { transaction in
            try transaction.context.engine.run(selectOrphans, [.int(Int64(AuditVerification.maxFindings))]).values
        }
        for case .int(let chain) in orphans where !seen.contains(chain) { result.note(.headMissing, chain) }
        for chain in opened.union(anchored.keys).subtracting(seen).sorted() {
            result.note(.headMissing, chain)
        }
        return result
    }

    /// Where every chain ends now.
    public func auditAnchors() async throws -> [AuditAnchor] {
        var anchors: [AuditAnchor] = []
        var last = Int64.min
        while true {
            let start = last
            let heads = try await read(.system) { try AuditPage.heads(after: start, $0.context) }
            guard let end = heads.last else { return anchors }
            anchors += heads.map { AuditAnchor(chain: $0.chain, sequence: $0.sequence, hash: $0.hash) }
            last = end.chain
        }
    }
}

/// Some chains, read in one snapshot.
struct AuditPage: Sendable {
    private static let size = 100
    private static let links = 500

    var result = AuditVerification()
    var chains: [Int64] = []
    /// Chains that the system's chains say there are.
    var opened: Set<Int64> = []

    static func heads(after chain: Int64, _ context: TransactionContext) throws -> [AuditHead] {
        let answer = try context.engine.run(selectHeads, [.int(chain), .int(Int64(size))])
        return stride(from: 0, to: answer.values.count, by: 7).compactMap { AuditHead(answer.values[$0..<($0 + 7)]) }
    }

    mutating func read(after chain: Int64, _ anchors: [Int64: [AuditAnchor]], _ context: TransactionContext) throws {
        guard let program = try context.store.keyring.keys(for: Keyring.systemUser, in: context, create: false) else {
            throw StorageError(.keyMissing, "the program's own key is not loaded", operation: "verify the audit")
        }
        for head in try AuditPage.heads(after: chain, context) {
            chains.append(head.chain)
            if head.closedAt != nil { result.closedChains += 1 }
            if AuditCode.proof(program.auditChainKey, of: head) != head.proof {
                result.note(.headAltered, head.chain, head.sequence)
            }
            try walk(head, program, upTo: nil, context)
            for anchor in anchors[head.chain] ?? [] { try compare(anchor, head, context) }
        }
    }

    /// Reads a chain's entries, up to a number or its end.
    mutating func walk(
        _ head: AuditHead, _ program: UserKeySet, upTo end: Int64?, _ context: TransactionContext
    ) throws {
        var next = head.prunedTo + 1
        var previous = head.prunedHash
        var cursor = Int64.min
        while true {
            let answer = try context.engine.run(
                selectLinks, [.int(head.chain), .int(cursor), .int(Int64(AuditPage.links))])
            guard answer.rowCount > 0 else { break }
            for row in 0..<answer.rowCount {
                let base = row * answer.columnCount
                guard case .int(let sequence) = answer.values[base], case .int(let at) = answer.values[base + 1],
                    case .blob(let before) = answer.values[base + 2], case .blob(let hash) = answer.values[base + 3],
                    case .blob(let body) = answer.values[base + 4]
                else { throw StorageError(.corrupt, "an entry of the audit is not of its types") }
                cursor = sequence
                if let end, sequence > end { return }
                result.entries += 1
                // What retention could not yet remove is no finding.
                if sequence <= head.prunedTo { continue }
                if sequence > head.sequence { result.note(.extra, head.chain, sequence) }
                if sequence > next {
                    result.note(.missing, head.chain, next)
                } else if before != previous {
                    result.note(.misplaced, head.chain, sequence)
                }
                let isOurs =
                    hash
                    == AuditCode.hash(
                        program.auditChainKey, chain: head.chain, sequence: sequence, at: at, previous: before,
                        body: body)
                if !isOurs { result.note(.altered, head.chain, sequence) }
                if isOurs, head.chain <= 0,
                    let plain = try? AuditCode.open(body, program, chain: head.chain, sequence: sequence),
                    let chain = AuditWriter.opened(by: plain)
                {
                    opened.insert(chain)
                }
                next = sequence + 1
                previous = hash
            }
        }
        guard end == nil else { return }
        if next <= head.sequence {
            result.note(.cut, head.chain, next)
        } else if next == head.sequence + 1, previous != head.hash {
            result.note(.headAltered, head.chain, head.sequence)
        }
    }

    private mutating func compare(_ anchor: AuditAnchor, _ head: AuditHead, _ context: TransactionContext) throws {
        if anchor.sequence < head.prunedTo { return }
        if anchor.sequence == head.prunedTo {
            if anchor.hash != head.prunedHash { result.note(.differsFromAnchor, anchor.chain, anchor.sequence) }
            return
        }
        let found = try context.engine.run(selectHash, [.int(anchor.chain), .int(anchor.sequence)]).values.first
        if found != .blob(anchor.hash) { result.note(.differsFromAnchor, anchor.chain, anchor.sequence) }
    }
}
