import TandemCore

/// The rules of a table's definition, checked before anything is created.
enum TableRules {
    static let maxColumns = 60
    static let maxIndexes = 16

    /// Words that PostgreSQL or SQLite reserves (https://www.postgresql.org/docs/15/sql-keywords-appendix.html,
    /// https://www.sqlite.org/lang_keywords.html), and names that the host uses itself.
    private static let reserved: Set<String> = [
        "add", "all", "alter", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
        "autoincrement", "between", "binary", "both", "by", "case", "cast", "check", "collate", "collation", "column",
        "commit", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
        "current_schema", "current_time", "current_timestamp", "current_user", "default", "deferrable", "delete",
        "desc",
        "distinct", "do", "drop", "else", "end", "escape", "except", "exists", "false", "fetch", "for", "foreign",
        "freeze", "from", "full", "grant", "group", "having", "if", "ilike", "in", "index", "indexed", "initially",
        "inner", "insert", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit",
        "localtime", "localtimestamp", "natural", "not", "nothing", "notnull", "null", "offset", "on", "only", "or",
        "order", "outer", "overlaps", "placing", "primary", "raise", "references", "returning", "right", "rollback",
        "select", "session_user", "set", "similar", "some", "symmetric", "table", "tablesample", "then", "to",
        "trailing",
        "transaction", "true", "union", "unique", "update", "user", "using", "values", "variadic", "verbose", "when",
        "where", "window", "with",
    ]
    static let impliedColumns: Set<String> = ["user_id", "id", "created_at", "updated_at"]

    static func isName(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= 48, (97...122).contains(first) else { return false }
        return bytes.allSatisfy { $0 == 95 || (97...122).contains($0) || (48...57).contains($0) }
            && !reserved.contains(name)
    }

    /// Checks one owner's definitions together, since they refer to each other; `known` are those registered before.
    static func check(_ definitions: [TableDefinition], known: Set<String>) throws {
        var names: Set<String> = []
        for definition in definitions {
            guard names.insert(definition.name).inserted else {
                throw refusal(definition.name, nil, "the table is defined twice")
            }
        }
        names.formUnion(known)
        for definition in definitions { try check(definition, names: names) }
    }

    private static func check(_ definition: TableDefinition, names: Set<String>) throws {
        let table = definition.name
        guard isName(table) else {
            throw refusal(
                table, nil, "a table's name is a-z, 0-9 and _, at most 48, beginning with a letter, no SQL word")
        }
        guard !table.hasPrefix("sqlite_"), !table.hasPrefix("pg_"), !StorageMigrations.tables.contains(table) else {
            throw refusal(table, nil, "the name is taken by the database")
        }
        guard !definition.columns.isEmpty, definition.columns.count <= maxColumns else {
            throw refusal(table, nil, "a table has 1 to \(maxColumns) columns")
        }
        guard definition.indexes.count <= maxIndexes else {
            throw refusal(table, nil, "a table has at most \(maxIndexes) indexes")
        }
        var columns: Set<String> = []
        for column in definition.columns {
            guard isName(column.name) else {
                throw refusal(
                    table, column.name,
                    "a column's name is a-z, 0-9 and _, at most 48, beginning with a letter, no SQL word")
            }
            guard !impliedColumns.contains(column.name) else {
                throw refusal(table, column.name, "every table has this column already")
            }
            guard columns.insert(column.name).inserted else {
                throw refusal(table, column.name, "the column is defined twice")
            }
            try check(column, of: table, names: names)
        }
        for index in definition.indexes { try check(index, of: definition) }
    }

    private static func check(_ column: ColumnDefinition, of table: String, names: Set<String>) throws {
        if case .decimal(let scale) = column.type, !(0...9).contains(scale) {
            throw refusal(table, column.name, "a decimal's scale is 0 to 9")
        }
        if column.isSearchable, column.type != .text, column.type != .json {
            throw refusal(table, column.name, "only text and JSON columns are searchable")
        }
        if let target = column.references {
            guard column.type == .id else { throw refusal(table, column.name, "only an id column refers to a table") }
            guard !column.isSealed else { throw refusal(table, column.name, "a sealed column refers to nothing") }
            guard names.contains(target) else {
                throw refusal(table, column.name, "it refers to \(target), which is no table of the same owner")
            }
        }
        guard let value = column.defaultValue else { return }
        guard column.references == nil else {
            throw refusal(table, column.name, "a reference has no default")
        }
        do {
            _ = try UserColumn(column, table: table, physicalIndex: 0).encode(value.json)
        } catch let error as StorageError {
            throw refusal(table, column.name, "its default does not fit its type: \(error.message)")
        }
    }

    private static func check(_ index: IndexDefinition, of definition: TableDefinition) throws {
        guard !index.columns.isEmpty, index.columns.count <= 8, Set(index.columns).count == index.columns.count else {
            throw refusal(definition.name, nil, "an index has 1 to 8 different columns")
        }
        for name in index.columns {
            if name == "id" || name == "created_at" || name == "updated_at" { continue }
            guard let column = definition.columns.first(where: { $0.name == name }) else {
                throw refusal(definition.name, name, "an index names a column that the table does not have")
            }
            if column.type == .json { throw refusal(definition.name, name, "a json column has no index") }
        }
    }

    static func refusal(_ table: String, _ column: String?, _ reason: String) -> StorageError {
        let place = column.map { "\(table).\($0)" } ?? table
        return StorageError(
            .incompatibleTable, "\(place): \(reason)", operation: "register table \(table)", table: table,
            column: column)
    }

    /// The columns of `new` in the order of the database, which only ever grows at its end.
    ///
    /// Throws `incompatible_table` when the change is not additive.
    static func additiveChange(from old: TableDefinition, to new: TableDefinition) throws -> TableDefinition {
        var merged = old
        merged.purpose = new.purpose
        for (place, column) in old.columns.enumerated() {
            guard let now = new.columns.first(where: { $0.name == column.name }) else {
                throw refusal(old.name, column.name, "the column is missing from the new definition; columns stay")
            }
            if now.type != column.type { throw refusal(old.name, column.name, "its type has changed") }
            if now.isNullable != column.isNullable {
                throw refusal(old.name, column.name, "whether it may be null has changed")
            }
            if now.isSealed != column.isSealed {
                throw refusal(old.name, column.name, "whether it is sealed has changed")
            }
            if now.references != column.references {
                throw refusal(old.name, column.name, "what it refers to has changed")
            }
            if now.defaultValue != column.defaultValue {
                throw refusal(old.name, column.name, "its default has changed")
            }
            // Says nothing of what is stored.
            merged.columns[place].isSearchable = now.isSearchable
        }
        for column in new.columns where !old.columns.contains(where: { $0.name == column.name }) {
            guard column.isNullable || column.defaultValue != nil else {
                throw refusal(old.name, column.name, "a new column must be nullable or have a default")
            }
            if column.isSealed, !column.isNullable {
                throw refusal(old.name, column.name, "a new sealed column must be nullable: older rows have no value")
            }
            merged.columns.append(column)
        }
        for index in old.indexes where !new.indexes.contains(index) {
            // A plain index is a matter of speed, a unique one is a promise.
            guard index.isUnique else {
                merged.indexes.removeAll { $0 == index }
                continue
            }
            throw refusal(
                old.name, nil,
                "the unique index on \(index.columns.joined(separator: ", ")) is missing or has changed; they stay")
        }
        for index in new.indexes where !old.indexes.contains(index) { merged.indexes.append(index) }
        return merged
    }
}
