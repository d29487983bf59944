public import TandemCore
public import TandemJSON

/// What was removed of a person.
public struct ErasureReport: Sendable, Hashable {
    /// Rows removed, by table of the people's.
    public var rows: [String: Int]
    /// Rows removed, by system table.
    public var systemRows: [String: Int] = [:]
    /// The names of the keys that were destroyed (`keyNames`).
    public var keys: [String] = []

    public init(rows: [String: Int]) { self.rows = rows }
}

extension ReadTransaction {
    /// Everything in the scope's person's tables, opened, and what domains keep of them besides (`PersonalRecords`):
    /// `{"tables":[{"name":…,"owner":…,"purpose":…,"rows":[{…}]}],"records":[{"name":…,"purpose":…,"records":[{…}]}]}`
    /// in the order of the names.
    ///
    /// Holds all of it in memory.
    public func exportUser() throws -> JSON {
        let snapshot = context.store.tables.snapshot
        var tables: [JSON] = []
        for table in snapshot.tables.values.sorted(by: { $0.name < $1.name }) {
            let executor = try RowExecutor(context, access: .owner(table.owner), origin: nil, quota: nil)
            let rows = try executor.list(table, RowQuery(limit: Int(Int32.max))).rows
            var object = JSONObject()
            object["name"] = .string(table.name)
            object["owner"] = .string(table.owner)
            object["purpose"] = .string(table.definition.purpose)
            object["rows"] = .array(rows.map { .object($0.json) })
            tables.append(.object(object))
        }
        let user = try context.requireUser()
        var records: [JSON] = []
        for kept in context.store.records.sorted {
            records.append([
                "name": .string(kept.name), "purpose": .string(kept.purpose),
                "records": .array(try kept.records(user, self)),
            ])
        }
        return ["tables": .array(tables), "records": .array(records)]
    }
}

extension WriteTransaction {
    /// Removes every row of the scope's person from all user tables, their journal and usage, and from every system table
    /// that has a column `user_id`, and destroys their keys.
    ///
    /// What a system table says of a person under another name is its domain's business. The report counts what went.
    @discardableResult
    public func eraseUser() throws -> ErasureReport {
        let user = try context.requireUser().rawValue
        var report = ErasureReport(rows: [:])
        try atomically {
            for table in context.store.tables.snapshot.tables.values.sorted(by: { $0.name < $1.name }) {
                // Counted first: a deletion takes referring rows of other tables with it.
                let count = try context.engine.run(
                    RowStatement("SELECT count(*) FROM \"\(table.name)\" WHERE \"user_id\" = ?"), [.int(user)])
                if case .int(let rows)? = count.values.first, rows > 0 { report.rows[table.name] = Int(rows) }
            }
            for table in context.store.tables.snapshot.tables.values {
                context.noteChange(of: table)
                _ = try context.engine.run(
                    RowStatement("DELETE FROM \"\(table.name)\" WHERE \"user_id\" = ?"), [.int(user)])
            }
            let named = try context.engine.run(
                RowStatement(dialect == .sqlite ? tablesWithUserInSQLite : tablesWithUserInPostgreSQL), [])
            let systemTables = context.store.tables.systemTables
            for case .text(let table) in named.values where systemTables.contains(table) {
                let count = try context.engine.run(
                    RowStatement("DELETE FROM \"\(table)\" WHERE \"user_id\" = ?"), [.int(user)]
                ).changes
                if count > 0 { report.systemRows[table] = count }
            }
            for table in ["row_journal", "row_turns", "row_usage"] {
                let count = try context.engine.run(
                    RowStatement("DELETE FROM \(table) WHERE user_id = ?"), [.int(user)]
                ).changes
                if count > 0 { report.systemRows[table] = count }
            }
            report.keys = try keyNames(of: UserID(rawValue: user))
            try context.store.keyring.destroy(user, in: context)
        }
        return report
    }

    fileprivate func pruneJournal(after user: Int64, before: Timestamp, users: Int) throws -> (next: Int64?, count: Int)
    {
        var user = user
        var count = 0
        for _ in 0..<users {
            guard case .int(let next)? = try context.engine.run(nextJournalUser, [.int(user)]).values.first else {
                return (nil, count)
            }
            user = next
            let time = SQLValue.int(before.millisecondsSinceEpoch)
            count += try context.engine.run(pruneEntries, [.int(user), time]).changes
            _ = try context.engine.run(pruneTitles, [.int(user), time])
        }
        return (user, count)
    }
}

private let tablesWithUserInSQLite = """
    SELECT m.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c ON c.name = 'user_id'
    WHERE m.type = 'table'
    """
private let tablesWithUserInPostgreSQL = """
    SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace AND NOT a.attisdropped
    """
private let nextJournalUser = RowStatement("SELECT min(user_id) FROM row_journal WHERE user_id > ?")
private let pruneEntries = RowStatement("DELETE FROM row_journal WHERE user_id = ? AND created_at < ?")
private let pruneTitles = RowStatement("DELETE FROM row_turns WHERE user_id = ? AND created_at < ?")

/// The journal of writes.
public enum RowJournal {
    /// How long a write can be taken back: what is older is pruned.
    public static let retention: Duration = .seconds(7 * 86_400)
}

extension Database {
    /// Forgets journal entries from before an instant, a few people per transaction; returns their number.
    @discardableResult
    public func pruneJournal(before: Timestamp) async throws -> Int {
        var total = 0
        var user: Int64? = -1
        while let last = user {
            let (next, count) = try await write(.system) { transaction in
                try transaction.pruneJournal(after: last, before: before, users: 50)
            }
            total += count
            user = next
        }
        return total
    }
}
