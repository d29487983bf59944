import TandemCore
import TandemJSON

extension RowExecutor {
    // MARK: Inserting

    mutating func insert(into table: UserTable, _ values: JSONObject, after results: [RowResult]) throws -> RecordID {
        let id = context.store.ids.next()
        var given = [JSON?](repeating: nil, count: table.columns.count)
        for (name, value) in values { given[try settablePlace(of: name, in: table)] = value }
        var image: [SQLValue] = []
        image.reserveCapacity(table.physicalNames.count)
        image.append(.int(user))
        image.append(.int(id.rawValue))
        image.append(.int(now.millisecondsSinceEpoch))
        image.append(.int(now.millisecondsSinceEpoch))
        image.append(.int(1))
        for (place, column) in table.columns.enumerated() {
            let value: SQLValue
            if let json = given[place] {
                value = try encode(json, column, after: results)
            } else {
                value = column.defaultValue
                if value == .null, !column.isNullable { throw RowExecutor.missing(column) }
            }
            try append(value, column, id.rawValue, to: &image)
        }
        do {
            _ = try engine.run(table.insertStatement, image)
        } catch let error as StorageError {
            throw try explain(error, table, image)
        }
        noteChange(of: table, id.rawValue, rows: 1, bytes: RowImage.size(image))
        try journal(table, id.rawValue, before: nil, versionBefore: 0, versionAfter: 1)
        if context.provenance != nil { try labelWritten(id.rawValue, of: table, values) }
        return id
    }

    private func settablePlace(of name: String, in table: UserTable) throws -> Int {
        if let place = table.place(of: name) { return place }
        guard !TableRules.impliedColumns.contains(name) || name == "user_id" else {
            throw StorageError(.invalid, "\(name) is kept by the host", table: table.name, column: name)
        }
        throw StorageError(
            .unknownColumn, "\(table.name) has no column \(SQL.isIdentifier(name) ? name : "of that name")",
            table: table.name, column: name)
    }

    private static func missing(_ column: UserColumn) -> StorageError {
        StorageError(
            .notNull, "\(column.table).\(column.name) needs a value", table: column.table, column: column.name,
            sqlState: "23502")
    }

    private func encode(_ json: JSON, _ column: UserColumn, after results: [RowResult]) throws -> SQLValue {
        switch json {
        case .null:
            guard column.isNullable else { throw RowExecutor.missing(column) }
            return .null
        case .object(let object) where column.type == .id:
            guard object.count == 1, let index = object["result"]?.int64Value, index >= 0, index < Int64(results.count),
                case .inserted(let id) = results[Int(index)]
            else {
                throw StorageError(
                    .invalid, "{\"result\":n} names an earlier insert of the same request", table: column.table,
                    column: column.name)
            }
            return .int(id.rawValue)
        default: return try column.encode(json)
        }
    }

    func append(_ value: SQLValue, _ column: UserColumn, _ id: Int64, to image: inout [SQLValue]) throws {
        guard column.isSealed else {
            image.append(value)
            return
        }
        let (sealed, hash) = try seal(value, column, id)
        image.append(sealed)
        image.append(hash)
    }

    // MARK: Updating

    mutating func update(
        _ table: UserTable, _ selection: RowSelection, _ values: JSONObject, after results: [RowResult]
    ) throws -> Int {
        guard !values.isEmpty else { throw StorageError(.invalid, "set names no column", table: table.name) }
        var assignments: [(place: Int, value: SQLValue)] = []
        assignments.reserveCapacity(values.count)
        for (name, json) in values {
            let place = try settablePlace(of: name, in: table)
            assignments.append((place, try encode(json, table.columns[place], after: results)))
        }
        assignments.sort { $0.place < $1.place }
        let statement = table.updateStatement(assignments.map(\.place))
        let ids = try ids(of: table, selection)
        var changed = 0
        for id in ids {
            guard let before = try image(of: table, id) else { continue }
            guard case .int(let version) = before[4] else { continue }
            var after = before
            var binds: [SQLValue] = [.int(now.millisecondsSinceEpoch), .int(version + 1)]
            for (place, value) in assignments {
                let column = table.columns[place]
                if let hashIndex = column.hashIndex {
                    let (sealed, hash) = try seal(value, column, id)
                    after[column.physicalIndex] = sealed
                    after[hashIndex] = hash
                    binds.append(sealed)
                    binds.append(hash)
                } else {
                    after[column.physicalIndex] = value
                    binds.append(value)
                }
            }
            binds.append(.int(user))
            binds.append(.int(id))
            do {
                _ = try engine.run(statement, binds)
            } catch let error as StorageError {
                throw try explain(error, table, after)
            }
            noteChange(of: table, id, rows: 0, bytes: RowImage.size(after) - RowImage.size(before))
            try journal(table, id, before: before, versionBefore: version, versionAfter: version + 1)
            if context.provenance != nil { try labelWritten(id, of: table, values) }
            changed += 1
        }
        return changed
    }

