public import TandemJSON

/// Row operations that are done in one transaction, in order, all or none.
///
///     let results = try await context.batch { batch in
///         let recipe = batch.insert(Recipe(name: "pancakes"))
///         for item in items { batch.insert(Ingredient(recipeID: recipe, name: item.name)) }
///     }
///     let recipeID = results.ids[0]
///
/// The id that `insert` gives may be used in later operations of the same batch, and only there.
public struct RowBatch {
    var operations: [JSON] = []

    /// Adds an insertion and gives the id that it will have, for use within this batch.
    @discardableResult
    public mutating func insert<R: Row>(_ row: R) -> RowID {
        operations.append(RowOperations.insert(row))
        return .pending(operations.count - 1)
    }

    /// Writes all columns of the row.
    public mutating func update<R: Row>(_ row: R) { operations.append(RowOperations.update(row)) }

    public mutating func update<R: Row>(_ type: R.Type, _ id: RowID, _ assignments: Assignment<R>...) {
        operations.append(RowOperations.update(id, assignments))
    }

    public mutating func update<R: Row>(
        _ type: R.Type, where conditions: Condition<R>..., set assignments: Assignment<R>...
    ) {
        operations.append(RowOperations.update(conditions, assignments))
    }

    public mutating func delete<R: Row>(_ type: R.Type, _ id: RowID) {
        operations.append(RowOperations.delete(type, id))
    }

    public mutating func delete<R: Row>(_ type: R.Type, where conditions: Condition<R>...) {
        operations.append(RowOperations.delete(conditions))
    }
}

/// What a batch did.
public struct RowBatchResult: Sendable {
    /// One JSON result per operation (`tandem/ext/rows.h`).
    public let results: [JSON]

    /// The ids of the inserted rows, in order.
    public var ids: [RowID] { results.compactMap { try? RowOperations.id($0) } }

    /// Rows changed or deleted in all.
    public var count: Int { results.reduce(0) { $0 + Int($1["count"]?.int64Value ?? 0) } }
}
