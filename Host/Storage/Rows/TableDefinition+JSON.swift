import TandemCore
import TandemJSON

// The form in which the catalogue keeps a definition; the member names are those of the manifest.
extension TableDefinition {
    var storedForm: JSON {
        var object = JSONObject()
        object["name"] = .string(name)
        object["purpose"] = .string(purpose)
        object["columns"] = .array(columns.map(\.storedForm))
        object["indexes"] = .array(
            indexes.map { .object(["columns": .array($0.columns.map { .string($0) }), "unique": .bool($0.isUnique)]) })
        return .object(object)
    }

    init?(storedForm json: JSON) {
        guard let name = json["name"]?.stringValue, let columns = json["columns"]?.arrayValue,
            let indexes = json["indexes"]?.arrayValue
        else { return nil }
        self.init(name: name, columns: [], purpose: json["purpose"]?.stringValue ?? "")
        for element in columns {
            guard let column = ColumnDefinition(storedForm: element) else { return nil }
            self.columns.append(column)
        }
        for element in indexes {
            guard let names = element["columns"]?.arrayValue, let isUnique = element["unique"]?.boolValue else {
                return nil
            }
            self.indexes.append(IndexDefinition(names.compactMap(\.stringValue), unique: isUnique))
        }
    }
}

extension ColumnDefinition {
    var storedForm: JSON {
        var object = JSONObject()
        object["name"] = .string(name)
        object["type"] = .string(type.word)
        if case .decimal(let scale) = type { object["scale"] = .integer(Int64(scale)) }
        if isNullable { object["nullable"] = true }
        if isSealed { object["sealed"] = true }
        if isSearchable { object["searchable"] = true }
        if let references { object["references"] = .string(references) }
        if let defaultValue { object["default"] = defaultValue.json }
        return .object(object)
    }

    init?(storedForm json: JSON) {
        guard let name = json["name"]?.stringValue, let word = json["type"]?.stringValue else { return nil }
        let type: ColumnType
        switch word {
        case "text": type = .text
        case "integer": type = .integer
        case "real": type = .real
        case "decimal": type = .decimal(scale: Int(json["scale"]?.int64Value ?? 4))
        case "boolean": type = .boolean
        case "date": type = .date
        case "timestamp": type = .timestamp
        case "json": type = .json
        case "id": type = .id
        default: return nil
        }
        let value: ColumnDefault?
        switch json["default"] {
        case .string(let text)?: value = .text(text)
        case .integer(let number)?: value = type == .real ? .real(Double(number)) : .integer(number)
        case .number(let number)?: value = .real(number)
        case .bool(let flag)?: value = .boolean(flag)
        default: value = nil
        }
        self.init(
            name, type, nullable: json["nullable"]?.boolValue ?? false, sealed: json["sealed"]?.boolValue ?? false,
            searchable: json["searchable"]?.boolValue ?? false, references: json["references"]?.stringValue,
            default: value)
    }
}

extension ColumnType {
    var word: String {
        switch self {
        case .text: "text"
        case .integer: "integer"
        case .real: "real"
        case .decimal: "decimal"
        case .boolean: "boolean"
        case .date: "date"
        case .timestamp: "timestamp"
        case .json: "json"
        case .id: "id"
        }
    }
}
