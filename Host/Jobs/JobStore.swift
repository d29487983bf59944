public import TandemCore
import TandemJSON
import TandemStorage

/// The queue's rows: every statement on them.
struct JobStore: Sendable {
    let database: any Database
    /// This process, as leases name it.
    let holder: String
    let lease: Duration

    // MARK: Enqueueing

    /// Inserts a job; nil when one with its key waits or runs.
    ///
    /// - Parameter isHeld: it is this process's from the beginning.
    func insert(_ job: NewJob, isHeld: Bool, in transaction: any WriteTransaction) throws -> Job? {
        let user = job.scope?.user.rawValue ?? 0
        if case .user(let scope) = transaction.scope, user != 0, scope.user.rawValue != user {
            throw StorageError(.notAllowed, "a job for another person than the scope's", operation: "enqueue")
        }
        return try transaction.asSystem {
            if let key = job.key {
                let other = try transaction.first(
                    """
                    SELECT id FROM jobs WHERE user_id = \(user) AND kind = \(job.kind) AND job_key = \(key)
                    AND gave_up_at IS NULL
                    """)
                if other != nil { return nil }
            }
            let id = transaction.nextID()
            let now = transaction.now
            var payload: [UInt8]?
            if let scope = job.scope, job.payload != .null {
                payload = try transaction.seal(job.payload.serialized(), Self.context(id), for: scope.user)
            }
            let details = job.scope == nil && job.payload != .null ? job.payload.description : nil
            try transaction.execute(
                """
                INSERT INTO jobs (user_id, id, kind, lane, job_key, payload, details, run_at, attempts, holder,
                lease_until, created_at) VALUES (\(user), \(id), \(job.kind), \(job.lane.sqlValue),
                \(job.key.sqlValue), \(payload.sqlValue), \(details.sqlValue), \(job.runAt ?? now),
                \(isHeld ? 1 : 0), \((isHeld ? holder : nil).sqlValue),
                \(isHeld ? now.advanced(by: lease).millisecondsSinceEpoch : 0), \(now))
                """)
            return Job(
                id: id, kind: job.kind, scope: job.scope, payload: job.payload, attempt: 1, createdAt: now,
                lane: job.lane, holder: holder, receipt: JobReceipt())
        }
    }

    private static func context(_ id: RecordID) -> SealContext {
        SealContext(table: "jobs", column: "payload", row: id.rawValue)
    }

    // MARK: Taking

    /// Takes due jobs that nobody works on, the oldest first.
    func claim(_ kind: String, limit: Int, in transaction: any WriteTransaction) throws -> [Job] {
        let now = transaction.now
        var statement: SQL = """
            SELECT user_id, id, lane, payload, details, attempts, created_at FROM jobs AS j
            WHERE kind = \(kind) AND holder IS NULL AND gave_up_at IS NULL AND run_at <= \(now)
            AND (lane IS NULL OR NOT EXISTS (SELECT 1 FROM jobs AS e WHERE e.user_id = j.user_id AND e.lane = j.lane
            AND e.lane IS NOT NULL AND e.gave_up_at IS NULL AND e.id < j.id))
            ORDER BY run_at, id LIMIT \(limit)
            """
        // Several processes take different ones at once instead of waiting for each other.
        if transaction.dialect == .postgres { statement.append(" FOR UPDATE SKIP LOCKED") }
        var jobs: [Job] = []
        for row in try transaction.query(statement) {
            let (user, id) = (try row.int64("user_id"), try row.recordID("id"))
            let attempt = try row.int("attempts") + 1
            let taken = try transaction.execute(
                """
                UPDATE jobs SET holder = \(holder), lease_until = \(now.advanced(by: lease)), attempts = \(attempt)
                WHERE user_id = \(user) AND id = \(id) AND holder IS NULL
                """)
            guard taken == 1 else { continue }
            let scope = user == 0 ? nil : UserScope(authenticated: UserID(rawValue: user))
            var payload = JSON.null
            do {
                if let sealed = try row.blobIfPresent("payload") {
                    payload = try JSON(parsing: transaction.open(sealed, Self.context(id), for: scope?.user))
                } else if let details = try row.textIfPresent("details") {
                    payload = try JSON(parsing: details)
                }
            } catch let error as StorageError where error.code == .keyMissing || error.code == .sealBroken {
                // The person was erased meanwhile, and their key with them.
                try transaction.execute("DELETE FROM jobs WHERE user_id = \(user) AND id = \(id)")
                continue
            }
            jobs.append(
                Job(
                    id: id, kind: kind, scope: scope, payload: payload, attempt: attempt,
                    createdAt: try row.timestamp("created_at"), lane: try row.textIfPresent("lane"), holder: holder,
                    receipt: JobReceipt()))
        }
        return jobs
    }

    /// When the next job of a kind that nobody works on is due.
    func nextDue(_ kind: String, in transaction: any ReadTransaction) throws -> Timestamp? {
        try transaction.first(
            """
            SELECT run_at FROM jobs WHERE kind = \(kind) AND holder IS NULL AND gave_up_at IS NULL
            ORDER BY run_at, id LIMIT 1
            """)?.timestamp("run_at")
    }

    // MARK: Leases

