public import TandemCore

/// The last turn whose writes can be taken back.
public struct UndoableTurn: Sendable, Hashable {
    public var turn: RecordID
    /// What `label` gave it.
    public var title: String?
    /// When its last write was.
    public var at: Timestamp
}

/// What an undo restored.
public struct UndoReport: Sendable, Hashable {
    public var turn: RecordID
    public var title: String?
    /// The writes that were taken back.
    public var writes: Int
    /// The tables that they were in.
    public var tables: Set<String>
}

/// The journal of writes: what each row was before, sealed, by the turn and step that changed it.
///
/// A row's version counts its changes; an entry can be taken back while the row still has the version that the entry gave
/// it.
extension RowExecutor {
    private static let insertEntry = RowStatement(
        """
        INSERT INTO row_journal (user_id, id, turn, step, table_name, row_id, version_before, version_after, \
        before_image, is_undone, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
        """)
    private static let selectTurn = RowStatement(
        """
        SELECT id, table_name, row_id, version_before, version_after, before_image FROM row_journal \
        WHERE user_id = ? AND id >= ? AND turn = ? AND is_undone = 0 ORDER BY id DESC
        """)
    private static let selectStep = RowStatement(
        """
        SELECT id, table_name, row_id, version_before, version_after, before_image FROM row_journal \
        WHERE user_id = ? AND id >= ? AND turn = ? AND step = ? AND is_undone = 0 ORDER BY id DESC
        """)
    private static let markUndone = RowStatement(
        "UPDATE row_journal SET is_undone = 1 WHERE user_id = ? AND id >= ? AND turn = ?")
    private static let deleteStep = RowStatement(
        "DELETE FROM row_journal WHERE user_id = ? AND id >= ? AND turn = ? AND step = ?")
    private static let selectLatest = RowStatement(
        "SELECT turn, created_at FROM row_journal WHERE user_id = ? AND is_undone = 0 ORDER BY id DESC LIMIT 1")
    private static let selectTitle = RowStatement("SELECT title FROM row_turns WHERE user_id = ? AND turn = ?")
    private static let upsertTitle = RowStatement(
        """
        INSERT INTO row_turns (user_id, turn, title, created_at) VALUES (?, ?, ?, ?) \
        ON CONFLICT (user_id, turn) DO UPDATE SET title = excluded.title
        """)

    private struct Entry {
        var id: Int64
        var table: String
        var row: Int64
        var versionBefore: Int64
        var versionAfter: Int64
        var image: [UInt8]?
    }

    func journal(
        _ table: UserTable, _ row: Int64, before: [SQLValue]?, versionBefore: Int64, versionAfter: Int64
    ) throws {
        guard let origin else { return }
        let id = context.store.ids.next().rawValue
        var image: SQLValue = .null
        if let before {
            guard let keys = try keys(create: true) else { return }
            image = .blob(
                try SealedForm.seal(RowImage.encode(before), keys: keys, user: user, RowExecutor.imageSeal(id)))
        }
        _ = try engine.run(
            RowExecutor.insertEntry,
            [
                .int(user), .int(id), .int(origin.turn.rawValue), .int(Int64(origin.step)), .text(table.name),
                .int(row),
                .int(versionBefore), .int(versionAfter), image, .int(now.millisecondsSinceEpoch),
            ])
    }

    static func imageSeal(_ id: Int64) -> SealContext {
        SealContext(table: "row_journal", column: "before_image", row: id)
    }

    // MARK: Taking back

    /// Restores every row that the turn changed; all or nothing.
    mutating func undo(_ turn: RecordID) throws -> UndoReport {
        let binds = turnBinds(turn)
        let entries = RowExecutor.entries(try engine.run(RowExecutor.selectTurn, binds))
        guard !entries.isEmpty else {
            throw StorageError(.notFound, "the turn has no writes to take back", operation: "undo")
        }
        try revert(entries, operation: "undo") { executor in
            _ = try executor.engine.run(RowExecutor.markUndone, binds)
        }
        return UndoReport(
            turn: turn, title: try title(of: turn), writes: entries.count, tables: Set(entries.map(\.table)))
    }

    /// Restores what one step changed and forgets that it did; returns the number of writes.
    mutating func rollBack(_ origin: WriteOrigin) throws -> Int {
        let binds = turnBinds(origin.turn) + [.int(Int64(origin.step))]
        let entries = RowExecutor.entries(try engine.run(RowExecutor.selectStep, binds))
        guard !entries.isEmpty else { return 0 }
        try revert(entries, operation: "roll back") { executor in
            _ = try executor.engine.run(RowExecutor.deleteStep, binds)
        }
        return entries.count
    }

    /// Forgets that a step wrote; its rows stay as they are.
    func settle(_ origin: WriteOrigin) throws {
        guard context.canWrite else { throw StorageError(.notAllowed, "a read transaction does not write") }
        _ = try engine.run(RowExecutor.deleteStep, turnBinds(origin.turn) + [.int(Int64(origin.step))])
    }

    /// User, first id and turn. An entry is younger than its turn, so the search begins there: a day earlier, since the
    /// two may have been numbered by different clocks. That saves an index on every write.
    private func turnBinds(_ turn: RecordID) -> [SQLValue] {
        let day: Int64 = 86_400_000 << 22
        let latest = min(turn.rawValue, context.store.ids.next().rawValue)
        return [.int(user), .int(max(0, latest - day)), .int(turn.rawValue)]
    }

