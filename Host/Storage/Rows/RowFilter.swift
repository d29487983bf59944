import TandemCore
import TandemJSON

/// Conditions, checked against a table: a shape by which the statement is found again, its text, and its binds.
struct RowFilter {
    private struct Term {
        var column: UserColumn
        var comparison: RowCondition.Comparison
        /// The number of binds of `in`.
        var count = 0
        /// `contains` with a needle beyond ASCII.
        var isFolded = false

        var physicalName: String {
            switch comparison {
            case .equal, .notEqual, .oneOf: column.isSealed ? UserColumn.hashName(column.name) : column.name
            default: column.name
            }
        }
    }

    private var terms: [Term] = []
    private(set) var shape = ""
    private(set) var binds: [SQLValue] = []

    /// Longer needles cost SQLite more than they find (https://www.sqlite.org/limits.html, LIKE pattern length).
    private static let maxNeedleBytes = 10_000

    init(_ conditions: [RowCondition], table: UserTable, keys: () throws -> UserKeySet?) throws {
        guard !conditions.isEmpty else { return }
        guard conditions.count <= RowOperation.maxConditions else {
            throw StorageError(.invalid, "where has at most \(RowOperation.maxConditions) conditions")
        }
        for condition in conditions {
            let column = try table.column(condition.column)
            var term = Term(column: column, comparison: condition.comparison)
            try RowFilter.check(condition, column)
            switch condition.comparison {
            case .isNull, .isSet: break
            case .oneOf:
                guard case .array(let values) = condition.value, values.count <= RowCondition.maxAlternatives else {
                    throw StorageError(
                        .invalid, "in takes an array of at most \(RowCondition.maxAlternatives) values",
                        column: column.name)
                }
                for value in values { binds.append(try RowFilter.bind(value, column, keys)) }
                term.count = RowFilter.padded(values.count)
                // Few shapes for many lengths: the last value stands for what is missing.
                if let last = binds.last { for _ in values.count..<term.count { binds.append(last) } }
            case .contains:
                guard case .string(let needle) = condition.value, !needle.utf8.contains(0),
                    needle.utf8.count <= RowFilter.maxNeedleBytes
                else {
                    throw StorageError(
                        .typeMismatch, "contains takes a string of at most \(RowFilter.maxNeedleBytes) bytes",
                        column: column.name)
                }
                term.isFolded = !needle.utf8.allSatisfy { $0 < 0x80 }
                binds.append(.text(term.isFolded ? needle : RowFilter.pattern(needle)))
            default: binds.append(try RowFilter.bind(condition.value, column, keys))
            }
            shape += "|\(column.physicalIndex)\(condition.comparison.rawValue)\(term.count)\(term.isFolded ? "f" : "")"
            terms.append(term)
        }
    }

    private static func check(_ condition: RowCondition, _ column: UserColumn) throws {
        func refuse(_ reason: String) -> StorageError {
            StorageError(.invalid, "\(column.table).\(column.name) \(reason)", table: column.table, column: column.name)
        }
        switch condition.comparison {
        case .isNull, .isSet: return
        case .contains:
            guard column.type == .text, !column.isSealed else {
                throw refuse("is no plain text: contains does not apply")
            }
        case .equal, .notEqual, .oneOf:
            if column.type == .json { throw refuse("is json: only null and set apply") }
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            if column.isSealed { throw refuse("is sealed: only eq, ne, in, null and set apply") }
            if column.type == .json { throw refuse("is json: only null and set apply") }
        }
        if case .null = condition.value { throw refuse("is compared with null: use the conditions null and set") }
    }

    private static func bind(_ value: JSON, _ column: UserColumn, _ keys: () throws -> UserKeySet?) throws -> SQLValue {
        let encoded = try column.encode(value)
        guard column.isSealed else { return encoded }
        // A person without a key has no sealed value: an empty hash equals none.
        guard let keys = try keys() else { return .blob([]) }
        return .blob(
            Keyring.hash(column.plainBytes(encoded), keys, table: column.table, column: column.name))
    }

    /// As `containsFolded` on SQLite. The collation gives the rules of case for all scripts; "C" knows ASCII only.
    private static func foldedContains(_ name: String) -> String {
        func folded(_ text: String) -> String { "translate(lower(\(text) COLLATE \"und-x-icu\"), 'ς', 'σ')" }
        return "strpos(\(folded(name)) COLLATE \"C\", \(folded("CAST(? AS TEXT)")) COLLATE \"C\") > 0"
    }

    private static func padded(_ count: Int) -> Int {
        guard count > 1 else { return count }
        var size = 1
        while size < count { size *= 2 }
        return size
    }

    /// A pattern for LIKE with `\` as its escape that contains the needle literally.
    private static func pattern(_ needle: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "%")]
        bytes.reserveCapacity(needle.utf8.count + 2)
        for byte in needle.utf8 {
            if byte == UInt8(ascii: "%") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "\\") {
                bytes.append(UInt8(ascii: "\\"))
            }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "%"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// ` WHERE "user_id" = ? AND …`
    func clause(_ dialect: SQLDialect) -> String {
        var text = " WHERE \"user_id\" = ?"
        for term in terms {
            let name = "\"\(term.physicalName)\""
            text += " AND "
            switch term.comparison {
            case .equal: text += "\(name) = ?"
            case .notEqual: text += dialect == .sqlite ? "\(name) IS NOT ?" : "\(name) IS DISTINCT FROM ?"
            case .less: text += "\(name) < ?"
            case .lessOrEqual: text += "\(name) <= ?"
            case .greater: text += "\(name) > ?"
            case .greaterOrEqual: text += "\(name) >= ?"
            case .oneOf:
                if term.count == 0 {
                    text += "1 = 0"
                } else {
                    text += "\(name) IN (\(Array(repeating: "?", count: term.count).joined(separator: ", ")))"
                }
            case .contains:
                switch dialect {
                case .sqlite: text += term.isFolded ? "tandem_contains(\(name), ?)" : "\(name) LIKE ? ESCAPE '\\'"
                case .postgres:
                    text += term.isFolded ? RowFilter.foldedContains(name) : "\(name) ILIKE ? ESCAPE '\\'"
                }
            case .isNull: text += "\(name) IS NULL"
            case .isSet: text += "\(name) IS NOT NULL"
            }
        }
        return text
    }
}
