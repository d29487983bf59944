import CSQLite

/// One compiled statement of one connection. Used on the connection's thread.
final class SQLiteStatement {
    let handle: OpaquePointer
    let origin: StatementOrigin
    let parameterCount: Int
    let columnCount: Int
    let isReadOnly: Bool
    /// Set for a statement of the storage: keeps the cache's key alive.
    let source: RowStatement?
    private var names: SQLColumnNames?

    init(handle: OpaquePointer, origin: StatementOrigin, source: RowStatement?) {
        self.handle = handle
        self.origin = origin
        self.source = source
        parameterCount = Int(sqlite3_bind_parameter_count(handle))
        columnCount = Int(sqlite3_column_count(handle))
        isReadOnly = sqlite3_stmt_readonly(handle) != 0
    }

    deinit { sqlite3_finalize(handle) }

    var columnNames: SQLColumnNames {
        if let names { return names }
        let list = (0..<Int32(columnCount)).map { index in
            sqlite3_column_name(handle, index).map { String(cString: $0) } ?? ""
        }
        let made = SQLColumnNames(list)
        names = made
        return made
    }

    func appendRow(to values: inout [SQLValue]) {
        for index in 0..<Int32(columnCount) {
            switch sqlite3_column_type(handle, index) {
            case SQLITE_INTEGER: values.append(.int(sqlite3_column_int64(handle, index)))
            case SQLITE_FLOAT: values.append(.real(sqlite3_column_double(handle, index)))
            case SQLITE_TEXT:
                let text = sqlite3_column_text(handle, index)
                let size = Int(sqlite3_column_bytes(handle, index))
                values.append(.text(String(decoding: UnsafeBufferPointer(start: text, count: size), as: UTF8.self)))
            case SQLITE_BLOB:
                let bytes = sqlite3_column_blob(handle, index)
                let size = Int(sqlite3_column_bytes(handle, index))
                values.append(.blob([UInt8](UnsafeRawBufferPointer(start: bytes, count: size))))
            default: values.append(.null)
            }
        }
    }
}

/// Memory for the bound texts and bytes of the statement that runs: one copy each, no allocation per value.
struct BindArena: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0

    init() {
        capacity = 4096
        memory = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { memory.deallocate() }

    /// Binds all values; the bound memory stays valid until the next call. Gives the first code that is not OK.
    mutating func bind(_ values: [SQLValue], to statement: OpaquePointer) -> Int32 {
        var needed = 0
        for value in values {
            switch value {
            case .text(let text): needed += text.utf8.count
            case .blob(let bytes): needed += bytes.count
            default: break
            }
        }
        if needed > capacity || (capacity > 1 << 20 && needed < 1 << 16) {
            memory.deallocate()
            capacity = max(4096, needed)
            memory = .allocate(byteCount: capacity, alignment: 8)
        }
        used = 0
        var index: Int32 = 0
        for value in values {
            index += 1
            let code: Int32
            switch value {
            case .null: code = sqlite3_bind_null(statement, index)
            case .int(let number): code = sqlite3_bind_int64(statement, index, number)
            case .real(let number): code = sqlite3_bind_double(statement, index, number)
            case .text(let text):
                let start = memory + used
                let size = copy(text)
                code = tandem_sqlite3_bind_text_static(
                    statement, index, start.assumingMemoryBound(to: CChar.self), Int64(size))
            case .blob(let bytes):
                let start = memory + used
                bytes.withUnsafeBytes { source in
                    if let base = source.baseAddress { start.copyMemory(from: base, byteCount: source.count) }
                }
                used += bytes.count
                code = tandem_sqlite3_bind_blob_static(statement, index, start, Int64(bytes.count))
            }
            if code != SQLITE_OK { return code }
        }
        return SQLITE_OK
    }

    private mutating func copy(_ text: String) -> Int {
        let start = memory + used
        var text = text
        let size = text.withUTF8 { source in
            if let base = source.baseAddress { start.copyMemory(from: base, byteCount: source.count) }
            return source.count
        }
        used += size
        return size
    }
}
