public import TandemCore
public import TandemJSON

/// Rows of another instance, as `exportUser` gives them, with the ids that they get here.
public struct RowImport: Sendable {
    public var table: String
    public var rows: [JSONObject]

    public init(table: String, rows: [JSONObject]) {
        self.table = table
        self.rows = rows
    }
}

extension WriteTransaction {
    /// Writes rows of another instance into the scope's person's tables, under new ids and with their own times; what refers
    /// to one of them by its id refers to the new one, also within JSON. All or nothing; cannot be undone by the journal.
    ///
    /// Returns the new ids by the old ones. Throws `unknown_table`, `unknown_column`, `invalid` for rows that are none, and
    /// what an insertion throws, with the table's and column's names and no value.
    @discardableResult
    public func importRows(_ imports: [RowImport]) throws -> [RecordID: RecordID] {
        var executor = try RowExecutor(context, access: .host, origin: nil, quota: nil)
        return try atomically { try executor.take(imports) }
    }
}

extension RowExecutor {
    fileprivate mutating func take(_ imports: [RowImport]) throws -> [RecordID: RecordID] {
        var tables: [(table: UserTable, rows: [(old: RecordID, row: JSONObject)])] = []
        var all: [RecordID] = []
        for item in imports {
            guard let table = snapshot.tables[item.table] else {
                throw StorageError(.unknownTable, "there is no such table here", table: item.table)
            }
            let rows = try item.rows.map { row in
                guard let id = row["id"]?.stringValue.flatMap({ RecordID($0) }) else {
                    throw StorageError(.invalid, "a row of \(item.table) has no id", table: item.table)
                }
                return (old: id, row: row)
            }
            tables.append((table, rows.sorted { $0.old < $1.old }))
            all += rows.map(\.old)
        }
        // In the order of the old ones, so that what was earlier stays so.
        var ids: [RecordID: RecordID] = [:]
        for old in all.sorted() where ids[old] == nil { ids[old] = context.store.ids.next() }
        // What is referred to comes first.
        tables.sort { depth($0.table) < depth($1.table) }
        try engine.deferringReferences {
            for (table, rows) in tables {
                for (old, row) in rows { try take(row, old, into: table, ids) }
            }
        }
        try settleUsage(enforcing: false)
        return ids
    }

    private func depth(_ table: UserTable, _ seen: Set<String> = []) -> Int {
        guard !seen.contains(table.name) else { return 0 }
        let parents = table.columns.compactMap { $0.definition.references }.filter { $0 != table.name }
        return (parents.compactMap { snapshot.tables[$0] }.map { depth($0, seen.union([table.name])) }.max() ?? -1) + 1
    }

    private mutating func take(
        _ row: JSONObject, _ old: RecordID, into table: UserTable, _ ids: [RecordID: RecordID]
    ) throws {
        guard let id = ids[old] else { return }
        for (name, _) in row where table.place(of: name) == nil && !TableRules.impliedColumns.contains(name) {
            throw StorageError(
                .unknownColumn, "\(table.name) has no such column here", table: table.name,
                column: SQL.isIdentifier(name) ? name : nil)
        }
        func time(_ name: String) throws -> SQLValue {
            guard let text = row[name]?.stringValue, let time = Timestamp(text) else {
                throw StorageError(.invalid, "a row has no time", table: table.name, column: name)
            }
            return .int(time.millisecondsSinceEpoch)
        }
        var image: [SQLValue] = [
            .int(user), .int(id.rawValue), try time("created_at"), try time("updated_at"), .int(1),
        ]
        for column in table.columns {
            var value = column.defaultValue
            if let json = row[column.name], json != .null {
                value = try column.encode(mapped(json, column, ids))
            } else if row[column.name] != nil {
                value = .null
            }
            if value == .null, !column.isNullable {
                throw StorageError(.notNull, "a row lacks a value", table: table.name, column: column.name)
            }
            try append(value, column, id.rawValue, to: &image)
        }
        do {
            _ = try engine.run(table.insertStatement, image)
        } catch let error as StorageError {
            throw try explain(error, table, image)
        }
        noteChange(of: table, id.rawValue, rows: 1, bytes: RowImage.size(image))
    }

    private func mapped(_ json: JSON, _ column: UserColumn, _ ids: [RecordID: RecordID]) throws -> JSON {
        switch column.type {
        case .id:
            guard let old = json.stringValue.flatMap({ RecordID($0) }) else { return json }
            return .id(ids[old] ?? old)
        case .json: return mapped(json, ids)
        default: return json
        }
    }

    /// Ids are long enough that no other text looks like one of these.
    private func mapped(_ json: JSON, _ ids: [RecordID: RecordID]) -> JSON {
        switch json {
        case .string(let text):
            guard text.utf8.count >= 15, let old = RecordID(text), let new = ids[old] else { return json }
            return .id(new)
        case .array(let items): return .array(items.map { mapped($0, ids) })
        case .object(let object):
            var new = JSONObject()
            for (name, value) in object { new[name] = mapped(value, ids) }
            return .object(new)
        default: return json
        }
    }
}
