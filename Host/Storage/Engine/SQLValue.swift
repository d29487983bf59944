public import TandemCore

/// One value of a database, as it is bound and read: the types that both engines share.
public enum SQLValue: Sendable, Hashable {
    case null
    case int(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// A Swift type with one form in the database.
public protocol SQLConvertible {
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLConvertible {
    public var sqlValue: SQLValue { self }
}

extension Int: SQLConvertible {
    public var sqlValue: SQLValue { .int(Int64(self)) }
}

extension Int32: SQLConvertible {
    public var sqlValue: SQLValue { .int(Int64(self)) }
}

extension Int64: SQLConvertible {
    public var sqlValue: SQLValue { .int(self) }
}

extension Double: SQLConvertible {
    public var sqlValue: SQLValue { .real(self) }
}

extension Bool: SQLConvertible {
    /// 0 or 1.
    public var sqlValue: SQLValue { .int(self ? 1 : 0) }
}

extension String: SQLConvertible {
    public var sqlValue: SQLValue { .text(self) }
}

extension [UInt8]: SQLConvertible {
    public var sqlValue: SQLValue { .blob(self) }
}

extension RecordID: SQLConvertible {
    public var sqlValue: SQLValue { .int(rawValue) }
}

extension UserID: SQLConvertible {
    public var sqlValue: SQLValue { .int(rawValue) }
}

extension Timestamp: SQLConvertible {
    /// Milliseconds since 1970 in UTC.
    public var sqlValue: SQLValue { .int(millisecondsSinceEpoch) }
}

extension CivilDate: SQLConvertible {
    /// Days since 1970-01-01.
    public var sqlValue: SQLValue { .int(Int64(daysSinceEpoch)) }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}
