import Grocery
import Recipes
import TandemSDK
import TandemTesting
import Testing

/// Arguments made from the schemas, with hostile values: a trap would take the host down, so no call may do worse than
/// answer with an error.
@Suite(.timeLimit(.minutes(8)))
struct FuzzTests {
    @Test(arguments: 0..<6)
    func noArgumentsTrapOrFailWithoutAReason(seed: Int) async throws {
        var random = Random(state: UInt64(seed) &* 7919 &+ 1)
        let host = try TestHost(Recipes.self, Grocery.self)
        let ann = host.person()
        for title in ["pancakes", "pea soup", "tomato soup"] {
            try await ann.value(
                "recipes.save",
                [
                    "title": .string(title), "steps": "mix, rest 20 min, fry",
                    "ingredients": [
                        ["name": "milk", "quantity": "0.5", "unit": "l"], ["name": "eggs", "quantity": "3"],
                    ],
                ])
        }
        let tools = Recipes.definition.tools
        for round in 0..<6 {
            host.now = Instant(milliseconds: 1_790_000_000_000 + Int64(round) * 86_400_000 * 11)
            for tool in tools {
                let arguments = random.value(of: tool.parameters)
                let outcome = await ann.call(tool.declaration.id, arguments)
                let message = outcome.message
                if let error = outcome.error {
                    let expected = !["failed", "result_schema", "bad_value", "unreadable_rows"].contains(error.code)
                    #expect(expected, "\(tool.declaration.id) \(error.code) \(message) \(arguments)")
                }
                #expect(!message.isEmpty)
                let first = message.prefix { $0 != "\n" && $0 != "\r\n" }
                #expect(first.unicodeScalars.count <= 160, "\(tool.declaration.id): \(first)")
                #expect(!message.unicodeScalars.contains("\u{202E}"))
                if let question = outcome.question {
                    let answer = question.options.first?.value ?? "x"
                    _ = await ann.answer(question, answer, to: tool.declaration.id, arguments)
                }
            }
        }
    }

    /// Our own words are GSM-7, without the carrier's reserved words as a sentence of their own.
    @Test func ourOwnTextsAreShortAndPlain() throws {
        let reserved: Set<String> = [
            "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "START", "YES", "UNSTOP",
            "HELP", "INFO",
        ]
        for tool in Recipes.definition.tools {
            let declaration = tool.declaration
            for text in [declaration.title, declaration.description] + declaration.utterances.map(\.text) {
                #expect(text.utf8.allSatisfy { $0 >= 32 && $0 < 127 || $0 == 10 }, "\(text)")
                #expect(!reserved.contains(text.uppercased()))
            }
        }
    }
}

private struct Random {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(truncatingIfNeeded: state >> 33) % max(bound, 1)
    }

    static let texts: [String] = [
        "milk", "pancakes", "soup", "salt to taste", "onion (chopped", "mix, rest 20 min, fry", "1 1/2 h", "everything",
        "all except milk", "groceries", "the last one", "*", "%", "''", "a",
        "2 l of milk", "lunch", "rent", "\u{1F95B}", "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", "\u{202E}evil",
        "e\u{301}\u{301}\u{301}", "\u{0}", "\n", "\u{FEFF}", "#1", "#", "#99999999999999999999", "#-1", "牛奶", "ß",
        "'; DROP TABLE x; --", "=1+1", ",,,,", "and", "and and and", "1/2", "1/0", "half", "a a a a",
        String(repeating: "x", count: 199), String(repeating: "a ", count: 90), "\u{200D}\u{200D}", "\u{E000}",
        "3.20 EUR", "-", "+", "\"quoted, text\"", "\r\n\t", "İstanbul", "ﬁsh", "Ǆ",
    ]
    static let decimals: [String] = [
        "0", "-0", "1", "3.20", "-1", "0.0001", "0.00001", "999999999999999999", "-999999999999999999",
        "0.000000000000000001", "10000000000", "1000000", "12345678.901", "2.5", "100",
    ]
    static let dates: [String] = [
        "2026-11-21", "0001-01-01", "9999-12-31", "2024-02-29", "2026-01-31", "1999-12-31", "2027-06-30", "2026-10-05",
    ]

    mutating func pick<T>(_ values: [T]) -> T { values[next(values.count)] }

    mutating func value(of schema: JSON) -> JSON {
        if let choices = schema["anyOf"]?.arrayValue { return value(of: pick(choices)) }
        if let choices = schema["enum"]?.arrayValue { return pick(choices) }
        switch schema["type"]?.stringValue {
        case "object":
            let required = Set((schema["required"]?.arrayValue ?? []).compactMap(\.stringValue))
            var object = JSONObject()
            for (name, member) in schema["properties"]?.objectValue ?? [:] where required.contains(name) || next(3) == 0
            {
                object[name] = value(of: member)
            }
            return .object(object)
        case "array":
            let element = schema["items"] ?? ["type": "string"]
            let lowest = Int(schema["minItems"]?.int64Value ?? 0)
            return .array((0..<max(lowest, next(5))).map { _ in value(of: element) })
        case "boolean": return .bool(next(2) == 0)
        case "integer":
            let lowest = schema["minimum"]?.int64Value ?? -5
            return .integer(lowest + Int64(next(90)))
        case "number": return .number(Double(next(1000)) / 7)
        default:
            if schema["format"] == "date" { return .string(pick(Self.dates)) }
            if let pattern = schema["pattern"]?.stringValue {
                if pattern.contains("A-Z") { return .string(pick(["EUR", "USD", "JPY", "KWD", "XXX", "ZZZ"])) }
                return .string(pick(Self.decimals))
            }
            let limit = Int(schema["maxLength"]?.int64Value ?? 400)
            let lowest = Int(schema["minLength"]?.int64Value ?? 0)
            let text = String(String.UnicodeScalarView(pick(Self.texts).unicodeScalars.prefix(limit)))
            return .string(text.unicodeScalars.count >= lowest ? text : "x")
        }
    }
}
