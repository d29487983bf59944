public import TandemCore

/// What a rotation of keys is about.
public enum RotationKind: String, Sendable, Hashable, CaseIterable {
    /// People's keys are wrapped anew with the newest master key.
    case master
    /// Each person gets a new key, their sealed values are sealed anew with it, and the old keys are destroyed.
    case users
}

/// How far a rotation is.
public struct RotationStatus: Sendable, Hashable {
    public enum Phase: String, Sendable, Hashable {
        /// Keys are wrapped anew.
        case wrapping
        /// New keys are added.
        case adding
        /// Other processes learn of them.
        case settling
        /// Values are sealed anew, and old keys destroyed.
        case sealing
        case done
    }

    public var kind: RotationKind
    public var phase: Phase
    /// Keys or people, of `total`.
    public var done: Int
    public var total: Int
    public var startedAt: Timestamp
    public var updatedAt: Timestamp
    public var finishedAt: Timestamp?
    /// Until when other processes may still use the old keys, while `settling`.
    public var settlesAt: Timestamp?
}

/// A column of a system table that holds sealed values: which the rotation seals anew.
public struct SealedColumn: Sendable, Hashable {
    public var table: String
    public var column: String
    /// What the value is sealed for (`SealContext.row`), and the table's order for this purpose; unique.
    public var row: String
    /// Whose key it is; nil: the program's. Where the row has none, it is the program's.
    public var user: String?

    public init(_ table: String, _ column: String, row: String = "id", user: String? = "user_id") {
        self.table = table
        self.column = column
        self.row = row
        self.user = user
    }
}

/// Rotations of keys: jobs that go on while the program serves, survive its end, and are done by one process at a time.
///
/// `start` writes the job down; whoever calls `step` next works on it, also another process, until it is done. After a
/// `kill -9` the next one goes on where the last transaction ended.
public struct KeyRotation: Sendable {
    public let database: any Database
    /// The sealed columns of all system tables.
    public let columns: [SealedColumn]
    /// For how long other processes may work with keys that they read before: at least `Keyring.freshness` and the longest
    /// transaction.
    public var settling = Duration.seconds(60)
    /// Names this process to others.
    let holder: String

    static let lease = Duration.seconds(60)
    static let batch = 100

    public init(database: any Database, columns: [SealedColumn]) {
        self.database = database
        self.columns = columns
        holder = String(UInt64.random(in: 0 ... .max), radix: 36)
    }

    static let migration = Migration("storage/5-key-rotation") { builder in
        builder.createTable("key_rotations") { table in
            table.column("kind", .text)
            table.column("phase", .text)
            // The one person whom it is about; null: all.
            table.column("person", .integer, nullable: true)
            table.column("done", .integer)
            table.column("total", .integer)
            table.column("cursor_person", .integer)
            table.column("cursor_table", .integer)
            table.column("cursor_row", .integer)
            table.column("started_at", .integer)
            table.column("phase_at", .integer)
            table.column("updated_at", .integer)
            table.column("finished_at", .integer, nullable: true)
            table.column("holder", .text, nullable: true)
            table.column("lease_until", .integer)
            table.primaryKey("kind")
        }
    }

    // MARK: Jobs

    /// Begins a rotation; one that is under way goes on instead. `person`: whose key it is, nil for all and the program's.
    public func start(_ kind: RotationKind, of person: UserID? = nil) async throws {
        if kind == .master {
            try database.store.keyring.masters.reloadLocal()
            database.store.keyring.masters.forgetTarget()
        }
        let target = kind == .master ? try await onThread { try $0.masters.target() } : 0
        try await database.write(.system) { transaction in
            let context = transaction.context
            if let job = try RotationJob.find(kind, in: context), job.phase != .done { return }
            if kind == .master { try context.store.keyring.recordProofs(in: context) }
            let now = transaction.now.millisecondsSinceEpoch
            var job = RotationJob(
                kind: kind, phase: kind == .master ? .wrapping : .adding, person: person?.rawValue, startedAt: now)
            job.total = try RotationJob.count(job, target: target, in: context)
            try job.save(in: context)
        }
    }

    public func status() async throws -> [RotationStatus] {
        let settling = settling
        return try await database.read(.system) { transaction in
            try RotationKind.allCases.compactMap { try RotationJob.find($0, in: transaction.context)?.status(settling) }
        }
    }

    /// Does a bounded part of what is to be done. False: nothing is to be done now, or another process does it.
    ///
    /// Throws what the database and the service throw; the job stays, and can be gone on with.
    public func step() async throws -> Bool {
        for kind in RotationKind.allCases {
            let now = database.store.clock.now
            guard
                let job = try await database.read(.system, { try RotationJob.find(kind, in: $0.context) }),
                job.phase != .done,
                job.holder == nil || job.holder == holder || job.leaseUntil < now.millisecondsSinceEpoch
            else { continue }
            if try await advance(job) { return true }
        }
        return false
    }

    /// Works until nothing is to be done any more, with `progress` after each part.
    public func run(progress: @escaping @Sendable (RotationStatus) -> Void = { _ in }) async throws {
        while true {
            let hasWorked = try await step()
            let all = try await status()
            for status in all where status.phase != .done { progress(status) }
            if all.allSatisfy({ $0.phase == .done }) { return }
            if !hasWorked { try await Task.sleep(for: .milliseconds(500)) }
        }
    }

