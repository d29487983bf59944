import CSQLite
import TandemCore

/// The one thread that writes: it runs many units of work in one transaction and makes them durable together.
///
/// Each unit has a savepoint of its own, so it fails alone; the waiting tasks go on only after the commit. While a commit
/// waits for the disk, the next units gather. After a commit of several units the thread waits a moment for as many
/// again, since the same callers are likely to come back at once; a single caller is never made to wait, and callers who did
/// not come back are waited for less and less often.
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
    private let checkpointer: SQLiteCheckpointer?
    private var lastBatch = 1
    private var patience = Patience()
    /// The log's length when it was last copied as a whole, and how often the other thread has copied since.
    private var copiedUpTo = 0
    private var rounds = 0

    /// - Parameter checkpointer: Started; ended by the writer. Nil for a database without a log.
    init(connection: SQLiteConnection, store: RowStore, checkpointer: SQLiteCheckpointer?) {
        self.connection = connection
        self.store = store
        self.checkpointer = checkpointer
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
            if !bodies.isEmpty { checkpointer?.waitUntilIdle() }
            for body in bodies { body(connection) }
            if !units.isEmpty { runBatch(units) }
        }
        checkpointer?.end()
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
            if count + queue.count < lastBatch, !isClosed, patience.mayWait() {
                wanted = lastBatch - count
                isWaiting = true
                while isWaiting, !isClosed, queue.count < wanted {
                    if !signal.wait(untilNanoseconds: deadline) { break }
                }
                isWaiting = false
                patience.note(wasWorth: queue.count >= wanted)
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
        shortenLog()
    }

    // MARK: The log

    /// 16 MB: pages that change again and again, such as the ends of tables, are copied once for many changes.
    private static let checkpointPages = 4000
    /// So few are copied at once; more are left to the other thread again, so often.
    private static let restPages = 48
    private static let mostRounds = 4
    /// Readers have kept the log from starting over for long: they are waited for
    /// (https://www.sqlite.org/wal.html, "Avoiding Excessively Large WAL Files").
    private static let restartPages = 16_000
    private static let restartMilliseconds: Int32 = 200

    /// Has the log copied into the file whenever it has grown by so much, on another thread, and what came meanwhile on this
    /// one: between transactions, when nobody waits for a commit.
    private func shortenLog() {
        guard let checkpointer else { return }
        let pages = connection.logPages
        if pages < copiedUpTo { copiedUpTo = 0 }
        guard pages - copiedUpTo >= SQLiteWriter.checkpointPages, let copied = checkpointer.progress else { return }
        guard rounds > 0, pages - copied <= SQLiteWriter.restPages || rounds == SQLiteWriter.mostRounds else {
            rounds += 1
            checkpointer.wake()
            return
        }
        rounds = 0
        copiedUpTo = pages
        if pages >= SQLiteWriter.restartPages {
            connection.restartLog(waitingMilliseconds: SQLiteWriter.restartMilliseconds)
        } else {
            connection.checkpoint()
        }
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

    /// Whether it pays to wait for those who came the last time: after each time in vain, twice as many chances are let go.
    private struct Patience {
        private static let most = 64
        private var skips = 0
        private var left = 0

        mutating func mayWait() -> Bool {
            if left == 0 { return true }
            left -= 1
            return false
        }

        mutating func note(wasWorth: Bool) {
            skips = wasWorth ? 0 : min(max(1, skips * 2), Patience.most)
            left = skips
        }
    }

    private func rollBack() {
        if !connection.isOutsideTransaction { try? connection.command("ROLLBACK") }
    }
}
