import Logging
import TandemAccounts
import TandemAgent
import TandemCore
import TandemStorage

extension Application {
    /// Declared tables whose rows are kept for a time of their own, counted from when they were made.
    static let datedTables: [(name: String, days: @Sendable (Configuration.Retention) -> Int?)] = [
        ("agent_logs", { $0.logs }), ("user_identification_logs", { $0.logs }), ("sms_usage_logs", { $0.logs }),
        ("llm_usage", { $0.logs }),
        ("messages", { $0.conversation }), ("turns", { $0.conversation }), ("confirmations", { $0.conversation }),
    ]

    /// Forgets what has been kept for as long as the settings say: journal, logs, conversation, audit, and what the accounts
    /// have that is over. Returns the rows that went, by table or kind.
    ///
    /// A few rows per transaction; several processes may do it at once.
    @discardableResult
    public func applyRetention() async throws -> [String: Int] {
        let retention = configuration.retention
        let now = clock.now
        func cut(_ days: Int?) -> Timestamp? { days.map { now.advanced(by: .seconds(-$0 * 86_400)) } }
        var counts: [String: Int] = [:]
        if let cut = cut(retention.undo) { counts["row_journal"] = try await database.pruneJournal(before: cut) }
        counts["llm_days"] = try await StoredMeter.prune(database, before: now, days: 400)
        for account in try await accounts.users() {
            if let cut = cut(retention.conversation),
                try await agent.pruneSummary(of: account.scope, before: cut)
            {
                counts["conversation_summaries", default: 0] += 1
            }
            for (table, days) in Application.datedTables {
                guard let cut = cut(days(retention)) else { continue }
                let old = [RowCondition("created_at", .less, .timestamp(cut))]
                while true {
                    let count = try await database.read(account.scope) { try $0.list(table, where: old, limit: 500) }
                    if count.isEmpty { break }
                    let ids = count.map(\.id)
                    try await database.write(account.scope) { transaction in
                        for id in ids { try transaction.delete(table, id) }
                    }
                    counts[table, default: 0] += ids.count
                }
            }
        }
        if let cut = cut(retention.audit) {
            let pruning = try await database.pruneAudit(before: cut)
            counts["audit_entries"] = pruning.entries
            if !pruning.brokenChains.isEmpty {
                logger.critical(
                    "the audit is not as it was written: run tandem admin audit verify",
                    metadata: ["chains": "\(pruning.brokenChains.count)"])
            }
            if pruning.entries > 0 {
                let (audit, entries) = (audit, pruning.entries)
                try await database.write(.system) { transaction in
                    try audit.record(
                        AuditEvent(.auditPruned, user: nil, actor: .program, detail: ["entries": String(entries)]),
                        in: transaction)
                }
            }
        }
        return counts.filter { $0.value > 0 }
    }
}
