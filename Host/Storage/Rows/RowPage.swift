public import TandemCore
import TandemJSON

/// Which columns a page shows, in which order. Made once per use: tables remember what they worked out for it.
public final class RowColumns: Sendable {
    public let names: [String]

    public init(_ names: [String]) { self.names = names }
}

/// Which rows a page shows.
public struct PageRequest: Sendable {
    public var table: String
    public var columns: RowColumns
    public var conditions: [RowCondition]
    public var order: [RowOrder]
    /// How many rows at most.
    public var limit: Int

    public init(
        _ table: String, _ columns: RowColumns, where conditions: [RowCondition] = [], order: [RowOrder] = [],
        limit: Int
    ) {
        self.table = table
        self.columns = columns
        self.conditions = conditions
        self.order = order
        self.limit = limit
    }
}

/// Rows of one person as JSON text: what `list` gives, without a value in memory for each column.
public struct RowPage: Sendable, Hashable {
    /// An array of objects, with the members that the request names in its order.
    public let text: [UInt8]
    public let count: Int
    /// Of the last row in `text`; nil where there is none.
    public let lastID: RecordID?
    /// More rows would have come after these.
    public let hasMore: Bool
}

/// A page on its way: its statement, and what its answer becomes.
struct PageReading: Sendable {
    let table: UserTable
    let plan: PagePlan
    let user: Int64
    let request: PageRequest

    init(_ request: PageRequest, of user: Int64, _ store: RowStore, access: TableAccess) throws {
        table = try store.tables.snapshot.table(request.table, access)
        plan = try table.plan(request.columns)
        self.user = user
        self.request = request
    }

    func statement(_ dialect: SQLDialect, keys: () throws -> UserKeySet?) throws -> (RowStatement, [SQLValue]) {
        try table.selection(
            RowQuery(where: request.conditions, order: request.order, limit: request.limit), of: user, dialect,
            columns: plan, keys: keys)
    }

    /// Writes the answer's rows.
    ///
    /// - Parameter keys: The person's keys; with true, as they are stored now.
    func page(_ answer: SQLAnswer, keys: (_ isReload: Bool) throws -> UserKeySet?) throws -> RowPage {
        let count = min(answer.rowCount, max(0, request.limit))
        var writer = JSONWriter(capacity: 64 + count * plan.columns.count * 32)
        var opener: SealOpener?
        var last: RecordID?
        writer.byte(0x5B)
        for row in 0..<count {
            let base = row * answer.columnCount
            guard case .int(let id) = answer.values[base] else {
                throw StorageError(.corrupt, "a row has no id", table: table.name)
            }
            last = RecordID(rawValue: id)
            if row > 0 { writer.byte(0x2C) }
            for place in plan.forms.indices {
                plan.prefixes[place].withUnsafeBufferPointer { writer.raw($0) }
                let value = answer.values[base + 1 + place]
                guard plan.forms[place] == .sealed, case .blob(let sealed) = value else {
                    write(value, place, to: &writer)
                    continue
                }
                let context = SealContext(table: table.name, column: plan.source.names[place], row: id)
                if opener == nil, let set = try keys(false) { opener = SealOpener(set, user: user) }
                if opener.map({ !$0.knows(sealed) }) ?? true {
                    guard let set = try keys(true) else { throw SealedForm.missing(1, context) }
                    opener = SealOpener(set, user: user)
                }
                try opener?.open(sealed, context) { try plan.columns[place].write(plain: $0, to: &writer) }
            }
            writer.byte(0x7D)
        }
        writer.byte(0x5D)
        return RowPage(
            text: writer.withBytes { Array($0) }, count: count, lastID: last, hasMore: answer.rowCount > count)
    }

    /// Writes the JSON form of a value that is not sealed: what `decode` gives.
    private func write(_ value: SQLValue, _ place: Int, to writer: inout JSONWriter) {
        switch (value, plan.forms[place]) {
        case (.null, _): writer.ascii("null")
        case (.text(let text), .text): writer.string(text)
        case (.int(let number), .integer): writer.integer(number)
        case (.int(let number), .boolean): if number != 0 { writer.ascii("true") } else { writer.ascii("false") }
        case (.int(let number), .date):
            writer.byte(0x22)
            writer.date(CivilDate(daysSinceEpoch: Int(number)))
            writer.byte(0x22)
        case (.int(let number), .timestamp): writer.timestamp(Timestamp(millisecondsSinceEpoch: number))
        case (.int(let number), .id):
            writer.byte(0x22)
            writer.integer(number)
            writer.byte(0x22)
        default: writer.value(plan.columns[place].decode(value))
        }
    }
}

