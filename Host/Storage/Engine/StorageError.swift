/// What went wrong in the storage: what was tried, and the engine's own code. Never a bound value.
public struct StorageError: Error, Sendable, Hashable {
    /// A stable word; an open set, words never change their meaning.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        // Requests.

        /// A request, a definition or a value that the interface's description excludes.
        public static let invalid = Code(rawValue: "invalid")
        /// A value that is not of the column's type.
        public static let typeMismatch = Code(rawValue: "type_mismatch")
        /// The table does not exist or belongs to somebody else.
        public static let unknownTable = Code(rawValue: "unknown_table")
        public static let unknownColumn = Code(rawValue: "unknown_column")
        /// A column that needs a value has none.
        public static let notNull = Code(rawValue: "not_null")
        /// A unique index already holds the value.
        public static let unique = Code(rawValue: "unique")
        /// A referenced row does not exist.
        public static let reference = Code(rawValue: "reference")
        /// A rule of the table forbids the value.
        public static let check = Code(rawValue: "check")
        public static let overQuota = Code(rawValue: "over_quota")
        /// A sum left the range of its type.
        public static let overflow = Code(rawValue: "overflow")
        /// A write where only reading is allowed, or a table that this way of access may not touch.
        public static let notAllowed = Code(rawValue: "not_allowed")
        /// The operation needs a person's scope.
        public static let scopeRequired = Code(rawValue: "scope_required")
        /// A row changed meanwhile.
        public static let conflict = Code(rawValue: "conflict")
        /// Nothing to act on: no such turn, user or row.
        public static let notFound = Code(rawValue: "not_found")

        // Definitions and migrations.

        /// A table's change is not additive.
        public static let incompatibleTable = Code(rawValue: "incompatible_table")
        /// The table's name belongs to another owner.
        public static let tableOwned = Code(rawValue: "table_owned")
        /// A migration that has run is no longer the same.
        public static let migrationEdited = Code(rawValue: "migration_edited")
        /// A migration that has run is missing, or one was put before it.
        public static let migrationMissing = Code(rawValue: "migration_missing")
        /// The database was written by a newer version of the program.
        public static let databaseNewer = Code(rawValue: "database_newer")
        /// A migration failed; the database is as it was before it.
        public static let migrationFailed = Code(rawValue: "migration_failed")

        // Engines.

        /// The file or folder cannot be opened.
        public static let cannotOpen = Code(rawValue: "cannot_open")
        /// The user that runs the program may not read or write the file.
        public static let permission = Code(rawValue: "permission")
        /// The file system is read-only.
        public static let readOnly = Code(rawValue: "read_only")
        public static let diskFull = Code(rawValue: "disk_full")
        /// The file is damaged or is no database of this program.
        public static let corrupt = Code(rawValue: "corrupt")
        /// Another process holds the database for too long.
        public static let busy = Code(rawValue: "busy")
        /// Reading or writing the disk failed.
        public static let io = Code(rawValue: "io")
        /// The engine refused the statement.
        public static let statement = Code(rawValue: "statement")
        /// A value or statement exceeds the engine's limits.
        public static let tooLarge = Code(rawValue: "too_large")
        /// The database server cannot be reached, or ended the connection before anything was committed; it is tried again
        /// with growing pauses. Nothing was changed: the same request may be made again.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The connection was lost while a transaction was being committed: whether it was is not known. Look before the
        /// request is made again.
        public static let outcomeUnknown = Code(rawValue: "outcome_unknown")
        /// The server, its roles or the settings of the connection are not as the program needs them.
        public static let configuration = Code(rawValue: "configuration")
        /// The database is closed.
        public static let closed = Code(rawValue: "closed")
        /// The transaction is over, or was given up because of another failure in it.
        public static let transactionOver = Code(rawValue: "transaction_over")
        public static let internalFailure = Code(rawValue: "internal")

        // Keys.

        /// No master key is configured, or its file cannot be used.
        public static let masterKey = Code(rawValue: "master_key")
        /// A value was sealed with a key version that is not there.
        public static let keyMissing = Code(rawValue: "key_missing")
        /// A sealed value does not open: other row, other user, damaged.
        public static let sealBroken = Code(rawValue: "seal_broken")
    }

    public var code: Code
    /// What was tried and what is wrong, in one sentence without values.
    public var message: String
    /// The statement's or the interface's name: `insert into grocery_items`.
    public var operation: String?
    /// The place of the row operation in its request.
    public var index: Int?
    public var table: String?
    public var column: String?
    /// The engine's own code: SQLite's extended result code.
    public var nativeCode: Int32?
    /// The class of the failure by SQL:2016, as PostgreSQL numbers it: `23505` for a unique violation.
    public var sqlState: String?
    /// The name of the violated constraint or index, where the engine tells it.
    var constraint: String?

    public init(
        _ code: Code, _ message: String, operation: String? = nil, index: Int? = nil, table: String? = nil,
        column: String? = nil, nativeCode: Int32? = nil, sqlState: String? = nil
    ) {
        self.code = code
        self.message = message
        self.operation = operation
        self.index = index
        self.table = table
        self.column = column
        self.nativeCode = nativeCode
        self.sqlState = sqlState
    }

    /// Whether the storage is at fault and not the request: the same may succeed later.
    public var isPassing: Bool {
        switch code {
        case .busy, .unavailable, .outcomeUnknown, .closed, .diskFull, .readOnly, .io, .cannotOpen, .transactionOver:
            true
        default: false
        }
    }

    /// The failure as a status of the plugin ABI (`tandem/base.h`).
    public var abiStatus: Int32 {
        switch code {
        case .invalid, .typeMismatch, .unknownColumn, .notNull, .check, .overflow: -1
        case .unknownTable, .notFound: -8
        case .unique, .reference, .conflict: -9
        case .overQuota: -21
        case .busy, .unavailable: -22
        case .tooLarge: -25
        case .notAllowed, .scopeRequired: -40
        case .closed: -62
        default: -99
        }
    }
}

extension StorageError: CustomStringConvertible {
    public var description: String {
        var text = message
        if let operation { text = "\(operation): \(text)" }
        if let nativeCode { text += " (code \(nativeCode))" }
        if nativeCode == nil, let sqlState { text += " (SQLSTATE \(sqlState))" }
        return text
    }
}
