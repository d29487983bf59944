import TandemCore
import TandemJSON
import Testing

@testable import TandemLife

/// What holds for every built-in tool: its declaration, and what it says.
struct DefinitionTests {
    private static let reserved: Set<String> = [
        "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "START", "YES", "UNSTOP", "HELP",
        "INFO",
    ]

    @Test func idsAreUniqueAndWellFormed() {
        var ids = Set<String>()
        for definition in LifeTools.definitions {
            #expect(ids.insert(definition.id).inserted)
            #expect(definition.id.utf8.allSatisfy { (97...122).contains($0) || $0 == 46 || $0 == 95 })
            #expect(!definition.title.isEmpty && definition.title.count <= 40)
            #expect(!definition.description.isEmpty)
        }
    }

    @Test(arguments: LifeTools.definitions)
    func declaresClosedSchemasThatCompile(definition: ToolDefinition) throws {
        #expect(definition.parameters["additionalProperties"] == false)
        #expect(definition.parameters["type"] == "object")
        _ = try JSONSchema(compiling: definition.parameters)
        _ = try JSONSchema(compiling: definition.result)
    }

    @Test(arguments: LifeTools.definitions)
    func slotsNameParametersAndUtterancesNameSlots(definition: ToolDefinition) throws {
        let properties = definition.parameters["properties"]?.objectValue ?? [:]
        for name in definition.slots.keys { #expect(properties.contains(name), "\(definition.id) \(name)") }
        for utterance in definition.utterances {
            var rest = Substring(utterance.text)
            while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
                let name = String(rest[rest.index(after: open)..<close])
                #expect(definition.slots[name] != nil, "\(definition.id): \(utterance.text)")
                rest = rest[rest.index(after: close)...]
            }
            for (name, value) in utterance.arguments {
                let schema = try JSONSchema(compiling: #require(properties[name]))
                #expect(schema.isValid(value))
            }
            #expect(!DefinitionTests.reserved.contains(utterance.text.uppercased()))
        }
        if let entity = definition.actsOn {
            #expect(definition.slots.values.contains { $0.kind == .reference(entity: entity) })
        }
        if case .tool(let other) = definition.undo { #expect(LifeTools.definitions.contains { $0.id == other }) }
    }

    /// Arguments made from the schema, valid and not: nothing traps, every text is one that can be sent, every value fits
    /// its schema.
    @Test(.timeLimit(.minutes(8)), arguments: LifeTools.definitions.map(\.id))
    func answersWhateverTheArguments(tool: String) async throws {
        let world = try await World()
        let definition = try #require(LifeTools.definitions.first { $0.id == tool })
        let result = try JSONSchema(compiling: definition.result)
        var random = SplitMix(seed: UInt64(tool.utf8.reduce(7) { $0 &* 31 &+ Int($1) }.magnitude))
        var ids = ["#1", "#0", "#-5", "##", "#9223372036854775807", "#99999999999999999999"]
        for (tool, arguments): (String, JSON) in [
            ("tasks.add", ["title": "call mum"]), ("tasks.add", ["title": "renew \u{1F600} passport ~~^^[]"]),
            ("notes.add", ["text": "a note #tag"]), ("memory.remember", ["text": "my code is 12"]),
        ] {
            ids.append(try world.id(await world.value(tool, arguments)))
        }
        for round in 0..<120 {
            let arguments = Fuzz.arguments(for: definition.parameters, ids: ids, using: &random)
            let outcome = await world.call(tool, arguments)
            check(outcome, tool, arguments, result)
            if case .inputRequired(let request) = outcome {
                let answer = Fuzz.text(ids: ids, using: &random)
                let next = await world.answer(request, .string(answer), to: tool, arguments)
                check(next, tool, arguments, result)
                if round % 5 == 0 {
                    var broken = request.resumeState
                    if !broken.isEmpty { broken[Int(random.next() % UInt64(broken.count))] ^= 0x15 }
                    check(
                        await world.call(tool, arguments, resume: broken, answers: [:]), tool, arguments, result)
                }
            }
        }
    }

    private func check(_ outcome: ToolOutcome, _ tool: String, _ arguments: JSON, _ result: JSONSchema) {
        let message = outcome.message
        let first = message.split(separator: "\n", omittingEmptySubsequences: false).first ?? ""
        #expect(!first.isEmpty, "\(tool) \(arguments)")
        #expect(Wording.septets(first) <= Wording.firstLineLimit + 4, "\(tool) \(arguments): \(first)")
        for word in first.split(whereSeparator: { !$0.isLetter }) where word == word.uppercased() && word.count > 2 {
            #expect(
                !DefinitionTests.reserved.contains(String(word)) || arguments.text.contains(word), "\(tool): \(first)")
        }
        switch outcome {
        case .value(let value):
            let violations = result.validate(value.value)
            #expect(violations.isEmpty, "\(tool) \(value.value): \(violations)")
        case .failure(let failure):
            #expect(failure.code != "internal", "\(tool) \(arguments.text): \(failure)")
            #expect(failure.status < 0)
        default: break
        }
    }
}

/// Arguments for fuzzing, made from a schema.
enum Fuzz {
    static func arguments(for schema: JSON, ids: [String], using random: inout SplitMix) -> JSON {
        if random.next() % 25 == 0 { return [.null, [], "text", 7, ["unknown": true]][Int(random.next() % 5)] }
        var arguments: JSONObject = [:]
        let required = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
        for (name, property) in schema["properties"]?.objectValue ?? [:] {
            let isNeeded = required.contains(name)
            if random.next() % (isNeeded ? 20 : 2) == 0 { continue }
            arguments[name] = value(for: property, ids: ids, using: &random)
        }
        return .object(arguments)
    }

