import Foundation
public import TandemAccounts
public import TandemCore
public import TandemJSON
public import TandemStorage

/// Everything that is a person's, as a whole: taken along, brought in, removed.
///
/// What routes, texts and commands call. Who may call it, and with which proof of presence (`Accounts.requireProof` for
/// `.export` and `.erasure`), is theirs to check first; the audit tells of each. Safe from any thread.
///
/// - `export`: a ZIP archive of JSON and CSV with a manifest (docs/data.md has its form).
/// - `importArchive`: makes an account of one, on this or another instance; all or nothing.
/// - `erase`: gives back what other services hold, deletes every row, destroys the key, leaves a proof.
public struct PersonalData: Sendable {
    /// Something outside of the database that has to let go of a person.
    public protocol Holder: Sendable {
        /// Before the rows go, while the person's key is there: gives tokens back to their services, say. What cannot be done
        /// now it keeps for later by itself; it must not prevent the erasure.
        func release(_ scope: UserScope) async
    }

    let database: any Database
    let accounts: Accounts
    let audit: any AuditSink
    let holders: [any Holder]

    public init(database: any Database, accounts: Accounts, audit: any AuditSink, holders: [any Holder] = []) {
        self.database = database
        self.accounts = accounts
        self.audit = audit
        self.holders = holders
    }

    /// That an account was erased: of whom no longer says anything but the id that it had.
    public struct Proof: Sendable, Hashable {
        public var id: RecordID
        public var account: UserID
        public var erasedAt: Timestamp
        /// `person`, `operator`, `staff` or `program`.
        public var actor: String
        /// The keys that were destroyed: versions with hashes of their wrapped form.
        public var keyNames: [String]
        /// Rows that were deleted, by table.
        public var rowCounts: [String: Int]

        public var totalRows: Int { rowCounts.values.reduce(0, +) }
    }

    static let migrations: [Migration] = [
        Migration("data/1-erasures") { builder in
            builder.createTable("erasure_proofs") { table in
                table.column("id", .integer)
                // Not a reference: the account is no more.
                table.column("account", .integer)
                table.column("erased_at", .integer)
                table.column("actor", .text)
                table.column("key_names", .text)
                table.column("row_counts", .text)
                table.column("total_rows", .integer)
                table.primaryKey("id")
            }
            builder.createIndex("erasure_proofs_time", on: "erasure_proofs", ["erased_at"])
        }
    ]

    // MARK: Erasure

