internal import TandemSDK

/// The tables of one plugin for one person: a value, so that a transaction is a copy.
struct MemoryTables: Sendable {
    struct Table: Sendable {
        var shape: TableShape
        var rows: [RowID: JSONObject] = [:]
    }

    private(set) var tables: [String: Table] = [:]
    private var nextID: Int64 = 7001
    var rowLimit = 10_000

    init(manifest: JSON) {
        for json in manifest["tables"]?.arrayValue ?? [] {
            let shape = TableShape(json)
            tables[shape.name] = Table(shape: shape)
        }
        if let limit = manifest["quota"]?["rows"]?.int64Value { rowLimit = Int(limit) }
    }

    /// Executes operations in order, all or none.
    mutating func execute(_ operations: JSON, now: Instant, canWrite: Bool, isHandler: Bool = false) throws(RowFault)
        -> JSON
    {
        guard case .array(let elements) = operations else { throw RowFault(.invalid, "invalid") }
        var draft = self
        var results: [JSON] = []
        for (index, element) in elements.enumerated() {
            do throws(RowFault) {
                guard case .object(let operation) = element else { throw RowFault(.invalid, "invalid") }
                results.append(try draft.execute(operation, results, now, canWrite, isHandler))
            } catch {
                var fault = error
                fault.operation = index
                throw fault
            }
        }
        self = draft
        return .array(results)
    }

    /// The rows of a table in the order of their ids, with all columns.
    func rows(of table: String) -> [JSONObject] {
        (tables[table]?.rows ?? [:]).sorted { $0.key < $1.key }.map(\.value)
    }

    private mutating func execute(
        _ operation: JSONObject, _ results: [JSON], _ now: Instant, _ canWrite: Bool,
        _ isHandler: Bool
    ) throws(RowFault) -> JSON {
        let verbs: [(String, Set<String>)] = [
            ("insert", ["values"]), ("get", ["id"]), ("update", ["id", "where", "set"]), ("delete", ["id", "where"]),
            ("list", ["where", "order", "limit", "offset"]), ("count", ["where"]), ("sum", ["column", "by", "where"]),
        ]
        let present = verbs.filter { operation.contains($0.0) }
        guard present.count == 1, let (verb, members) = present.first,
            operation.keys.allSatisfy({ $0 == verb || members.contains($0) }),
            case .string(let name) = operation[verb] ?? .null
        else { throw RowFault(.invalid, "invalid") }
        guard let shape = tables[name]?.shape else { throw RowFault(.notFound, "unknown_table") }
        if ["insert", "update", "delete"].contains(verb), !canWrite, !(isHandler && shape.isCopy) {
            throw RowFault(.notGranted, "not_allowed")
        }
        switch verb {
        case "insert": return try insert(name, shape, operation["values"], results, now)
        case "get":
            let id = try rowID(operation["id"], results)
            return ["row": tables[name]?.rows[id].map { .object($0) } ?? .null]
        case "update": return try update(name, shape, operation, results, now)
        case "delete":
            let ids = try targets(name, shape, operation, results)
            for id in ids { remove(name, id) }
            return ["count": .integer(Int64(ids.count))]
        case "list": return try list(name, shape, operation)
        case "count": return ["count": .integer(Int64(try matching(name, shape, operation["where"]).count))]
        default: return try sum(name, shape, operation)
        }
    }

    private mutating func insert(
        _ name: String, _ shape: TableShape, _ values: JSON?, _ results: [JSON], _ now: Instant
    ) throws(RowFault) -> JSON {
        guard case .object(let values) = values ?? .null else { throw RowFault(.invalid, "invalid") }
        guard tables.values.reduce(0, { $0 + $1.rows.count }) < rowLimit else {
            throw RowFault(.overQuota, "over_quota")
        }
        for key in values.keys {
            guard !TableShape.implied.contains(key) else { throw RowFault(.invalid, "invalid", column: key) }
            _ = try shape.column(key)
        }
        let id = RowID(nextID)
        nextID += 1
        var row: JSONObject = [:]
        for column in shape.columns where !TableShape.implied.contains(column.name) {
            let value = try resolved(values[column.name] ?? column.standard ?? .null, column, results)
            row[column.name] = try column.normalized(value)
        }
        row["id"] = id.json
        row["created_at"] = now.json
        row["updated_at"] = now.json
        try checkReferences(row, shape)
        try checkUnique(row, id, name, shape)
        tables[name]?.rows[id] = row
        return ["id": id.json]
    }

    private mutating func update(
        _ name: String, _ shape: TableShape, _ operation: JSONObject, _ results: [JSON], _ now: Instant
    ) throws(RowFault) -> JSON {
        guard case .object(let set) = operation["set"] ?? .null, !set.isEmpty else {
            throw RowFault(.invalid, "invalid")
        }
        var changes: JSONObject = [:]
        for (key, value) in set {
            guard !TableShape.implied.contains(key) else { throw RowFault(.invalid, "invalid", column: key) }
            let column = try shape.column(key)
            changes[key] = try column.normalized(try resolved(value, column, results))
        }
        let ids = try targets(name, shape, operation, results)
        for id in ids {
            guard var row = tables[name]?.rows[id] else { continue }
            for (key, value) in changes { row[key] = value }
            row["updated_at"] = now.json
            try checkReferences(row, shape)
            try checkUnique(row, id, name, shape)
            tables[name]?.rows[id] = row
        }
        return ["count": .integer(Int64(ids.count))]
    }

