import Synchronization

/// Who is told, within the transaction, that rows of a table were put back by an undo.
final class UndoObservers: Sendable {
    typealias Observer = @Sendable (any WriteTransaction) throws -> Void

    private let all = Mutex<[String: Observer]>([:])

    func set(_ observer: @escaping Observer, for table: String) { all.withLock { $0[table] = observer } }

    func call(_ report: UndoReport, _ transaction: any WriteTransaction) throws {
        let observers = all.withLock { $0 }
        for table in report.tables.sorted() { try observers[table]?(transaction) }
    }
}

extension Database {
    /// Calls `observer` in each transaction that takes back writes to `table`, in that person's scope; it may throw to
    /// prevent it. One for each table.
    public func observeUndo(of table: String, _ observer: @escaping @Sendable (any WriteTransaction) throws -> Void) {
        store.undoObservers.set(observer, for: table)
    }
}
