import TandemCore
public import TandemJSON

/// A value in the path, the query or a header.
public struct APIParameter: Sendable {
    public enum Place: String, Sendable, Hashable {
        case path
        case query
        case header
    }

    public let name: String
    public let place: Place
    public let text: String
    public let schema: JSON
    public let isRequired: Bool
    private let program: JSONSchema?
    private let kind: Kind

    private enum Kind: Sendable {
        case string
        case integer
        case boolean
    }

    init(_ name: String, _ place: Place, _ text: String, _ schema: JSON, isRequired: Bool = false) {
        self.name = name
        self.place = place
        self.text = text
        self.schema = schema
        self.isRequired = isRequired || place == .path
        program = try? JSONSchema(compiling: schema, formatAssertion: true)
        switch schema["type"]?.stringValue {
        case "integer": kind = .integer
        case "boolean": kind = .boolean
        default: kind = .string
        }
    }

    /// The value that a text stands for; nil when it is none that the schema takes.
    func value(_ text: String) -> JSON? {
        let value: JSON
        switch kind {
        case .string: value = .string(text)
        case .integer:
            guard let number = APIParameter.integer(text) else { return nil }
            value = .integer(number)
        case .boolean:
            switch text {
            case "true": value = true
            case "false": value = false
            default: return nil
            }
        }
        // A declaration that does not compile takes nothing; a test compiles them all.
        guard let program, program.isValid(value) else { return nil }
        return value
    }

    var isSound: Bool { program != nil }

    /// Decimal digits as JSON writes them.
    private static func integer(_ text: String) -> Int64? {
        let digits = text.utf8.first == 45 ? text.utf8.dropFirst() : text.utf8[...]
        guard let first = digits.first, digits.allSatisfy({ (48...57).contains($0) }), first != 48 || digits.count == 1
        else { return nil }
        return Int64(text)
    }
}

extension APIParameter {
    static func path(_ name: String, _ text: String, schema: JSON = Shape.id) -> APIParameter {
        APIParameter(name, .path, text, schema, isRequired: true)
    }

    static func query(_ name: String, _ text: String, _ schema: JSON) -> APIParameter {
        APIParameter(name, .query, text, schema)
    }

    static let id = path("id", "Its id.")

    static let limit = query(
        "limit", "How many at most.", ["type": "integer", "minimum": 1, "maximum": 100, "default": 20])
    static let cursor = query(
        "cursor", "`next_cursor` of the page before: what follows it.", Shape.id)
    static let page = [limit, cursor]

    /// `*`, or tags (RFC 9110 §8.8.3) with commas between them; one that names nothing fits nothing.
    private static let tags: JSON = ["type": "string", "pattern": "^[!-~]([ -~]{0,500}[!-~])?$"]

    static let ifMatch = APIParameter(
        "If-Match", .header, "The `ETag` of what you saw: the change is made only while it is still the same.",
        tags,
        isRequired: true)
    static let ifMatchOptional = APIParameter(
        "If-Match", .header, "The `ETag` of what you saw: it is done only while that is still the same.",
        tags)
    static let ifNoneMatch = APIParameter(
        "If-None-Match", .header, "The `ETag` of what you have: 304 when that is still so.",
        tags)
    static let idempotencyKey = APIParameter(
        "Idempotency-Key", .header,
        "Any text of your own, once for each thing to do: sent again within a day with the same body it is not done again, "
            + "and gets the same answer.",
        ["type": "string", "pattern": "^[!-~]{1,128}$"])
}
