import TandemCore

/// A rotation as it is written down.
struct RotationJob: Sendable {
    var kind: RotationKind
    var phase: RotationStatus.Phase
    var person: Int64?
    var done = 0
    var total = 0
    /// The person whom it is at; in the order of the ids, the program itself (0) first.
    var cursorPerson: Int64 = -1
    /// The place within the person's data, from 1; 0: before the next person.
    var cursorTable: Int64 = 0
    var cursorRow: Int64 = .min
    var startedAt: Int64
    var phaseAt: Int64
    var updatedAt: Int64
    var finishedAt: Int64?
    var holder: String?
    var leaseUntil: Int64 = 0

    private static let columns = """
        kind, phase, person, done, total, cursor_person, cursor_table, cursor_row, started_at, phase_at, updated_at, \
        finished_at, holder, lease_until
        """
    private static let select = RowStatement("SELECT \(columns) FROM key_rotations WHERE kind = ?")
    private static let upsert = RowStatement(
        """
        INSERT INTO key_rotations (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
        ON CONFLICT (kind) DO UPDATE SET phase = excluded.phase, person = excluded.person, done = excluded.done, \
        total = excluded.total, cursor_person = excluded.cursor_person, cursor_table = excluded.cursor_table, \
        cursor_row = excluded.cursor_row, started_at = excluded.started_at, phase_at = excluded.phase_at, \
        updated_at = excluded.updated_at, finished_at = excluded.finished_at, holder = excluded.holder, \
        lease_until = excluded.lease_until
        """)
    private static let countOld = RowStatement("SELECT count(*) FROM user_keys WHERE master_version <> ?")
    private static let countPeople = RowStatement("SELECT count(DISTINCT user_id) FROM user_keys")
    private static let selectPeople = RowStatement(
        "SELECT DISTINCT user_id FROM user_keys WHERE user_id > ? ORDER BY user_id LIMIT ?")
    private static let selectNewest = RowStatement(
        "SELECT created_at FROM user_keys WHERE user_id = ? ORDER BY version DESC LIMIT 1")

    init(kind: RotationKind, phase: RotationStatus.Phase, person: Int64?, startedAt: Int64) {
        self.kind = kind
        self.phase = phase
        self.person = person
        self.startedAt = startedAt
        phaseAt = startedAt
        updatedAt = startedAt
    }

    static func find(_ kind: RotationKind, in context: TransactionContext) throws -> RotationJob? {
        let values = try context.engine.run(select, [.text(kind.rawValue)]).values
        guard values.count == 14, case .text(let phase) = values[1],
            let phase = RotationStatus.Phase(rawValue: phase), case .int(let startedAt) = values[8]
        else { return nil }
        func number(_ place: Int) -> Int64 {
            if case .int(let value) = values[place] { value } else { 0 }
        }
        var job = RotationJob(kind: kind, phase: phase, person: nil, startedAt: startedAt)
        if case .int(let person) = values[2] { job.person = person }
        job.done = Int(number(3))
        job.total = Int(number(4))
        job.cursorPerson = number(5)
        job.cursorTable = number(6)
        job.cursorRow = number(7)
        job.phaseAt = number(9)
        job.updatedAt = number(10)
        if case .int(let time) = values[11] { job.finishedAt = time }
        if case .text(let holder) = values[12] { job.holder = holder }
        job.leaseUntil = number(13)
        return job
    }

    mutating func save(in context: TransactionContext) throws {
        let now = context.store.clock.now.millisecondsSinceEpoch
        if phaseAt == 0 { phaseAt = now }
        updatedAt = now
        _ = try context.engine.run(
            RotationJob.upsert,
            [
                .text(kind.rawValue), .text(phase.rawValue), person.map { .int($0) } ?? .null, .int(Int64(done)),
                .int(Int64(total)), .int(cursorPerson), .int(cursorTable), .int(cursorRow), .int(startedAt),
                .int(phaseAt), .int(updatedAt), finishedAt.map { .int($0) } ?? .null,
                holder.map { .text($0) } ?? .null, .int(leaseUntil),
            ])
    }

    /// Begins a phase, with the first person; its time is set when it is saved.
    mutating func enter(_ phase: RotationStatus.Phase) {
        self.phase = phase
        phaseAt = 0
        cursorPerson = -1
        cursorTable = 0
        cursorRow = .min
    }

    mutating func finish(_ context: TransactionContext) {
        enter(.done)
        finishedAt = context.store.clock.now.millisecondsSinceEpoch
        total = done
    }

    /// Whether nobody has gone on with it since.
    func isSamePlace(as other: RotationJob) -> Bool {
        phase == other.phase && startedAt == other.startedAt && cursorPerson == other.cursorPerson
            && cursorTable == other.cursorTable && cursorRow == other.cursorRow && done == other.done
    }

    func settlesAt(_ settling: Duration) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: phaseAt).advanced(by: settling)
    }

    func status(_ settling: Duration) -> RotationStatus {
        RotationStatus(
            kind: kind, phase: phase, done: done, total: total,
            startedAt: Timestamp(millisecondsSinceEpoch: startedAt),
            updatedAt: Timestamp(millisecondsSinceEpoch: updatedAt),
            finishedAt: finishedAt.map { Timestamp(millisecondsSinceEpoch: $0) },
            settlesAt: phase == .settling ? settlesAt(settling) : nil)
    }

    // MARK: People

    static func count(_ job: RotationJob, target: Int, in context: TransactionContext) throws -> Int {
        if job.person != nil { return 1 }
        let answer =
            job.kind == .master
            ? try context.engine.run(countOld, [.int(Int64(target))]) : try context.engine.run(countPeople, [])
        guard case .int(let count)? = answer.values.first else { return 0 }
        return Int(count)
    }

    func people(after cursor: Int64, limit: Int, in context: TransactionContext) throws -> [Int64] {
        if let person { return person > cursor ? [person] : [] }
        return try context.engine.run(RotationJob.selectPeople, [.int(cursor), .int(Int64(limit))]).values.compactMap {
            if case .int(let id) = $0 { id } else { nil }
        }
    }

    static func newestKey(of person: Int64, in context: TransactionContext) throws -> Int64 {
        // Somebody erased meanwhile gets no new key.
        guard case .int(let time)? = try context.engine.run(selectNewest, [.int(person)]).values.first else {
            return .max
        }
        return time
    }
}
