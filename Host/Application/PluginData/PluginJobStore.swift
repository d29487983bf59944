import TandemAgent
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// The queue of timers and deliveries: who works on what, and what became of it.
struct PluginJobStore: Sendable {
    let database: any Database
    /// This process and worker, as leases name it.
    let holder: String
    let offset: @Sendable (UserScope) -> TimerSchedule.Offset

    /// Longer than any handler may take.
    private static let lease: Duration = .seconds(700)
    private static let candidates = 64

    /// Takes what is due, at most one job of each lane.
    ///
    /// - Parameters:
    ///   - busy: lanes that run: not taken.
    ///   - full: plugins that have as many running as they may.
    func claim(
        limit: Int, busy: Set<PluginJob.Lane>, full: [String],
        room: @escaping @Sendable ([String: Int], String) -> Bool,
        isAlive: @escaping @Sendable (String) -> Bool
    ) async throws -> [PluginJob] {
        let (holder, offset) = (holder, offset)
        return try await database.write(.system) { transaction in
            let now = transaction.now
            var lanes = busy
            var taken: [String: Int] = [:]
            var jobs: [PluginJob] = []
            for kind in [PluginJob.Kind.timer, .event] {
                for row in try Self.due(kind, at: now, without: full, in: transaction) where jobs.count < limit {
                    if let other = try row.textIfPresent("holder"), other != holder,
                        try row.timestamp("lease_until") > now, isAlive(other)
                    {
                        continue
                    }
                    var job = try Self.job(kind, row, now: now, offset: offset)
                    guard room(taken, job.plugin), lanes.insert(job.lane).inserted else { continue }
                    taken[job.plugin, default: 0] += 1
                    if !job.wasTried { job.turn = transaction.nextID() }
                    try transaction.execute(
                        """
                        UPDATE \(identifier: kind.table) SET holder = \(holder), turn = \(job.turn),
                        lease_until = \(now.advanced(by: Self.lease)) WHERE user_id = \(job.scope.user)
                        AND id = \(job.id)
                        """)
                    if kind == .timer {
                        try transaction.execute(
                            """
                            UPDATE plugin_timers SET occurrence = \(job.occurrence), missed = \(job.missed)
                            WHERE user_id = \(job.scope.user) AND id = \(job.id)
                            """)
                    }
                    jobs.append(job)
                }
            }
            return jobs
        }
    }

    /// Of the deliveries to one plugin and person the first that is due, so that none overtakes another.
    private static func due(
        _ kind: PluginJob.Kind, at now: Timestamp, without full: [String], in transaction: any ReadTransaction
    ) throws -> [SQLRow] {
        var statement: SQL = "SELECT * FROM \(identifier: kind.table) AS d WHERE next_at <= \(now)"
        if !full.isEmpty { statement.append(" AND plugin NOT IN \(list: full)") }
        if kind == .event {
            statement.append(
                """
                 AND NOT EXISTS (SELECT 1 FROM plugin_deliveries AS e WHERE e.user_id = d.user_id
                AND e.plugin = d.plugin AND e.id < d.id AND e.next_at <= \(now))
                """)
        }
        statement.append(" ORDER BY next_at, id LIMIT \(candidates)")
        return try transaction.query(statement)
    }

    private static func job(
        _ kind: PluginJob.Kind, _ row: SQLRow, now: Timestamp, offset: @Sendable (UserScope) -> TimerSchedule.Offset
    ) throws -> PluginJob {
        let scope = UserScope(authenticated: try row.userID("user_id"))
        let turn = try row.recordIDIfPresent("turn")
        var job = PluginJob(
            kind: kind, id: try row.recordID("id"), scope: scope, plugin: try row.text("plugin"),
            handler: try row.text("handler"), attempts: try row.int("attempts"), turn: turn ?? RecordID(rawValue: 0),
            wasTried: turn != nil, nextAt: try row.timestamp("next_at"), arguments: [:],
            sealedData: try row.blob("data"), eventDepth: 0)
        switch kind {
        case .timer:
            let schedule = try StoredTimers.schedule(row)
            let first = try row.int("occurrence")
            // A second try is for the occurrence of the first.
            job.occurrence = job.wasTried ? first : schedule.latest(from: first, notAfter: now, offset: offset(scope))
            job.missed = try row.int("missed") + job.occurrence - first
            job.schedule = schedule
            job.arguments = [
                "timer": .string(try row.text("name")),
                "dueAt": .string(schedule.occurrence(job.occurrence, offset: offset(scope)).description),
                "missed": .integer(Int64(job.missed)),
            ]
        case .event:
            let published = try row.timestamp("published_at")
            job.publishedAt = published
            job.eventDepth = try row.int("depth")
            job.arguments = [
                "event": .string(try row.recordID("event").description), "topic": .string(try row.text("topic")),
                "publishedAt": .string(published.description),
            ]
        }
        return job
    }