    private static func value(for schema: JSON, ids: [String], using random: inout SplitMix) -> JSON {
        if random.next() % 30 == 0 { return [.null, true, -1, 1e300, [:], []][Int(random.next() % 6)] }
        if let values = schema["enum"]?.arrayValue { return values[Int(random.next() % UInt64(values.count))] }
        switch schema["type"]?.stringValue {
        case "boolean": return .bool(random.next() % 2 == 0)
        case "array":
            let count = Int(random.next() % 6)
            return .array((0..<count).map { _ in .string(text(ids: ids, using: &random)) })
        default: return .string(text(ids: ids, using: &random))
        }
    }

    static func text(ids: [String], using random: inout SplitMix) -> String {
        let samples = [
            "", " ", "mum", "call", "passport", "2026-11-30", "2026-11-21T23:00:00.000Z", "9999-12-31", "0001-01-01",
            "22:00", "7", "10 pm", "Paris", "USD", "dollars", "expenses", "grocery", "tag", "code",
            "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} family", "\u{202E}abc", "a\u{0}b", "'; DROP TABLE tasks; --",
            "\n\n\n", "{}[]^~|\\\u{20AC}", "1. find it 2. sign it", "open, sort; then file and call Tom and Anna",
            "I don't know", "my code is 99", "2", "\u{65E5}\u{672C}\u{8A9E}", "%s %d %n", "../../etc",
            String(repeating: "long ", count: 60), String(repeating: "w", count: 500),
            String(repeating: "\u{1F600}", count: 90),
        ]
        switch random.next() % 10 {
        case 0...5: return samples[Int(random.next() % UInt64(samples.count))]
        case 6, 7: return ids[Int(random.next() % UInt64(ids.count))]
        default:
            var scalars = String.UnicodeScalarView()
            for _ in 0..<(random.next() % 40) {
                if let scalar = Unicode.Scalar(UInt32(random.next() % 0x3000)) { scalars.append(scalar) }
            }
            return String(scalars)
        }
    }
}

/// A generator with a seed (Steele, Lea and Flood 2014, SplitMix64).
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
