import CPostgreSQL
import Glibc
import TandemCore

/// One connection to a server, in pipeline mode, for use on one thread at a time.
///
/// What needs no answer is queued and leaves with the next statement that does, so that beginning a transaction, its scope
/// and the first statement cost one round trip (https://www.postgresql.org/docs/15/libpq-pipeline-mode.html).
final class PostgreSQLConnection {
    private static let maxCachedStatements = 512

    /// What the next result in the pipeline belongs to.
    private enum Expected {
        case preparation(PostgreSQLStatement)
        case description(PostgreSQLStatement)
        /// A statement whose answer nobody looks at.
        case control
        case answer(PostgreSQLStatement)
        case sync
    }

    private let handle: OpaquePointer
    let address: PostgreSQLAddress
    /// How long the server may stay silent.
    private let answerLimit: Duration
    private var expected: [Expected] = []
    private var texts: [String: PostgreSQLText] = [:]
    private var rowTexts: [ObjectIdentifier: PostgreSQLText] = [:]
    private var nextName = 0
    private var statementCount = 0
    private var binds = PostgreSQLBinds()
    /// The server ended the connection, or it does not answer: nothing can be done with it but to close it.
    private(set) var isBroken = false
    private var isClosed = false

    /// Connects; blocks at most `address.connectSeconds`.
    init(_ address: PostgreSQLAddress, answerLimit: Duration) throws {
        self.address = address
        self.answerLimit = answerLimit
        let started = try address.withParameters { PQconnectStartParams($0, $1, 0) }
        guard let started else {
            throw StorageError(.internalFailure, "no memory for a connection", operation: "connect to \(address)")
        }
        handle = started
        do {
            try establish()
        } catch {
            PQfinish(handle)
            isClosed = true
            throw error
        }
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        isBroken = true
        texts.removeAll()
        rowTexts.removeAll()
        PQfinish(handle)
    }

