import Crypto
import TandemCore

/// The statements that create and extend user tables.
struct TableDDL {
    let dialect: SQLDialect

    /// Creates a table and its indexes; the references to tables other than `known` are made by `references`.
    func create(_ table: UserTable, known: (String) -> Bool = { _ in true }) -> [String] {
        var clauses = [
            "\"user_id\" \(integer) NOT NULL", "\"id\" \(integer) NOT NULL", "\"created_at\" \(integer) NOT NULL",
            "\"updated_at\" \(integer) NOT NULL", "\"\(UserTable.versionColumn)\" \(integer) NOT NULL",
        ]
        for column in table.columns { clauses.append(contentsOf: self.columns(column)) }
        clauses.append("PRIMARY KEY (\"user_id\", \"id\")")
        for column in table.columns {
            guard let target = column.definition.references, !isLater(target, table, known) else { continue }
            clauses.append(reference(column, of: table.name, to: target))
        }
        // A person's rows lie together in the primary key's tree, so a table of rows needs no other order.
        let suffix = dialect == .sqlite ? " STRICT, WITHOUT ROWID" : ""
        var statements = ["CREATE TABLE \"\(table.name)\" (\(clauses.joined(separator: ", ")))\(suffix)"]
        statements += indexes(table, table.definition.indexes, table.columns).map(\.statement)
        return statements
    }

    /// Makes the references that `create` left out, when all new tables are there: they may refer to each other.
    func references(of table: UserTable, known: (String) -> Bool) -> [String] {
        table.columns.flatMap { column -> [String] in
            guard let target = column.definition.references, isLater(target, table, known) else { return [] }
            return addedReference(column, of: table.name, to: target)
        }
    }

    /// SQLite looks for what is referred to when a row is written, not when the table is made.
    private func isLater(_ target: String, _ table: UserTable, _ known: (String) -> Bool) -> Bool {
        dialect == .postgres && target != table.name && !known(target)
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

    private func reference(_ column: UserColumn, of table: String, to target: String) -> String {
        let clause =
            "FOREIGN KEY (\"user_id\", \"\(column.name)\") REFERENCES \"\(target)\" (\"user_id\", \"id\")"
            + " ON DELETE CASCADE"
        guard dialect == .postgres else { return clause }
        return "CONSTRAINT \"\(TableDDL.referenceName(table, column.name))\" \(clause) DEFERRABLE INITIALLY IMMEDIATE"
    }

    /// The name of a reference's constraint on PostgreSQL.
    static func referenceName(_ table: String, _ column: String) -> String {
        "ref_" + hexadecimal(SHA256.hash(data: Array("\(table)|\(column)".utf8)).prefix(12))
    }

    /// The name of the index of a definition.
    static func indexName(_ table: String, _ columns: [String], isUnique: Bool) -> String {
        let key = "\(table)|\(columns.joined(separator: ","))|\(isUnique)"
        return "rows_" + hexadecimal(SHA256.hash(data: Array(key.utf8)).prefix(12))
    }

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
        let name = TableDDL.indexName(table.name, columns, isUnique: isUnique)
        return Index(
            name: name,
            statement: "CREATE \(isUnique ? "UNIQUE " : "")INDEX \"\(name)\" ON \"\(table.name)\" (\(list))")
    }

    /// SQLite cannot add a reference of two columns to a table: triggers do what it would.
    private func addedReference(_ column: UserColumn, of table: String, to target: String) -> [String] {
        guard dialect == .sqlite else {
            return [
                "ALTER TABLE \"\(table)\" ADD \(reference(column, of: table, to: target))"
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
