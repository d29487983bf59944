public import TandemCore
public import TandemJSON

/// Which change of a row it is: another one whenever the row was changed.
public struct RowStamp: Sendable, Hashable {
    /// The lower bits of its time and of its version.
    var time: UInt32
    var version: UInt32

    /// As it is stored elsewhere.
    public var rawValue: Int64 { Int64(bitPattern: UInt64(time) << 32 | UInt64(version)) }
}

/// The state of a person's rows of one table: of two that are equal the rows are the same, but for a chance of one in
/// billions.
public struct RowFingerprint: Sendable, Hashable {
    public private(set) var count = 0
    private var times: Int64 = 0
    private var versions: Int64 = 0

    public init() {}

    init(count: Int, times: Int64, versions: Int64) {
        self.count = count
        self.times = times
        self.versions = versions
    }

    public mutating func add(_ stamp: RowStamp) {
        count += 1
        times += Int64(stamp.time)
        versions += Int64(stamp.version)
    }

    public mutating func subtract(_ stamp: RowStamp) {
        count -= 1
        times -= Int64(stamp.time)
        versions -= Int64(stamp.version)
    }
}

/// What an index reads of a row.
public struct SearchedRow: Sendable {
    public let id: RecordID
    public let stamp: RowStamp
    public let updatedAt: Timestamp
    /// In the order of the columns that were asked for.
    public let values: [JSON]
}

/// Rows as a search index reads them: many, few columns of each, and nobody is told of their labels, which count for
/// whoever reads what was found. For the host itself: tables of every owner.
extension ReadTransaction {
    /// How many commits this process had seen when the transaction began: what they changed is in its snapshot.
    public var changesSeen: UInt64 { context.changesSeen }

    /// This transaction has changed rows itself: what it sees is not everybody's yet.
    public var hasOwnChanges: Bool { context.hasOwnChanges }

    /// It may write: what it looks at counts towards conflicts with other transactions.
    public var mayWrite: Bool { context.canWrite }

    /// The state of the scope's person's rows of a table. A look at the first columns of each row.
    public func fingerprint(of table: String) throws -> RowFingerprint {
        let (table, user) = try searched(table)
        let statement = table.statement("xf") {
            let sums = ["updated_at", UserTable.versionColumn].map { column in
                let sum = "coalesce(sum(\"\(column)\" & 4294967295), 0)"
                return dialect == .postgres ? "CAST(\(sum) AS BIGINT)" : sum
            }
            return "SELECT count(*), \(sums[0]), \(sums[1]) FROM \"\(table.name)\" WHERE \"user_id\" = ?"
        }
        let answer = try context.engine.run(statement, [.int(user)])
        guard answer.values.count == 3, case .int(let count) = answer.values[0],
            case .int(let times) = answer.values[1], case .int(let versions) = answer.values[2]
        else { throw StorageError(.corrupt, "a table has no state", table: table.name) }
        return RowFingerprint(count: Int(count), times: times, versions: versions)
    }

    /// The stamps of a page of rows, in the order of their ids.
    public func stamps(of table: String, after: RecordID?, limit: Int) throws -> [(id: RecordID, stamp: RowStamp)] {
        let (table, user) = try searched(table)
        let statement = table.statement("xs") {
            """
            SELECT "id", "updated_at", "\(UserTable.versionColumn)" FROM "\(table.name)" WHERE "user_id" = ? AND "id" > ? \
            ORDER BY "id" LIMIT ?
            """
        }
        let answer = try context.engine.run(
            statement, [.int(user), .int(after?.rawValue ?? Int64.min), .int(Int64(limit))])
        var stamps: [(id: RecordID, stamp: RowStamp)] = []
        stamps.reserveCapacity(answer.rowCount)
        for row in 0..<answer.rowCount {
            guard let head = RowHead(answer, row) else { continue }
            stamps.append((head.id, head.stamp))
        }
        return stamps
    }

