import TandemCore

/// Something that holds sealed values of a person, and how to seal them anew, some at a time.
enum ResealedPlace {
    case table(UserTable)
    case journal
    case titles
    case system(SealedColumn)

    /// In an order that stays, whatever is registered meanwhile: tables of people are counted last.
    static func all(_ columns: [SealedColumn], of person: Int64, in context: TransactionContext) -> [ResealedPlace] {
        let there = context.store.tables.systemTables
        let system = columns.filter { there.contains($0.table) && (person == Keyring.systemUser || $0.user != nil) }
            .map(ResealedPlace.system)
        guard person != Keyring.systemUser else { return system }
        let tables = context.store.tables.snapshot.tables.values.sorted { $0.name < $1.name }
            .filter { table in table.columns.contains(where: \.isSealed) }
        return [.journal, .titles] + system + tables.map(ResealedPlace.table)
    }

    /// Seals anew what was sealed with an older key; returns the last row that was looked at, nil at the end.
    func reseal(of person: Int64, after row: Int64, limit: Int, in context: TransactionContext) throws -> Int64? {
        guard let keys = try context.store.keyring.reload(person, in: context) else { return nil }
        let work = Reseal(person: person, keys: keys, context: context)
        switch self {
        case .table(let table): return try work.table(table, after: row, limit: limit)
        case .journal: return try work.journal(after: row, limit: limit)
        case .titles: return try work.titles(after: row, limit: limit)
        case .system(let column): return try work.system(column, after: row, limit: limit)
        }
    }

    /// Whether something is sealed with an older key still. Not within the journal's images, which `reseal` opens.
    func hasOld(of person: Int64, in context: TransactionContext) throws -> Bool {
        guard let keys = try context.store.keyring.reload(person, in: context) else { return false }
        switch self {
        case .table(let table):
            return try table.columns.filter(\.isSealed).contains { column in
                try Reseal.hasOld(column.name, table.name, "\"user_id\" = \(person)", keys, context)
            }
        case .journal: return try Reseal.hasOld("before_image", "row_journal", "user_id = \(person)", keys, context)
        case .titles: return try Reseal.hasOld("title", "row_turns", "user_id = \(person)", keys, context)
        case .system(let column):
            let condition = Reseal.condition(column, person)
            return try Reseal.hasOld(column.column, column.table, condition, keys, context)
        }
    }
}

private struct Reseal {
    let person: Int64
    let keys: UserKeySet
    let context: TransactionContext

    /// The value under the current key; nil where it is already.
    func anew(_ value: SQLValue, _ seal: SealContext) throws -> SQLValue? {
        guard case .blob(let sealed) = value, let version = SealedForm.version(sealed), version != keys.current else {
            return nil
        }
        let plain = try SealedForm.open(sealed, keys: keys, user: person, seal)
        return .blob(try SealedForm.seal(plain, keys: keys, user: person, seal))
    }

    func table(_ table: UserTable, after row: Int64, limit: Int) throws -> Int64? {
        let sealed = table.columns.filter(\.isSealed)
        let list = sealed.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let answer = try context.engine.run(
            table.statement("reseal") {
                "SELECT \"id\", \(list) FROM \"\(table.name)\" WHERE \"user_id\" = ? AND \"id\" > ? ORDER BY \"id\" LIMIT ?"
            }, [.int(person), .int(row), .int(Int64(limit))])
        var last: Int64?
        for place in 0..<answer.rowCount {
            let base = place * answer.columnCount
            guard case .int(let id) = answer.values[base] else { continue }
            last = id
            for (offset, column) in sealed.enumerated() {
                let seal = SealContext(table: table.name, column: column.name, row: id)
                guard let value = try anew(answer.values[base + 1 + offset], seal) else { continue }
                _ = try context.engine.run(
                    table.statement("reseal \(column.physicalIndex)") {
                        "UPDATE \"\(table.name)\" SET \"\(column.name)\" = ? WHERE \"user_id\" = ? AND \"id\" = ?"
                    }, [value, .int(person), .int(id)])
            }
        }
        return last
    }

