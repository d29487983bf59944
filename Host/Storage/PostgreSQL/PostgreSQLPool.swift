import Glibc
import Synchronization
import TandemCore

/// A few threads with a connection each, sharing one queue.
///
/// The writes of one person run one after the other, so that they do not make each other run again; those of different
/// people, and reads, run side by side. A connection that was lost is made anew by the thread that needs it, with growing
/// pauses while the server is away; meanwhile work fails at once with `unavailable`.
final class PostgreSQLPool: @unchecked Sendable {
    // Everything mutable is used under `signal`'s lock.
    private enum Lane: Hashable {
        case system
        case person(Int64)
    }

    private struct Job {
        var unit: PostgreSQLUnit
        var lane: Lane?
    }

    private enum Work {
        case job(Job)
        case singles([PostgreSQLUnit])
    }

    private static let mostAttempts = 30
    private static let shortestPause: UInt64 = 50_000_000
    private static let longestPause: UInt64 = 1_000_000_000

    private let signal = Signal()
    private var queue: [Job] = []
    private var next = 0
    /// Lanes with a job in the queue or at work, and the jobs that wait for it.
    private var lanes: [Lane: [Job]] = [:]
    /// Units of one statement, which go many at once.
    private var singles = SingleQueue()
    private var idle = 0
    private var running = 0
    private var isClosed = false
    private var onClosed: [@Sendable () -> Void] = []

    /// While the server cannot be reached: why, when it is tried again, and how long the pause after that is.
    private var outage: (error: StorageError, until: UInt64, pause: UInt64)?

    private let configuration: PostgreSQLConfiguration
    private let roles: PostgreSQLRoles
    private let store: RowStore
    private let node: UInt8
    /// Transactions that ran again because of others.
    private let repeats = Atomic(0)

    init(configuration: PostgreSQLConfiguration, roles: PostgreSQLRoles, store: RowStore, node: UInt8) {
        self.node = node
        self.configuration = configuration
        self.roles = roles
        self.store = store
    }

    var repeatCount: Int { repeats.load(ordering: .relaxed) }

    func start(_ first: PostgreSQLConnection) throws {
        for number in 1...configuration.connections {
            signal.withLock { running += 1 }
            let handover = Handover(connection: number == 1 ? first : nil)
            do {
                try WorkerThread.run(named: "tandem-pg\(number)") { [self] in loop(handover.connection, number) }
            } catch {
                signal.withLock { running -= 1 }
                throw error
            }
        }
    }

    func submit(_ unit: PostgreSQLUnit, isRead: Bool) {
        var lane: Lane?
        if !isRead {
            switch unit.scope {
            case .system: lane = .system
            case .user(let scope): lane = .person(scope.user.rawValue)
            }
        }
        let refusal: StorageError? = signal.withLock {
            guard !isClosed else { return SQLiteDatabase.closedError }
            if let outage, outage.until > monotonicNanoseconds() { return outage.error }
            if lane == nil, unit.single != nil, case .user = unit.scope {
                if singles.append(unit, idle: idle) { signal.wakeOne() }
                return nil
            }
            let job = Job(unit: unit, lane: lane)
            if let lane {
                guard lanes[lane] == nil else {
                    lanes[lane]?.append(job)
                    return nil
                }
                lanes[lane] = []
            }
            queue.append(job)
            if idle > 0 { signal.wakeOne() }
            return nil
        }
        if let refusal { unit.fail(refusal) }
    }

    /// Finishes what is queued, closes the connections, then calls `completion`.
    func close(_ completion: @escaping @Sendable () -> Void) {
        let isOver = signal.withLock {
            isClosed = true
            if running > 0 { onClosed.append(completion) }
            signal.wakeAll()
            return running == 0
        }
        if isOver { completion() }
    }

    // MARK: The threads

    private func nextWork() -> Work? {
        signal.withLock {
            while true {
                let units = singles.take(onlyLate: next < queue.count)
                if singles.wakes(idle) { signal.wakeOne() }
                if !units.isEmpty { return .singles(units) }
                if next < queue.count {
                    let job = queue[next]
                    next += 1
                    if next == queue.count {
                        queue.removeAll(keepingCapacity: queue.count < 1024)
                        next = 0
                    }
                    return .job(job)
                }
                if isClosed, lanes.isEmpty, singles.isEmpty { return nil }
                idle += 1
                if let instant = singles.watch() {
                    _ = signal.wait(untilNanoseconds: instant)
                    singles.endWatch()
                } else {
                    signal.wait()
                }
                idle -= 1
            }
        }
    }

    /// The lane's next job may run.
    private func leave(_ lane: Lane?) {
        guard let lane else { return }
        signal.withLock {
            if var waiting = lanes[lane], !waiting.isEmpty {
                let job = waiting.removeFirst()
                lanes[lane] = waiting
                queue.append(job)
                if idle > 0 { signal.wakeOne() }
            } else {
                lanes[lane] = nil
                if isClosed, lanes.isEmpty { signal.wakeAll() }
            }
        }
    }

    private func loop(_ first: PostgreSQLConnection?, _ number: Int) {
        var connection = first
        while let work = nextWork() {
            switch work {
            case .job(let job):
                run(job, on: &connection, number)
                leave(job.lane)
            case .singles(let units):
                run(units, on: &connection, number)
                signal.withLock {
                    singles.finished()
                    if isClosed, singles.isEmpty { signal.wakeAll() }
                }
            }
        }
        connection?.close()
        let completions = signal.withLock {
            running -= 1
            return running == 0 ? onClosed : []
        }
        for completion in completions { completion() }
    }

