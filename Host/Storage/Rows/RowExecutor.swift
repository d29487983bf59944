import TandemCore
import TandemJSON

/// Runs the row operations of one request in one transaction.
struct RowExecutor {
    let context: TransactionContext
    let user: Int64
    let snapshot: TableCatalogue.Snapshot
    let access: TableAccess
    let origin: WriteOrigin?
    let quota: RowQuota?
    let now: Timestamp
    /// What the request adds to each owner's rows and bytes.
    private var usage: [(owner: String, rows: Int, bytes: Int)] = []

    init(_ context: TransactionContext, access: TableAccess, origin: WriteOrigin?, quota: RowQuota?) throws {
        self.context = context
        user = try context.requireUser().rawValue
        snapshot = context.store.tables.snapshot
        self.access = access
        self.origin = origin
        self.quota = quota
        now = context.store.clock.now
    }

    var engine: any RowEngine { context.engine }

    // MARK: Requests

    /// Runs all or none.
    mutating func run(_ operations: [RowOperation]) throws -> [RowResult] {
        guard operations.contains(where: \.isWrite) else { return try runEach(operations) }
        guard context.canWrite else { throw StorageError(.notAllowed, "a read transaction does not write") }
        var copy = self
        let results = try engine.savepoint {
            let results = try copy.runEach(operations)
            try copy.settleUsage()
            return results
        }
        self = copy
        return results
    }

    private mutating func runEach(_ operations: [RowOperation]) throws -> [RowResult] {
        var results: [RowResult] = []
        results.reserveCapacity(operations.count)
        for (index, operation) in operations.enumerated() {
            do {
                results.append(try run(operation, after: results))
            } catch var error as StorageError {
                error.index = index
                error.operation = "\(operation.word) \(SQL.isIdentifier(operation.table) ? operation.table : "a table")"
                throw error
            }
        }
        return results
    }

    private mutating func run(_ operation: RowOperation, after results: [RowResult]) throws -> RowResult {
        let table = try table(operation.table)
        if operation.isWrite, !access.allowsWrites, !access.writable.contains(table.name) {
            throw StorageError(.notAllowed, "this call may only read", table: table.name)
        }
        switch operation {
        case .insert(_, let values): return .inserted(try insert(into: table, values, after: results))
        case .get(_, let id): return .row(try row(of: table, id))
        case .update(_, let selection, let values):
            return .count(try update(table, selection, values, after: results))
        case .delete(_, let selection): return .count(try delete(from: table, selection))
        case .list(_, let query):
            let (rows, more) = try list(table, query)
            return .rows(rows, more: more)
        case .count(_, let conditions): return .count(try count(table, conditions))
        case .sum(_, let column, let by, let conditions): return .groups(try sum(table, column, by, conditions))
        }
    }

    func table(_ name: String) throws -> UserTable { try snapshot.table(name, access) }

    func keys(create: Bool) throws -> UserKeySet? {
        try context.store.keyring.keys(for: user, in: context, create: create)
    }

    // MARK: Reading

    func row(of table: UserTable, _ id: RecordID) throws -> UserRow? {
        try rows(of: table, engine.run(table.rowStatement, [.int(user), .int(id.rawValue)])).first
    }

    func list(_ table: UserTable, _ query: RowQuery) throws -> (rows: [UserRow], more: Bool) {
        let (statement, binds) = try table.selection(query, of: user, engine.dialect, columns: nil) {
            try keys(create: false)
        }
        let rows = try rows(of: table, engine.run(statement, binds))
        return rows.count > query.limit ? (Array(rows.prefix(query.limit)), true) : (rows, false)
    }

    func count(_ table: UserTable, _ conditions: [RowCondition]) throws -> Int {
        let filter = try RowFilter(conditions, table: table) { try keys(create: false) }
        let statement = table.statement("n\(filter.shape)") {
            "SELECT count(*) FROM \"\(table.name)\"\(filter.clause(engine.dialect))"
        }
        guard case .int(let count)? = try engine.run(statement, [.int(user)] + filter.binds).values.first else {
            return 0
        }
        return Int(count)
    }