    private func list(_ name: String, _ shape: TableShape, _ operation: JSONObject) throws(RowFault) -> JSON {
        let limit = operation["limit"] ?? 100
        let offset = operation["offset"] ?? 0
        guard let limit = limit.int64Value, (0...500).contains(limit), let offset = offset.int64Value, offset >= 0
        else {
            throw RowFault(.invalid, "invalid")
        }
        var order: [(TableShape.Column, Bool)] = []
        for element in operation["order"]?.arrayValue ?? [] {
            guard case .array(let pair) = element, pair.count == 2, case .string(let key) = pair[0],
                pair[1] == "asc" || pair[1] == "desc"
            else { throw RowFault(.invalid, "invalid") }
            let column = try shape.column(key)
            guard !column.isSealed else { throw RowFault(.invalid, "invalid", column: key) }
            order.append((column, pair[1] == "desc"))
        }
        var rows = try matching(name, shape, operation["where"])
        rows.sort { left, right in
            for (column, descending) in order {
                let result = column.compare(left.1[column.name] ?? .null, right.1[column.name] ?? .null)
                if result != 0 { return descending ? result > 0 : result < 0 }
            }
            return left.0 < right.0
        }
        let page = rows.dropFirst(Int(offset)).prefix(Int(limit))
        return [
            "rows": .array(page.map { .object($0.1) }), "more": .bool(rows.count > Int(offset) + page.count),
        ]
    }

    private func sum(_ name: String, _ shape: TableShape, _ operation: JSONObject) throws(RowFault) -> JSON {
        guard case .string(let key) = operation["column"] ?? .null else { throw RowFault(.invalid, "invalid") }
        let column = try shape.column(key)
        guard ["decimal", "integer", "real"].contains(column.type), !column.isSealed else {
            throw RowFault(.invalid, "invalid", column: key)
        }
        var by: [TableShape.Column] = []
        for element in operation["by"]?.arrayValue ?? [] {
            guard case .string(let key) = element else { throw RowFault(.invalid, "invalid") }
            let column = try shape.column(key)
            guard !column.isSealed else { throw RowFault(.invalid, "invalid", column: key) }
            by.append(column)
        }
        var groups: [(key: JSONObject, sum: Decimal, real: Double, count: Int64)] = []
        for (_, row) in try matching(name, shape, operation["where"]) {
            var group: JSONObject = [:]
            for column in by { group[column.name] = row[column.name] ?? .null }
            let value = row[key] ?? .null
            let place = groups.firstIndex { $0.key == group } ?? groups.endIndex
            if place == groups.endIndex { groups.append((group, .zero, 0, 0)) }
            groups[place].count += 1
            if column.type == "real" {
                groups[place].real += value.doubleValue ?? 0
            } else if !value.isNull, let number = try? Decimal(json: value) {
                groups[place].sum += number
            }
        }
        groups.sort { left, right in
            for column in by {
                let result = column.compare(left.key[column.name] ?? .null, right.key[column.name] ?? .null)
                if result != 0 { return result < 0 }
            }
            return false
        }
        var elements: [JSON] = []
        for group in groups {
            guard group.sum.isNumber else { throw RowFault(.internalFault, "overflow", column: key) }
            let sum: JSON = column.type == "real" ? .number(group.real) : .string(group.sum.text(places: column.scale))
            elements.append(["key": .object(group.key), "sum": sum, "count": .integer(group.count)])
        }
        return ["groups": .array(elements)]
    }
}

// MARK: - Conditions and constraints