    /// Takes back what an earlier attempt wrote, and reads the data; nil when the job is gone.
    func open(_ job: PluginJob) async throws -> JSONObject? {
        try await database.write(job.scope) { transaction in
            guard try Self.exists(job, transaction) else { return nil }
            if job.wasTried { try transaction.rollBack(job.origin) }
            let seal =
                job.kind == .timer ? StoredTimers.seal(job.id.rawValue) : StoredEvents.seal(job.id.rawValue)
            guard case .object(let object)? = try? JSON(parsing: transaction.open(job.sealedData, seal)) else {
                return [:]
            }
            return object
        }
    }

    /// The job is over, well or not: what it wrote is final or taken back, and a repeating timer goes on.
    func finish(_ job: PluginJob, succeeded: Bool) async throws {
        let offset = offset(job.scope)
        try await database.write(job.scope) { transaction in
            if succeeded {
                // No part of an undo: the person did not ask for it.
                try transaction.settle(job.origin)
            } else {
                try transaction.rollBack(job.origin)
            }
            guard let schedule = job.schedule, schedule.repeats != nil else {
                try transaction.execute(
                    """
                    DELETE FROM \(identifier: job.kind.table) WHERE user_id = \(job.scope.user) AND id = \(job.id)
                    """)
                return
            }
            let next = job.occurrence + 1
            try transaction.execute(
                """
                UPDATE plugin_timers SET occurrence = \(next), next_at = \(schedule.occurrence(next, offset: offset)),
                missed = 0, attempts = 0, turn = \(SQLValue.null), holder = \(SQLValue.null) WHERE user_id = \(job.scope.user)
                AND id = \(job.id)
                """)
        }
    }

    /// The job comes again after a delay.
    ///
    /// - Parameter isAttempt: false: it was not tried, because the plugin is off.
    func putBack(_ job: PluginJob, after delay: Duration, isAttempt: Bool) async throws {
        try await database.write(job.scope) { transaction in
            try transaction.rollBack(job.origin)
            // What was not tried is looked at anew: a repeating timer may have missed more by then.
            try transaction.execute(
                """
                UPDATE \(identifier: job.kind.table) SET attempts = \(job.attempts + (isAttempt ? 1 : 0)),
                next_at = \(transaction.now.advanced(by: delay)), turn = \(isAttempt ? job.turn : nil),
                holder = \(SQLValue.null) WHERE user_id = \(job.scope.user) AND id = \(job.id)
                """)
        }
    }

    /// When the next job that nobody works on is due.
    func nextDue() async throws -> Timestamp? {
        try await database.read(.system) { transaction in
            var next: Timestamp?
            for kind in [PluginJob.Kind.timer, .event] {
                let due = try transaction.first(
                    "SELECT min(next_at) AS due FROM \(identifier: kind.table) WHERE holder IS NULL"
                )?.timestampIfPresent("due")
                if let due { next = min(next ?? due, due) }
            }
            return next
        }
    }

    /// Forgets keys of events that are too old to matter.
    func prune() async throws {
        try await database.write(.system) { transaction in
            let oldest =
                transaction.now.millisecondsSinceEpoch - Int64(StoredEvents.retention.components.seconds) * 1000
            try transaction.execute("DELETE FROM plugin_event_keys WHERE published_at <= \(oldest)")
        }
    }

    private static func exists(_ job: PluginJob, _ transaction: any ReadTransaction) throws -> Bool {
        try transaction.first(
            "SELECT id FROM \(identifier: job.kind.table) WHERE user_id = \(job.scope.user) AND id = \(job.id)") != nil
    }
}
