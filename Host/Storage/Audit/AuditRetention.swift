public import TandemCore

/// What a pruning of the audit did.
public struct AuditPruning: Sendable, Hashable {
    public var entries = 0
    public var chains = 0
    /// Chains that were left alone, because what was to go is not as it was written.
    public var brokenChains: [Int64] = []
}

private let selectOld = RowStatement(
    "SELECT chain, max(sequence) FROM audit_entries WHERE chain > ? AND at < ? GROUP BY chain ORDER BY chain LIMIT ?")
private let selectCheckpoint = RowStatement("SELECT hash FROM audit_entries WHERE chain = ? AND sequence = ?")
private let deleteOld = RowStatement("DELETE FROM audit_entries WHERE chain = ? AND sequence <= ?")
private let callPrune = RowStatement("SELECT tandem_audit_prune(?)")

extension Database {
    /// Forgets entries from before an instant, and notes in each chain's head where it now begins (a checkpoint), so that
    /// the rest can still be verified. Of each chain the last entry stays.
    ///
    /// What is to go is verified first: a chain that is broken there keeps its evidence.
    public func pruneAudit(before: Timestamp) async throws -> AuditPruning {
        var pruning = AuditPruning()
        var last = Int64.min
        while true {
            let start = last
            let time = before.millisecondsSinceEpoch
            let old = try await read(.system) { transaction in
                try transaction.context.engine.run(selectOld, [.int(start), .int(time), .int(100)]).values
            }
            for place in stride(from: 0, to: old.count - 1, by: 2) {
                guard case .int(let chain) = old[place], case .int(let end) = old[place + 1] else { continue }
                last = chain
                let count = try await write(.system) { try AuditWriter($0.context).prune(chain, upTo: end) }
                guard let count else {
                    pruning.brokenChains.append(chain)
                    continue
                }
                if count > 0 {
                    pruning.entries += count
                    pruning.chains += 1
                }
            }
            if old.isEmpty { return pruning }
        }
    }
}

extension AuditWriter {
    /// Returns how many entries went; nil when the chain is broken there.
    fileprivate func prune(_ number: Int64, upTo end: Int64) throws -> Int? {
        guard let program = try context.store.keyring.keys(for: Keyring.systemUser, in: context, create: false) else {
            throw StorageError(.keyMissing, "the program's own key is not loaded", operation: "prune the audit")
        }
        guard var head = try AuditReader(context).head(number) else { return nil }
        let end = min(end, head.sequence - 1)
        guard end > head.prunedTo else { return 0 }
        guard AuditCode.proof(program.auditChainKey, of: head) == head.proof else { return nil }
        var page = AuditPage()
        try page.walk(head, program, upTo: end, context)
        guard page.result.isIntact,
            case .blob(let hash)? = try context.engine.run(selectCheckpoint, [.int(number), .int(end)]).values.first
        else { return nil }
        head.prunedTo = end
        head.prunedHash = hash
        try save(head, program)
        switch context.engine.dialect {
        case .sqlite: return try context.engine.run(deleteOld, [.int(number), .int(end)]).changes
        case .postgres:
            guard case .int(let count)? = try context.engine.run(callPrune, [.int(number)]).values.first else {
                return 0
            }
            return Int(count)
        }
    }
}
