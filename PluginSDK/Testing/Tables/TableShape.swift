internal import TandemSDK

/// A table as a manifest declares it.
struct TableShape: Sendable {
    struct Column: Sendable {
        var name: String
        var type: String
        var scale: Int
        var isNullable: Bool
        var isSealed: Bool
        var references: String?
        var standard: JSON?
    }

    var name: String
    var columns: [Column]
    var unique: [[String]]
    /// Mirrors what lies elsewhere.
    var isCopy: Bool

    init(_ json: JSON) {
        name = json["name"]?.stringValue ?? ""
        columns = (json["columns"]?.arrayValue ?? []).map { column in
            Column(
                name: column["name"]?.stringValue ?? "", type: column["type"]?.stringValue ?? "",
                scale: Int(column["scale"]?.int64Value ?? 4), isNullable: column["nullable"]?.boolValue ?? false,
                isSealed: column["sealed"]?.boolValue ?? false, references: column["references"]?.stringValue,
                standard: column["default"])
        }
        isCopy = json["copy"]?.boolValue ?? false
        unique = (json["indexes"]?.arrayValue ?? []).filter { $0["unique"]?.boolValue ?? false }
            .map { ($0["columns"]?.arrayValue ?? []).compactMap(\.stringValue) }
        func implied(_ name: String, _ type: String) -> Column {
            Column(name: name, type: type, scale: 0, isNullable: false, isSealed: false, references: nil, standard: nil)
        }
        columns += [implied("id", "id"), implied("created_at", "timestamp"), implied("updated_at", "timestamp")]
    }

    static let implied: Set<String> = ["id", "created_at", "updated_at"]

    func column(_ name: String) throws(RowFault) -> Column {
        guard let column = columns.first(where: { $0.name == name }) else {
            throw RowFault(.invalid, "unknown_column", column: name)
        }
        return column
    }
}

extension TableShape.Column {
    /// The stored form of a value, or why it cannot be stored.
    func normalized(_ value: JSON) throws(RowFault) -> JSON {
        if value.isNull {
            guard isNullable else { throw RowFault(.invalid, "not_null", column: name) }
            return value
        }
        switch type {
        case "text": if case .string = value { return value }
        case "integer": if let number = value.int64Value { return .integer(number) }
        case "real": if let number = value.doubleValue { return .number(number) }
        case "boolean": if case .bool = value { return value }
        case "json": return value
        case "decimal":
            if case .string(let text) = value, let number = Decimal(text) {
                guard number.rounded(places: scale) == number else {
                    throw RowFault(.invalid, "type_mismatch", column: name)
                }
                return .string(number.text(places: scale))
            }
        case "date": if case .string(let text) = value, let day = Day(text) { return day.json }
        case "timestamp": if case .string(let text) = value, let instant = Instant(text) { return instant.json }
        case "id": if case .string(let text) = value, let id = RowID(text) { return id.json }
        default: break
        }
        throw RowFault(.invalid, "type_mismatch", column: name)
    }

    /// Negative, zero or positive as the left value comes before, with or after the right one. Null comes first.
    func compare(_ left: JSON, _ right: JSON) -> Int {
        if left.isNull || right.isNull { return (left.isNull ? 0 : 1) - (right.isNull ? 0 : 1) }
        func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }
        switch type {
        case "integer": return order(left.int64Value ?? 0, right.int64Value ?? 0)
        case "real": return order(left.doubleValue ?? 0, right.doubleValue ?? 0)
        case "boolean": return order(left.boolValue == true ? 1 : 0, right.boolValue == true ? 1 : 0)
        case "decimal":
            return order(Decimal(left.stringValue ?? "") ?? .zero, Decimal(right.stringValue ?? "") ?? .zero)
        case "id": return order(RowID(left.stringValue ?? "") ?? RowID(), RowID(right.stringValue ?? "") ?? RowID())
        case "json": return order(left.text, right.text)
        default:
            let (a, b) = (left.stringValue ?? "", right.stringValue ?? "")
            return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : a.utf8.elementsEqual(b.utf8) ? 0 : 1
        }
    }
}

/// Why a row operation is refused, as `tandem/ext/rows.h` says it.
struct RowFault: Error, Sendable {
    enum Kind: Sendable { case invalid, notFound, notGranted, conflict, overQuota, internalFault }

    var kind: Kind
    var code: String
    var column: String?
    var operation: Int?

    init(_ kind: Kind, _ code: String, column: String? = nil) {
        self.kind = kind
        self.code = code
        self.column = column
    }

    var json: JSON {
        var object: JSONObject = ["code": .string(code)]
        if let operation { object["operation"] = .integer(Int64(operation)) }
        if let column { object["column"] = .string(column) }
        object["message"] = .string(code)
        return .object(object)
    }
}
