import TandemCore
import TandemJSON
import Testing

@testable import TandemLanguage

struct TemplateParserTests {
    private func flat(_ text: String) throws -> [String] {
        try TemplateParser.variants(of: text).map { variant in
            variant.map { piece in
                let word =
                    piece.slot.map { "{\($0)}" }
                    ?? piece.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|")
                return piece.isOptional ? "[\(word)]" : word
            }.joined(separator: " ")
        }
    }

    @Test func readsSlotsOptionsAndAlternatives() throws {
        #expect(try flat("add {items} to (my|the) [grocery] list") == ["add {items} to my|the [grocery] list"])
        #expect(try flat("(check off|tick) {item}") == ["check off {item}", "tick {item}"])
        #expect(try flat("save [a|the] recipe: {text}") == ["save [a|the] recipe : {text}"])
    }

    @Test(arguments: [
        ("add {items", "unclosed"), ("add [milk", "unclosed"), ("add (a|b", "unclosed"), ("add ]", "unexpected"),
        ("a | b", "unexpected"), ("", "empty"), ("[]", "empty"), ("{a} {a}", "twice"), ("{}", "bad slot name"),
        ("{b c}", "bad slot name"), ("((((((((a))))))))", "nested"), ("add }", "unexpected"),
    ])
    func refusesWithTheReason(_ text: String, _ reason: String) {
        let failure = #expect(throws: TemplateParser.Failure.self) { _ = try TemplateParser.variants(of: text) }
        #expect(failure?.message.contains(reason) == true)
    }

    @Test func boundsTheNumberOfVariants() throws {
        let text = String(repeating: "(a b|c d|e f)", count: 12)
        #expect(try TemplateParser.variants(of: text).count <= TemplateParser.variantLimit)
    }

    @Test func aBadUtteranceLeavesTheOthersWorking() {
        var tool = FixtureTools.tool(
            "x.add", "Add", .write, ["frobnicate {thing}", "add {nothing}", "add [{thing}"],
            ["thing": FixtureTools.required(.text)])
        tool.parameters = ["type": "object", "required": ["thing"]]
        let planner = EmbeddedPlanner(tools: [tool])
        #expect(planner.diagnostics.map(\.utterance) == ["add {nothing}", "add [{thing}"])
        #expect(planner.diagnostics[0].message == "no slot is declared for {nothing}")
        guard case .calls(let calls) = planner.plan("please frobnicate the widget", context: CorpusReport.context)
        else {
            Issue.record("not planned")
            return
        }
        #expect(calls.map(\.tool) == ["x.add"])
    }
}
