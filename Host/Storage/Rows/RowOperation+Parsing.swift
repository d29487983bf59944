import TandemCore
public import TandemJSON

extension RowOperation {
    /// Reads a request: a JSON array of operations.
    ///
    /// Throws `StorageError` with code `invalid` and the place of the operation. Column names and value types are checked
    /// when the operations run.
    public static func parse(_ request: JSON) throws -> [RowOperation] {
        guard case .array(let elements) = request else {
            throw StorageError(.invalid, "a request is an array of operations")
        }
        var operations: [RowOperation] = []
        operations.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do {
                operations.append(try RowOperation(json: element))
            } catch var error as StorageError {
                error.index = index
                throw error
            }
        }
        return operations
    }

    /// Reads one operation.
    init(json: JSON) throws {
        guard case .object(let object) = json else { throw RowOperation.invalid("an operation is an object") }
        var kind: String?
        for (key, _) in object where RowOperation.members[key] != nil {
            // `count` names an operation only; `sum` has its own `column`.
            guard kind == nil else {
                throw RowOperation.invalid("an operation is one of insert, get, update …, not two")
            }
            kind = key
        }
        guard let kind, let allowed = RowOperation.members[kind] else {
            throw RowOperation.invalid("an operation is one of insert, get, update, delete, list, count, sum")
        }
        guard case .string(let table)? = object[kind] else { throw RowOperation.invalid("\(kind) names a table") }
        for (key, _) in object where key != kind && !allowed.contains(key) {
            throw RowOperation.invalid("\(kind) has no such member; it has \(allowed.joined(separator: ", "))")
        }
        switch kind {
        case "insert": self = .insert(table: table, values: try RowOperation.object(object, "values"))
        case "get":
            guard let id = try RowOperation.id(object) else { throw RowOperation.invalid("get needs an id") }
            self = .get(table: table, id: id)
        case "update":
            self = .update(
                table: table, try RowOperation.selection(object, kind), set: try RowOperation.object(object, "set"))
        case "delete": self = .delete(table: table, try RowOperation.selection(object, kind))
        case "list":
            self = .list(
                table: table,
                RowQuery(
                    where: try RowOperation.conditions(object["where"]), order: try RowOperation.order(object["order"]),
                    limit: try RowOperation.integer(
                        object["limit"], "limit", 0...RowQuery.maxLimit, RowQuery.defaultLimit),
                    offset: try RowOperation.integer(object["offset"], "offset", 0...1_000_000_000, 0)))
        case "count": self = .count(table: table, where: try RowOperation.conditions(object["where"]))
        default:
            guard case .string(let column)? = object["column"] else { throw RowOperation.invalid("sum names a column") }
            self = .sum(
                table: table, column: column, by: try RowOperation.names(object["by"]),
                where: try RowOperation.conditions(object["where"]))
        }
    }

    private static let members: [String: [String]] = [
        "insert": ["values"], "get": ["id"], "update": ["id", "where", "set"], "delete": ["id", "where"],
        "list": ["where", "order", "limit", "offset"], "count": ["where"], "sum": ["column", "by", "where"],
    ]

    static func invalid(_ message: String) -> StorageError { StorageError(.invalid, message) }

    private static func object(_ object: JSONObject, _ name: String) throws -> JSONObject {
        guard case .object(let value)? = object[name] else {
            throw invalid("\(name) is an object of columns and values")
        }
        return value
    }

    private static func id(_ object: JSONObject) throws -> RecordID? {
        guard let value = object["id"] else { return nil }
        guard case .string(let text) = value, let id = RecordID(text) else {
            throw invalid("an id is a string like \"7123\"")
        }
        return id
    }

    private static func selection(_ object: JSONObject, _ kind: String) throws -> RowSelection {
        switch (try id(object), object["where"]) {
        case (let id?, nil): return .id(id)
        case (nil, let conditions?): return .matching(try self.conditions(conditions))
        default: throw invalid("\(kind) needs either an id or where")
        }
    }

    private static func conditions(_ json: JSON?) throws -> [RowCondition] {
        guard let json else { return [] }
        guard case .array(let elements) = json else { throw invalid("where is an array of conditions") }
        guard elements.count <= RowOperation.maxConditions else {
            throw invalid("where has at most \(maxConditions) conditions")
        }
        return try elements.map { element in
            guard case .array(let parts) = element, parts.count >= 2, case .string(let column) = parts[0],
                case .string(let word) = parts[1], let comparison = RowCondition.Comparison(rawValue: word)
            else {
                throw invalid(
                    "a condition is [column, operator, value] with eq, ne, lt, le, gt, ge, in, contains, null, set")
            }
            let takesValue = comparison != .isNull && comparison != .isSet
            guard parts.count == (takesValue ? 3 : 2) else {
                throw invalid("the condition \(word) takes \(takesValue ? "one value" : "no value")")
            }
            return RowCondition(column, comparison, takesValue ? parts[2] : .null)
        }
    }

    static let maxConditions = 32

    private static func order(_ json: JSON?) throws -> [RowOrder] {
        guard let json else { return [] }
        guard case .array(let elements) = json, elements.count <= 8 else {
            throw invalid("order is an array of at most 8 [column, \"asc\" or \"desc\"]")
        }
        return try elements.map { element in
            guard case .array(let parts) = element, parts.count == 2, case .string(let column) = parts[0],
                case .string(let word) = parts[1], word == "asc" || word == "desc"
            else { throw invalid("order is an array of [column, \"asc\" or \"desc\"]") }
            return RowOrder(column, descending: word == "desc")
        }
    }

    private static func names(_ json: JSON?) throws -> [String] {
        guard let json else { return [] }
        guard case .array(let elements) = json, elements.count <= 8 else {
            throw invalid("by is an array of at most 8 columns")
        }
        return try elements.map { element in
            guard case .string(let name) = element else { throw invalid("by is an array of columns") }
            return name
        }
    }

    private static func integer(_ json: JSON?, _ name: String, _ range: ClosedRange<Int>, _ standard: Int) throws -> Int
    {
        guard let json else { return standard }
        guard let value = json.int64Value, value >= range.lowerBound, value <= range.upperBound else {
            throw invalid("\(name) is an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(value)
    }
}

extension StorageError {
    /// The form of a failed request in `tandem/ext/rows.h`.
    public var rowsJSON: JSON {
        var object = JSONObject()
        object["code"] = .string(code.rawValue)
        if let index { object["operation"] = .integer(Int64(index)) }
        if let column { object["column"] = .string(column) }
        object["message"] = .string(message)
        return .object(object)
    }
}
