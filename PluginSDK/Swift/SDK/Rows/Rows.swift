internal import TandemJSON

/// The rows of one of the plugin's tables, of the person whom the call is for.
///
///     let glasses = context.rows(Glass.self)
///     let id = try await glasses.insert(Glass(day: context.clock.today, glasses: 1))
///     let today = try await glasses.list(where: \.day == context.clock.today, order: .descending(\.id))
///
/// Each function is one transaction; `context.batch` makes one of several. All throw `ToolError`: `not_granted` for a
/// write in a tool that declares `read`, `conflict` for a unique index, and what `tandem/ext/rows.h` lists. The person
/// can undo every write.
public struct Rows<R: Row>: Sendable {
    let call: Call

    /// Inserts a row and gives its id. The row's own id and times are not looked at.
    @discardableResult
    public func insert(_ row: R) async throws -> RowID {
        try RowOperations.id(await call.execute(RowOperations.insert(row)))
    }

    /// Inserts rows in one transaction and gives their ids in the same order.
    @discardableResult
    public func insert(_ rows: [R]) async throws -> [RowID] {
        guard !rows.isEmpty else { return [] }
        let results = try await call.execute(rows.map { RowOperations.insert($0) })
        var ids: [RowID] = []
        for index in rows.indices { ids.append(try RowOperations.id(results[safe: index])) }
        return ids
    }

    /// The row of that id, or nil.
    public func get(_ id: RowID) async throws -> R? {
        guard id.isAssigned else { return nil }
        let result = try await call.execute(RowOperations.get(R.self, id))
        guard let row = result["row"], !row.isNull else { return nil }
        return try RowOperations.row(R.self, row)
    }

    /// Writes all columns of the row; false when it is no longer there.
    @discardableResult
    public func update(_ row: R) async throws -> Bool {
        try RowOperations.count(await call.execute(RowOperations.update(row))) > 0
    }

    /// Writes some columns of one row; false when it is not there.
    @discardableResult
    public func update(_ id: RowID, _ assignments: Assignment<R>...) async throws -> Bool {
        try RowOperations.count(await call.execute(RowOperations.update(id, assignments))) > 0
    }

    /// Writes some columns of all rows that meet all conditions, and gives their number.
    @discardableResult
    public func update(where conditions: Condition<R>..., set assignments: Assignment<R>...) async throws -> Int {
        try RowOperations.count(await call.execute(RowOperations.update(conditions, assignments)))
    }

    /// Deletes one row; false when it is not there.
    @discardableResult
    public func delete(_ id: RowID) async throws -> Bool {
        try RowOperations.count(await call.execute(RowOperations.delete(R.self, id))) > 0
    }

    /// Deletes all rows that meet all conditions, and gives their number.
    @discardableResult
    public func delete(where conditions: Condition<R>...) async throws -> Int {
        try RowOperations.count(await call.execute(RowOperations.delete(conditions)))
    }

    /// The rows that meet all conditions; at most `limit` (1–500) after the first `offset`. Without an order, by id.
    public func list(
        where conditions: Condition<R>..., order: Order<R>..., limit: Int = 100, offset: Int = 0
    ) async throws -> [R] {
        try await list(where: conditions, order: order, limit: limit, offset: offset)
    }

    /// The same with conditions made at run time.
    public func list(
        where conditions: [Condition<R>], order: [Order<R>] = [], limit: Int = 100, offset: Int = 0
    ) async throws -> [R] {
        let operation = RowOperations.list(conditions, order, limit, offset)
        guard case .array(let elements) = try await call.execute(operation)["rows"] else {
            throw RowOperations.unreadable
        }
        var rows: [R] = []
        rows.reserveCapacity(elements.count)
        for element in elements { rows.append(try RowOperations.row(R.self, element)) }
        return rows
    }

    /// All rows that meet all conditions, read in pages of 500; for tables that stay small.
    public func all(where conditions: Condition<R>..., order: Order<R>...) async throws -> [R] {
        var rows: [R] = []
        while true {
            let page = try await list(where: conditions, order: order, limit: 500, offset: rows.count)
            rows += page
            if page.count < 500 { return rows }
        }
    }

    /// The first of the rows that meet all conditions.
    public func first(where conditions: Condition<R>..., order: Order<R>...) async throws -> R? {
        try await list(where: conditions, order: order, limit: 1).first
    }

    /// How many rows meet all conditions.
    public func count(where conditions: Condition<R>...) async throws -> Int {
        try RowOperations.count(await call.execute(RowOperations.count(conditions)))
    }

    /// The exact sum of a decimal or integer column over the rows that meet all conditions; 0 when none does.
    public func sum<V: JSONRepresentable>(_ column: KeyPath<R, V>, where conditions: Condition<R>...) async throws
        -> Decimal
    {
        try await groups(column, [], conditions).first?.sum ?? .zero
    }

    /// The exact sums by group: `sum(\.amount, by: \.category, where: …)`.
    public func sum<V: JSONRepresentable>(
        _ column: KeyPath<R, V>, by groups: PartialKeyPath<R>..., where conditions: Condition<R>...
    ) async throws -> [RowGroup<R>] {
        try await self.groups(column, groups, conditions)
    }

    private func groups(
        _ column: PartialKeyPath<R>, _ groups: [PartialKeyPath<R>], _ conditions: [Condition<R>]
    ) async throws -> [RowGroup<R>] {
        let operation = RowOperations.sum(column, groups, conditions)
        guard case .array(let elements) = try await call.execute(operation)["groups"] else {
            throw RowOperations.unreadable
        }
        var result: [RowGroup<R>] = []
        for element in elements { result.append(try RowGroup(element)) }
        return result
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { index >= 0 && index < count ? self[index] : nil }
}