    /// A page of rows in the order of their ids, opened.
    public func searchedRows(
        of table: String, _ columns: RowColumns, after: RecordID?, limit: Int
    ) throws -> [SearchedRow] {
        let (table, user) = try searched(table)
        let plan = try table.plan(columns)
        let statement = table.statement("x\(plan.shape)") {
            "SELECT \(SearchReading.selected(plan)) FROM \"\(table.name)\" WHERE \"user_id\" = ? AND \"id\" > ?"
                + " ORDER BY \"id\" LIMIT ?"
        }
        return try rows(
            of: table, plan,
            context.engine.run(statement, [.int(user), .int(after?.rawValue ?? Int64.min), .int(Int64(limit))]))
    }

    /// One row, opened; nil when the person has none of that id.
    public func searchedRow(of table: String, _ columns: RowColumns, id: RecordID) throws -> SearchedRow? {
        let (table, user) = try searched(table)
        let plan = try table.plan(columns)
        let statement = table.statement("x1\(plan.shape)") {
            "SELECT \(SearchReading.selected(plan)) FROM \"\(table.name)\" WHERE \"user_id\" = ? AND \"id\" = ?"
        }
        return try rows(of: table, plan, context.engine.run(statement, [.int(user), .int(id.rawValue)])).first
    }

    private func searched(_ name: String) throws -> (UserTable, Int64) {
        guard let table = context.store.tables.snapshot.tables[name] else {
            throw StorageError(.unknownTable, "there is no such table to search", table: name)
        }
        return (table, try context.requireUser().rawValue)
    }

    private func rows(of table: UserTable, _ plan: PagePlan, _ answer: SQLAnswer) throws -> [SearchedRow] {
        let user = try context.requireUser().rawValue
        let keyring = context.store.keyring
        var opener: SealOpener?
        var rows: [SearchedRow] = []
        rows.reserveCapacity(answer.rowCount)
        for row in 0..<answer.rowCount {
            guard let head = RowHead(answer, row) else {
                throw StorageError(.corrupt, "a row has no id", table: table.name)
            }
            let base = row * answer.columnCount + RowHead.columns
            var values: [JSON] = []
            values.reserveCapacity(plan.columns.count)
            for (place, column) in plan.columns.enumerated() {
                let value = answer.values[base + place]
                guard column.isSealed, case .blob(let sealed) = value else {
                    values.append(column.decode(value))
                    continue
                }
                let seal = SealContext(table: table.name, column: column.name, row: head.id.rawValue)
                if opener == nil, let keys = try keyring.keys(for: user, in: context, create: false) {
                    opener = SealOpener(keys, user: user)
                }
                if opener.map({ !$0.knows(sealed) }) ?? true {
                    guard let keys = try keyring.reload(user, in: context) else {
                        throw SealedForm.missing(1, seal)
                    }
                    opener = SealOpener(keys, user: user)
                }
                guard let opened = try opener?.open(sealed, seal, { try column.opened($0) }) else {
                    throw SealedForm.missing(1, seal)
                }
                values.append(opened)
            }
            rows.append(SearchedRow(id: head.id, stamp: head.stamp, updatedAt: head.updatedAt, values: values))
        }
        return rows
    }
}

private enum SearchReading {
    static func selected(_ plan: PagePlan) -> String {
        (["id", "updated_at", UserTable.versionColumn] + plan.columns.map(\.name)).map { "\"\($0)\"" }
            .joined(separator: ", ")
    }
}

/// Id, time and version, which every reading here begins with.
private struct RowHead {
    static let columns = 3

    let id: RecordID
    let updatedAt: Timestamp
    let stamp: RowStamp

    init?(_ answer: SQLAnswer, _ row: Int) {
        let base = row * answer.columnCount
        guard case .int(let id) = answer.values[base], case .int(let time) = answer.values[base + 1],
            case .int(let version) = answer.values[base + 2]
        else { return nil }
        self.id = RecordID(rawValue: id)
        updatedAt = Timestamp(millisecondsSinceEpoch: time)
        stamp = RowStamp(time: UInt32(truncatingIfNeeded: time), version: UInt32(truncatingIfNeeded: version))
    }
}

extension UserColumn {
    fileprivate func opened(_ bytes: UnsafeBufferPointer<UInt8>) throws -> JSON {
        // It was UTF-8 when it was sealed.
        if type == .text { return .string(String(decoding: bytes, as: UTF8.self)) }
        return decode(try value(plainBytes: Array(bytes)))
    }
}
