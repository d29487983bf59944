import HTTPTypes
import TandemCore
import TandemJSON

/// Reads the parts of a request by their declarations; what is unknown, repeated or malformed is refused.
enum RequestReading {
    /// Values of the query by name. A parameter that was not given and has a default has that.
    static func query(of target: String, _ route: APIRoute) throws -> [String: JSON] {
        let values = try given(target, route)
        for parameter in route.parameters
        where parameter.place == .query && parameter.isRequired && values[parameter.name] == nil {
            throw APIProblem.parameter(parameter, "is missing")
        }
        return values
    }

    private static func given(_ target: String, _ route: APIRoute) throws -> [String: JSON] {
        guard let mark = target.utf8.firstIndex(of: 63) else { return [:] }
        let text = target[target.utf8.index(after: mark)...]
        guard !text.isEmpty else { return [:] }
        var values: [String: JSON] = [:]
        for pair in text.split(separator: "&", omittingEmptySubsequences: true) {
            let equals = pair.utf8.firstIndex(of: 61)
            let rawName = equals.map { pair[..<$0] } ?? pair
            let rawValue = equals.map { pair[pair.utf8.index(after: $0)...] } ?? ""
            guard let name = PercentEncoding.decoded(rawName, plusIsSpace: true),
                let value = PercentEncoding.decoded(rawValue, plusIsSpace: true)
            else { throw APIProblem.fault("query", "", "is not percent-encoded UTF-8") }
            guard let parameter = route.parameters.first(where: { $0.place == .query && $0.name == name }) else {
                throw APIProblem.fault("query", String(name.prefix(60)), "is not known here")
            }
            guard values[name] == nil else { throw APIProblem.parameter(parameter, "is given twice") }
            guard let read = parameter.value(value) else {
                throw APIProblem.parameter(parameter, "is not as described")
            }
            values[name] = read
        }
        return values
    }

    static func headers(_ fields: HTTPFields, _ route: APIRoute) throws {
        for parameter in route.parameters where parameter.place == .header {
            guard let name = HTTPField.Name(parameter.name) else { continue }
            guard let text = fields[name] else {
                if parameter.isRequired { throw APIProblem(.preconditionRequired) }
                continue
            }
            guard parameter.value(text) != nil else { throw APIProblem.parameter(parameter, "is not as described") }
        }
    }

    static func body(
        _ request: APIRequest, _ body: APIBody, _ program: JSONSchema?, isTooLarge: Bool
    ) throws -> JSON {
        guard !isTooLarge, request.body.count <= body.maxBytes else { throw APIProblem(.tooLarge) }
        guard let type = request.headers[.contentType] else {
            // Nothing at all is no media type either.
            throw APIProblem(request.body.isEmpty ? .invalidBody : .unsupportedMediaType)
        }
        guard body.isBinary ? isOne(of: body.mediaTypes, type) : isJSON(type),
            request.headers[.contentEncoding].map({ $0.lowercased() == "identity" }) ?? true
        else { throw APIProblem(.unsupportedMediaType) }
        if body.isBinary { return .null }
        let value: JSON
        do {
            value = try JSON(
                parsing: request.body, limits: JSONLimits(maxBytes: body.maxBytes, maxDepth: 16, maxMembers: 200))
        } catch {
            var problem = APIProblem(.badRequest, "The body is no JSON text (RFC 8259).")
            problem.errors = [
                ["in": "body", "line": .integer(Int64(error.line)), "column": .integer(Int64(error.column))]
            ]
            throw problem
        }
        guard let program, !program.isValid(value) else { return value }
        var problem = APIProblem(.invalidBody)
        problem.errors = program.validate(value).prefix(10).map { violation in
            ["in": "body", "pointer": .string(violation.instanceLocation), "reason": .string(violation.message)]
        }
        throw problem
    }

    /// A media type without its parameters.
    private static func isOne(of types: [String], _ type: String) -> Bool {
        let name = String(type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }).lowercased()
        return types.contains(name)
    }

    /// `application/json`, perhaps with `charset=utf-8`.
    static func isJSON(_ type: String) -> Bool {
        let parts = type.split(separator: ";", omittingEmptySubsequences: false).map { part in
            String(part.filter { $0 != " " && $0 != "\t" }).lowercased()
        }
        guard parts.first == "application/json" else { return false }
        return parts.dropFirst().allSatisfy { $0 == "charset=utf-8" || $0 == "charset=\"utf-8\"" || $0.isEmpty }
    }
}

/// Percent-encoding (RFC 3986 §2.1).
enum PercentEncoding {
    /// Nil for a `%` without two digits after it, or bytes that are no UTF-8.
    static func decoded(_ text: Substring, plusIsSpace: Bool) -> String? {
        if !text.utf8.contains(where: { $0 == 37 || (plusIsSpace && $0 == 43) }) { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case 37:
                guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case 43 where plusIsSpace: bytes.append(32)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}

/// What a client takes (RFC 9110 §12.5.1).
struct AcceptHeader {
    static let events = "text/event-stream"

    private var ranges: [(range: String, isRefused: Bool)] = []

    init(_ text: String) {
        for item in text.split(separator: ",") {
            let parts = item.split(separator: ";").map { part in String(part.filter { $0 != " " }).lowercased() }
            guard let range = parts.first, !range.isEmpty else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
            ranges.append((range, quality.flatMap { Double($0) } == 0))
        }
    }

    /// The most specific range that fits a type decides.
    func takes(_ type: String) -> Bool {
        if ranges.isEmpty { return true }
        let general = type.prefix { $0 != "/" } + "/*"
        for candidate in [type, String(general), "*/*"] {
            if let found = ranges.first(where: { $0.range == candidate }) { return !found.isRefused }
        }
        // What is at fault is said in a form that such clients take, too.
        return ranges.contains { $0.range == "application/problem+json" && !$0.isRefused && type == "application/json" }
    }

    /// By its very name.
    func names(_ type: String) -> Bool { ranges.contains { $0.range == type && !$0.isRefused } }
}
