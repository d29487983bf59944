import TandemCore

typealias PostgreSQLUnit = WorkUnit<PostgreSQLTransaction>

/// A transaction on one connection, for one body.
final class PostgreSQLTransaction: WriteTransaction, RowEngine {
    enum Kind {
        case read
        case write
        /// As the tables' owner, under the migrations' lock: for definitions.
        case definition
    }

    /// The role that a statement runs as.
    private enum Actor { case domain, rows }

    private final class Level {
        let name: String
        var isSent = false
        var actor: Actor?
        var marker: String?

        init(depth: Int) { name = "tandem_\(depth)" }
    }

    private enum Control {
        case savepoint(Level)
        case release(Level)
        case rollBack(Level)
    }

    private let connection: PostgreSQLConnection
    private let kind: Kind
    private let roles: PostgreSQLRoles
    private let store: RowStore
    private let transactionScope: AccessScope
    private let changesSeen: UInt64
    private var isOver = false
    private var hasBegun = false
    private var pending: [Control] = []
    private var levels: [Level] = []
    /// What the server has; nil: as it was at the session's begin.
    private var actor: Actor?
    private var marker: String?
    private var wantedMarker: String
    private var made: TransactionContext?
    /// The error that the transaction ended with, unless a savepoint before it was returned to.
    private(set) var failure: StorageError?
    /// Some statement failed because of what others did at the same time: the body is to run again.
    private(set) var mustRunAgain = false
    /// The prepared statements of the connection are no longer good.
    private(set) var hasStaleStatements = false
    private(set) var isCommitSent = false

    init(
        connection: PostgreSQLConnection, kind: Kind, scope: AccessScope, store: RowStore, roles: PostgreSQLRoles
    ) {
        self.connection = connection
        self.kind = kind
        self.store = store
        self.roles = roles
        transactionScope = scope
        changesSeen = store.changedRows.sequence
        switch scope {
        case .system: wantedMarker = "system"
        case .user: wantedMarker = "user"
        }
    }

    var dialect: SQLDialect { .postgres }

    var context: TransactionContext {
        if let made { return made }
        let context = TransactionContext(
            scope: transactionScope, store: store, engine: self, canWrite: kind != .read, changesSeen: changesSeen)
        made = context
        return context
    }

    // MARK: Begin and end

    private static let beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    private static let beginWrite = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
    private static let beginDefinition = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    static let setScope = """
        SELECT set_config('tandem.user', $1, true), set_config('tandem.scope', $2, true), set_config('role', $3, true)
        """
    private static let setMarkerAndRole =
        "SELECT set_config('tandem.scope', $1, true), set_config('role', $2, true)"

    /// The body has returned: a reference to the transaction that it leaked does nothing any more.
    func end() { isOver = true }

    /// Makes the writes durable, and does what was asked to happen then.
    func commit() throws {
        if let failure { throw failure }
        if hasBegun {
            // A savepoint need not be released before the end, but what is to be undone must be.
            if pending.contains(where: { if case .rollBack = $0 { true } else { false } }) { try sendPending() }
            if kind == .read {
                // What was read is right whatever becomes of the end: it is sent, and taken in with the next answer.
                try? connection.queue("COMMIT")
                try? connection.flush()
            } else {
                isCommitSent = true
                do {
                    _ = try connection.run("COMMIT")
                } catch let error as StorageError {
                    note(error)
                    throw error
                }
            }
            hasBegun = false
        }
        made?.committed()
    }

    /// Gives the transaction up; the server's answer is not waited for.
    func rollBack() {
        guard hasBegun, !connection.isBroken else { return }
        hasBegun = false
        do {
            try connection.queue("ROLLBACK")
            try connection.flush()
        } catch {
            // The connection is broken now, which ends the transaction as well.
        }
    }

    private func requireOpen() throws {
        guard !isOver else { throw StorageError(.transactionOver, "the transaction is over") }
        guard failure == nil else {
            throw StorageError(.transactionOver, "an earlier failure has ended the transaction", sqlState: "25P02")
        }
    }

    /// Queues what must come before a statement of `wanted`.
    private func prepare(_ wanted: Actor) throws {
        if !hasBegun {
            hasBegun = true
            switch kind {
            case .read: try connection.queue(PostgreSQLTransaction.beginRead)
            case .write: try connection.queue(PostgreSQLTransaction.beginWrite)
            case .definition: try connection.queue(PostgreSQLTransaction.beginDefinition)
            }
            var user = ""
            if case .user(let scope) = transactionScope { user = scope.user.description }
            try connection.queue(
                PostgreSQLTransaction.setScope, [.text(user), .text(wantedMarker), .text(role(wanted))])
            actor = wanted
            marker = wantedMarker
        }
        try sendPending()
        if actor != wanted || marker != wantedMarker {
            try connection.queue(
                PostgreSQLTransaction.setMarkerAndRole, [.text(wantedMarker), .text(role(wanted))])
            actor = wanted
            marker = wantedMarker
        }
    }

