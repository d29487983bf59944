public import TandemCore
public import TandemJSON

extension ReadTransaction {
    /// Runs operations that only read, in order, on the scope's person.
    public func run(_ operations: [RowOperation], tables: TableAccess) throws -> [RowResult] {
        var tables = tables
        (tables.allowsWrites, tables.writable) = (false, [])
        var executor = try RowExecutor(context, access: tables, origin: nil, quota: nil)
        return try executor.run(operations)
    }

    /// One row by its id; nil when the person has none of that id.
    public func row(_ table: String, _ id: RecordID, tables: TableAccess = .host) throws -> UserRow? {
        let executor = try RowExecutor(context, access: tables, origin: nil, quota: nil)
        return try executor.row(of: try executor.table(table), id)
    }

    /// Rows in order; any limit.
    public func list(
        _ table: String, where conditions: [RowCondition] = [], order: [RowOrder] = [],
        limit: Int = RowQuery.defaultLimit, offset: Int = 0, tables: TableAccess = .host
    ) throws -> [UserRow] {
        let executor = try RowExecutor(context, access: tables, origin: nil, quota: nil)
        let query = RowQuery(where: conditions, order: order, limit: limit, offset: offset)
        return try executor.list(try executor.table(table), query).rows
    }

    public func count(_ table: String, where conditions: [RowCondition] = [], tables: TableAccess = .host) throws -> Int
    {
        let executor = try RowExecutor(context, access: tables, origin: nil, quota: nil)
        return try executor.count(try executor.table(table), conditions)
    }

    /// Exact sums; one group when `by` is empty.
    public func sum(
        _ table: String, _ column: String, by: [String] = [], where conditions: [RowCondition] = [],
        tables: TableAccess = .host
    ) throws -> [RowGroup] {
        let executor = try RowExecutor(context, access: tables, origin: nil, quota: nil)
        return try executor.sum(try executor.table(table), column, by, conditions)
    }

    /// The person's last turn with writes that were not taken back.
    public func latestUndoable() throws -> UndoableTurn? {
        try RowExecutor(context, access: .host, origin: nil, quota: nil).latestUndoable()
    }
}

extension ReadTransaction {
    /// The same without its title.
    public func latestUndoableTurn() throws -> RecordID? {
        try RowExecutor(context, access: .host, origin: nil, quota: nil).latestUndoable(withTitle: false)?.turn
    }
}

extension WriteTransaction {
    /// Runs operations in order, all or none, on the scope's person.
    ///
    /// With an origin every write can be taken back by turn or step; without, it cannot. With a quota, growth beyond it
    /// throws `over_quota`. Errors carry the place of the operation.
    public func run(
        _ operations: [RowOperation], tables: TableAccess, origin: WriteOrigin?, quota: RowQuota? = nil
    ) throws -> [RowResult] {
        var executor = try RowExecutor(context, access: tables, origin: origin, quota: quota)
        return try executor.run(operations)
    }

    /// Adds a row; returns its id.
    @discardableResult
    public func insert(
        _ table: String, _ values: JSONObject, origin: WriteOrigin? = nil, tables: TableAccess = .host
    ) throws -> RecordID {
        let results = try run([.insert(table: table, values: values)], tables: tables, origin: origin)
        guard case .inserted(let id)? = results.first else {
            throw StorageError(.internalFailure, "the insertion gave no id", table: table)
        }
        return id
    }

    /// Changes one row; false when the person has none of that id.
    @discardableResult
    public func update(
        _ table: String, _ id: RecordID, set values: JSONObject, origin: WriteOrigin? = nil, tables: TableAccess = .host
    ) throws -> Bool {
        try changed(.update(table: table, .id(id), set: values), tables, origin) > 0
    }

    /// Changes all rows that match; returns their number.
    @discardableResult
    public func update(
        _ table: String, where conditions: [RowCondition], set values: JSONObject, origin: WriteOrigin? = nil,
        tables: TableAccess = .host
    ) throws -> Int {
        try changed(.update(table: table, .matching(conditions), set: values), tables, origin)
    }

    /// Removes one row and what refers to it; false when the person has none of that id.
    @discardableResult
    public func delete(
        _ table: String, _ id: RecordID, origin: WriteOrigin? = nil, tables: TableAccess = .host
    ) throws -> Bool {
        try changed(.delete(table: table, .id(id)), tables, origin) > 0
    }

    /// Removes all rows that match and what refers to them; returns the number of those that matched.
    @discardableResult
    public func delete(
        _ table: String, where conditions: [RowCondition], origin: WriteOrigin? = nil, tables: TableAccess = .host
    ) throws -> Int {
        try changed(.delete(table: table, .matching(conditions)), tables, origin)
    }

    private func changed(_ operation: RowOperation, _ tables: TableAccess, _ origin: WriteOrigin?) throws -> Int {
        guard case .count(let count)? = try run([operation], tables: tables, origin: origin).first else { return 0 }
        return count
    }

    // MARK: Journal

    /// Takes back every write of a turn, last first; all or nothing.
    ///
    /// Throws `not_found` when it has none (left), `conflict` with the table when a row was changed later. It cannot itself
    /// be undone.
    @discardableResult
    public func undo(turn: RecordID) throws -> UndoReport {
        var executor = try RowExecutor(context, access: .host, origin: nil, quota: nil)
        let report = try executor.undo(turn)
        try context.store.undoObservers.call(report, self)
        return report
    }

    /// Takes back what a step wrote before it was interrupted, as if it had never run; returns the number of writes.
    ///
    /// Throws `conflict` like `undo`.
    @discardableResult
    public func rollBack(_ origin: WriteOrigin) throws -> Int {
        var executor = try RowExecutor(context, access: .host, origin: nil, quota: nil)
        return try executor.rollBack(origin)
    }

    /// Makes what a step wrote final: the journal no longer takes it back. For steps that a tool of their own takes back.
    public func settle(_ origin: WriteOrigin) throws {
        try RowExecutor(context, access: .host, origin: nil, quota: nil).settle(origin)
    }

    /// Says what a turn did, for the person who undoes it; sealed at rest.
    public func label(turn: RecordID, title: String) throws {
        try RowExecutor(context, access: .host, origin: nil, quota: nil).label(turn, title)
    }
}
