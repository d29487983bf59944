import TandemCore

/// A few threads with a read-only connection each, sharing one queue.
final class SQLiteReaders: @unchecked Sendable {
    // `queue`, `idle`, `isClosed`, `running` and `onClosed` are used under `signal`'s lock.
    private let signal = Signal()
    private var queue: [SQLiteUnit] = []
    private var next = 0
    private var idle = 0
    private var running = 0
    private var isClosed = false
    private var onClosed: [@Sendable () -> Void] = []
    private let store: RowStore

    init(store: RowStore) { self.store = store }

    func start(_ connection: SQLiteConnection, number: Int) throws {
        signal.withLock { running += 1 }
        let handover = ConnectionHandover(connection: connection)
        do {
            try WorkerThread.run(named: "tandem-reader\(number)") { [self] in loop(handover.connection) }
        } catch {
            signal.withLock { running -= 1 }
            throw error
        }
    }

    func submit(_ unit: SQLiteUnit) {
        let isAccepted = signal.withLock {
            guard !isClosed else { return false }
            queue.append(unit)
            if idle > 0 { signal.wakeOne() }
            return true
        }
        if !isAccepted { unit.fail(SQLiteDatabase.closedError) }
    }

    func close(_ completion: @escaping @Sendable () -> Void) {
        let isOver = signal.withLock {
            isClosed = true
            if running > 0 { onClosed.append(completion) }
            signal.wakeAll()
            return running == 0
        }
        if isOver { completion() }
    }

    private func nextUnit() -> SQLiteUnit? {
        signal.withLock {
            while next == queue.count {
                if isClosed { return nil }
                idle += 1
                signal.wait()
                idle -= 1
            }
            let unit = queue[next]
            next += 1
            if next == queue.count {
                queue.removeAll(keepingCapacity: queue.count < 1024)
                next = 0
            }
            return unit
        }
    }

    private func loop(_ connection: SQLiteConnection) {
        while let unit = nextUnit() {
            if unit.isCancelled {
                unit.fail(CancellationError())
            } else {
                SQLiteReaders.run(unit, on: connection, store: store)
            }
        }
        connection.close()
        let completions = signal.withLock {
            running -= 1
            return running == 0 ? onClosed : []
        }
        for completion in completions { completion() }
    }

    /// Runs one unit on a snapshot of its own.
    private static func run(_ unit: SQLiteUnit, on connection: SQLiteConnection, store: RowStore) {
        // One statement has a snapshot of its own without a transaction around it.
        if let single = unit.single, (try? unit.take(connection.run(single.statement, single.binds))) != nil {
            return unit.succeed()
        }
        let transaction = SQLiteTransaction(connection: connection, scope: unit.scope, store: store, canWrite: false)
        do {
            try connection.command("BEGIN")
            do {
                try unit.run(transaction)
            } catch {
                transaction.end()
                try? connection.command("ROLLBACK")
                throw error
            }
            transaction.end()
            try connection.command("COMMIT")
        } catch {
            unit.fail(error)
            return
        }
        unit.succeed()
    }
}

/// Carries a connection to the thread that will own it.
private struct ConnectionHandover: @unchecked Sendable {
    // Given to one thread, which is the only one to use the connection from then on.
    let connection: SQLiteConnection
}
