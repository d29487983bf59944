public import TandemCore

/// What the row functions of every engine share: the table definitions, the keys, the clock and the ids.
public final class RowStore: Sendable {
    public let tables: TableCatalogue
    public let keyring: Keyring
    public let clock: any WallClock
    public let ids: IDGenerator
    let records = RecordCatalogue()
    let undoObservers = UndoObservers()
    /// For search indexes in memory.
    public let changedRows = ChangedRows()

    /// Nil: any write may define tables.
    let definer: (any TableDefiner)?

    init(keyring: Keyring, clock: any WallClock, ids: IDGenerator, definer: (any TableDefiner)? = nil) {
        self.definer = definer
        tables = TableCatalogue()
        self.keyring = keyring
        self.clock = clock
        self.ids = ids
    }
}
