import Crypto
public import TandemCore

private let columnsInSQLite = RowStatement(
    """
    SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, c.cid
    """)
private let columnsInPostgreSQL = RowStatement(
    """
    SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 \
    AND NOT a.attisdropped ORDER BY c.relname, a.attnum
    """)
private let selectWrapped = RowStatement("SELECT version, wrapped FROM user_keys WHERE user_id = ? ORDER BY version")

extension ReadTransaction {
    /// Every table of the database with its columns, in their order: what the engine itself says.
    public func tableColumns() throws -> [String: [String]] {
        let statement = dialect == .sqlite ? columnsInSQLite : columnsInPostgreSQL
        var columns: [String: [String]] = [:]
        let values = try context.engine.run(statement, []).values
        for place in stride(from: 0, to: values.count - 1, by: 2) {
            guard case .text(let table) = values[place], case .text(let column) = values[place + 1] else { continue }
            columns[table, default: []].append(column)
        }
        return columns
    }

    /// Names of a person's keys, which say nothing of them: the version, and a hash of its wrapped form.
    public func keyNames(of user: UserID) throws -> [String] {
        let values = try context.engine.run(selectWrapped, [.int(user.rawValue)]).values
        return stride(from: 0, to: values.count - 1, by: 2).compactMap { place in
            guard case .int(let version) = values[place], case .blob(let wrapped) = values[place + 1] else {
                return nil
            }
            return "\(version):\(hexadecimal(SHA256.hash(data: wrapped).prefix(8)))"
        }
    }
}
