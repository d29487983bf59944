import Synchronization
import TandemCore

/// What an engine offers to the row functions within one transaction.
protocol RowEngine: AnyObject {
    var dialect: SQLDialect { get }

    /// Runs a statement of the storage itself: user tables are open to it.
    func run(_ statement: RowStatement, _ binds: [SQLValue]) throws -> SQLAnswer

    /// Runs a statement that defines a table, once.
    func define(_ text: String) throws

    /// Undoes the body's writes when it throws.
    func savepoint<T>(_ body: () throws -> T) throws -> T

    /// Lets the body reach every person's rows of system tables, where the engine itself keeps them apart.
    func asSystem<T>(_ body: () throws -> T) throws -> T

    /// Checks references at the end of the body rather than after each statement.
    func deferringReferences<T>(_ body: () throws -> T) throws -> T
}

/// An engine on which tables are defined by another role than the one that serves.
protocol TableDefiner: Sendable {
    /// Runs `body` in a transaction that may define user tables, alone among all processes.
    func define<T: Sendable>(
        _ store: RowStore, _ body: @escaping @Sendable (any WriteTransaction) throws -> T
    ) async throws -> T
}

/// A statement of the storage itself, prepared once per connection.
final class RowStatement: Sendable {
    /// With one `?` for each bind; not otherwise containing any.
    let text: String

    init(_ text: String) { self.text = text }
}

/// The state of one transaction: its scope, and the way to the storage's services.
///
/// Made by an engine for one body and used on its thread only.
public final class TransactionContext {
    public let scope: AccessScope
    let store: RowStore
    unowned let engine: any RowEngine
    let canWrite: Bool
    /// Keys made or found in this transaction; shared with others once it is durable.
    var userKeys: [Int64: UserKeySet] = [:]
    /// The tool call on whose behalf the transaction runs, which is told of labels and says which are written.
    var provenance: CallProvenance?
    /// Whether the person has any labelled row; nil: not asked yet.
    var hasLabels: Bool?
    private var commitActions: [@Sendable () -> Void] = []
    private var changedTables: [ChangeCounter] = []
    /// Rows with texts for the search.
    private var changedRows: [(table: String, row: Int64)] = []
    /// How many commits that changed such rows this process had seen before the transaction began.
    let changesSeen: UInt64

    init(scope: AccessScope, store: RowStore, engine: any RowEngine, canWrite: Bool, changesSeen: UInt64) {
        self.changesSeen = changesSeen
        self.scope = scope
        self.store = store
        self.engine = engine
        self.canWrite = canWrite
    }

    func afterCommit(_ action: @escaping @Sendable () -> Void) { commitActions.append(action) }

    /// - Parameter row: 0: any of the table's.
    func noteChange(of table: UserTable, _ row: Int64 = 0) {
        if table.isSearchable, changedRows.last.map({ $0.row != row || $0.table != table.name }) ?? true {
            changedRows.append((table.name, row))
        }
        if !changedTables.contains(where: { $0 === table.changes }) { changedTables.append(table.changes) }
    }

    var hasOwnChanges: Bool { !changedTables.isEmpty }

    /// The transaction is durable.
    func committed() {
        if !changedRows.isEmpty, case .user(let scope) = scope {
            store.changedRows.note(changedRows, of: scope.user.rawValue)
        }
        for counter in changedTables { counter.increment() }
        for action in commitActions { action() }
    }

    /// The person whose rows may be touched.
    func requireUser() throws -> UserID {
        guard case .user(let scope) = scope else {
            throw StorageError(.scopeRequired, "rows of a person's tables need that person's scope")
        }
        return scope.user
    }
}

/// Counts the commits that changed a table, so that caches know when to look again.
final class ChangeCounter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }

    func increment() { count.add(1, ordering: .acquiringAndReleasing) }
}
