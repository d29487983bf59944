import Crypto
import TandemCore

/// The statements that create and extend user tables.
struct TableDDL {
    let dialect: SQLDialect

    /// Creates a table and its indexes.
    func create(_ table: UserTable) -> [String] {
        var clauses = [
            "\"user_id\" \(integer) NOT NULL", "\"id\" \(integer) NOT NULL", "\"created_at\" \(integer) NOT NULL",
            "\"updated_at\" \(integer) NOT NULL", "\"\(UserTable.versionColumn)\" \(integer) NOT NULL",
        ]
        for column in table.columns { clauses.append(contentsOf: self.columns(column)) }
        clauses.append("PRIMARY KEY (\"user_id\", \"id\")")
        for column in table.columns {
            guard let target = column.definition.references else { continue }
            clauses.append(
                "FOREIGN KEY (\"user_id\", \"\(column.name)\") REFERENCES \"\(target)\" (\"user_id\", \"id\")"
                    + " ON DELETE CASCADE")
        }
        // A person's rows lie together in the primary key's tree, so a table of rows needs no other order.
        let suffix = dialect == .sqlite ? " STRICT, WITHOUT ROWID" : ""
        var statements = ["CREATE TABLE \"\(table.name)\" (\(clauses.joined(separator: ", ")))\(suffix)"]
        statements += indexes(table, table.definition.indexes, table.columns).map(\.statement)
        return statements
    }

    /// Extends `old` to `new`, which has the same columns and more.
    func extend(_ old: UserTable, to new: UserTable) -> [String] {
        var statements: [String] = []
        let added = Array(new.columns.dropFirst(old.columns.count))
        for column in added {
            for clause in columns(column) { statements.append("ALTER TABLE \"\(new.name)\" ADD COLUMN \(clause)") }
            if let target = column.definition.references {
                statements.append(contentsOf: addedReference(column, of: new.name, to: target))
            }
        }
        // A reference may have relied on an index that goes: what is to be there is compared as a whole.
        let before = indexes(old, old.definition.indexes, old.columns)
        let after = indexes(new, new.definition.indexes, new.columns)
        for index in before where !after.contains(index) { statements.append("DROP INDEX \"\(index.name)\"") }
        for index in after where !before.contains(index) { statements.append(index.statement) }
        return statements
    }

    private var integer: String { dialect == .sqlite ? "INTEGER" : "BIGINT" }

    private func columns(_ column: UserColumn) -> [String] {
        let type = dialect == .sqlite ? column.sqliteType : column.postgresType
        var clause = "\"\(column.name)\" \(type)"
        if !column.isNullable { clause += " NOT NULL" }
        if column.definition.defaultValue != nil, !column.isSealed {
            clause += " DEFAULT \(literal(column.defaultValue))"
        }
        guard column.isSealed else { return [clause] }
        return [clause, "\"\(UserColumn.hashName(column.name))\" \(dialect == .sqlite ? "BLOB" : "BYTEA")"]
    }

    private func literal(_ value: SQLValue) -> String {
        switch value {
        case .null, .blob: "NULL"
        case .int(let number): String(number)
        case .real(let number): number.description
        case .text(let text):
            "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
    }

    private struct Index: Equatable {
        var name: String
        var statement: String
    }

    private func indexes(
        _ table: UserTable, _ definitions: [IndexDefinition], _ referring: [UserColumn]
    ) -> [Index] {
        var indexes = definitions.map { definition in
            index(table, definition.columns, isUnique: definition.isUnique)
        }
        // A deletion looks for the rows that refer to the deleted one.
        for column in referring where column.definition.references != nil {
            if !table.definition.indexes.contains(where: { $0.columns.first == column.name }) {
                indexes.append(index(table, [column.name], isUnique: false))
            }
        }
        return indexes
    }

    private func index(_ table: UserTable, _ columns: [String], isUnique: Bool) -> Index {
        let physical = columns.map { name in
            table.place(of: name).map { table.columns[$0].isSealed } == true ? UserColumn.hashName(name) : name
        }
        let list = (["user_id"] + physical).map { "\"\($0)\"" }.joined(separator: ", ")
        let key = "\(table.name)|\(columns.joined(separator: ","))|\(isUnique)"
        let name = "rows_" + hexadecimal(SHA256.hash(data: Array(key.utf8)).prefix(12))
        return Index(
            name: name,
            statement: "CREATE \(isUnique ? "UNIQUE " : "")INDEX \"\(name)\" ON \"\(table.name)\" (\(list))")
    }

    /// SQLite cannot add a reference of two columns to a table: triggers do what it would.
    private func addedReference(_ column: UserColumn, of table: String, to target: String) -> [String] {
        guard dialect == .sqlite else {
            return [
                "ALTER TABLE \"\(table)\" ADD FOREIGN KEY (\"user_id\", \"\(column.name)\") REFERENCES \"\(target)\""
                    + " (\"user_id\", \"id\") ON DELETE CASCADE"
            ]
        }
        let key = hexadecimal(SHA256.hash(data: Array("\(table)|\(column.name)".utf8)).prefix(12))
        let check = """
            FOR EACH ROW WHEN NEW."\(column.name)" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "\(target)" \
            WHERE "user_id" = NEW."user_id" AND "id" = NEW."\(column.name)") \
            BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed'); END
            """
        return [
            "CREATE TRIGGER \"rows_\(key)_insert\" BEFORE INSERT ON \"\(table)\" \(check)",
            "CREATE TRIGGER \"rows_\(key)_update\" BEFORE UPDATE OF \"\(column.name)\" ON \"\(table)\" \(check)",
            """
            CREATE TRIGGER "rows_\(key)_delete" AFTER DELETE ON "\(target)" FOR EACH ROW BEGIN \
            DELETE FROM "\(table)" WHERE "user_id" = OLD."user_id" AND "\(column.name)" = OLD."id"; END
            """,
        ]
    }
}
