public import TandemCore

/// One row of an answer; columns by place or by name.
///
/// The typed readers throw `StorageError` with code `type_mismatch` or `unknown_column`: the answer of a statement that
/// the program wrote should have the shape that it asked for.
public struct SQLRow: Sendable {
    private let names: SQLColumnNames
    private let storage: [SQLValue]
    private let base: Int

    init(names: SQLColumnNames, storage: [SQLValue], base: Int) {
        self.names = names
        self.storage = storage
        self.base = base
    }

    public var count: Int { names.names.count }

    public var columns: [String] { names.names }

    /// The value at a place; null outside the row.
    public subscript(index: Int) -> SQLValue {
        index >= 0 && index < names.names.count ? storage[base + index] : .null
    }

    /// The value of a column; nil when the answer has no such column.
    public subscript(name: String) -> SQLValue? {
        guard let index = names.names.firstIndex(of: name) else { return nil }
        return storage[base + index]
    }

    private func value(_ name: String) throws -> SQLValue {
        guard let value = self[name] else {
            throw StorageError(.unknownColumn, "the answer has no column \(name)", column: name)
        }
        return value
    }

    private func mismatch(_ name: String, _ type: String) -> StorageError {
        StorageError(.typeMismatch, "column \(name) is not \(type)", column: name)
    }

    public func int64(_ name: String) throws -> Int64 {
        guard case .int(let value) = try value(name) else { throw mismatch(name, "an integer") }
        return value
    }

    public func int64IfPresent(_ name: String) throws -> Int64? {
        switch try value(name) {
        case .null: return nil
        case .int(let value): return value
        default: throw mismatch(name, "an integer")
        }
    }

    public func int(_ name: String) throws -> Int { Int(try int64(name)) }

    public func bool(_ name: String) throws -> Bool { try int64(name) != 0 }

    public func double(_ name: String) throws -> Double {
        switch try value(name) {
        case .real(let value): return value
        case .int(let value): return Double(value)
        default: throw mismatch(name, "a number")
        }
    }

    public func text(_ name: String) throws -> String {
        guard case .text(let value) = try value(name) else { throw mismatch(name, "text") }
        return value
    }

    public func textIfPresent(_ name: String) throws -> String? {
        switch try value(name) {
        case .null: return nil
        case .text(let value): return value
        default: throw mismatch(name, "text")
        }
    }

    public func blob(_ name: String) throws -> [UInt8] {
        guard case .blob(let value) = try value(name) else { throw mismatch(name, "bytes") }
        return value
    }

    public func blobIfPresent(_ name: String) throws -> [UInt8]? {
        switch try value(name) {
        case .null: return nil
        case .blob(let value): return value
        default: throw mismatch(name, "bytes")
        }
    }

    public func timestamp(_ name: String) throws -> Timestamp {
        Timestamp(millisecondsSinceEpoch: try int64(name))
    }

    public func timestampIfPresent(_ name: String) throws -> Timestamp? {
        try int64IfPresent(name).map(Timestamp.init(millisecondsSinceEpoch:))
    }

    public func recordID(_ name: String) throws -> RecordID { RecordID(rawValue: try int64(name)) }

    public func recordIDIfPresent(_ name: String) throws -> RecordID? {
        try int64IfPresent(name).map(RecordID.init(rawValue:))
    }

    public func userID(_ name: String) throws -> UserID { UserID(rawValue: try int64(name)) }
}

/// The column names that all rows of an answer share.
final class SQLColumnNames: Sendable {
    let names: [String]

    init(_ names: [String]) { self.names = names }
}

/// An answer as the engines give it: values row after row.
struct SQLAnswer {
    var values: [SQLValue] = []
    var columnCount = 0
    /// Rows changed, for a statement that writes.
    var changes = 0

    /// Its rows with their columns' names.
    func rows(_ names: SQLColumnNames) -> [SQLRow] {
        guard columnCount > 0 else { return [] }
        return stride(from: 0, to: values.count, by: columnCount).map { base in
            SQLRow(names: names, storage: values, base: base)
        }
    }

    var rowCount: Int { columnCount == 0 ? 0 : values.count / columnCount }
}
