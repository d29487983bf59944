import TandemCore
import TandemJSON

/// A declared column as the row functions use it.
struct UserColumn: Sendable {
    let definition: ColumnDefinition
    let table: String
    /// The place among the table's physical columns.
    let physicalIndex: Int
    /// The place of the keyed hash of a sealed column.
    var hashIndex: Int?
    /// What a new row gets when it does not say.
    private(set) var defaultValue: SQLValue = .null

    var name: String { definition.name }
    var type: ColumnType { definition.type }
    var isSealed: Bool { definition.isSealed }
    var isNullable: Bool { definition.isNullable }

    init(_ definition: ColumnDefinition, table: String, physicalIndex: Int) throws {
        self.definition = definition
        self.table = table
        self.physicalIndex = physicalIndex
        if let value = definition.defaultValue { defaultValue = try encode(value.json) }
    }

    /// The keyed hash's physical name: `#` cannot be in a declared one.
    static func hashName(_ column: String) -> String { "\(column)#hash" }

    /// The column's physical type on SQLite.
    var sqliteType: String {
        if isSealed { return "BLOB" }
        switch type {
        case .text, .json: return "TEXT"
        case .real: return "REAL"
        case .integer, .decimal, .boolean, .date, .timestamp, .id: return "INTEGER"
        }
    }

    /// The column's physical type on PostgreSQL.
    var postgresType: String {
        if isSealed { return "BYTEA" }
        switch type {
        case .text, .json: return "TEXT COLLATE \"C\""
        case .real: return "DOUBLE PRECISION"
        case .integer, .decimal, .boolean, .date, .timestamp, .id: return "BIGINT"
        }
    }

    private func mismatch(_ expected: String) -> StorageError {
        StorageError(.typeMismatch, "\(table).\(name) takes \(expected)", table: table, column: name)
    }

    // MARK: JSON to database

    /// The database's form of a JSON value, before sealing; never null.
    func encode(_ value: JSON) throws -> SQLValue {
        switch type {
        case .text:
            guard case .string(let text) = value else { throw mismatch("a string") }
            guard !text.utf8.contains(0) else { throw mismatch("a string without a zero character") }
            return .text(text)
        case .integer:
            guard case .integer(let number) = value else {
                if case .number(let double) = value, let exact = Int64(exactly: double) { return .int(exact) }
                throw mismatch("an integer")
            }
            return .int(number)
        case .real:
            guard let number = value.doubleValue, number.isFinite else { throw mismatch("a number") }
            // One zero: the other has no place in an order or an index.
            return .real(number == 0 ? 0 : number)
        case .decimal(let scale):
            guard case .string(let text) = value else { throw mismatch("a decimal as a string like \"3.20\"") }
            switch DecimalText.parse(text, scale: scale) {
            case .value(let number): return .int(number)
            case .malformed: throw mismatch("a decimal as a string like \"3.20\"")
            case .tooPrecise: throw mismatch("at most \(scale) decimal places")
            case .outOfRange: throw mismatch("a decimal within 64 bits")
            }
        case .boolean:
            guard case .bool(let flag) = value else { throw mismatch("true or false") }
            return .int(flag ? 1 : 0)
        case .date:
            guard case .string(let text) = value, let date = CivilDate(text) else {
                throw mismatch("a date like \"2026-11-21\"")
            }
            return .int(Int64(date.daysSinceEpoch))
        case .timestamp:
            guard case .string(let text) = value, let timestamp = Timestamp(text) else {
                throw mismatch("a timestamp like \"2026-11-21T10:00:00.000Z\"")
            }
            return .int(timestamp.millisecondsSinceEpoch)
        case .json:
            if case .null = value { throw mismatch("a JSON value") }
            return .text(value.text)
        case .id:
            guard case .string(let text) = value, let id = RecordID(text) else {
                throw mismatch("an id as a string like \"7123\"")
            }
            return .int(id.rawValue)
        }
    }

    // MARK: Database to JSON

    /// The JSON form of a value from the database, after opening.
    func decode(_ value: SQLValue) -> JSON {
        switch (value, type) {
        case (.null, _): return .null
        case (.text(let text), .text): return .string(text)
        case (.text(let text), .json): return (try? JSON(parsing: text, limits: UserColumn.storedJSON)) ?? .null
        case (.int(let number), .integer): return .integer(number)
        case (.int(let number), .decimal(let scale)): return .string(DecimalText.text(number, scale: scale))
        case (.int(let number), .boolean): return .bool(number != 0)
        case (.int(let number), .date): return .string(CivilDate(daysSinceEpoch: Int(number)).description)
        case (.int(let number), .timestamp):
            return .string(Timestamp(millisecondsSinceEpoch: number).description)
        case (.int(let number), .id): return .string(String(number))
        case (.real(let number), .real): return .number(number)
        case (.int(let number), .real): return .number(Double(number))
        default: return .null
        }
    }

    /// It was checked when it was written, with limits that its writer chose.
    private static let storedJSON = JSONLimits(maxBytes: .max, maxDepth: 512)

    // MARK: Sealing

    /// The bytes that are sealed and hashed: the same value gives the same bytes.
    func plainBytes(_ value: SQLValue) -> [UInt8] {
        switch value {
        case .null: return []
        case .text(let text): return Array(text.utf8)
        case .blob(let bytes): return bytes
        case .int(let number):
            var bytes: [UInt8] = []
            bytes.append(bigEndian: number)
            return bytes
        case .real(let number):
            var bytes: [UInt8] = []
            bytes.append(bigEndian: Int64(bitPattern: number.bitPattern))
            return bytes
        }
    }

    /// The value of `plainBytes`.
    func value(plainBytes bytes: [UInt8]) throws -> SQLValue {
        switch type {
        case .text, .json: return .text(String(decoding: bytes, as: UTF8.self))
        case .real, .integer, .decimal, .boolean, .date, .timestamp, .id:
            guard bytes.count == 8 else {
                throw StorageError(.sealBroken, "the sealed value is not of its type", table: table, column: name)
            }
            let bits = bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            return type == .real ? .real(Double(bitPattern: bits)) : .int(Int64(bitPattern: bits))
        }
    }
}

extension ColumnDefault {
    /// The default in the column's JSON form.
    var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .integer(let number): .integer(number)
        case .real(let number): .number(number)
        case .boolean(let flag): .bool(flag)
        }
    }
}
