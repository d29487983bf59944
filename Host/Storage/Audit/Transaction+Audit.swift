public import TandemCore

private let advance = RowStatement(
    """
    INSERT INTO audit_heads (chain, sequence, hash, pruned_to, pruned_hash, closed_at, proof) \
    VALUES (?, 1, ?, 0, ?, NULL, ?) \
    ON CONFLICT (chain) DO UPDATE SET sequence = audit_heads.sequence + 1 WHERE audit_heads.closed_at IS NULL \
    RETURNING \(AuditHead.columns)
    """)
private let settle = RowStatement(
    """
    INSERT INTO audit_heads (chain, sequence, hash, pruned_to, pruned_hash, closed_at, proof) \
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (chain) DO UPDATE SET hash = excluded.hash, \
    pruned_to = excluded.pruned_to, pruned_hash = excluded.pruned_hash, closed_at = excluded.closed_at, \
    proof = excluded.proof
    """)
private let insertEntry = RowStatement(
    "INSERT INTO audit_entries (chain, sequence, at, previous, hash, body) VALUES (?, ?, ?, ?, ?, ?)")
private let selectHead = RowStatement("SELECT \(AuditHead.columns) FROM audit_heads WHERE chain = ?")
private let selectEntries = RowStatement(
    "SELECT sequence, at, hash, body FROM audit_entries WHERE chain = ? AND sequence > ? ORDER BY sequence LIMIT ?")

extension WriteTransaction {
    /// Adds an event to a chain: what `body` says is metadata, and no content.
    ///
    /// In a person's scope it may be theirs or the system's. What is said of a person whose chain was closed goes to the
    /// system's. Throws `not_allowed` for somebody else's chain.
    public func appendAudit(_ body: [UInt8], to chain: AuditChain) throws {
        if case .user(let scope) = scope, case .person(let user) = chain, user != scope.user {
            throw StorageError(.notAllowed, "the scope is another person's", operation: "add to the audit")
        }
        try AuditWriter(context).append(body, to: chain)
    }

    /// Ends a person's chain, with their erasure. It stays, and can be verified; its bodies go with the person's key.
    public func closeAudit(of user: UserID) throws {
        try AuditWriter(context).close(user.rawValue)
    }
}

extension ReadTransaction {
    /// Entries of a person's chain after a sequence number, oldest first.
    public func auditEntries(of user: UserID, after sequence: Int64 = 0, limit: Int = 1000) throws -> [AuditEntry] {
        if case .user(let scope) = scope, user != scope.user {
            throw StorageError(.notAllowed, "the scope is another person's", operation: "read the audit")
        }
        return try AuditReader(context).entries(user.rawValue, after: sequence, limit: limit)
    }

    /// Entries of the system's chains, oldest first.
    public func systemAuditEntries(after time: Timestamp, limit: Int = 1000) throws -> [AuditEntry] {
        guard case .system = scope else {
            throw StorageError(.notAllowed, "the system's audit is not a person's", operation: "read the audit")
        }
        var all: [AuditEntry] = []
        for number in 0..<AuditNumber.systemChains {
            var last: Int64 = 0
            while true {
                let page = try AuditReader(context).entries(-number, after: last, limit: 1000)
                guard let end = page.last else { break }
                all += page.filter { $0.at > time }
                last = end.sequence
            }
        }
        return Array(all.sorted { ($0.at, $0.sequence) < ($1.at, $1.sequence) }.prefix(limit))
    }
}

/// Reads entries with their bodies opened.
struct AuditReader {
    let context: TransactionContext

    init(_ context: TransactionContext) { self.context = context }

    func entries(_ chain: Int64, after sequence: Int64, limit: Int) throws -> [AuditEntry] {
        let owner = max(chain, Keyring.systemUser)
        let keys = try context.store.keyring.keys(for: owner, in: context, create: false)
        let answer = try context.engine.run(selectEntries, [.int(chain), .int(sequence), .int(Int64(limit))])
        return try (0..<answer.rowCount).compactMap { row in
            let base = row * answer.columnCount
            guard case .int(let sequence) = answer.values[base], case .int(let at) = answer.values[base + 1],
                case .blob(let hash) = answer.values[base + 2], case .blob(let body) = answer.values[base + 3]
            else { return nil }
            return AuditEntry(
                sequence: sequence, at: Timestamp(millisecondsSinceEpoch: at),
                body: try keys.map { try AuditCode.open(body, $0, chain: chain, sequence: sequence) }, hash: hash)
        }
    }

