import Crypto

/// Makes one table of the target like the source's.
struct CopyPiece {
    let table: CopyTable
    let from: any CopyAccess
    let to: any CopyAccess
    let cancellation: CancellationFlag

    private var name: String { "\"\(table.name)\"" }
    private var key: String { "(" + table.key.map { "\"\($0)\"" }.joined(separator: ", ") + ")" }
    private var order: String { table.key.map { "\"\($0)\"" }.joined(separator: ", ") }
    private var columns: String { table.columns.map { "\"\($0)\"" }.joined(separator: ", ") }

    private func marks(_ count: Int) -> String {
        "(" + Array(repeating: "?", count: count).joined(separator: ", ") + ")"
    }

    /// - Parameter progress: Called with the rows that are done and all.
    func copy(_ progress: (Int, Int) -> Void) throws -> DatabaseCopy.TableReport {
        do {
            return try attempt(progress)
        } catch let error as StorageError where error.code == .unique {
            // A value has moved from a later row to an earlier one: the table is written anew.
            try to.transaction { try to.write("DELETE FROM \(name)", []) }
            return try attempt(progress)
        }
    }

    private func attempt(_ progress: (Int, Int) -> Void) throws -> DatabaseCopy.TableReport {
        guard !table.key.isEmpty else {
            throw StorageError(.invalid, "a table without a primary key cannot be copied", table: table.name)
        }
        let count = try number(from, "SELECT count(*) FROM \(name)")
        var hash = SHA256()
        var rows = 0
        var written = 0
        var last: [SQLValue]?
        while true {
            if cancellation.isSet { throw CancellationError() }
            let piece = try next(from, after: last)
            let end = piece.last.map(keyValues)
            let theirs = try range(after: last, upTo: end)
            for row in piece { hash.update(data: RowImage.encode(row)) }
            if theirs.map(RowImage.encode) != piece.map(RowImage.encode) {
                try replace(after: last, upTo: end, with: piece)
                written += piece.count
            }
            rows += piece.count
            progress(rows, count)
            guard let end else { break }
            last = end
        }
        let checksum = hexadecimal(hash.finalize())
        try verify(rows: rows, checksum: checksum)
        return DatabaseCopy.TableReport(name: table.name, rows: rows, written: written, checksum: checksum)
    }

    /// Reads the target from its beginning.
    private func verify(rows: Int, checksum: String) throws {
        var hash = SHA256()
        var count = 0
        var last: [SQLValue]?
        while true {
            let piece = try next(to, after: last)
            guard let row = piece.last else { break }
            for row in piece { hash.update(data: RowImage.encode(row)) }
            count += piece.count
            last = keyValues(row)
        }
        guard count == rows, hexadecimal(hash.finalize()) == checksum else {
            throw StorageError(
                .corrupt,
                "the table differs after it was copied (\(count) rows of \(rows)): somebody else writes to the target",
                operation: "verify a copy", table: table.name)
        }
    }

    private func number(_ side: any CopyAccess, _ text: String) throws -> Int {
        guard case .int(let value)? = try side.rows(text, []).values.first else { return 0 }
        return Int(value)
    }

    private func keyValues(_ row: [SQLValue]) -> [SQLValue] {
        table.key.compactMap { column in table.columns.firstIndex(of: column).map { row[$0] } }
    }

    private func next(_ side: any CopyAccess, after last: [SQLValue]?) throws -> [[SQLValue]] {
        let condition = last.map { " WHERE \(key) > \(marks($0.count))" } ?? ""
        return split(
            try side.rows(
                "SELECT \(columns) FROM \(name)\(condition) ORDER BY \(order) LIMIT \(DatabaseCopy.pieceRows)",
                last ?? []))
    }

    /// The target's rows where the piece belongs: after one key, up to another, or to the end.
    private func range(after last: [SQLValue]?, upTo end: [SQLValue]?) throws -> [[SQLValue]] {
        let (condition, binds) = bounds(last, end)
        return split(try to.rows("SELECT \(columns) FROM \(name)\(condition) ORDER BY \(order)", binds))
    }

    private func bounds(_ last: [SQLValue]?, _ end: [SQLValue]?) -> (String, [SQLValue]) {
        var parts: [String] = []
        if let last { parts.append("\(key) > \(marks(last.count))") }
        if let end { parts.append("\(key) <= \(marks(end.count))") }
        return (parts.isEmpty ? "" : " WHERE " + parts.joined(separator: " AND "), (last ?? []) + (end ?? []))
    }

    private func replace(after last: [SQLValue]?, upTo end: [SQLValue]?, with piece: [[SQLValue]]) throws {
        let (condition, binds) = bounds(last, end)
        try to.transaction {
            try to.write("DELETE FROM \(name)\(condition)", binds)
            for row in piece {
                try to.write("INSERT INTO \(name) (\(columns)) VALUES \(marks(row.count))", row)
            }
        }
    }

    private func split(_ answer: SQLAnswer) -> [[SQLValue]] {
        stride(from: 0, to: answer.values.count, by: max(1, answer.columnCount)).map { base in
            Array(answer.values[base..<(base + answer.columnCount)])
        }
    }
}