extension MemoryTables {
    private func matching(
        _ name: String, _ shape: TableShape, _ filter: JSON?
    ) throws(RowFault) -> [(RowID, JSONObject)] {
        var conditions: [(JSONObject) -> Bool] = []
        if let filter {
            guard case .array(let elements) = filter, elements.count <= 32 else { throw RowFault(.invalid, "invalid") }
            for element in elements { conditions.append(try condition(element, shape)) }
        }
        return (tables[name]?.rows ?? [:]).filter { entry in conditions.allSatisfy { $0(entry.value) } }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func condition(_ json: JSON, _ shape: TableShape) throws(RowFault) -> (JSONObject) -> Bool {
        guard case .array(let parts) = json, parts.count >= 2, case .string(let key) = parts[0],
            case .string(let operation) = parts[1]
        else { throw RowFault(.invalid, "invalid") }
        let column = try shape.column(key)
        if operation == "null" || operation == "set" {
            guard parts.count == 2 else { throw RowFault(.invalid, "invalid", column: key) }
            return { ($0[key] ?? .null).isNull == (operation == "null") }
        }
        guard parts.count == 3 else { throw RowFault(.invalid, "invalid", column: key) }
        if column.isSealed, !["eq", "ne", "in"].contains(operation) {
            throw RowFault(.invalid, "invalid", column: key)
        }
        guard column.type != "json" else { throw RowFault(.invalid, "invalid", column: key) }
        var required = column
        required.isNullable = false
        if operation == "in" {
            guard case .array(let elements) = parts[2], elements.count <= 200 else {
                throw RowFault(.invalid, "invalid", column: key)
            }
            var values: [JSON] = []
            for element in elements { values.append(try required.normalized(element)) }
            return { row in
                guard let value = row[key], !value.isNull else { return false }
                return values.contains { column.compare($0, value) == 0 }
            }
        }
        if operation == "contains" {
            guard column.type == "text", case .string(let text) = parts[2] else {
                throw RowFault(.invalid, "invalid", column: key)
            }
            let wanted = text.lowercased()
            return { $0[key]?.stringValue?.lowercased().contains(wanted) ?? false }
        }
        let value = try required.normalized(parts[2])
        let test: (Int) -> Bool
        switch operation {
        case "eq": test = { $0 == 0 }
        case "ne": test = { $0 != 0 }
        case "lt": test = { $0 < 0 }
        case "le": test = { $0 <= 0 }
        case "gt": test = { $0 > 0 }
        case "ge": test = { $0 >= 0 }
        default: throw RowFault(.invalid, "invalid", column: key)
        }
        return { row in
            // Null equals no value, and differs from every value.
            guard let stored = row[key], !stored.isNull else { return operation == "ne" }
            return test(column.compare(stored, value))
        }
    }

    private func targets(
        _ name: String, _ shape: TableShape, _ operation: JSONObject, _ results: [JSON]
    ) throws(RowFault) -> [RowID] {
        if let json = operation["id"] {
            guard operation["where"] == nil else { throw RowFault(.invalid, "invalid") }
            let id = try rowID(json, results)
            return tables[name]?.rows[id] == nil ? [] : [id]
        }
        guard let filter = operation["where"] else { throw RowFault(.invalid, "invalid") }
        return try matching(name, shape, filter).map(\.0)
    }

    /// `{"result":0}` is the id that operation 0 of the same request gave.
    private func resolved(_ value: JSON, _ column: TableShape.Column, _ results: [JSON]) throws(RowFault) -> JSON {
        guard column.type == "id", case .object(let object) = value else { return value }
        guard object.count == 1, let index = object["result"]?.int64Value, index >= 0, index < results.count,
            let id = results[Int(index)]["id"]
        else { throw RowFault(.invalid, "invalid", column: column.name) }
        return id
    }

    private func rowID(_ json: JSON?, _ results: [JSON]) throws(RowFault) -> RowID {
        let column = TableShape.Column(
            name: "id", type: "id", scale: 0, isNullable: false, isSealed: false, references: nil, standard: nil)
        guard case .string(let text) = try resolved(json ?? .null, column, results), let id = RowID(text) else {
            throw RowFault(.invalid, "type_mismatch", column: "id")
        }
        return id
    }

    private func checkReferences(_ row: JSONObject, _ shape: TableShape) throws(RowFault) {
        for column in shape.columns {
            guard let other = column.references, case .string(let text) = row[column.name] ?? .null else { continue }
            guard let id = RowID(text), tables[other]?.rows[id] != nil else {
                throw RowFault(.conflict, "reference", column: column.name)
            }
        }
    }

    private func checkUnique(
        _ row: JSONObject, _ id: RowID, _ name: String, _ shape: TableShape
    ) throws(RowFault) {
        for columns in shape.unique {
            let values = columns.map { row[$0] ?? .null }
            // Nulls are distinct, as in SQL.
            guard !values.contains(where: \.isNull) else { continue }
            let taken = tables[name]?.rows.contains { other, existing in
                other != id && columns.map { existing[$0] ?? .null } == values
            }
            if taken ?? false { throw RowFault(.conflict, "unique", column: columns.first) }
        }
    }

    /// Removes a row and the rows that refer to it.
    private mutating func remove(_ name: String, _ id: RowID) {
        guard tables[name]?.rows.removeValue(forKey: id) != nil else { return }
        for (other, table) in tables {
            let columns = table.shape.columns.filter { $0.references == name }.map(\.name)
            guard !columns.isEmpty else { continue }
            let dependents = table.rows.filter { entry in columns.contains { entry.value[$0] == id.json } }
            for dependent in dependents.keys { remove(other, dependent) }
        }
    }
}

extension MemoryTables: Equatable {
    /// Same rows.
    static func == (left: MemoryTables, right: MemoryTables) -> Bool {
        left.tables.keys == right.tables.keys && left.tables.allSatisfy { $0.value.rows == right.tables[$0.key]?.rows }
    }
}