/// What a table worked out for the columns of a page.
final class PagePlan: Sendable {
    /// How a column's values are written.
    enum Form: Sendable {
        case sealed, text, integer, boolean, date, timestamp, id
        /// By way of its JSON value.
        case other

        init(_ column: UserColumn) {
            if column.isSealed {
                self = .sealed
                return
            }
            switch column.type {
            case .text: self = .text
            case .integer: self = .integer
            case .boolean: self = .boolean
            case .date: self = .date
            case .timestamp: self = .timestamp
            case .id: self = .id
            case .real, .decimal, .json: self = .other
            }
        }
    }

    let source: RowColumns
    let columns: [UserColumn]
    let forms: [Form]
    /// `{"title":` for the first, `,"title":` for the others.
    let prefixes: [[UInt8]]
    /// What is selected: the id, then the columns.
    let selected: String
    /// Tells the statement from that of other columns.
    let shape: String

    init(_ source: RowColumns, _ columns: [UserColumn]) {
        self.source = source
        self.columns = columns
        forms = columns.map { Form($0) }
        prefixes = columns.enumerated().map { place, column in
            Array((place == 0 ? "{" : ",").utf8) + Array("\"\(column.name)\":".utf8)
        }
        selected = (["id"] + columns.map(\.name)).map { "\"\($0)\"" }.joined(separator: ", ")
        shape = "p" + columns.map { "\($0.physicalIndex)" }.joined(separator: ",")
    }
}

extension UserColumn {
    /// Writes the JSON form of an opened value.
    fileprivate func write(plain bytes: UnsafeBufferPointer<UInt8>, to writer: inout JSONWriter) throws {
        // What is not ASCII goes through a String, which leaves nothing but valid UTF-8.
        if type == .text, bytes.allSatisfy({ $0 < 0x80 }) {
            writer.quoted(bytes)
        } else {
            writer.value(decode(try value(plainBytes: Array(bytes))))
        }
    }
}

extension JSONWriter {
    fileprivate mutating func date(_ date: CivilDate) {
        digits(date.year, width: 4)
        byte(0x2D)
        digits(date.month, width: 2)
        byte(0x2D)
        digits(date.day, width: 2)
    }

    /// As `Timestamp.description`, in quotes.
    fileprivate mutating func timestamp(_ instant: Timestamp) {
        let milliseconds = Int(instant.millisecondsSinceEpoch)
        let days = (milliseconds >= 0 ? milliseconds : milliseconds - 86_399_999) / 86_400_000
        let rest = milliseconds - days * 86_400_000
        byte(0x22)
        date(CivilDate(daysSinceEpoch: days))
        byte(0x54)
        digits(rest / 3_600_000, width: 2)
        byte(0x3A)
        digits(rest / 60_000 % 60, width: 2)
        byte(0x3A)
        digits(rest / 1000 % 60, width: 2)
        byte(0x2E)
        digits(rest % 1000, width: 3)
        byte(0x5A)
        byte(0x22)
    }
}

extension ReadTransaction {
    /// A page of the scope's person's rows.
    public func page(_ request: PageRequest, tables: TableAccess = .host) throws -> RowPage {
        let context = context
        let user = try context.requireUser().rawValue
        let reading = try PageReading(request, of: user, context.store, access: tables)
        let keyring = context.store.keyring
        let (statement, binds) = try reading.statement(context.engine.dialect) {
            try keyring.keys(for: user, in: context, create: false)
        }
        return try reading.page(try context.engine.run(statement, binds)) { isReload in
            isReload ? try keyring.reload(user, in: context) : try keyring.keys(for: user, in: context, create: false)
        }
    }
}

extension Database {
    /// A page of one person's rows: as `page` of a transaction, at the least cost that the engine has for one statement.
    public func page(
        _ request: PageRequest, of scope: UserScope, tables: TableAccess = .host
    ) async throws -> RowPage {
        try await prepareKeys(of: scope.user)
        return try await readPage(request, of: scope, tables: tables)
    }

    public func readPage(_ request: PageRequest, of scope: UserScope, tables: TableAccess) async throws -> RowPage {
        try await read(.user(scope)) { try $0.page(request, tables: tables) }
    }

    /// The page's one statement; nil where the person's keys are not in memory, which a transaction is to read.
    func shortcut(
        to request: PageRequest, of scope: UserScope, _ tables: TableAccess
    ) throws -> Shortcut<RowPage>? {
        guard let keys = store.keyring.fresh(scope.user.rawValue) else { return nil }
        let reading = try PageReading(request, of: scope.user.rawValue, store, access: tables)
        let (statement, binds) = try reading.statement(dialect) { keys }
        return Shortcut(statement: SingleStatement(statement: statement, binds: binds)) { answer in
            try reading.page(answer) { isReload in
                if isReload { throw NeedsTransaction() }
                return keys
            }
        }
    }
}