    /// Gives this process's jobs a new lease, and frees those whose holder is gone or whose lease is over.
    ///
    /// - Returns: how many were freed.
    func keep(
        except given: [RecordID], isAlive: @Sendable (String) -> Bool, in transaction: any WriteTransaction
    ) throws -> Int {
        let now = transaction.now
        var renewal: SQL = """
            UPDATE jobs SET lease_until = \(now.advanced(by: lease)) WHERE holder = \(holder)
            """
        if !given.isEmpty { renewal.append(" AND id NOT IN \(list: given)") }
        try transaction.execute(renewal)
        var freed = 0
        let holders = try transaction.query("SELECT DISTINCT holder FROM jobs WHERE holder IS NOT NULL")
        for row in holders {
            let other = try row.text("holder")
            guard other != holder, !isAlive(other) else { continue }
            freed += try transaction.execute(
                "UPDATE jobs SET holder = \(String?.none.sqlValue) WHERE holder = \(other)")
        }
        freed += try transaction.execute(
            """
            UPDATE jobs SET holder = \(String?.none.sqlValue) WHERE holder IS NOT NULL AND lease_until <= \(now)
            """)
        return freed
    }

    // MARK: Ending

    /// - Returns: false when the job is not this holder's any more.
    static func delete(_ job: Job, in transaction: any WriteTransaction) throws -> Bool {
        try transaction.asSystem {
            try transaction.execute(
                """
                DELETE FROM jobs WHERE user_id = \(job.user) AND id = \(job.id) AND holder = \(job.holder)
                """) == 1
        }
    }

    /// Puts a job back.
    ///
    /// - Parameter attempts: that count as made.
    func putBack(_ job: Job, after pause: Duration, attempts: Int, in transaction: any WriteTransaction) throws {
        try transaction.execute(
            """
            UPDATE jobs SET holder = \(String?.none.sqlValue), attempts = \(attempts),
            run_at = \(transaction.now.advanced(by: pause))
            WHERE user_id = \(job.user) AND id = \(job.id) AND holder = \(job.holder)
            """)
    }

    /// Keeps a job that is given up for operators, without what it was about.
    func giveUp(_ job: Job, _ failure: JobFailure, in transaction: any WriteTransaction) throws {
        try transaction.execute(
            """
            UPDATE jobs SET holder = \(String?.none.sqlValue), gave_up_at = \(transaction.now),
            failure = \(failure.code), attempts = \(job.attempt)
            WHERE user_id = \(job.user) AND id = \(job.id) AND holder = \(job.holder)
            """)
    }

    // MARK: For operators

    func summary(in transaction: any ReadTransaction) throws -> [JobSummary] {
        let now = database.store.clock.now
        return try transaction.query(
            """
            SELECT kind, SUM(CASE WHEN gave_up_at IS NULL AND holder IS NULL THEN 1 ELSE 0 END) AS waiting,
            SUM(CASE WHEN holder IS NOT NULL THEN 1 ELSE 0 END) AS running,
            SUM(CASE WHEN gave_up_at IS NOT NULL THEN 1 ELSE 0 END) AS given_up,
            MIN(CASE WHEN gave_up_at IS NULL AND holder IS NULL AND run_at <= \(now) THEN run_at END) AS oldest
            FROM jobs GROUP BY kind ORDER BY kind
            """
        ).map { row in
            JobSummary(
                kind: try row.text("kind"), waiting: try row.int("waiting"), running: try row.int("running"),
                givenUp: try row.int("given_up"), oldestDue: try row.timestampIfPresent("oldest"))
        }
    }

    func givenUp(limit: Int, in transaction: any ReadTransaction) throws -> [GivenUpJob] {
        try transaction.query(
            """
            SELECT user_id, id, kind, attempts, failure, created_at, gave_up_at FROM jobs
            WHERE gave_up_at IS NOT NULL ORDER BY gave_up_at DESC, id LIMIT \(limit)
            """
        ).map { row in
            let user = try row.int64("user_id")
            return GivenUpJob(
                id: try row.recordID("id"), kind: try row.text("kind"),
                user: user == 0 ? nil : UserID(rawValue: user), attempts: try row.int("attempts"),
                failure: try row.textIfPresent("failure") ?? "error", createdAt: try row.timestamp("created_at"),
                gaveUpAt: try row.timestamp("gave_up_at"))
        }
    }

    /// Gives jobs that were given up another chance, with all their attempts; nil for all of them.
    ///
    /// - Returns: how many. One whose key is another's by now stays.
    func retry(_ id: RecordID?, in transaction: any WriteTransaction) throws -> Int {
        var statement: SQL = """
            UPDATE jobs SET gave_up_at = \(Int64?.none.sqlValue), failure = \(String?.none.sqlValue), attempts = 0,
            run_at = \(transaction.now) WHERE gave_up_at IS NOT NULL AND (job_key IS NULL OR NOT EXISTS (
            SELECT 1 FROM jobs AS o WHERE o.user_id = jobs.user_id AND o.kind = jobs.kind AND o.job_key = jobs.job_key
            AND (o.gave_up_at IS NULL OR o.id > jobs.id)))
            """
        if let id { statement.append(" AND id = \(id)") }
        return try transaction.execute(statement)
    }

    func forget(_ id: RecordID?, before: Timestamp?, in transaction: any WriteTransaction) throws -> Int {
        var statement: SQL = "DELETE FROM jobs WHERE gave_up_at IS NOT NULL"
        if let id { statement.append(" AND id = \(id)") }
        if let before { statement.append(" AND gave_up_at < \(before)") }
        return try transaction.execute(statement)
    }
}

extension Job {
    var user: Int64 { scope?.user.rawValue ?? 0 }
}

/// The jobs of one kind, counted.
public struct JobSummary: Sendable, Hashable {
    public var kind: String
    public var waiting: Int
    public var running: Int
    public var givenUp: Int
    /// Since when the oldest of those that could run waits.
    public var oldestDue: Timestamp?
}

/// A job that was given up: for operators, without its content.
public struct GivenUpJob: Sendable, Hashable {
    public var id: RecordID
    public var kind: String
    /// Nil: the program's own.
    public var user: UserID?
    public var attempts: Int
    /// `JobFailure.code`.
    public var failure: String
    public var createdAt: Timestamp
    public var gaveUpAt: Timestamp
}
