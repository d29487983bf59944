import TandemCore
import TandemJSON

/// Arguments for a tool from its schema: plain ones as a person would give them, and strange ones from a seed.
///
/// Understands the keywords that describe values (`type`, `enum`, `const`, `properties`, `items`, bounds, `anyOf`, `$ref`
/// into `$defs` …); everything that it makes is judged by the real validator, so that a keyword it does not understand
/// costs variety and nothing else.
struct ArgumentGenerator {
    let tool: ToolDefinition
    private let schema: JSONSchema
    private var random: SeededRandom

    init(_ tool: ToolDefinition, seed: UInt64) throws(JSONSchemaError) {
        self.tool = tool
        schema = try JSONSchema(compiling: tool.parameters)
        var mixed = seed
        for byte in tool.id.utf8 { mixed = mixed &* 0x100_0000_01B3 ^ UInt64(byte) }
        random = SeededRandom(mixed)
    }

    // MARK: Plain

    /// Valid arguments as the declaration suggests them: `examples` of the schema, or the least and the most it takes,
    /// and what its utterances imply. Empty when none could be made.
    func examples() -> [PlannedCall] {
        var made: [JSON] = tool.parameters["examples"]?.arrayValue ?? []
        if made.isEmpty {
            let least = plain(tool.parameters, onlyRequired: true, depth: 0)
            let most = plain(tool.parameters, onlyRequired: false, depth: 0)
            made = [most, least]
            for utterance in tool.utterances where !utterance.arguments.isEmpty {
                guard case .object(var arguments) = most else { continue }
                for (name, value) in utterance.arguments { arguments[name] = value }
                made.append(.object(arguments))
            }
        }
        var seen: Set<JSON> = []
        return made.filter { schema.isValid($0) && seen.insert($0).inserted }
            .map { PlannedCall(tool: tool.id, arguments: $0) }
    }

    private func resolved(_ node: JSON) -> JSON {
        var node = node
        for _ in 0..<8 {
            guard let reference = node["$ref"]?.stringValue, reference.hasPrefix("#/") else { return node }
            var target = tool.parameters
            for part in reference.dropFirst(2).split(separator: "/") { target = target[String(part)] ?? .null }
            node = target
        }
        return node
    }

