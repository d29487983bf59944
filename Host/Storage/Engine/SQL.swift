/// The differences between engines that a statement may need to know.
public enum SQLDialect: String, Sendable, Hashable {
    case sqlite
    case postgres
}

/// A piece of SQL whose values are always binds.
///
/// Interpolation binds: in `"SELECT name FROM users WHERE id = \(id)"` the id never becomes part of the text. Names go in
/// through `\(identifier: name)` only, which accepts `[a-z_][a-z0-9_]{0,62}` and quotes it; anything else makes the
/// statement fail when it runs. `\(list: values)` gives a parenthesised list of binds, `\(fragment)` another piece with
/// its binds. Placeholders are rendered per engine: `?` for SQLite, `$1`, `$2` … for PostgreSQL.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// The text with one `?` for each bind.
    var text: String
    /// Where these stand, as UTF-8 offsets into `text`.
    var placeholders: [Int]
    /// The values in the order of their placeholders.
    public private(set) var binds: [SQLValue]
    /// Why the statement must not run.
    var fault: String?

    public init(stringLiteral value: String) {
        text = value
        placeholders = []
        binds = []
    }

    public init(stringInterpolation: StringInterpolation) { self = stringInterpolation.sql }

    /// The statement's text for an engine.
    public func rendered(for dialect: SQLDialect) -> String {
        guard dialect == .postgres, !placeholders.isEmpty else { return text }
        var rendered: [UInt8] = []
        rendered.reserveCapacity(text.utf8.count + placeholders.count * 2)
        var next = 0
        for (offset, byte) in text.utf8.enumerated() {
            if next < placeholders.count, placeholders[next] == offset {
                next += 1
                rendered.append(UInt8(ascii: "$"))
                rendered.append(contentsOf: String(next).utf8)
            } else {
                rendered.append(byte)
            }
        }
        return String(decoding: rendered, as: UTF8.self)
    }

    /// Appends another piece with its binds.
    public mutating func append(_ other: SQL) {
        let base = text.utf8.count
        text += other.text
        for offset in other.placeholders { placeholders.append(base + offset) }
        binds.append(contentsOf: other.binds)
        if fault == nil { fault = other.fault }
    }

    mutating func bind(_ value: SQLValue) {
        placeholders.append(text.utf8.count)
        text += "?"
        binds.append(value)
    }

    /// Whether a name may stand in `\(identifier:)`.
    static func isIdentifier(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= 63, first == 95 || (97...122).contains(first) else {
            return false
        }
        return bytes.allSatisfy { $0 == 95 || (97...122).contains($0) || (48...57).contains($0) }
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        var sql: SQL

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql = SQL(stringLiteral: "")
            sql.text.reserveCapacity(literalCapacity + interpolationCount * 2)
            sql.binds.reserveCapacity(interpolationCount)
            sql.placeholders.reserveCapacity(interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) { sql.text += literal }

        public mutating func appendInterpolation(_ value: some SQLConvertible) { sql.bind(value.sqlValue) }

        /// Nil binds null.
        public mutating func appendInterpolation(_ value: (some SQLConvertible)?) { sql.bind(value.sqlValue) }

        public mutating func appendInterpolation(_ fragment: SQL) { sql.append(fragment) }

        public mutating func appendInterpolation(identifier name: String) {
            guard SQL.isIdentifier(name) else {
                sql.fault = "a name in the statement is not an SQL identifier"
                return
            }
            sql.text += "\"\(name)\""
        }

        /// `(?,?,?)`; an empty list gives `(NULL)`, which equals nothing.
        public mutating func appendInterpolation(list values: [some SQLConvertible]) {
            guard !values.isEmpty else {
                sql.text += "(NULL)"
                return
            }
            sql.text += "("
            for (position, value) in values.enumerated() {
                if position > 0 { sql.text += "," }
                sql.bind(value.sqlValue)
            }
            sql.text += ")"
        }
    }
}
