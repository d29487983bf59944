import CSQLite
import TandemCore

/// The one thread that writes: it runs many units of work in one transaction and makes them durable together.
///
/// Each unit has a savepoint of its own, so it fails alone; the waiting tasks go on only after the commit. While a commit
/// waits for the disk, the next units gather. After a commit of several units the thread waits a moment for as many
/// again, since the same callers are likely to come back at once; a single caller is never made to wait.
final class SQLiteWriter: @unchecked Sendable {
    // `queue`, `outside`, `isClosed` and `isWaiting` are used under `signal`'s lock, the rest on the thread only.
    private static let maxUnits = 512
    private static let maxBatchNanoseconds: UInt64 = 3_000_000
    private static let maxGatherNanoseconds: UInt64 = 150_000

    private let signal = Signal()
    private var queue: [SQLiteUnit] = []
    private var outside: [@Sendable (SQLiteConnection?) -> Void] = []
    private var isClosed = false
    private var isWaiting = false
    private var wanted = 1
    private var onClosed: [@Sendable () -> Void] = []
    private var hasEnded = false

    private let connection: SQLiteConnection
    private let store: RowStore
    private var lastBatch = 1

    init(connection: SQLiteConnection, store: RowStore) {
        self.connection = connection
        self.store = store
    }

    func start() throws { try WorkerThread.run(named: "tandem-writer") { [self] in loop() } }

    func submit(_ unit: SQLiteUnit) {
        let isAccepted = signal.withLock {
            guard !isClosed else { return false }
            queue.append(unit)
            if isWaiting, queue.count >= wanted {
                isWaiting = false
                signal.wakeOne()
            }
            return true
        }
        if !isAccepted { unit.fail(SQLiteDatabase.closedError) }
    }

    /// Runs `body` between transactions; with nil when the database is closed.
    func runOutsideTransaction(_ body: @escaping @Sendable (SQLiteConnection?) -> Void) {
        let isAccepted = signal.withLock {
            guard !isClosed else { return false }
            outside.append(body)
            isWaiting = false
            signal.wakeOne()
            return true
        }
        if !isAccepted { body(nil) }
    }

    /// Finishes what is queued, closes the connection, then calls `completion`.
    func close(_ completion: @escaping @Sendable () -> Void) {
        let isOver = signal.withLock {
            isClosed = true
            if !hasEnded { onClosed.append(completion) }
            isWaiting = false
            signal.wakeOne()
            return hasEnded
        }
        if isOver { completion() }
    }

    // MARK: The thread

    private func loop() {
        while let (units, bodies) = nextUnits() {
            for body in bodies { body(connection) }
            if !units.isEmpty { runBatch(units) }
        }
        connection.close()
        let completions = signal.withLock {
            hasEnded = true
            return onClosed
        }
        for completion in completions { completion() }
    }

    private func takeAll() -> [SQLiteUnit] {
        let units = queue
        queue = []
        return units
    }

    private func nextUnits() -> ([SQLiteUnit], [@Sendable (SQLiteConnection?) -> Void])? {
        signal.withLock {
            while queue.isEmpty, outside.isEmpty {
                if isClosed { return nil }
                wanted = 1
                isWaiting = true
                signal.wait()
            }
            isWaiting = false
            let bodies = outside
            outside = []
            return (takeAll(), bodies)
        }
    }

    /// More units for the batch that runs; waits a moment when as many as last time are likely.
    private func moreUnits(having count: Int, until deadline: UInt64) -> [SQLiteUnit] {
        signal.withLock {
            if count + queue.count < lastBatch, !isClosed {
                wanted = lastBatch - count
                isWaiting = true
                while isWaiting, !isClosed, queue.count < wanted {
                    if !signal.wait(untilNanoseconds: deadline) { break }
                }
                isWaiting = false
            }
            return takeAll()
        }
    }

    private func runBatch(_ first: [SQLiteUnit]) {
        var pending = first
        var done: [(unit: SQLiteUnit, transaction: SQLiteTransaction)] = []
        let began = monotonicNanoseconds()
        var hasBegun = false
        repeat {
            for (place, unit) in pending.enumerated() {
                if unit.isCancelled {
                    unit.fail(CancellationError())
                    continue
                }
                if !hasBegun {
                    do {
                        try connection.command("BEGIN IMMEDIATE")
                        hasBegun = true
                    } catch {
                        // Each would wait as long again for whoever holds the database.
                        for other in pending[place...] { other.fail(error) }
                        break
                    }
                }
                run(unit, &done, &hasBegun)
            }
            let now = monotonicNanoseconds()
            guard hasBegun, done.count < SQLiteWriter.maxUnits, now - began < SQLiteWriter.maxBatchNanoseconds else {
                break
            }
            pending = moreUnits(having: done.count, until: now + SQLiteWriter.maxGatherNanoseconds)
        } while !pending.isEmpty
        if hasBegun { commit(done) }
        lastBatch = max(1, done.count)
        connection.checkpointIfDue()
    }

    private func run(
        _ unit: SQLiteUnit, _ done: inout [(unit: SQLiteUnit, transaction: SQLiteTransaction)], _ hasBegun: inout Bool
    ) {
        let transaction = SQLiteTransaction(connection: connection, scope: unit.scope, store: store, canWrite: true)
        // The first unit needs no savepoint: when it fails, the transaction holds nothing else.
        let isFirst = done.isEmpty
        do {
            if !isFirst { try connection.command("SAVEPOINT tandem_unit") }
            try unit.run(transaction)
            transaction.end()
            if connection.isOutsideTransaction {
                throw StorageError(.transactionOver, "a failure within the transaction has ended it")
            }
            if !isFirst { try connection.command("RELEASE tandem_unit") }
            done.append((unit, transaction))
        } catch {
            transaction.end()
            if connection.isOutsideTransaction {
                // SQLite has given up the whole transaction (disk full, for instance): nobody's writes are there.
                hasBegun = false
                for other in done { other.unit.fail(error) }
                done = []
            } else if isFirst {
                rollBack()
                hasBegun = false
            } else {
                do {
                    try connection.command("ROLLBACK TO tandem_unit")
                    try connection.command("RELEASE tandem_unit")
                } catch {
                    rollBack()
                    hasBegun = false
                    for other in done { other.unit.fail(error) }
                    done = []
                }
            }
            unit.fail(error)
        }
    }

    private func commit(_ done: [(unit: SQLiteUnit, transaction: SQLiteTransaction)]) {
        do {
            try connection.command("COMMIT")
        } catch {
            rollBack()
            for item in done { item.unit.fail(error) }
            return
        }
        for item in done {
            item.transaction.committed()
            item.unit.succeed()
        }
    }

    private func rollBack() {
        if !connection.isOutsideTransaction { try? connection.command("ROLLBACK") }
    }
}