    private func ids(of table: UserTable, _ selection: RowSelection) throws -> [Int64] {
        switch selection {
        case .id(let id): return [id.rawValue]
        case .matching(let conditions):
            let filter = try RowFilter(conditions, table: table) { try keys(create: false) }
            let statement = table.statement("k\(filter.shape)") {
                "SELECT \"id\" FROM \"\(table.name)\"\(filter.clause(engine.dialect)) ORDER BY \"id\""
            }
            return try engine.run(statement, [.int(user)] + filter.binds).values.compactMap { value in
                guard case .int(let id) = value else { return nil }
                return id
            }
        }
    }

    /// All physical columns of a row.
    func image(of table: UserTable, _ id: Int64) throws -> [SQLValue]? {
        let answer = try engine.run(table.imageStatement, [.int(user), .int(id)])
        return answer.rowCount == 1 ? answer.values : nil
    }

    // MARK: Deleting

    struct RowKey: Hashable {
        var table: String
        var id: Int64
    }

    mutating func delete(from table: UserTable, _ selection: RowSelection) throws -> Int {
        var found: [(table: UserTable, id: Int64, image: [SQLValue])] = []
        var seen: Set<RowKey> = []
        var roots: [Int64] = []
        for id in try ids(of: table, selection) {
            guard let image = try image(of: table, id) else { continue }
            roots.append(id)
            if seen.insert(RowKey(table: table.name, id: id)).inserted { found.append((table, id, image)) }
        }
        // What refers to these rows goes with them: found first, so that the journal knows it.
        var next = 0
        while next < found.count {
            let parent = found[next]
            next += 1
            for child in snapshot.children[parent.table.name] ?? [] {
                let answer = try engine.run(
                    child.table.childrenStatement(child.place), [.int(user), .int(parent.id)])
                for case .int(let id) in answer.values
                where seen.insert(RowKey(table: child.table.name, id: id)).inserted {
                    if let image = try image(of: child.table, id) { found.append((child.table, id, image)) }
                }
            }
        }
        // Last in the journal is first to be restored: a row before what refers to it.
        for item in found.reversed() {
            guard case .int(let version) = item.image[4] else { continue }
            try journal(item.table, item.id, before: item.image, versionBefore: version, versionAfter: 0)
            noteChange(of: item.table, item.id, rows: -1, bytes: -RowImage.size(item.image))
        }
        for id in roots { _ = try engine.run(table.deleteStatement, [.int(user), .int(id)]) }
        return roots.count
    }

    // MARK: Failures

    /// Names the column of a violated index or reference.
    func explain(_ error: StorageError, _ table: UserTable, _ image: [SQLValue]) throws -> StorageError {
        var explained = error
        explained.table = table.name
        switch error.code {
        case .unique:
            let column = RowExecutor.violatedColumn(error, table)
            explained.column = column
            explained.message = "\(table.name) has a row with this \(column ?? "value") already"
        case .reference:
            for column in table.columns {
                if let constraint = error.constraint {
                    // After a failure PostgreSQL answers no further question, but names what failed.
                    guard constraint == TableDDL.referenceName(table.name, column.name),
                        let target = column.definition.references
                    else { continue }
                    explained.column = column.name
                    explained.message = "\(table.name).\(column.name) refers to no row of \(target)"
                    return explained
                }
                guard let target = column.definition.references, let parent = snapshot.tables[target],
                    case .int(let id) = image[column.physicalIndex], try self.image(of: parent, id) == nil
                else { continue }
                explained.column = column.name
                explained.message = "\(table.name).\(column.name) refers to no row of \(target)"
                return explained
            }
            explained.message = "\(table.name) refers to a row that does not exist"
        default: break
        }
        return explained
    }

    /// PostgreSQL names the index. SQLite says `UNIQUE constraint failed: table.user_id, table.column`.
    private static func violatedColumn(_ error: StorageError, _ table: UserTable) -> String? {
        if let constraint = error.constraint {
            let index = table.definition.indexes.first {
                TableDDL.indexName(table.name, $0.columns, isUnique: true) == constraint
            }
            return table.columns.first { index?.columns.contains($0.name) ?? false }?.name
        }
        let message = error.message
        for column in table.columns {
            for name in [column.name, UserColumn.hashName(column.name)] {
                let mark = "\(table.name).\(name)"
                if message.hasSuffix(mark) || message.split(separator: ",").contains(where: { $0.hasSuffix(mark) }) {
                    return column.name
                }
            }
        }
        return nil
    }
}