    /// Removes a person for good. Returns the proof that stays.
    ///
    /// Throws `unknown_user` where there is no such account.
    @discardableResult
    public func erase(_ scope: UserScope, by actor: AuditEvent.Actor) async throws -> Proof {
        guard try await accounts.user(scope.user) != nil else {
            throw AccountsError(.unknownUser, "There is no such account.")
        }
        for holder in holders { await holder.release(scope) }
        try await accounts.delete(scope, by: actor)
        // What was deleted is overwritten in the file; its log has it until it is emptied.
        if let file = database as? SQLiteDatabase {
            for _ in 0..<20 {
                if try await file.emptyLog() { break }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        let proofs = try await database.read(.system) { transaction in
            try transaction.query("SELECT * FROM erasure_proofs WHERE account = \(scope.user) ORDER BY id")
                .map(Proof.init)
        }
        guard let proof = proofs.last else { throw AccountsError(.unknownUser, "There is no such account.") }
        return proof
    }

    /// Leaves the proof, in the transaction that erases: what `AccountServices.onErasure` calls, whoever erases.
    static let recordErasure: @Sendable (UserID, AuditEvent.Actor, ErasureReport, any WriteTransaction) throws -> Void =
        {
            user, actor, report, transaction in
            var counts = report.rows
            for (table, count) in report.systemRows { counts[table, default: 0] += count }
            counts["users"] = 1
            let proof = Proof(
                id: transaction.nextID(), account: user, erasedAt: transaction.now, actor: actor.word,
                keyNames: report.keys, rowCounts: counts)
            try proof.insert(in: transaction)
        }

    /// The proofs of all erasures, oldest first.
    public func proofs() async throws -> [Proof] {
        try await database.read(.system) { transaction in
            try transaction.query("SELECT * FROM erasure_proofs ORDER BY id").map(Proof.init)
        }
    }

    // MARK: Export

    /// Everything of a person as a ZIP archive.
    public func export(_ scope: UserScope, by actor: AuditEvent.Actor) async throws -> [UInt8] {
        guard let account = try await accounts.user(scope.user) else {
            throw AccountsError(.unknownUser, "There is no such account.")
        }
        let now = database.store.clock.now
        let files = try await database.read(scope) { try ExportedPerson(account: account, at: now).files($0) }
        let archive = try await offPool { try Archive.write(files, at: now.millisecondsSinceEpoch / 1000) }
        try await database.write(scope) { [audit] transaction in
            try audit.record(
                AuditEvent(.exported, user: scope.user, actor: actor, detail: ["files": String(files.count)]),
                in: transaction)
        }
        return archive
    }

    // MARK: Import

    /// What came in.
    public struct ImportReport: Sendable {
        public var account: Account
        public var rowCounts: [String: Int]
        /// What an archive has and an instance does not take over, with the reason.
        public var leftOut: [String: String]
    }

    /// Makes an account from an archive of `export`, with new ids. Passwords, numbers, sessions, connections and decisions
    /// about plugins are the person's to give again. All or nothing.
    ///
    /// - Parameters:
    ///   - email: Instead of the archive's.
    ///   - leavingOut: Whether tables that this instance does not have (of plugins that are not installed) are left out; else
    ///     they are a reason to refuse.
    ///
    /// Throws `ApplicationError` for what is no such archive or is damaged, `AccountsError` for an address that is taken.
    public func importArchive(
        _ bytes: [UInt8], email: String? = nil, leavingOut: Bool = false, by actor: AuditEvent.Actor
    ) async throws -> ImportReport {
        let person = try await offPool { try ImportedPerson(archive: bytes) }
        return try await person.write(
            to: database, accounts, audit, into: .newAccount(email: email), leavingOut: leavingOut, by: actor)
    }

    /// What unpacks to more is not taken from somebody over the network.
    static let mostSentBytes = 64 << 20

    /// Adds the rows of an archive to those of an account, with new ids. Settings and values of plugins that are there stay.
    /// All or nothing; the same archive once.
    ///
    /// Throws `ApplicationError` for what is no such archive or does not fit, `ImportConflict` for what does not go together
    /// with what is there.
    public func importArchive(
        _ bytes: [UInt8], into scope: UserScope, leavingOut: Bool = false, by actor: AuditEvent.Actor
    ) async throws -> ImportReport {
        guard let account = try await accounts.user(scope.user) else {
            throw AccountsError(.unknownUser, "There is no such account.")
        }
        let person = try await offPool { try ImportedPerson(archive: bytes, upTo: PersonalData.mostSentBytes) }
        return try await person.write(
            to: database, accounts, audit, into: .account(account), leavingOut: leavingOut, by: actor)
    }

    /// Compressing takes a while: on a thread of its own.
    private func offPool<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        do {
            return try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
            }
        } catch let failure as ArchiveFailure {
            throw ApplicationError("The archive cannot be used: \(failure.reason).")
        }
    }
}

/// An archive and an account that do not go together; nothing was taken over.
public struct ImportConflict: Error, Sendable, CustomStringConvertible {
    public var description: String
}

extension PersonalData.Proof {
    func insert(in transaction: any WriteTransaction) throws {
        var counts = JSONObject()
        for (table, count) in rowCounts.sorted(by: { $0.key < $1.key }) { counts[table] = .integer(Int64(count)) }
        try transaction.execute(
            """
            INSERT INTO erasure_proofs (id, account, erased_at, actor, key_names, row_counts, total_rows)
            VALUES (\(id), \(account), \(erasedAt), \(actor), \(keyNames.joined(separator: " ")),
            \(JSON.object(counts).text), \(totalRows))
            """)
    }

    init(_ row: SQLRow) throws {
        var counts: [String: Int] = [:]
        for (table, count) in (try? JSON(parsing: try row.text("row_counts")))?.objectValue ?? [:] {
            counts[table] = count.int64Value.map(Int.init)
        }
        self.init(
            id: RecordID(rawValue: try row.int64("id")), account: UserID(rawValue: try row.int64("account")),
            erasedAt: try row.timestamp("erased_at"), actor: try row.text("actor"),
            keyNames: try row.text("key_names").split(separator: " ").map(String.init), rowCounts: counts)
    }

    public var json: JSON {
        var counts = JSONObject()
        for (table, count) in rowCounts.sorted(by: { $0.key < $1.key }) { counts[table] = .integer(Int64(count)) }
        return [
            "id": .id(id), "account": .string(account.description), "erased_at": .timestamp(erasedAt),
            "actor": .string(actor), "keys": .array(keyNames.map { .string($0) }), "rows": .object(counts),
            "total_rows": .integer(Int64(totalRows)),
        ]
    }
}

extension AuditEvent.Actor {
    var word: String {
        switch self {
        case .anyone: "anyone"
        case .person: "person"
        case .staff(let user): user == nil ? "operator" : "staff"
        case .program: "program"
        }
    }
}
