import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginCheck

struct ArgumentGeneratorTests {
    private func tool(_ parameters: JSON) -> ToolDefinition {
        ToolDefinition(id: "x.y", title: "X", description: "X.", parameters: parameters, effect: .read)
    }

    private static let rich: JSON = [
        "type": "object",
        "properties": [
            "name": ["type": "string", "minLength": 1, "maxLength": 5],
            "count": ["type": "integer", "minimum": 1, "maximum": 9],
            "amount": ["type": "string", "pattern": "^[0-9]+\\.[0-9]{2}$"],
            "day": ["type": "string", "format": "date"],
            "kind": ["enum": ["a", "b"]], "list": ["type": "array", "items": ["$ref": "#/$defs/thing"], "maxItems": 3],
            "maybe": ["type": ["integer", "null"]], "any": true,
        ],
        "required": ["name", "count"], "additionalProperties": false,
        "$defs": ["thing": ["type": "object", "properties": ["n": ["type": "number"]], "required": ["n"]]],
    ]

    @Test func makesValidExamples() throws {
        let tool = tool(Self.rich)
        let schema = try JSONSchema(compiling: tool.parameters)
        let examples = try ArgumentGenerator(tool, seed: 1).examples()
        #expect(examples.count == 2)
        for example in examples { #expect(schema.isValid(try JSON(parsing: example.arguments))) }
    }

    @Test func prefersDeclaredExamples() throws {
        let tool = tool(["type": "object", "examples": [["a": 7]], "properties": ["a": ["type": "integer"]]])
        #expect(try ArgumentGenerator(tool, seed: 1).examples().map(\.arguments) == [Array(#"{"a":7}"#.utf8)])
    }

    @Test func repeatsItselfForASeed() throws {
        var one = try ArgumentGenerator(tool(Self.rich), seed: 9)
        var two = try ArgumentGenerator(tool(Self.rich), seed: 9)
        let first = (0..<50).map { one.strange($0) }
        // In another order: a case depends on its number only.
        let second = (0..<50).reversed().map { two.strange($0) }
        #expect(first == Array(second.reversed()))
        var other = try ArgumentGenerator(tool(Self.rich), seed: 10)
        #expect(first != (0..<50).map { other.strange($0) })
    }

    @Test func staysMostlyWithinTheSchemaAndSometimesLeavesIt() throws {
        var generator = try ArgumentGenerator(tool(Self.rich), seed: 3)
        let cases = (0..<400).map { generator.strange($0) }
        #expect(cases.count(where: \.isValid) >= 280)
        #expect(cases.count(where: { !$0.isValid }) >= 40)
        #expect(Set(cases.map(\.arguments)).count > 200)
    }
}