    func head(_ chain: Int64) throws -> AuditHead? {
        AuditHead(try context.engine.run(selectHead, [.int(chain)]).values[...])
    }
}

/// Adds to the chains.
struct AuditWriter {
    let context: TransactionContext

    init(_ context: TransactionContext) { self.context = context }

    func append(_ body: [UInt8], to chain: AuditChain) throws {
        guard context.canWrite else { throw StorageError(.notAllowed, "a read transaction adds nothing to the audit") }
        guard let program = try context.store.keyring.keys(for: Keyring.systemUser, in: context, create: false) else {
            throw StorageError(.keyMissing, "the program's own key is not loaded", operation: "add to the audit")
        }
        let number = AuditNumber.of(chain, dialect: context.engine.dialect)
        let answer = try context.engine.run(
            advance, [.int(number), .blob(AuditCode.first), .blob(AuditCode.first), .blob(AuditCode.first)])
        guard var head = AuditHead(answer.values[...]) else {
            if case .system = chain { throw StorageError(.corrupt, "the system's audit is closed") }
            return try append(body, to: .system)
        }
        var keys = program
        if case .person(let user) = chain {
            guard let own = try context.store.keyring.keys(for: user.rawValue, in: context, create: true) else {
                throw StorageError(.keyMissing, "the person has no key", operation: "add to the audit")
            }
            keys = own
        }
        let sealed = try AuditCode.seal(body, keys, chain: number, sequence: head.sequence)
        let at = context.store.clock.now.millisecondsSinceEpoch
        let previous = head.hash
        head.hash = AuditCode.hash(
            program.auditChainKey, chain: number, sequence: head.sequence, at: at, previous: previous, body: sealed)
        _ = try context.engine.run(
            insertEntry,
            [.int(number), .int(head.sequence), .int(at), .blob(previous), .blob(head.hash), .blob(sealed)])
        try save(head, program)
        if case .person = chain, head.sequence == 1 {
            // So that a chain that is gone as a whole is missed.
            try append(AuditWriter.opening(of: number), to: .system)
        }
    }

    func close(_ number: Int64) throws {
        guard let program = try context.store.keyring.keys(for: Keyring.systemUser, in: context, create: false) else {
            throw StorageError(.keyMissing, "the program's own key is not loaded", operation: "close a chain")
        }
        // Also where there is none yet: nothing may begin it later.
        var head = try AuditReader(context).head(number) ?? AuditHead(unused: number)
        guard head.closedAt == nil else { return }
        head.closedAt = context.store.clock.now.millisecondsSinceEpoch
        try save(head, program)
    }

    func save(_ head: AuditHead, _ program: UserKeySet) throws {
        _ = try context.engine.run(
            settle,
            [
                .int(head.chain), .int(head.sequence), .blob(head.hash), .int(head.prunedTo), .blob(head.prunedHash),
                head.closedAt.map { .int($0) } ?? .null,
                .blob(AuditCode.proof(program.auditChainKey, of: head)),
            ])
    }

    private static let openingMark = Array("{\"name\":\"audit.chain_opened\",\"actor\":\"program\",\"chain\":\"".utf8)

    private static func opening(of number: Int64) -> [UInt8] { openingMark + Array("\(number)\"}".utf8) }

    /// The chain whose beginning an entry of the system's chains tells.
    static func opened(by body: [UInt8]) -> Int64? {
        guard body.starts(with: openingMark), body.suffix(2).elementsEqual("\"}".utf8) else { return nil }
        return Int64(String(decoding: body.dropFirst(openingMark.count).dropLast(2), as: UTF8.self))
    }
}