    private func plain(_ node: JSON, onlyRequired: Bool, depth: Int) -> JSON {
        let node = resolved(node)
        if let value = node["const"] { return value }
        if let value = node["examples"]?.arrayValue?.first { return value }
        if let value = node["default"] { return value }
        if let value = node["enum"]?.arrayValue?.first { return value }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            if let first = node[keyword]?.arrayValue?.first, node["type"] == nil {
                return plain(first, onlyRequired: onlyRequired, depth: depth + 1)
            }
        }
        guard depth < 12 else { return .null }
        switch typeName(node) {
        case "object":
            var object: JSONObject = [:]
            let required = Set((node["required"]?.arrayValue ?? []).compactMap(\.stringValue))
            for (name, property) in node["properties"]?.objectValue ?? [:]
            where !onlyRequired || required.contains(name) {
                object[name] = plain(property, onlyRequired: onlyRequired, depth: depth + 1)
            }
            return .object(object)
        case "array":
            let count = max(Int(node["minItems"]?.int64Value ?? 0), onlyRequired ? 0 : 1)
            return .array(
                (0..<min(count, 20)).map { _ in
                    plain(node["items"] ?? true, onlyRequired: onlyRequired, depth: depth + 1)
                })
        case "integer": return .integer(Int64(number(near: 2, node).rounded(.up)))
        case "number": return .number(number(near: 2, node))
        case "boolean": return true
        case "null": return .null
        default: return fitting(node, among: Self.plainTexts)
        }
    }

    private func typeName(_ node: JSON) -> String {
        if let name = node["type"]?.stringValue { return name }
        let names = (node["type"]?.arrayValue ?? []).compactMap(\.stringValue)
        if let name = names.first(where: { $0 != "null" }) { return name }
        if node["properties"] != nil { return "object" }
        if node["items"] != nil { return "array" }
        if node["minimum"] != nil || node["maximum"] != nil { return "number" }
        return "string"
    }

    private func number(near wanted: Double, _ node: JSON) -> Double {
        var low = node["minimum"]?.doubleValue ?? -.greatestFiniteMagnitude
        var high = node["maximum"]?.doubleValue ?? .greatestFiniteMagnitude
        if let bound = node["exclusiveMinimum"]?.doubleValue { low = max(low, bound + 1) }
        if let bound = node["exclusiveMaximum"]?.doubleValue { high = min(high, bound - 1) }
        var value = min(max(wanted, low), high)
        if let step = node["multipleOf"]?.doubleValue, step > 0 { value = (value / step).rounded(.up) * step }
        return value
    }

    private static let plainTexts = [
        "milk", "2.50", "2", "2026-11-21", "2026-11-21T10:00:00.000Z", "10:00", "EUR", "en", "#1", "1", "a",
        "https://example.org/", "ann@example.org", "call the dentist", "PT1H", "00000000-0000-4000-8000-000000000000",
        String(repeating: "a", count: 16), String(repeating: "a", count: 32), String(repeating: "a", count: 64),
    ]

    /// The first text that the node's own rules allow.
    private func fitting(_ node: JSON, among texts: [String]) -> JSON {
        let formats = [
            "date": "2026-11-21", "date-time": "2026-11-21T10:00:00.000Z", "time": "10:00:00Z",
            "uri": "https://example.org/", "email": "ann@example.org", "uuid": "00000000-0000-4000-8000-000000000000",
        ]
        if let format = node["format"]?.stringValue, let text = formats[format] { return .string(text) }
        guard let rules = try? JSONSchema(compiling: node) else { return .string(texts[0]) }
        return .string(texts.first { rules.isValid(.string($0)) } ?? texts[0])
    }

    // MARK: Strange

    /// The case of a number: the same for the same seed, tool and number.
    mutating func strange(_ number: Int) -> PlannedCall {
        var copy = self
        copy.random = SeededRandom(random.state ^ UInt64(number &+ 1) &* 0x9E37_79B9_7F4A_7C15)
        // From the schema first; every fourth time something around it.
        let isAround = number % 4 == 3
        var value = copy.strange(tool.parameters, depth: 0)
        if !isAround {
            for _ in 0..<20 where !schema.isValid(value) { value = copy.strange(tool.parameters, depth: 0) }
        } else {
            value = copy.broken(value)
        }
        return PlannedCall(tool: tool.id, arguments: value, isValid: schema.isValid(value))
    }

    private mutating func strange(_ node: JSON, depth: Int) -> JSON {
        let node = resolved(node)
        if let value = node["const"] { return value }
        if let values = node["enum"]?.arrayValue, !values.isEmpty { return values[random.below(values.count)] }
        for keyword in ["anyOf", "oneOf"] {
            if let choices = node[keyword]?.arrayValue, !choices.isEmpty, node["properties"] == nil {
                return strange(choices[random.below(choices.count)], depth: depth + 1)
            }
        }
        if let part = node["allOf"]?.arrayValue?.first, node["type"] == nil { return strange(part, depth: depth + 1) }
        guard depth < 12 else { return .null }
        if let names = node["type"]?.arrayValue, names.contains("null"), random.below(4) == 0 { return .null }
        if node["type"] == nil, node["properties"] == nil, node["items"] == nil, node["pattern"] == nil {
            return anything(depth: depth)
        }
        switch typeName(node) {
        case "object":
            var object: JSONObject = [:]
            let required = Set((node["required"]?.arrayValue ?? []).compactMap(\.stringValue))
            for (name, property) in node["properties"]?.objectValue ?? [:]
            where required.contains(name) || random.below(2) == 0 {
                object[name] = strange(property, depth: depth + 1)
            }
            return .object(object)
        case "array":
            let least = Int(node["minItems"]?.int64Value ?? 0)
            let most = Int(node["maxItems"]?.int64Value ?? 200)
            let count = min(max([0, 1, 2, 3, 17, 200][random.below(6)], least), max(most, least))
            return .array((0..<count).map { _ in strange(node["items"] ?? true, depth: depth + 1) })
        case "integer":
            let low = node["minimum"]?.int64Value ?? node["exclusiveMinimum"]?.int64Value.map { $0 + 1 } ?? -(1 << 53)
            let high = node["maximum"]?.int64Value ?? node["exclusiveMaximum"]?.int64Value.map { $0 - 1 } ?? 1 << 53
            let picks = [low, high, 0, 1, -1, low &+ (high &- low) / 2, 2_147_483_648, 4_294_967_296]
            return .integer(min(max(picks[random.below(picks.count)], low), max(low, high)))
        case "number":
            let picks = [0, -0.0, 1, -1, 0.1, 1e-9, 1e9, 1e300, -1e300, 2.3e-308, 1.0 / 3, 123_456_789.125]
            let low = node["minimum"]?.doubleValue ?? -.greatestFiniteMagnitude
            let high = node["maximum"]?.doubleValue ?? .greatestFiniteMagnitude
            return .number(
                random.below(4) == 0
                    ? (random.below(2) == 0 ? low : high) : number(near: picks[random.below(picks.count)], node))
        case "boolean": return .bool(random.below(2) == 0)
        case "null": return .null
        default: return text(node)
        }
    }

    private static let strangeTexts = [
        "", " ", "a", "\u{0}", "a\u{0}b", "\"", "\\", "\\u0000", "'; DROP TABLE x; --", "%s%s%n%d", "${HOME}",
        "../../etc/passwd",
        "<script>", "{\"a\":1}", "[", "null", "true", "-0", "1e999", "NaN", "0x10", "1,5", "1 000", "\n", "\r\n", "\t",
        "\u{1B}[31m", "e\u{301}\u{301}\u{301}", "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}", "\u{202E}abc",
        "\u{FEFF}x",
        "\u{10FFFF}", "\u{FFFD}", "ﷺ", "ß", "İ", "ǅ", "日本語", "שלום", "مرحبا", "#", "#0", "#9223372036854775807",
        "9223372036854775808", "2026-02-30", "2028-02-29", "0000-00-00", "9999-12-31", "2026-11-21T24:00:00.000Z",
        "2026-11-21", "2026-11-21T10:00:00.000Z", "EUR", "XXX", "12.345678901234567890", "-5", "milk", "1",
    ]

    private mutating func text(_ node: JSON) -> JSON {
        let least = Int(node["minLength"]?.int64Value ?? 0)
        let most = Int(node["maxLength"]?.int64Value ?? 20_000)
        if node["pattern"] != nil || node["format"] != nil || random.below(5) == 0 {
            return fitting(node, among: Self.plainTexts.shuffled(using: &random))
        }
        var text = Self.strangeTexts[random.below(Self.strangeTexts.count)]
        switch random.below(5) {
        case 0: text = String(repeating: text.isEmpty ? "x" : text, count: 1 + random.below(64))
        case 1: text += Self.strangeTexts[random.below(Self.strangeTexts.count)]
        case 2 where random.below(4) == 0:
            text = String(
                repeating: text.isEmpty ? "é" : text,
                count: max(1, min(most, 20_000) / max(1, text.unicodeScalars.count)))
        default: break
        }
        // JSON Schema counts code points.
        while text.unicodeScalars.count < least { text += "x" }
        if text.unicodeScalars.count > most {
            var cut = String.UnicodeScalarView()
            for scalar in text.unicodeScalars.prefix(most) { cut.append(scalar) }
            text = String(cut)
        }
        return .string(text)
    }

    private mutating func anything(depth: Int) -> JSON {
        switch random.below(depth > 5 ? 5 : 7) {
        case 0: return .null
        case 1: return .bool(true)
        case 2: return .integer(Int64(random.below(1 << 20)) - 1 << 19)
        case 3: return .number(0.5)
        case 4: return .string(Self.strangeTexts[random.below(Self.strangeTexts.count)])
        case 5: return .array((0..<random.below(4)).map { _ in anything(depth: depth + 1) })
        default: return .object(["a": anything(depth: depth + 1)])
        }
    }

    /// Something near the value that is likely not to match.
    private mutating func broken(_ value: JSON) -> JSON {
        guard case .object(var object) = value else { return .object([:]) }
        let names = object.keys
        switch random.below(6) {
        case 0: return .object([:])
        case 1: object["unknown_\(random.below(100))"] = anything(depth: 3)
        case 2 where !names.isEmpty: object.removeValue(forKey: names[random.below(names.count)])
        case 3 where !names.isEmpty: object[names[random.below(names.count)]] = .null
        case 4 where !names.isEmpty:
            var deep: JSON = 1
            for _ in 0..<40 { deep = .array([deep]) }
            object[names[random.below(names.count)]] = deep
        default:
            if let name = names.first { object[name] = anything(depth: 0) } else { object["x"] = anything(depth: 0) }
        }
        return .object(object)
    }
}

/// SplitMix64: the same numbers for the same seed everywhere.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private(set) var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func below(_ limit: Int) -> Int { limit <= 1 ? 0 : Int(next() % UInt64(limit)) }
}
