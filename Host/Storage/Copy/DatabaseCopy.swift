import TandemCore

/// Copies everything from one database to another, of the same or another engine.
///
/// Both have run the same migrations. Tables are compared piece by piece in the order of their keys, and what differs is
/// replaced: so a copy that was interrupted goes on where it stopped, and one that is made again takes over what has
/// changed since. The source is read in one snapshot and may be in use meanwhile; the target must not be, and refuses to
/// serve until the copy is whole. At the end each table's rows are counted and hashed on both sides.
///
/// Sealed values stay sealed: both sides need the same master keys. The target must be opened anew afterwards, since the
/// keys that it made for itself are replaced.
public struct DatabaseCopy: Sendable {
    /// How far a copy is, told for each piece.
    public struct Progress: Sendable, Hashable {
        public var table: String
        /// Tables that are done, and all.
        public var tables: Int
        public var tableCount: Int
        /// Rows of this table that are done, and all.
        public var rows: Int
        public var rowCount: Int
    }

    /// One table as it is on both sides.
    public struct TableReport: Sendable, Hashable {
        public var name: String
        public var rows: Int
        /// Rows that this run wrote; the others were there already.
        public var written: Int
        /// SHA-256 over all rows in the order of their keys, in hexadecimal.
        public var checksum: String
    }

    public struct Report: Sendable, Hashable {
        public var tables: [TableReport]
        /// Somebody wrote to the source since the copy began: the target is as the source was then. Stop who writes, and
        /// copy again: only what has changed is written.
        public var sourceHasChanged: Bool

        public var rows: Int { tables.reduce(0) { $0 + $1.rows } }
    }

    static let pieceRows = 200

    private let source: any CopyableDatabase
    private let target: any CopyableDatabase
    private let definitions: [String: [TableDefinition]]
    private let register: @Sendable ([TableDefinition], String) async throws -> Void
    private let replacing: Bool

    /// - Parameter replacing: Whether a target that holds people's rows already may be made like the source, which removes
    ///   what the source does not have. A copy that was interrupted goes on without it.
    /// - Throws: `invalid` for a database that cannot be copied: one in memory.
    public init(from source: any Database, to target: any Database, replacing: Bool = false) throws {
        guard let from = source as? any CopyableDatabase, let to = target as? any CopyableDatabase else {
            throw StorageError(.invalid, "this engine cannot copy", operation: "copy a database")
        }
        self.source = from
        self.target = to
        definitions = source.store.tables.definitions
        register = { try await target.register($0, owner: $1) }
        self.replacing = replacing
    }

    /// Copies, and compares the whole.
    ///
    /// Throws `StorageError`: `conflict` when the target is not the source's, `corrupt` when the two sides differ in the
    /// end; `CancellationError` after the piece that was at work. All can be run again.
    public func run(progress: @escaping @Sendable (Progress) -> Void = { _ in }) async throws -> Report {
        for (owner, tables) in definitions.sorted(by: { $0.key < $1.key }) { try await register(tables, owner) }
        let cancellation = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    try WorkerThread.run(named: "tandem-copy") {
                        continuation.resume(with: Result { try copy(progress, cancellation) })
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            cancellation.set()
        }
    }

    private func copy(_ progress: (Progress) -> Void, _ cancellation: CancellationFlag) throws -> Report {
        let from = try source.openForCopy(writing: false)
        defer { from.close() }
        let to = try target.openForCopy(writing: true)
        defer { to.close() }
        try from.beginSnapshot()
        let tables = try matched(from, to)
        if try !to.isTarget() {
            try requireEmpty(to, tables)
            try to.becomeTarget()
        }
        var reports: [TableReport] = []
        for (place, table) in tables.enumerated() {
            let piece = CopyPiece(table: table, from: from, to: to, cancellation: cancellation)
            reports.append(
                try piece.copy { rows, count in
                    progress(
                        Progress(
                            table: table.name, tables: place, tableCount: tables.count, rows: rows, rowCount: count))
                })
        }
        try to.finishTarget()
        return Report(tables: reports, sourceHasChanged: try from.hasChanged())
    }