    private func establish() throws {
        PQsetNoticeProcessor(handle, ignoreNotice, nil)
        let deadline = monotonicNanoseconds() + UInt64(address.connectSeconds) * 1_000_000_000
        var step = PGRES_POLLING_WRITING
        while PQstatus(handle) != CONNECTION_BAD {
            switch step {
            case PGRES_POLLING_OK:
                guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw failure() }
                return
            case PGRES_POLLING_FAILED: throw failure()
            default:
                let events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT
                guard wait(for: Int16(events), until: deadline) else {
                    throw StorageError(
                        .unavailable, "the server did not answer within \(address.connectSeconds) s",
                        operation: "connect to \(address)")
                }
                step = PQconnectPoll(handle)
            }
        }
        throw failure()
    }

    private func failure() -> StorageError {
        PostgreSQLFailure.connecting(PQerrorMessage(handle).map { String(cString: $0) } ?? "", to: address)
    }

    /// A setting that the server reports by itself (PQparameterStatus).
    func parameter(_ name: String) -> String? { PQparameterStatus(handle, name).map { String(cString: $0) } }

    var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// Who is logged in.
    var user: String { PQuser(handle).map { String(cString: $0) } ?? "" }

    /// The verifier of a password for CREATE ROLE, so that the password itself does not cross the network.
    func verifier(of password: String, for user: String) throws -> String {
        guard let text = PQencryptPasswordConn(handle, password, user, "scram-sha-256") else {
            throw StorageError(.internalFailure, "the password's verifier cannot be made", operation: "set up roles")
        }
        defer { PQfreemem(text) }
        return String(cString: text)
    }

    /// Whether the server has closed the connection while nobody used it.
    func isAlive() -> Bool {
        guard !isBroken else { return false }
        var entry = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 0) > 0 else { return true }
        // The rest of an answer that nobody waited for, or the end.
        if PQconsumeInput(handle) == 0 || PQstatus(handle) == CONNECTION_BAD { isBroken = true }
        return !isBroken
    }

    // MARK: Statements

    /// Queues a statement whose answer does not matter unless it is an error.
    func queue(_ text: String, _ values: [SQLValue] = []) throws { try send(cached(text), values, isAnswered: false) }

    /// Runs a statement and waits for its rows.
    func run(_ text: String, _ values: [SQLValue] = []) throws -> SQLAnswer {
        try run(cached(text), values).answer
    }

    /// Runs a statement of the row functions.
    func run(_ statement: RowStatement, _ values: [SQLValue]) throws -> SQLAnswer {
        try run(cached(statement), values).answer
    }

    private func cached(_ statement: RowStatement) -> PostgreSQLText {
        let key = ObjectIdentifier(statement)
        if let known = rowTexts[key] { return known }
        let made = PostgreSQLText(PostgreSQLConnection.numbered(statement.text), source: statement)
        rowTexts[key] = made
        return made
    }

    /// Queues a statement of the row functions together with one that comes before it, as a transaction of their own:
    /// what is between two synchronisations is one
    /// (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-PIPELINING).
    func queueAlone(_ before: String, _ values: [SQLValue], _ single: SingleStatement) throws {
        try send(cached(before), values, isAnswered: false)
        try send(cached(single.statement), single.binds, isAnswered: true)
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        expected.append(.sync)
    }

    /// Sends what `queueAlone` queued and gives the answers in their order, each as soon as it is there.
    ///
    /// Throws when the connection is lost; then the answers that are missing do not come.
    func finishEach(_ count: Int, _ body: (Result<SQLAnswer, StorageError>) -> Void) throws {
        try push(until: monotonicNanoseconds() + answerNanoseconds)
        // What was sent before and nobody waits for comes first.
        var foreign = expected.reduce(0) { if case .sync = $1 { $0 + 1 } else { $0 } } - count
        var answer = SQLAnswer()
        var names: SQLColumnNames?
        var failure: StorageError?
        defer { expected.removeAll(keepingCapacity: true) }
        for item in expected {
            let deadline = monotonicNanoseconds() + answerNanoseconds
            guard case .sync = item else {
                try take(item, until: deadline, &answer, &names, &failure)
                continue
            }
            try synchronise(until: deadline)
            if foreign > 0 {
                foreign -= 1
            } else {
                body(failure.map { .failure($0) } ?? .success(answer))
            }
            answer = SQLAnswer()
            failure = nil
        }
    }

    /// Runs a statement of a domain; with the names of its columns.
    func runNamed(_ text: String, _ values: [SQLValue]) throws -> (answer: SQLAnswer, names: SQLColumnNames?) {
        try run(cached(text), values)
    }

    private func cached(_ text: String) -> PostgreSQLText {
        if let known = texts[text] { return known }
        let made = PostgreSQLText(text)
        texts[text] = made
        return made
    }

    /// `$1`, `$2` … for each `?`.
    static func numbered(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 16)
        var number = 0
        for byte in text.utf8 {
            guard byte == UInt8(ascii: "?") else {
                bytes.append(byte)
                continue
            }
            number += 1
            bytes.append(UInt8(ascii: "$"))
            bytes.append(contentsOf: String(number).utf8)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Forgets what was prepared; for between transactions.
    func forgetStatements() throws {
        texts.removeAll()
        rowTexts.removeAll()
        statementCount = 0
        try queue("DEALLOCATE ALL")
        texts.removeAll()
        statementCount = 0
    }

    /// Keeps the number of prepared statements within bounds; for between transactions.
    func trim() throws { if statementCount > PostgreSQLConnection.maxCachedStatements { try forgetStatements() } }

    private func send(_ text: PostgreSQLText, _ values: [SQLValue], isAnswered: Bool) throws {
        guard !isBroken else { throw lost() }
        guard values.count <= 65_535 else {
            throw StorageError(.tooLarge, "a statement has at most 65535 values", sqlState: "54000")
        }
        let statement: PostgreSQLStatement
        if let known = text.forms.first(where: { $0.takes(values) }) {
            statement = known
        } else {
            nextName += 1
            statementCount += 1
            statement = PostgreSQLStatement(
                name: "t\(nextName)", text: text, types: values.map(PostgreSQLType.natural))
            text.forms.append(statement)
        }
        if statement.state == .new {
            guard
                PQsendPrepare(
                    handle, statement.name, text.text, Int32(statement.types.count), statement.types) == 1
            else { throw lost() }
            expected.append(.preparation(statement))
            statement.state = .sent
            if statement.types.contains(0) {
                // What a null stands for, so that a value in its place finds the same form later.
                guard PQsendDescribePrepared(handle, statement.name) == 1 else { throw lost() }
                expected.append(.description(statement))
            }
        }
        binds.set(values, as: statement.types)
        guard
            PQsendQueryPrepared(
                handle, statement.name, Int32(values.count), binds.values, binds.lengths, binds.formats, 1) == 1
        else { throw lost() }
        expected.append(isAnswered ? .answer(statement) : .control)
    }

    private func run(_ text: PostgreSQLText, _ values: [SQLValue]) throws -> (answer: SQLAnswer, names: SQLColumnNames?)
    {
        try send(text, values, isAnswered: true)
        return try finish()
    }

    /// Sends what is queued without waiting for answers: the next statement takes them in.
    func flush() throws {
        guard !isBroken, PQpipelineSync(handle) == 1 else { throw lost() }
        expected.append(.sync)
        try push(until: monotonicNanoseconds() + answerNanoseconds)
    }

    private var answerNanoseconds: UInt64 { UInt64(max(1, answerLimit.milliseconds)) * 1_000_000 }

    // MARK: Answers

    /// Sends what is queued and takes in all answers; returns that of the last statement, or throws the first error of
    /// those since the last `flush`.
    private func finish() throws -> (answer: SQLAnswer, names: SQLColumnNames?) {
        let deadline = monotonicNanoseconds() + answerNanoseconds
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        expected.append(.sync)
        try push(until: deadline)
        var answer = SQLAnswer()
        var names: SQLColumnNames?
        var failure: StorageError?
        var place = 0
        while place < expected.count {
            let item = expected[place]
            place += 1
            guard case .sync = item else {
                try take(item, until: deadline, &answer, &names, &failure)
                continue
            }
            try synchronise(until: deadline)
            // What failed before an earlier one was for somebody who did not wait for it.
            if place < expected.count { failure = nil }
        }
        expected.removeAll(keepingCapacity: true)
        if let failure { throw failure }
        return (answer, names)
    }

    private func synchronise(until deadline: UInt64) throws {
        guard let result = try result(until: deadline) else { throw lost() }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else { throw lost(result) }
    }

    /// Takes in all results of one command.
    private func take(
        _ item: Expected, until deadline: UInt64, _ answer: inout SQLAnswer, _ names: inout SQLColumnNames?,
        _ failure: inout StorageError?
    ) throws {
        var isFirst = true
        while let result = try result(until: deadline) {
            defer { PQclear(result) }
            guard isFirst else { continue }
            isFirst = false
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                take(result, for: item, &answer, &names)
            case PGRES_PIPELINE_ABORTED: forget(item)
            default:
                forget(item)
                if PQstatus(handle) == CONNECTION_BAD { throw lost(result) }
                if failure == nil { failure = PostgreSQLFailure.error(result, operation: operation(of: item)) }
            }
        }
        if isFirst { throw lost() }
    }

    private func take(
        _ result: OpaquePointer, for item: Expected, _ answer: inout SQLAnswer, _ names: inout SQLColumnNames?
    ) {
        switch item {
        case .preparation(let statement): statement.state = .ready
        case .description(let statement):
            for index in statement.types.indices where statement.types[index] == 0 {
                statement.types[index] = PQparamtype(result, Int32(index))
            }
        case .answer(let statement):
            if PQresultStatus(result) == PGRES_TUPLES_OK {
                answer.columnCount = Int(PQnfields(result))
                names = statement.columnNames(result)
                statement.appendRows(of: result, to: &answer.values)
            }
            answer.changes = PostgreSQLConnection.changes(result)
        case .control, .sync: break
        }
    }

    /// A preparation that failed is made again the next time.
    private func forget(_ item: Expected) {
        guard case .preparation(let statement) = item else { return }
        statement.state = .new
        statement.text.forms.removeAll { $0 === statement }
        statementCount -= 1
    }

    private func operation(of item: Expected) -> String? {
        switch item {
        case .preparation(let statement), .description(let statement), .answer(let statement):
            let text = statement.text.text
            return text.utf8.count <= 80 ? text : String(decoding: text.utf8.prefix(80), as: UTF8.self) + "…"
        case .control, .sync: return nil
        }
    }

    /// The command's tag ends with the number of rows; a selection changes none.
    private static func changes(_ result: OpaquePointer) -> Int {
        guard let tag = PQcmdStatus(result), tag.pointee != CChar(UInt8(ascii: "S")), let digits = PQcmdTuples(result)
        else { return 0 }
        return Int(String(cString: digits)) ?? 0
    }

    /// The next result; nil at the end of a command's.
    private func result(until deadline: UInt64) throws -> OpaquePointer? {
        while PQisBusy(handle) != 0 {
            guard wait(for: Int16(POLLIN), until: deadline) else { throw silent() }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle)
    }

    private func push(until deadline: UInt64) throws {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                // The server may wait for us to read while we wait for it.
                guard wait(for: Int16(POLLIN | POLLOUT), until: deadline) else { throw silent() }
                guard PQconsumeInput(handle) == 1 else { throw lost() }
            default: throw lost()
            }
        }
    }

    private func wait(for events: Int16, until deadline: UInt64) -> Bool {
        var entry = pollfd(fd: PQsocket(handle), events: events, revents: 0)
        while true {
            let now = monotonicNanoseconds()
            guard now < deadline else { return false }
            let count = poll(&entry, 1, Int32(clamping: (deadline - now + 999_999) / 1_000_000))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return true }
        }
    }

    // MARK: Ends

    private func silent() -> StorageError {
        isBroken = true
        return StorageError(
            .unavailable, "the server did not answer in time; the connection was given up", sqlState: "08006")
    }

    /// The connection is gone; the server's last words tell why.
    private func lost(_ result: OpaquePointer? = nil) -> StorageError {
        isBroken = true
        if let result, PQresultStatus(result) == PGRES_FATAL_ERROR,
            let state = PQresultErrorField(result, tandem_pg_sqlstate)
        {
            let state = String(cString: state)
            let detail =
                PQresultErrorField(result, tandem_pg_message).map { String(cString: $0) } ?? "the connection ended"
            return PostgreSQLFailure.error(state: state, detail: detail, operation: nil)
        }
        return StorageError(.unavailable, "the connection to the database was lost", sqlState: "08006")
    }
}

/// Notices are for people at a terminal.
private func ignoreNotice(context: UnsafeMutableRawPointer?, text: UnsafePointer<CChar>?) {}