    /// Runs units of one statement, each in a transaction of its own, without waiting for one before the next is sent.
    ///
    /// What does not come to an answer so runs as a transaction.
    private func run(_ units: [PostgreSQLUnit], on connection: inout PostgreSQLConnection?, _ number: Int) {
        let units = units.filter { unit in
            if unit.isCancelled { unit.fail(CancellationError()) }
            return !unit.isCancelled
        }
        var done = 0
        var rest: [PostgreSQLUnit] = []
        do {
            let live = try connected(&connection, number)
            for unit in units {
                guard let single = unit.single, case .user(let scope) = unit.scope else { continue }
                try live.queueAlone(
                    PostgreSQLTransaction.setScope,
                    [.text(scope.user.description), .text("user"), .text(roles.rows)], single)
            }
            try live.finishEach(units.count) { result in
                let unit = units[done]
                done += 1
                do {
                    try unit.take(try result.get())
                    unit.succeed()
                } catch {
                    rest.append(unit)
                }
            }
        } catch {
            // Without a server each unit says so for itself.
        }
        if connection?.isBroken ?? false { connection = nil }
        for unit in rest + units[done...] { run(Job(unit: unit, lane: nil), on: &connection, number) }
    }

    private func run(_ job: Job, on connection: inout PostgreSQLConnection?, _ number: Int) {
        guard !job.unit.isCancelled else { return job.unit.fail(CancellationError()) }
        var attempt = 0
        while true {
            attempt += 1
            do {
                let live = try connected(&connection, number)
                let transaction = PostgreSQLTransaction(
                    connection: live, kind: job.lane == nil ? .read : .write, scope: job.unit.scope, store: store,
                    roles: roles)
                guard let error = attemptOnce(job.unit, transaction) else { return job.unit.succeed() }
                if live.isBroken { connection = nil }
                guard let pause = pause(after: error, transaction, attempt, isBroken: live.isBroken) else {
                    return job.unit.fail(PostgreSQLPool.final(error, transaction, isRead: job.lane == nil))
                }
                repeats.add(1, ordering: .relaxed)
                if transaction.hasStaleStatements, !live.isBroken { try? live.forgetStatements() }
                if pause > 0 { usleep(pause) }
            } catch {
                return job.unit.fail(error)
            }
        }
    }

    /// Nil: it is done.
    private func attemptOnce(_ unit: PostgreSQLUnit, _ transaction: PostgreSQLTransaction) -> (any Error)? {
        do {
            try unit.run(transaction)
            transaction.end()
            try transaction.commit()
            return nil
        } catch {
            transaction.end()
            if !transaction.isCommitSent { transaction.rollBack() }
            return error
        }
    }

    /// Microseconds until the body runs again; nil: the error stands.
    private func pause(
        after error: any Error, _ transaction: PostgreSQLTransaction, _ attempt: Int, isBroken: Bool
    ) -> UInt32? {
        guard attempt < PostgreSQLPool.mostAttempts else { return nil }
        if isBroken {
            // Nothing was committed: the server takes back what a lost connection had begun.
            guard !transaction.isCommitSent, transaction.failure?.code == .unavailable, attempt <= 2 else { return nil }
            return 0
        }
        if transaction.hasStaleStatements, attempt == 1 { return 0 }
        guard transaction.mustRunAgain else { return nil }
        // Full jitter: who met here does not meet again.
        return UInt32.random(in: 0...(500 << UInt32(min(attempt, 7))))
    }

    private static func final(
        _ error: any Error, _ transaction: PostgreSQLTransaction, isRead: Bool
    ) -> any Error {
        if transaction.isCommitSent, !isRead, transaction.failure?.code == .unavailable {
            return StorageError(
                .outcomeUnknown,
                "the connection was lost while the transaction was being committed: whether it was is not known",
                operation: "commit", sqlState: "08007")
        }
        if transaction.mustRunAgain {
            return StorageError(
                .busy, "others changed the same data each time it was tried: try again later", sqlState: "40001")
        }
        // What ended the transaction tells more than what the body made of it afterwards.
        if let storage = error as? StorageError, storage.code == .transactionOver, let failure = transaction.failure {
            return failure
        }
        return error
    }

    // MARK: Connections

    private func connected(_ connection: inout PostgreSQLConnection?, _ number: Int) throws -> PostgreSQLConnection {
        if let live = connection, live.isAlive() {
            try? live.trim()
            return live
        }
        connection?.close()
        connection = nil
        let refusal: StorageError? = signal.withLock {
            let now = monotonicNanoseconds()
            guard let outage else { return nil }
            guard outage.until <= now else { return outage.error }
            // One tries, the others do not wait for it.
            let pause = min(outage.pause * 2, PostgreSQLPool.longestPause)
            self.outage = (outage.error, now + jittered(pause), pause)
            return nil
        }
        if let refusal { throw refusal }
        do {
            let made = try PostgreSQLSession.runtime(configuration)
            // The first one holds the process's number.
            if number == 1 { _ = try PostgreSQLSession.hold(node, on: made) }
            signal.withLock { outage = nil }
            connection = made
            return made
        } catch let error as StorageError {
            signal.withLock {
                let now = monotonicNanoseconds()
                let pause = outage?.pause ?? PostgreSQLPool.shortestPause
                outage = (error, now + jittered(pause), pause)
            }
            throw error
        }
    }

    private func jittered(_ pause: UInt64) -> UInt64 { UInt64.random(in: (pause / 2)...pause) }
}

/// Carries a connection to the thread that will own it.
private struct Handover: @unchecked Sendable {
    // Given to one thread, which is the only one to use the connection from then on.
    let connection: PostgreSQLConnection?
}