    private static let selectJournal = RowStatement(
        """
        SELECT id, table_name, row_id, before_image FROM row_journal \
        WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?
        """)
    private static let updateJournal = RowStatement(
        "UPDATE row_journal SET before_image = ? WHERE user_id = ? AND id = ?")
    private static let selectTitles = RowStatement(
        "SELECT turn, title FROM row_turns WHERE user_id = ? AND turn > ? ORDER BY turn LIMIT ?")
    private static let updateTitle = RowStatement("UPDATE row_turns SET title = ? WHERE user_id = ? AND turn = ?")

    /// An image is sealed, and within it the sealed columns of the row as it was.
    func journal(after row: Int64, limit: Int) throws -> Int64? {
        let answer = try context.engine.run(Reseal.selectJournal, [.int(person), .int(row), .int(Int64(limit))])
        var last: Int64?
        for place in 0..<answer.rowCount {
            let base = place * answer.columnCount
            guard case .int(let id) = answer.values[base], case .text(let name) = answer.values[base + 1],
                case .int(let rowID) = answer.values[base + 2]
            else { continue }
            last = id
            guard case .blob(let sealed) = answer.values[base + 3] else { continue }
            let seal = RowExecutor.imageSeal(id)
            let plain = try SealedForm.open(sealed, keys: keys, user: person, seal)
            guard var image = RowImage.decode(plain) else { continue }
            var isOld = SealedForm.version(sealed) != keys.current
            for column in context.store.tables.snapshot.tables[name]?.columns ?? []
            where column.isSealed && column.physicalIndex < image.count {
                let inner = SealContext(table: name, column: column.name, row: rowID)
                guard let value = try anew(image[column.physicalIndex], inner) else { continue }
                image[column.physicalIndex] = value
                isOld = true
            }
            guard isOld else { continue }
            let anew = try SealedForm.seal(RowImage.encode(image), keys: keys, user: person, seal)
            _ = try context.engine.run(Reseal.updateJournal, [.blob(anew), .int(person), .int(id)])
        }
        return last
    }

    func titles(after row: Int64, limit: Int) throws -> Int64? {
        let answer = try context.engine.run(Reseal.selectTitles, [.int(person), .int(row), .int(Int64(limit))])
        var last: Int64?
        for place in 0..<answer.rowCount {
            guard case .int(let turn) = answer.values[place * 2] else { continue }
            last = turn
            let seal = RowExecutor.titleSeal(RecordID(rawValue: turn))
            guard let value = try anew(answer.values[place * 2 + 1], seal) else { continue }
            _ = try context.engine.run(Reseal.updateTitle, [value, .int(person), .int(turn)])
        }
        return last
    }

    static func condition(_ column: SealedColumn, _ person: Int64) -> String {
        guard let user = column.user else { return "1 = 1" }
        return person == Keyring.systemUser ? "\"\(user)\" IS NULL" : "\"\(user)\" = \(person)"
    }

    /// By the first five bytes, which say the key's version.
    static func hasOld(
        _ column: String, _ table: String, _ condition: String, _ keys: UserKeySet, _ context: TransactionContext
    ) throws -> Bool {
        var header: [UInt8] = [1]
        for shift in [24, 16, 8, 0] { header.append(UInt8(truncatingIfNeeded: keys.current >> shift)) }
        let statement = RowStatement(
            """
            SELECT 1 FROM "\(table)" WHERE \(condition) AND "\(column)" IS NOT NULL AND substr("\(column)", 1, 5) <> ? \
            LIMIT 1
            """)
        return try context.engine.run(statement, [.blob(header)]).rowCount > 0
    }

    func system(_ column: SealedColumn, after row: Int64, limit: Int) throws -> Int64? {
        let condition = Reseal.condition(column, person)
        let answer = try context.engine.run(
            RowStatement(
                """
                SELECT "\(column.row)", "\(column.column)" FROM "\(column.table)" \
                WHERE \(condition) AND "\(column.row)" > ? ORDER BY "\(column.row)" LIMIT ?
                """), [.int(row), .int(Int64(limit))])
        var last: Int64?
        for place in 0..<answer.rowCount {
            guard case .int(let id) = answer.values[place * 2] else { continue }
            last = id
            let seal = SealContext(table: column.table, column: column.column, row: id)
            guard let value = try anew(answer.values[place * 2 + 1], seal) else { continue }
            _ = try context.engine.run(
                RowStatement(
                    """
                    UPDATE "\(column.table)" SET "\(column.column)" = ? \
                    WHERE \(condition) AND "\(column.row)" = ?
                    """), [value, .int(id)])
        }
        return last
    }
}