    func sum(
        _ table: UserTable, _ name: String, _ by: [String], _ conditions: [RowCondition]
    ) throws -> [RowGroup] {
        let column = try table.column(name)
        let isSummable: Bool
        switch column.type {
        case .integer, .real, .decimal: isSummable = !column.isSealed
        default: isSummable = false
        }
        guard isSummable else {
            throw StorageError(
                .invalid, "\(table.name).\(name) has no sum: it must be integer, real or decimal, and not sealed",
                table: table.name, column: name)
        }
        let keys = try by.map { try table.column($0) }
        for key in keys where key.isSealed || key.type == .json {
            throw StorageError(
                .invalid, "\(table.name).\(key.name) cannot group: it is sealed or json", table: table.name,
                column: key.name)
        }
        guard Set(by).count == by.count else { throw StorageError(.invalid, "by names a column twice") }
        let filter = try RowFilter(conditions, table: table) { try self.keys(create: false) }
        let shape =
            "s\(column.physicalIndex)\(filter.shape)#" + keys.map { "\($0.physicalIndex)" }.joined(separator: ",")
        let statement = table.statement(shape) {
            let names = keys.map { "\"\($0.name)\"" }
            let list = names.joined(separator: ", ")
            let order = names.map { "\($0) NULLS FIRST" }.joined(separator: ", ")
            let group = names.isEmpty ? "" : " GROUP BY \(list) ORDER BY \(order)"
            var sum = "sum(\"\(name)\")"
            // PostgreSQL adds integers without bounds: the result has those of a column.
            if engine.dialect == .postgres, column.type != .real { sum = "CAST(\(sum) AS BIGINT)" }
            return "SELECT \(list)\(names.isEmpty ? "" : ", ")\(sum), count(*) FROM \"\(table.name)\""
                + filter.clause(engine.dialect) + group
        }
        let answer: SQLAnswer
        do {
            answer = try engine.run(statement, [.int(user)] + filter.binds)
        } catch let error as StorageError where error.code == .overflow {
            throw StorageError(
                .overflow, "the sum of \(table.name).\(name) is beyond 64 bits", table: table.name, column: name,
                nativeCode: error.nativeCode, sqlState: error.sqlState)
        }
        var groups: [RowGroup] = []
        for row in 0..<answer.rowCount {
            let base = row * answer.columnCount
            var key = JSONObject()
            for (place, column) in keys.enumerated() { key[column.name] = column.decode(answer.values[base + place]) }
            let sum = answer.values[base + keys.count]
            guard case .int(let count) = answer.values[base + keys.count + 1] else { continue }
            let zero: SQLValue = column.type == .real ? .real(0) : .int(0)
            if case .real(let number) = sum, !number.isFinite {
                throw StorageError(
                    .overflow, "the sum of \(table.name).\(name) is not finite", table: table.name, column: name)
            }
            groups.append(
                RowGroup(key: key, sum: column.decode(sum == .null ? zero : sum), count: Int(count)))
        }
        return groups
    }

    /// Decodes rows of `readColumns`.
    func rows(of table: UserTable, _ answer: SQLAnswer) throws -> [UserRow] {
        var rows: [UserRow] = []
        rows.reserveCapacity(answer.rowCount)
        var base = 0
        while base < answer.values.count {
            var values: [JSON] = []
            values.reserveCapacity(answer.columnCount)
            for (place, column) in table.readColumns.enumerated() {
                let value = answer.values[base + place]
                if column.isSealed, case .blob(let sealed) = value {
                    guard case .int(let id) = answer.values[base] else { continue }
                    values.append(column.decode(try open(sealed, column, id)))
                } else {
                    values.append(column.decode(value))
                }
            }
            rows.append(UserRow(layout: table.layout, values: values))
            base += answer.columnCount
        }
        if context.provenance != nil { try tell(rows, of: table) }
        return rows
    }

    // MARK: Sealing

    private func open(_ sealed: [UInt8], _ column: UserColumn, _ id: Int64) throws -> SQLValue {
        let seal = SealContext(table: column.table, column: column.name, row: id)
        let plain = try context.open(sealed, of: user, seal)
        return try column.value(plainBytes: plain)
    }

    /// The sealed form and the keyed hash of a value.
    func seal(_ value: SQLValue, _ column: UserColumn, _ id: Int64) throws -> (sealed: SQLValue, hash: SQLValue) {
        if case .null = value { return (.null, .null) }
        guard let keys = try keys(create: true) else {
            throw StorageError(.keyMissing, "the person has no key", table: column.table, column: column.name)
        }
        let plain = column.plainBytes(value)
        let sealed = try SealedForm.seal(
            plain, keys: keys, user: user, SealContext(table: column.table, column: column.name, row: id))
        let hash = Keyring.hash(plain, keys, table: column.table, column: column.name)
        return (.blob(sealed), .blob(hash))
    }

    // MARK: Usage

    mutating func noteChange(of table: UserTable, _ row: Int64, rows: Int, bytes: Int) {
        context.noteChange(of: table, row)
        let owner = table.owner
        if let place = usage.firstIndex(where: { $0.owner == owner }) {
            usage[place].rows += rows
            usage[place].bytes += bytes
        } else {
            usage.append((owner, rows, bytes))
        }
    }

    private static let addUsage = RowStatement(
        """
        INSERT INTO row_usage (user_id, owner, row_count, byte_count) VALUES (?, ?, ?, ?) \
        ON CONFLICT (user_id, owner) DO UPDATE SET row_count = row_usage.row_count + excluded.row_count, \
        byte_count = row_usage.byte_count + excluded.byte_count RETURNING row_count, byte_count
        """)

    /// Records the request's growth and compares it with the quota.
    mutating func settleUsage(enforcing: Bool = true) throws {
        for item in usage where item.rows != 0 || item.bytes != 0 {
            let answer = try engine.run(
                RowExecutor.addUsage,
                [.int(user), .text(item.owner), .int(Int64(item.rows)), .int(Int64(item.bytes))])
            guard enforcing, let quota, answer.values.count == 2, case .int(let rows) = answer.values[0],
                case .int(let bytes) = answer.values[1]
            else { continue }
            if item.rows > 0, rows > quota.rows {
                throw StorageError(
                    .overQuota, "\(item.owner) may keep \(quota.rows) rows per person, and this makes more")
            }
            if item.bytes > 0, bytes > quota.bytes {
                throw StorageError(
                    .overQuota, "\(item.owner) may keep \(quota.bytes) bytes per person, and this makes more")
            }
        }
        usage = []
    }
}
