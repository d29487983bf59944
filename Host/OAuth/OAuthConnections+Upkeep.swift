import TandemCore
import TandemStorage

extension OAuthConnections {
    /// What one round of upkeep did.
    public struct UpkeepReport: Sendable, Hashable {
        public var renewed = 0
        public var told = 0
        public var revoked = 0
        public var removed = 0
    }

    private struct Due: Sendable {
        var person: UserScope
        var provider: String
        var id: RecordID
    }

    /// Rounds of upkeep until the task is cancelled. Any number of processes may do this.
    public func run() async {
        while !Task.isCancelled {
            // What fails now is tried in the next round.
            _ = try? await upkeep()
            let interval = Double(max(options.upkeepInterval.milliseconds, 10)) * (0.8 + 0.4 * options.random())
            try? await Task.sleep(for: .milliseconds(Int64(interval)))
        }
    }

    /// Renews what is in use and about to end, and what lies idle for long; tells what was not told; gives back what was
    /// not taken; removes what is over. A few of each at a time.
    @discardableResult
    public func upkeep() async throws -> UpkeepReport {
        var report = UpkeepReport()
        report.removed = try await removeExpired()
        for due in try await due("pending IS NOT NULL") {
            guard let provider = providers[due.provider],
                let row = try await database.read(due.person, { try TokenRow.find(due.provider, in: $0) })
            else { continue }
            await tellUnderLock(row, provider, due.person)
            report.told += 1
        }
        let now = clock.now
        let usedSince = now.advanced(by: .milliseconds(-options.activity.milliseconds))
        let renewals = try await due(
            """
            state = 'connected' AND refresh_token IS NOT NULL AND (retry_at IS NULL OR retry_at <= \(now))
            AND ((refresh_at <= \(now) AND used_at >= \(usedSince)) OR idle_at <= \(now))
            """)
        for due in renewals {
            guard !Task.isCancelled, let provider = providers[due.provider], provider.client != nil,
                let row = try await database.read(due.person, { try TokenRow.find(due.provider, in: $0) }),
                row.id == due.id
            else { continue }
            if case .success = await renewed(row, provider, of: due.person) { report.renewed += 1 }
        }
        let revocations = try await database.read(.system) { transaction in
            try transaction.query(
                "SELECT id FROM oauth_revocations WHERE due_at <= \(now) ORDER BY due_at LIMIT 50"
            ).map { try $0.recordID("id") }
        }
        for id in revocations where await revoke(id) { report.revoked += 1 }
        return report
    }

    private func due(_ condition: SQL) async throws -> [Due] {
        try await database.read(.system) { transaction in
            try transaction.query("SELECT user_id, provider, id FROM oauth_tokens WHERE \(condition) LIMIT 50").map {
                // The row is the person's own standing order, as a persisted turn is.
                Due(
                    person: UserScope(authenticated: try $0.userID("user_id")), provider: try $0.text("provider"),
                    id: try $0.recordID("id"))
            }
        }
    }

    private func removeExpired() async throws -> Int {
        let now = clock.now
        let isNeeded = try await database.read(.system) { transaction in
            try transaction.first("SELECT 1 FROM oauth_states WHERE expires_at <= \(now) LIMIT 1") != nil
                || transaction.first("SELECT 1 FROM oauth_links WHERE expires_at <= \(now) LIMIT 1") != nil
        }
        guard isNeeded else { return 0 }
        return try await database.write(.system) { transaction in
            try transaction.execute("DELETE FROM oauth_states WHERE expires_at <= \(now)")
                + transaction.execute("DELETE FROM oauth_links WHERE expires_at <= \(now)")
        }
    }
}
