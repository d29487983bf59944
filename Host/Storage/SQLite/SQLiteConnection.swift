import CSQLite
import Glibc

/// One connection to a database file, for use on one thread at a time.
final class SQLiteConnection {
    private static let maxCachedStatements = 512

    /// Counting memory takes a lock for every allocation of every connection; nobody asks for the count.
    private static let isConfigured = tandem_sqlite3_configure() == SQLITE_OK

    let handle: OpaquePointer
    let authorizer = SQLiteAuthorizer()
    private var texts: [String: SQLiteStatement] = [:]
    private var rowStatements: [ObjectIdentifier: SQLiteStatement] = [:]
    private var arena = BindArena()
    /// By the address of the text, which is a constant of the program.
    private var commands: [UnsafePointer<UInt8>: SQLiteStatement] = [:]
    private let log = LogLength()

    /// Opens without a mutex: the caller keeps it on one thread.
    init(path: String, isReadOnly: Bool, busyMilliseconds: Int32) throws {
        _ = SQLiteConnection.isConfigured
        var opened: OpaquePointer?
        let access = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let code = sqlite3_open_v2(
            path, &opened, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteFailure.error(code, of: opened, operation: "open the database")
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        sqlite3_busy_timeout(opened, busyMilliseconds)
        // No double-quoted strings, no tampering with the schema, no functions with side effects in it.
        for option in [SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_TRUSTED_SCHEMA] {
            _ = tandem_sqlite3_db_config(opened, option, 0)
        }
        for option in [SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_ENABLE_FKEY] {
            _ = tandem_sqlite3_db_config(opened, option, 1)
        }
        registerContains(on: opened)
        authorizer.install(on: opened)
        if !isReadOnly { sqlite3_wal_hook(opened, noteLog, Unmanaged.passUnretained(log).toOpaque()) }
    }

    deinit { close() }

    private var isClosed = false

    func close() {
        guard !isClosed else { return }
        isClosed = true
        texts.removeAll()
        rowStatements.removeAll()
        commands.removeAll()
        sqlite3_close_v2(handle)
    }

    /// True outside a transaction; also when SQLite gave one up by itself.
    var isOutsideTransaction: Bool { sqlite3_get_autocommit(handle) != 0 }

    var totalChanges: Int { Int(sqlite3_total_changes64(handle)) }

    // MARK: Statements

    /// Runs a fixed command of the storage, such as `COMMIT`.
    func command(_ text: StaticString) throws {
        let statement: SQLiteStatement
        if let known = commands[text.utf8Start] {
            statement = known
        } else {
            statement = try prepare(text.description, origin: .storage, source: nil)
            commands[text.utf8Start] = statement
        }
        _ = try run(statement, [], operation: nil)
    }

    /// Runs a text of the storage once, without keeping it.
    @discardableResult
    func once(_ text: String, _ binds: [SQLValue] = [], origin: StatementOrigin = .storage) throws -> SQLAnswer {
        let statement = try prepare(text, origin: origin, source: nil)
        return try run(statement, binds, operation: SQLiteConnection.operation(text))
    }

    /// Runs a statement of the row functions.
    func run(_ statement: RowStatement, _ binds: [SQLValue]) throws -> SQLAnswer {
        let key = ObjectIdentifier(statement)
        let prepared: SQLiteStatement
        if let known = rowStatements[key] {
            prepared = known
        } else {
            if rowStatements.count >= SQLiteConnection.maxCachedStatements { rowStatements.removeAll() }
            prepared = try prepare(statement.text, origin: .storage, source: statement)
            rowStatements[key] = prepared
        }
        return try run(prepared, binds, operation: nil)
    }

    /// The compiled statement of a domain.
    func domainStatement(_ text: String) throws -> SQLiteStatement {
        if let known = texts[text] { return known }
        if texts.count >= SQLiteConnection.maxCachedStatements { texts.removeAll() }
        let statement = try prepare(text, origin: .domain, source: nil)
        texts[text] = statement
        return statement
    }

    private func prepare(_ text: String, origin: StatementOrigin, source: RowStatement?) throws -> SQLiteStatement {
        authorizer.origin = origin
        authorizer.refusedTable = nil
        var text = text
        var statement: OpaquePointer?
        var hasRest = false
        let code = text.withUTF8 { bytes -> Int32 in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                guard let base = characters.baseAddress else { return SQLITE_MISUSE }
                var tail: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v3(
                    handle, base, Int32(clamping: characters.count), UInt32(SQLITE_PREPARE_PERSISTENT), &statement,
                    &tail)
                if let tail {
                    hasRest = UnsafeBufferPointer(start: tail, count: base + characters.count - tail)
                        .contains { $0 != 32 && $0 != 10 && $0 != 13 && $0 != 9 && $0 != 59 }
                }
                return code
            }
        }
        guard code == SQLITE_OK else {
            throw refusal() ?? SQLiteFailure.error(code, of: handle, operation: SQLiteConnection.operation(text))
        }
        guard let statement else {
            throw StorageError(.statement, "the statement is empty", operation: "prepare", sqlState: "42601")
        }
        guard !hasRest else {
            sqlite3_finalize(statement)
            throw StorageError(
                .statement, "one statement at a time", operation: SQLiteConnection.operation(text), sqlState: "42601")
        }
        return SQLiteStatement(handle: statement, origin: origin, source: source)
    }