    /// The tables, which both sides must have alike.
    private func matched(_ from: any CopyAccess, _ to: any CopyAccess) throws -> [CopyTable] {
        func refuse(_ reason: String, _ table: String? = nil) -> StorageError {
            StorageError(.conflict, reason, operation: "copy a database", table: table)
        }
        let ran = try (from.migrationNames(), to.migrationNames())
        guard ran.0 == ran.1 else {
            let name = ran.0.symmetricDifference(ran.1).sorted().first ?? ""
            throw refuse("the migration \(name) has run on one side only: bring both up to date first")
        }
        let targets = Dictionary(uniqueKeysWithValues: try to.tables().map { ($0.name, $0) })
        let tables = try from.tables()
        for table in tables {
            guard let other = targets[table.name] else { throw refuse("the target lacks the table", table.name) }
            guard Set(other.columns) == Set(table.columns), other.key == table.key else {
                throw refuse("the table's columns differ", table.name)
            }
        }
        let names = Set(tables.map(\.name))
        if let more = targets.keys.sorted().first(where: { !names.contains($0) }) {
            throw refuse("the target has a table that the source lacks: copy into a new database", more)
        }
        return tables
    }

    /// Nobody's data is overwritten by mistake.
    private func requireEmpty(_ to: any CopyAccess, _ tables: [CopyTable]) throws {
        guard !replacing else { return }
        let declared = Set(definitions.values.flatMap { $0 }.map(\.name))
        for table in tables where declared.contains(table.name) || table.name == "row_usage" {
            guard try to.rows("SELECT 1 FROM \"\(table.name)\" LIMIT 1", []).rowCount > 0 else { continue }
            throw StorageError(
                .conflict,
                "the target holds people's rows already: choose a new database, or say that it is to be replaced",
                operation: "copy a database", table: table.name)
        }
    }
}

/// A table that is copied.
struct CopyTable: Sendable {
    var name: String
    var columns: [String]
    /// The columns of the primary key, in its order.
    var key: [String]
}

/// A database whose every row a copy may reach.
protocol CopyableDatabase: Sendable {
    /// A connection of the copy's own, for one thread.
    func openForCopy(writing: Bool) throws -> any CopyAccess
}

/// All rows of a database, of all people; for copies only.
protocol CopyAccess: AnyObject {
    /// All tables with a person's or the program's rows; not those that migrations and registrations make alike.
    func tables() throws -> [CopyTable]

    /// From here on `rows` reads one state.
    func beginSnapshot() throws

    /// Whether anybody has committed since `beginSnapshot`, which it ends.
    func hasChanged() throws -> Bool

    func migrationNames() throws -> Set<String>

    /// Runs a statement with `?` for each value.
    func rows(_ text: String, _ binds: [SQLValue]) throws -> SQLAnswer

    /// Runs `body`, which calls `write`, in one transaction.
    func transaction(_ body: () throws -> Void) throws

    /// Runs a statement that writes; an error may come with the transaction's end.
    func write(_ text: String, _ binds: [SQLValue]) throws

    /// Whether an interrupted copy has left the target unfinished.
    func isTarget() throws -> Bool

    /// Marks the target as unfinished, and lets rows come in any order.
    func becomeTarget() throws

    /// Checks the references and takes the mark away.
    func finishTarget() throws

    func close()
}

/// The mark of a database that a copy has begun to fill.
enum CopyMark {
    static let table = "tandem_copy"

    /// What those tables are made by, on each side for itself.
    static let notCopied: Set<String> = ["tandem_migrations", "tandem_tables", table]

    static let unfinished = StorageError(
        .configuration,
        "a copy into this database was not finished: run tandem db copy again, or use another database",
        operation: "open the database")
}