    private mutating func revert(
        _ entries: [Entry], operation: String, finish: (RowExecutor) throws -> Void
    ) throws {
        guard context.canWrite else { throw StorageError(.notAllowed, "a read transaction does not write") }
        var copy = self
        do {
            try engine.savepoint {
                // One row that refers to others comes back whole or not at all, in whatever order; several may refer to
                // each other. To ask for the delay costs SQLite all of its compiled statements.
                let referring = entries.count { entry in
                    copy.snapshot.tables[entry.table]?.columns.contains { $0.definition.references != nil } ?? false
                }
                if referring > 1 {
                    try copy.engine.deferringReferences {
                        for entry in entries { try copy.revert(entry) }
                    }
                } else {
                    for entry in entries { try copy.revert(entry) }
                }
                try finish(copy)
                // What a person had before is theirs: the quota does not stop it.
                try copy.settleUsage(enforcing: false)
            }
        } catch var error as StorageError {
            error.operation = operation
            if error.code == .unique || error.code == .reference {
                error.code = .conflict
                error.message = "a later change stands against it: \(error.message)"
            }
            throw error
        }
        self = copy
    }

    private mutating func revert(_ entry: Entry) throws {
        guard let table = snapshot.tables[entry.table] else {
            throw StorageError(.conflict, "the table \(entry.table) is gone", table: entry.table)
        }
        let current = try image(of: table, entry.row)
        var version: Int64 = 0
        if let current, case .int(let number) = current[4] { version = number }
        guard version == entry.versionAfter else {
            throw StorageError(
                .conflict, "row \(entry.row) of \(entry.table) was changed since", table: entry.table)
        }
        if entry.versionBefore == 0 {
            try requireNoChildren(of: table, entry.row)
            _ = try engine.run(table.deleteStatement, [.int(user), .int(entry.row)])
            noteChange(of: table, entry.row, rows: -1, bytes: -RowImage.size(current ?? []))
            return
        }
        guard let sealed = entry.image else {
            throw StorageError(.conflict, "the journal does not hold row \(entry.row)", table: entry.table)
        }
        let bytes = try context.open(sealed, of: user, RowExecutor.imageSeal(entry.id))
        guard let before = RowImage.decode(bytes), before.count > 5, before.count <= table.physicalNames.count else {
            throw StorageError(.sealBroken, "the journal's image is damaged", table: entry.table)
        }
        if let current {
            let binds = Array(before.dropFirst(2)) + [.int(user), .int(entry.row)]
            _ = try engine.run(table.restoreStatement(before.count), binds)
            noteChange(of: table, entry.row, rows: 0, bytes: RowImage.size(before) - RowImage.size(current))
        } else {
            _ = try engine.run(table.reinsertStatement(before.count), before)
            noteChange(of: table, entry.row, rows: 1, bytes: RowImage.size(before))
        }
    }

    /// Rows that came to refer to this one would go with it.
    private func requireNoChildren(of table: UserTable, _ row: Int64) throws {
        for child in snapshot.children[table.name] ?? [] {
            let answer = try engine.run(child.table.childrenStatement(child.place), [.int(user), .int(row)])
            for case .int(let id) in answer.values where !(child.table === table && id == row) {
                throw StorageError(
                    .conflict, "row \(id) of \(child.table.name) refers to row \(row) of \(table.name)",
                    table: child.table.name)
            }
        }
    }

    private static func entries(_ answer: SQLAnswer) -> [Entry] {
        var entries: [Entry] = []
        for row in 0..<answer.rowCount {
            let base = row * answer.columnCount
            guard case .int(let id) = answer.values[base], case .text(let table) = answer.values[base + 1],
                case .int(let rowID) = answer.values[base + 2], case .int(let before) = answer.values[base + 3],
                case .int(let after) = answer.values[base + 4]
            else { continue }
            var image: [UInt8]?
            if case .blob(let bytes) = answer.values[base + 5] { image = bytes }
            entries.append(
                Entry(id: id, table: table, row: rowID, versionBefore: before, versionAfter: after, image: image))
        }
        return entries
    }

    // MARK: Turns

    func latestUndoable(withTitle: Bool = true) throws -> UndoableTurn? {
        let answer = try engine.run(RowExecutor.selectLatest, [.int(user)])
        guard answer.rowCount == 1, case .int(let turn) = answer.values[0], case .int(let at) = answer.values[1] else {
            return nil
        }
        let id = RecordID(rawValue: turn)
        return UndoableTurn(
            turn: id, title: withTitle ? try title(of: id) : nil, at: Timestamp(millisecondsSinceEpoch: at))
    }

    func title(of turn: RecordID) throws -> String? {
        guard
            case .blob(let sealed)? = try engine.run(
                RowExecutor.selectTitle, [.int(user), .int(turn.rawValue)]
            ).values.first
        else { return nil }
        let plain = try context.open(sealed, of: user, RowExecutor.titleSeal(turn))
        return String(decoding: plain, as: UTF8.self)
    }

    func label(_ turn: RecordID, _ title: String) throws {
        guard let keys = try keys(create: true) else { return }
        let sealed = try SealedForm.seal(Array(title.utf8), keys: keys, user: user, RowExecutor.titleSeal(turn))
        _ = try engine.run(
            RowExecutor.upsertTitle,
            [.int(user), .int(turn.rawValue), .blob(sealed), .int(now.millisecondsSinceEpoch)])
    }

    static func titleSeal(_ turn: RecordID) -> SealContext {
        SealContext(table: "row_turns", column: "title", row: turn.rawValue)
    }
}
