import TandemCore
import TandemJSON

/// Reads the `tables` of a manifest.
enum TableReading {
    private enum Kind: String, CaseIterable {
        case text, integer, real, decimal, boolean, date, timestamp, json, id
    }

    static func tables(in reader: ObjectReader) -> [TableDefinition] {
        var names: Set<String> = []
        var references: [(pointer: String, table: String)] = []
        let tables = reader.array("tables", atMost: 32).compactMap { pointer, value in
            ObjectReader(value, at: pointer, problems: reader.problems).map { table in
                read(table, names: &names, references: &references)
            }
        }
        for (pointer, table) in references where !names.contains(table) {
            reader.problems.add(pointer, "names no table of this plugin")
        }
        // Rows go with those that they refer to: a copy must take nothing with it that is none.
        let copies = Set(tables.filter(\.isCopy).map(\.name))
        for (index, table) in tables.enumerated() where !table.isCopy {
            for column in table.columns where column.references.map(copies.contains) == true {
                reader.problems.add("/tables/\(index)", "refers to a copy by \(column.name), and is none itself")
            }
        }
        return tables
    }

    private static func read(
        _ reader: ObjectReader, names: inout Set<String>, references: inout [(pointer: String, table: String)]
    ) -> TableDefinition {
        let name = reader.string(
            "name", "must match [a-z][a-z0-9_]{0,47} and be no SQL keyword", isIdentifier)
        if isIdentifier(name) {
            if !names.insert(name).inserted {
                reader.problem("name", "duplicate table")
            }
        }
        let purpose = reader.string("purpose")
        if let purpose, !TextRule.isLine(purpose, atMost: 160) {
            reader.problem("purpose", "must be one line of 1 to 160 characters")
        }
        var columnNames: Set<String> = []
        let columns = reader.array("columns", required: true, atMost: 64).compactMap { pointer, value in
            ObjectReader(value, at: pointer, problems: reader.problems).map { column in
                self.column(column, names: &columnNames, references: &references)
            }
        }
        if reader.has("columns"), columns.isEmpty { reader.problem("columns", "must not be empty") }
        let indexes = reader.array("indexes", atMost: 16).compactMap { pointer, value in
            ObjectReader(value, at: pointer, problems: reader.problems).map { index in
                self.index(index, columns: columnNames)
            }
        }
        let isCopy = reader.bool("copy") ?? false
        reader.finish()
        return TableDefinition(name: name, columns: columns, indexes: indexes, purpose: purpose ?? "", isCopy: isCopy)
    }

    private static func column(
        _ reader: ObjectReader, names: inout Set<String>, references: inout [(pointer: String, table: String)]
    ) -> ColumnDefinition {
        defer { reader.finish() }
        let name = reader.string(
            "name", "must match [a-z][a-z0-9_]{0,47} and be no SQL keyword", isIdentifier)
        if isIdentifier(name) {
            if implied.contains(name) {
                reader.problem("name", "is a column that the host adds itself")
            } else if !names.insert(name).inserted {
                reader.problem("name", "duplicate column")
            }
        }
        let kind = reader.word("type", Kind.self, required: true) ?? .text
        let scale = reader.integer("scale", in: 0...9)
        if reader.has("scale"), kind != .decimal { reader.problem("scale", "is for decimal columns only") }
        let type = type(kind, scale: Int(scale ?? 4))
        let reference = reader.string("references")
        if let reference {
            references.append((reader.path("references"), reference))
            if kind != .id { reader.problem("references", "needs a column of type id") }
        }
        let isSealed = reader.bool("sealed") ?? false
        if isSealed, reference != nil { reader.problem("sealed", "a reference cannot be sealed") }
        let isSearchable = reader.bool("searchable") ?? false
        if isSearchable, kind != .text, kind != .json {
            reader.problem("searchable", "is for text and json columns only")
        }
        var defaultValue: ColumnDefault?
        if let value = reader.value("default") {
            defaultValue = self.defaultValue(value, of: type)
            if defaultValue == nil { reader.problem("default", "must be a value of the column's type") }
        }
        return ColumnDefinition(
            name, type, nullable: reader.bool("nullable") ?? false, sealed: isSealed, searchable: isSearchable,
            references: reference, default: defaultValue)
    }

    private static func type(_ kind: Kind, scale: Int) -> ColumnType {
        switch kind {
        case .text: .text
        case .integer: .integer
        case .real: .real
        case .decimal: .decimal(scale: scale)
        case .boolean: .boolean
        case .date: .date
        case .timestamp: .timestamp
        case .json: .json
        case .id: .id
        }
    }

    private static func defaultValue(_ value: JSON, of type: ColumnType) -> ColumnDefault? {
        switch (type, value) {
        case (.text, .string(let text)): .text(text)
        case (.date, .string(let text)): CivilDate(text).map { _ in .text(text) }
        case (.timestamp, .string(let text)): Timestamp(text).map { _ in .text(text) }
        case (.decimal(let scale), .string(let text)): isDecimal(text, scale: scale) ? .text(text) : nil
        case (.integer, _): value.int64Value.map { .integer($0) }
        case (.real, .integer), (.real, .number): value.doubleValue.map { .real($0) }
        case (.boolean, .bool(let flag)): .boolean(flag)
        default: nil
        }
    }

    private static func isDecimal(_ text: String, scale: Int) -> Bool {
        var digits = text.utf8[...]
        if digits.first == UInt8(ascii: "-") { digits = digits.dropFirst() }
        let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isDigits = parts.allSatisfy { part in !part.isEmpty && part.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }
        guard isDigits, parts.count <= 2, parts[0].count <= 18 - scale else { return false }
        return parts.count == 1 || parts[1].count <= scale
    }

    private static func index(_ reader: ObjectReader, columns: Set<String>) -> IndexDefinition {
        defer { reader.finish() }
        var names: [String] = []
        for (pointer, name) in reader.strings("columns", atMost: 8) {
            if !columns.contains(name) {
                reader.problems.add(pointer, "names no column of the table")
            } else if names.contains(name) {
                reader.problems.add(pointer, "stands here twice")
            }
            names.append(name)
        }
        if names.isEmpty { reader.problems.add(reader.pointer, "columns is missing or empty") }
        return IndexDefinition(names, unique: reader.bool("unique") ?? false)
    }

    private static let implied: Set<String> = ["user_id", "id", "created_at", "updated_at"]

    private static func isIdentifier(_ name: String) -> Bool {
        TextRule.isName(name, atMost: 48) && !keywords.contains(name)
    }

    /// Reserved in PostgreSQL (appendix C, "reserved") or not usable as a bare identifier in SQLite (lang_keywords).
    private static let keywords: Set<String> = [
        "add", "all", "alter", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
        "authorization", "autoincrement", "between", "binary", "both", "case", "cast", "check", "collate",
        "collation", "column", "commit", "concurrently", "constraint", "create", "cross", "current_catalog",
        "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
        "default", "deferrable", "delete", "desc", "distinct", "do", "drop", "else", "end", "escape", "except",
        "exists", "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike",
        "in", "index", "initially", "inner", "insert", "intersect", "into", "is", "isnull", "join", "lateral",
        "leading", "left", "like", "limit", "localtime", "localtimestamp", "natural", "not", "nothing", "notnull",
        "null", "offset", "on", "only", "or", "order", "outer", "overlaps", "placing", "primary", "references",
        "returning", "right", "select", "session_user", "set", "similar", "some", "symmetric", "table",
        "tablesample", "then", "to", "trailing", "transaction", "true", "union", "unique", "update", "user",
        "using", "values", "variadic", "verbose", "when", "where", "window", "with",
    ]
}
