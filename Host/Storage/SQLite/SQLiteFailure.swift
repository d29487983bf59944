import CSQLite

/// Translates SQLite's result codes (https://www.sqlite.org/rescode.html).
enum SQLiteFailure {
    static func error(_ code: Int32, of handle: OpaquePointer?, operation: String) -> StorageError {
        var detail = String(cString: sqlite3_errstr(code))
        // The connection's text names tables, columns and words of the statement, never bound values.
        if let handle, let text = sqlite3_errmsg(handle), sqlite3_extended_errcode(handle) == code {
            detail = String(cString: text)
        }
        return error(code, detail: detail, operation: operation)
    }

    static func error(_ code: Int32, detail: String, operation: String) -> StorageError {
        let (kind, state, advice) = classify(code, detail: detail)
        let message = advice.map { "\(detail): \($0)" } ?? detail
        return StorageError(kind, message, operation: operation, nativeCode: code, sqlState: state)
    }

    private static func classify(_ code: Int32, detail: String) -> (StorageError.Code, String, String?) {
        switch code {
        case 275: return (.check, "23514", nil)  // SQLITE_CONSTRAINT_CHECK
        case 787: return (.reference, "23503", nil)  // SQLITE_CONSTRAINT_FOREIGNKEY
        case 1299: return (.notNull, "23502", nil)  // SQLITE_CONSTRAINT_NOTNULL
        case 1555, 2067, 2579: return (.unique, "23505", nil)  // PRIMARYKEY, UNIQUE, ROWID
        case 1811:  // SQLITE_CONSTRAINT_TRIGGER
            return detail.hasPrefix("FOREIGN KEY") ? (.reference, "23503", nil) : (.check, "23514", nil)
        case 3091: return (.typeMismatch, "42804", nil)  // SQLITE_CONSTRAINT_DATATYPE
        default: break
        }
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: return (.check, "23000", nil)
        case SQLITE_MISMATCH: return (.typeMismatch, "42804", nil)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return (.busy, "55P03", "another process holds the database; stop it or try again")
        case SQLITE_READONLY:
            return (.readOnly, "25006", "make the file, its folder and the file system writable")
        case SQLITE_PERM: return (.permission, "42501", "the program's user may not use the file: change its owner")
        case SQLITE_FULL: return (.diskFull, "53100", "free space on the disk of the data folder")
        case SQLITE_IOERR: return (.io, "58030", "the disk of the data folder failed: look at the system's log")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return (.corrupt, "XX001", "the database file is damaged or is no database: restore a backup")
        case SQLITE_CANTOPEN:
            return (.cannotOpen, "58P01", "the data folder must exist and be writable for the program's user")
        case SQLITE_NOMEM: return (.internalFailure, "53200", nil)
        case SQLITE_TOOBIG: return (.tooLarge, "54000", nil)
        case SQLITE_AUTH: return (.notAllowed, "42501", nil)
        case SQLITE_INTERRUPT: return (.transactionOver, "57014", nil)
        case SQLITE_ERROR where detail == "integer overflow": return (.overflow, "22003", nil)
        case SQLITE_ERROR: return (.statement, "42601", nil)
        default: return (.internalFailure, "XX000", nil)
        }
    }
}
