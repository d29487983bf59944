import CSQLite

/// Who wrote the statement that a connection compiles or runs.
enum StatementOrigin {
    /// A domain, through `query` and `execute`: system tables only, no definitions.
    case domain
    /// A migration: may define system tables.
    case migration
    /// The storage itself.
    case storage
}

/// Decides for one connection what a statement may touch (https://www.sqlite.org/c3ref/set_authorizer.html).
///
/// SQLite asks while it compiles a statement, also when it does so again after a change of the schema. The isolation of
/// people rests on this: a statement that is not the storage's own cannot name a user table at all, in whatever view,
/// trigger or subquery.
final class SQLiteAuthorizer {
    var origin: StatementOrigin = .storage
    /// The tables of the domains; everything else is closed to them.
    var systemTables: Set<String> = []
    /// Set when a table was refused that might have been made by another process since the last look.
    var refusedTable: String?

    func install(on handle: OpaquePointer) {
        sqlite3_set_authorizer(handle, authorizeAction, Unmanaged.passUnretained(self).toOpaque())
    }

    func decide(_ action: Int32, _ first: UnsafePointer<CChar>?, _ second: UnsafePointer<CChar>?) -> Int32 {
        switch origin {
        case .storage: return SQLITE_OK
        case .domain: return decideForDomain(action, first, second)
        case .migration: return decideForMigration(action, first, second)
        }
    }

    private func decideForDomain(
        _ action: Int32, _ first: UnsafePointer<CChar>?, _ second: UnsafePointer<CChar>?
    ) -> Int32 {
        switch action {
        case SQLITE_SELECT, SQLITE_RECURSIVE: return SQLITE_OK
        case SQLITE_READ, SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE: return decideForTable(first)
        case SQLITE_FUNCTION:
            guard let second, String(cString: second) != "load_extension" else { return SQLITE_DENY }
            return SQLITE_OK
        default: return SQLITE_DENY
        }
    }

    private func decideForMigration(
        _ action: Int32, _ first: UnsafePointer<CChar>?, _ second: UnsafePointer<CChar>?
    ) -> Int32 {
        switch action {
        case SQLITE_CREATE_TABLE, SQLITE_CREATE_INDEX, SQLITE_CREATE_TRIGGER, SQLITE_CREATE_VIEW, SQLITE_DROP_VIEW,
            SQLITE_CREATE_VTABLE, SQLITE_REINDEX, SQLITE_ANALYZE:
            return SQLITE_OK
        case SQLITE_DROP_TABLE, SQLITE_DROP_VTABLE: return decideForTable(first)
        case SQLITE_DROP_INDEX, SQLITE_DROP_TRIGGER: return decideForTable(second)
        case SQLITE_ALTER_TABLE: return decideForTable(second)
        case SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE, SQLITE_READ:
            guard let first else { return SQLITE_DENY }
            // What a migration itself creates is not known yet, what is protected is.
            let name = String(cString: first)
            return isProtected(name) ? SQLITE_DENY : SQLITE_OK
        default: return decideForDomain(action, first, second)
        }
    }

    /// In a migration: the tables that exist and are not the domains'.
    var protectedTables: Set<String> = []

    private func isProtected(_ name: String) -> Bool { protectedTables.contains(name) }

    private func decideForTable(_ name: UnsafePointer<CChar>?) -> Int32 {
        guard let name else { return SQLITE_DENY }
        let table = String(cString: name)
        if origin == .migration { return isProtected(table) ? SQLITE_DENY : SQLITE_OK }
        if systemTables.contains(table) || table == "json_each" || table == "json_tree" { return SQLITE_OK }
        refusedTable = table
        return SQLITE_DENY
    }
}

/// Not a closure within an isolated context: SQLite calls it on whatever thread compiles.
private func authorizeAction(
    context: UnsafeMutableRawPointer?, action: Int32, first: UnsafePointer<CChar>?, second: UnsafePointer<CChar>?,
    database: UnsafePointer<CChar>?, trigger: UnsafePointer<CChar>?
) -> Int32 {
    guard let context else { return SQLITE_DENY }
    return Unmanaged<SQLiteAuthorizer>.fromOpaque(context).takeUnretainedValue().decide(action, first, second)
}
