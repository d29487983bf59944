import Crypto

/// One step of the database's history: named, ordered, never edited once released.
///
/// The name is `domain/step`, e.g. `accounts/1-users`; the steps of one domain run in the order of the list, and new ones
/// are added after the old. The body must give the same statements each time: their SHA-256 is recorded and compared.
public struct Migration: Sendable {
    public let name: String
    private let body: @Sendable (inout MigrationBuilder) -> Void

    public init(_ name: String, _ body: @escaping @Sendable (inout MigrationBuilder) -> Void) {
        self.name = name
        self.body = body
    }

    var domain: String { String(name.prefix(while: { $0 != "/" })) }

    var isNamedWell: Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        return parts.allSatisfy { part in
            !part.isEmpty && part.count <= 60
                && part.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
        }
    }

    /// The statements for an engine.
    func statements(for dialect: SQLDialect) -> [String] {
        var builder = MigrationBuilder(dialect: dialect)
        body(&builder)
        return builder.statements
    }

    /// SHA-256 over the statements, each followed by a zero byte, in hexadecimal.
    static func checksum(_ statements: [String]) -> String {
        var hash = SHA256()
        for statement in statements {
            hash.update(data: Array(statement.utf8))
            hash.update(data: [0])
        }
        return hexadecimal(hash.finalize())
    }
}

/// What `migrate` did.
public struct MigrationReport: Sendable, Hashable {
    /// Names of the migrations that ran now, in order.
    public var applied: [String]
    /// How many had run before.
    public var alreadyApplied: Int
}

/// Collects the statements of a migration, with types that mean the same on both engines.
public struct MigrationBuilder {
    public let dialect: SQLDialect
    var statements: [String] = []

    init(dialect: SQLDialect) { self.dialect = dialect }

    /// Adds a statement that both engines understand.
    public mutating func sql(_ text: String) { statements.append(text) }

    /// Adds a statement in each engine's own words.
    public mutating func sql(sqlite: String, postgres: String) {
        statements.append(dialect == .sqlite ? sqlite : postgres)
    }

    /// Adds a table.
    public mutating func createTable(_ name: String, _ body: (inout MigrationTable) -> Void) {
        var table = MigrationTable(dialect: dialect)
        body(&table)
        let suffix = dialect == .sqlite ? (table.isWithoutRowID ? " STRICT, WITHOUT ROWID" : " STRICT") : ""
        statements.append("CREATE TABLE \"\(name)\" (\(table.clauses.joined(separator: ", ")))\(suffix)")
    }

    /// Adds an index, `where` a condition in SQL that both engines understand.
    public mutating func createIndex(
        _ name: String, on table: String, _ columns: [String], unique: Bool = false, where condition: String? = nil
    ) {
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        let suffix = condition.map { " WHERE \($0)" } ?? ""
        statements.append("CREATE \(unique ? "UNIQUE " : "")INDEX \"\(name)\" ON \"\(table)\" (\(list))\(suffix)")
    }
}

/// The columns and rules of a system table.
public struct MigrationTable {
    /// A type with one meaning on both engines.
    public enum ColumnType: Sendable {
        /// 64-bit; also ids and timestamps (milliseconds since 1970).
        case integer
        case real
        case text
        case blob
    }

    let dialect: SQLDialect
    var clauses: [String] = []
    /// On SQLite, the rows lie in the primary key's own tree: for tables with small rows and a natural key.
    public var isWithoutRowID = false

    init(dialect: SQLDialect) { self.dialect = dialect }

    /// Adds a column; `default` is an SQL literal.
    public mutating func column(
        _ name: String, _ type: ColumnType, nullable: Bool = false, default value: String? = nil
    ) {
        let word: String
        switch (type, dialect) {
        case (.integer, .sqlite): word = "INTEGER"
        case (.integer, .postgres): word = "BIGINT"
        case (.real, .sqlite): word = "REAL"
        case (.real, .postgres): word = "DOUBLE PRECISION"
        case (.text, .sqlite): word = "TEXT"
        case (.text, .postgres): word = "TEXT COLLATE \"C\""
        case (.blob, .sqlite): word = "BLOB"
        case (.blob, .postgres): word = "BYTEA"
        }
        clauses.append(
            "\"\(name)\" \(word)\(nullable ? "" : " NOT NULL")\(value.map { " DEFAULT \($0)" } ?? "")")
    }

    public mutating func primaryKey(_ columns: String...) {
        clauses.append("PRIMARY KEY \(MigrationTable.list(columns))")
    }

    public mutating func unique(_ columns: String...) { clauses.append("UNIQUE \(MigrationTable.list(columns))") }

    public mutating func check(_ condition: String) { clauses.append("CHECK (\(condition))") }

    public mutating func foreignKey(
        _ columns: [String], references table: String, _ targets: [String], cascade: Bool = false
    ) {
        clauses.append(
            "FOREIGN KEY \(MigrationTable.list(columns)) REFERENCES \"\(table)\" \(MigrationTable.list(targets))"
                + (cascade ? " ON DELETE CASCADE" : ""))
    }

    private static func list(_ columns: [String]) -> String {
        "(" + columns.map { "\"\($0)\"" }.joined(separator: ", ") + ")"
    }
}

/// Lower-case hexadecimal digits of some bytes.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