    private func sendPending() throws {
        for control in pending {
            switch control {
            case .savepoint(let level):
                level.isSent = true
                level.actor = actor
                level.marker = marker
                try connection.queue("SAVEPOINT \(level.name)")
            case .release(let level): try connection.queue("RELEASE SAVEPOINT \(level.name)")
            case .rollBack(let level):
                try connection.queue("ROLLBACK TO SAVEPOINT \(level.name)")
                actor = level.actor
                marker = level.marker
            }
        }
        pending.removeAll(keepingCapacity: true)
    }

    private func role(_ actor: Actor) -> String {
        // An owner defines tables as itself.
        kind == .definition ? "none" : actor == .rows ? roles.rows : "none"
    }

    private func perform<T>(as wanted: Actor, _ body: () throws -> T) throws -> T {
        try requireOpen()
        do {
            try prepare(wanted)
            return try body()
        } catch let error as StorageError {
            note(error)
            throw error
        }
    }

    private func note(_ error: StorageError) {
        if failure == nil { failure = error }
        switch error.sqlState {
        case "40001", "40P01": mustRunAgain = true
        case "23505" where error.table.map(StorageMigrations.tables.contains) ?? false:
            // Two made the same person's key, say: the second finds the first one's now.
            mustRunAgain = kind == .write
        case "26000", "0A000":
            // Another process changed a table that a prepared statement reads.
            hasStaleStatements = true
        default: break
        }
    }

    // MARK: Statements of domains

    func query(_ statement: SQL) throws -> [SQLRow] {
        let (answer, names) = try runDomain(statement)
        return names.map { answer.rows($0) } ?? []
    }

    func execute(_ statement: SQL) throws -> Int { try runDomain(statement).answer.changes }

    private func runDomain(_ statement: SQL) throws -> (answer: SQLAnswer, names: SQLColumnNames?) {
        if let fault = statement.fault {
            throw StorageError(.statement, fault, operation: SQLiteConnection.operation(statement.text))
        }
        let text = statement.rendered(for: .postgres)
        guard !PostgreSQLTransaction.endsTransactions(text) else {
            throw StorageError(
                .notAllowed, "transactions and sessions are the storage's", operation: SQLiteConnection.operation(text),
                sqlState: "42501")
        }
        return try perform(as: .domain) { try connection.runNamed(text, statement.binds) }
    }

    /// Commands that would leave the body's transaction or change the session's role: no role is kept from them.
    private static func endsTransactions(_ text: String) -> Bool {
        let word = text.drop(while: { $0.isWhitespace || $0 == "(" }).prefix(while: \.isLetter).lowercased()
        return !["select", "insert", "update", "delete", "with", "values", "create", "drop", "alter"].contains(word)
    }

    // MARK: RowEngine

    func run(_ statement: RowStatement, _ binds: [SQLValue]) throws -> SQLAnswer {
        try perform(as: .rows) { try connection.run(statement, binds) }
    }

    func define(_ text: String) throws {
        guard kind == .definition else {
            throw StorageError(.notAllowed, "tables are made by the owner", operation: SQLiteConnection.operation(text))
        }
        _ = try perform(as: .rows) { try connection.run(text) }
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        try requireOpen()
        let level = Level(depth: levels.count + 1)
        levels.append(level)
        pending.append(.savepoint(level))
        do {
            let result = try body()
            // The body went on after a failure, but its writes are gone.
            if let failure { throw failure }
            levels.removeLast()
            if level.isSent { pending.append(.release(level)) } else { drop(level) }
            return result
        } catch {
            levels.removeLast()
            if !level.isSent {
                drop(level)
            } else if !mustRunAgain, !connection.isBroken {
                failure = nil
                pending.append(.rollBack(level))
                pending.append(.release(level))
            }
            throw error
        }
    }

    /// Takes back a savepoint that has not left yet, and what was within it.
    private func drop(_ level: Level) {
        guard
            let place = pending.lastIndex(where: {
                if case .savepoint(let other) = $0 { other === level } else { false }
            })
        else { return }
        pending.removeSubrange(place...)
    }

    func asSystem<T>(_ body: () throws -> T) throws -> T {
        let before = wantedMarker
        wantedMarker = "system"
        defer { wantedMarker = before }
        return try body()
    }

    func deferringReferences<T>(_ body: () throws -> T) throws -> T {
        _ = try perform(as: .rows) { try connection.run("SET CONSTRAINTS ALL DEFERRED") }
        let result = try body()
        // Fails where a reference is not resolved.
        _ = try perform(as: .rows) { try connection.run("SET CONSTRAINTS ALL IMMEDIATE") }
        return result
    }
}