    private func refusal() -> StorageError? {
        guard let table = authorizer.refusedTable else { return nil }
        return StorageError(
            .notAllowed, "the table is not open to SQL: rows of people are reached through the row functions",
            table: table, nativeCode: SQLITE_AUTH, sqlState: "42501")
    }

    /// Runs a compiled statement to its end.
    func run(_ statement: SQLiteStatement, _ binds: [SQLValue], operation: String?) throws -> SQLAnswer {
        guard binds.count == statement.parameterCount else {
            throw StorageError(
                .statement, "the statement has \(statement.parameterCount) placeholders for \(binds.count) values",
                operation: operation ?? describe(statement), sqlState: "07001")
        }
        // SQLite may compile again while it steps, and asks the authorizer then.
        authorizer.origin = statement.origin
        authorizer.refusedTable = nil
        var code = arena.bind(binds, to: statement.handle)
        guard code == SQLITE_OK else {
            throw SQLiteFailure.error(code, of: handle, operation: operation ?? describe(statement))
        }
        let before = statement.isReadOnly ? 0 : sqlite3_total_changes64(handle)
        var answer = SQLAnswer()
        answer.columnCount = statement.columnCount
        code = sqlite3_step(statement.handle)
        while code == SQLITE_ROW {
            statement.appendRow(to: &answer.values)
            code = sqlite3_step(statement.handle)
        }
        if code != SQLITE_DONE {
            let error = refusal() ?? SQLiteFailure.error(code, of: handle, operation: operation ?? describe(statement))
            sqlite3_reset(statement.handle)
            throw error
        }
        sqlite3_reset(statement.handle)
        if !statement.isReadOnly, sqlite3_total_changes64(handle) != before {
            answer.changes = Int(sqlite3_changes64(handle))
        }
        return answer
    }

    private func describe(_ statement: SQLiteStatement) -> String {
        sqlite3_sql(statement.handle).map { SQLiteConnection.operation(String(cString: $0)) } ?? "statement"
    }

    /// The beginning of a statement, enough to recognise it: placeholders stand where values were.
    static func operation(_ text: String) -> String {
        text.utf8.count <= 80 ? text : String(decoding: text.utf8.prefix(80), as: UTF8.self) + "…"
    }

    // MARK: Log

    /// The length of the log after the last commit, in pages.
    var logPages: Int { log.frames }

    /// Copies what it can of the log into the file without waiting for anybody; gives how many of its pages are there now.
    /// A failure changes nothing: the next one tries again.
    @discardableResult
    func checkpoint() -> Int {
        var (length, copied): (Int32, Int32) = (0, 0)
        sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &length, &copied)
        return Int(max(0, copied))
    }

    /// As `checkpoint`, and lets the log start over: waits for its readers, at most so long.
    func restartLog(waitingMilliseconds: Int32) {
        sqlite3_busy_timeout(handle, waitingMilliseconds)
        sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_RESTART, nil, nil)
        sqlite3_busy_timeout(handle, SQLiteConfiguration.busyMilliseconds)
    }

    // MARK: Savepoints

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        try command("SAVEPOINT tandem_row")
        do {
            let result = try body()
            try command("RELEASE tandem_row")
            return result
        } catch {
            if !isOutsideTransaction {
                try command("ROLLBACK TO tandem_row")
                try command("RELEASE tandem_row")
            }
            throw error
        }
    }

    /// Whether every reference that was touched in this transaction is resolved.
    var areReferencesResolved: Bool {
        var current: Int32 = 0
        var high: Int32 = 0
        sqlite3_db_status(handle, SQLITE_DBSTATUS_DEFERRED_FKS, &current, &high, 0)
        return current == 0
    }
}

/// The length of the write-ahead log after the last commit, in pages.
private final class LogLength {
    var frames = 0
}

/// Not a closure within an isolated context: SQLite calls it on the thread that commits.
private func noteLog(
    context: UnsafeMutableRawPointer?, database: OpaquePointer?, name: UnsafePointer<CChar>?, frames: Int32
) -> Int32 {
    guard let context else { return SQLITE_OK }
    Unmanaged<LogLength>.fromOpaque(context).takeUnretainedValue().frames = Int(frames)
    return SQLITE_OK
}