    /// The loop of a process that serves: looks for work now and then, until cancelled.
    public func serve(every interval: Duration = .seconds(30), failure: @escaping @Sendable (any Error) -> Void) async {
        while !Task.isCancelled {
            var hasWorked = false
            do { hasWorked = try await step() } catch { failure(error) }
            // Gives way to the people.
            try? await Task.sleep(for: hasWorked ? .milliseconds(20) : interval)
        }
    }

    // MARK: Steps

    private func advance(_ job: RotationJob) async throws -> Bool {
        switch job.phase {
        case .wrapping: return try await wrap(job)
        case .adding: return try await add(job)
        case .settling:
            guard job.settlesAt(settling) <= database.store.clock.now else { return false }
            return try await update(job) { job, _ in
                job.enter(.sealing)
                return true
            }
        case .sealing: return try await seal(job)
        case .done: return false
        }
    }

    /// Changes the job in a transaction of its own, if it is still this process's to do.
    private func update(
        _ job: RotationJob, scope: AccessScope = .system,
        _ body: @escaping @Sendable (inout RotationJob, TransactionContext) throws -> Bool
    ) async throws -> Bool {
        let holder = holder
        return try await database.write(scope) { transaction in
            let context = transaction.context
            guard var current = try RotationJob.find(job.kind, in: context), current.isSamePlace(as: job) else {
                return false
            }
            let result = try body(&current, context)
            current.holder = current.phase == .done ? nil : holder
            current.leaseUntil = transaction.now.advanced(by: KeyRotation.lease).millisecondsSinceEpoch
            try current.save(in: context)
            return result
        }
    }

    private func wrap(_ job: RotationJob) async throws -> Bool {
        let target = try await onThread { try $0.masters.target() }
        let old = try await database.read(.system) { transaction in
            try Keyring.wrapped(
                transaction.context.engine.run(
                    Keyring.selectOld, [.int(Int64(target)), .int(Int64(KeyRotation.batch))]))
        }
        // Beside the transaction: a service may take its time.
        let new = old.isEmpty ? [] : try await onThread { try $0.masters.rewrap(old) }
        guard new.allSatisfy({ $0.master == target }) else {
            // The key got another version meanwhile.
            database.store.keyring.masters.forgetTarget()
            return true
        }
        return try await update(job) { job, context in
            job.done += try context.store.keyring.replace(old, with: new, in: context)
            job.total = max(job.total, job.done)
            if old.isEmpty { job.finish(context) }
            return true
        }
    }

    private func add(_ job: RotationJob) async throws -> Bool {
        try await update(job) { job, context in
            let people = try job.people(
                after: job.cursorPerson, limit: context.store.keyring.masters.remote == nil ? 20 : 3, in: context)
            for person in people {
                if try RotationJob.newestKey(of: person, in: context) < job.startedAt {
                    try context.store.keyring.rotate(person, in: context)
                }
                job.cursorPerson = person
            }
            if people.isEmpty { job.enter(.settling) }
            return true
        }
    }

    private func seal(_ job: RotationJob) async throws -> Bool {
        let columns = columns
        if job.cursorTable == 0 {
            // The next person.
            return try await update(job) { job, context in
                guard let person = try job.people(after: job.cursorPerson, limit: 1, in: context).first else {
                    job.finish(context)
                    return true
                }
                job.cursorPerson = person
                job.cursorTable = 1
                job.cursorRow = .min
                return true
            }
        }
        let person = job.cursorPerson
        let scope: AccessScope =
            person == Keyring.systemUser
            ? .system : .user(UserScope(authenticated: UserID(rawValue: person)))
        return try await update(job, scope: scope) { job, context in
            let places = ResealedPlace.all(columns, of: person, in: context)
            guard job.cursorTable <= places.count else {
                // A table that came meanwhile has moved the others: nothing may be left behind when keys go.
                guard try places.allSatisfy({ try !$0.hasOld(of: person, in: context) }) else {
                    job.cursorTable = 1
                    job.cursorRow = .min
                    return true
                }
                try context.store.keyring.retire(person, in: context)
                job.done += 1
                job.cursorTable = 0
                return true
            }
            let place = places[Int(job.cursorTable) - 1]
            if let last = try place.reseal(of: person, after: job.cursorRow, limit: KeyRotation.batch, in: context) {
                job.cursorRow = last
            } else {
                job.cursorTable += 1
                job.cursorRow = .min
            }
            return true
        }
    }

    /// Runs what may block on a thread of its own.
    private func onThread<T: Sendable>(_ body: @escaping @Sendable (Keyring) throws -> T) async throws -> T {
        try await database.store.keyring.onThread(body)
    }
}

extension Keyring {
    /// Runs what may wait for a service on a thread of its own.
    func onThread<T: Sendable>(_ body: @escaping @Sendable (Keyring) throws -> T) async throws -> T {
        if masters.remote == nil { return try body(self) }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                try WorkerThread.run(named: "tandem-keys") { [self] in
                    continuation.resume(with: Result { try body(self) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

extension Database {
    /// Asks the service that unwraps keys for the person's ahead of a transaction, so that none waits for it.
    func prepareKeys(of user: UserID) async throws {
        let keyring = store.keyring
        guard keyring.mayAsk(for: user) else { return }
        let rows = try await read(.system) { try keyring.wrappedKeys(of: user.rawValue, in: $0.context) }
        guard keyring.masters.asks(for: rows) else { return }
        _ = try await keyring.onThread { try $0.masters.unwrap(rows) }
    }
}
