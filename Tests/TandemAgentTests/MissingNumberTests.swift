import Synchronization
import TandemCore
import TandemJSON
import TandemLanguage
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// A call that lacks a number: the person is asked for it, and a number alone answers. Read by the embedded planner, of tools
/// that it knows by their declarations alone, as a stranger's plugin has them.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct MissingNumberTests {
    private func run(_ body: @escaping @Sendable (Desk) async throws -> Void) async throws {
        let world = try await AgentWorld()
        let tools = CrateTools()
        var services = world.services
        (services.providers, services.catalogue) = ([tools], CrateTools.Catalogue())
        services.language = EmbeddedLanguageProvider()
        let agent = AgentCore(services)
        let work = Task { await agent.run() }
        let result = await Task { try await body(Desk(agent: agent, tools: tools, world: world)) }.result
        work.cancel()
        await work.value
        await world.database.close()
        try result.get()
    }

    private struct Desk: Sendable {
        let agent: AgentCore
        let tools: CrateTools
        let world: AgentWorld

        @discardableResult
        func say(_ text: String) async throws -> Answer {
            try await agent.converse(text, channel: "test", scope: world.ann)
        }
    }

    @Test(arguments: [
        ("3", 3), ("three", 3), ("12.", 12), (" 7 ", 7), ("a dozen", 12), ("3 please", 3),
    ])
    func aNumberAloneIsTheCount(reply: String, count: Int64) async throws {
        try await run { desk in
            let question = try await desk.say("reserve some crates")
            #expect(question.text == "Reserve crates: which count? The number is enough.")
            #expect(question.calls.isEmpty)
            let answer = try await desk.say(reply)
            #expect(answer.calls.map(\.tool) == ["crates.reserve"], "\(answer.text)")
            #expect(desk.tools.calls == ["crates.reserve {\"count\":\(count)}"])
            // Answered is answered.
            #expect(try await desk.say("4").calls.isEmpty)
        }
    }

    @Test(arguments: [
        ("12.50", "{\"amount\":\"12.50\"}"), ("20", "{\"amount\":\"20\"}"),
        ("12,50 euros", "{\"amount\":\"12.50\",\"currency\":\"EUR\"}"),
    ])
    func anAmountAloneIsThePrice(reply: String, price: String) async throws {
        try await run { desk in
            let question = try await desk.say("quote a price")
            #expect(question.text == "Quote: which price? The amount is enough.")
            try await desk.say(reply)
            #expect(desk.tools.calls == ["crates.quote {\"price\":\(price)}"])
        }
    }

    /// Whatever was shown before the question.
    @Test func theNumberAnswersTheQuestionAndNotAnOlderList() async throws {
        try await run { desk in
            #expect(try await desk.say("show the crates").text.contains("2 blue"))
            try await desk.say("reserve some crates")
            try await desk.say("2")
            #expect(desk.tools.calls == ["crates.list {}", "crates.reserve {\"count\":2}"])
        }
    }

    @Test func theNumberPicksFromAListThatCameAfterTheQuestion() async throws {
        try await run { desk in
            try await desk.say("reserve some crates")
            #expect(try await desk.say("show the crates").calls.map(\.tool) == ["crates.list"])
            try await desk.say("2")
            #expect(desk.tools.calls == ["crates.list {}", "crates.open {\"crate\":\"#b\"}"])
        }
    }

    /// Two numbers are asked for one after the other.
    @Test func asksForEachThatIsMissing() async throws {
        try await run { desk in
            #expect(try await desk.say("measure a crate").text.contains("which width?"))
            #expect(try await desk.say("40").text.contains("which height?"))
            try await desk.say("25.5")
            #expect(desk.tools.calls == ["crates.measure {\"width\":40,\"height\":25.5}"])
        }
    }

    @Test func whatDoesNotFitIsAskedAgain() async throws {
        try await run { desk in
            try await desk.say("reserve some crates")
            for reply in ["200", "2.5", "-1", "quite a few I think"] {
                #expect(try await desk.say(reply).text.hasPrefix("That does not fit the question."), "\(reply)")
            }
            try await desk.say("20")
            #expect(desk.tools.calls == ["crates.reserve {\"count\":20}"])
        }
    }

    @Test func theWholeRequestAndAnotherOneAreUnderstoodAsBefore() async throws {
        try await run { desk in
            try await desk.say("reserve some crates")
            let whole = try await desk.say("reserve 5 crates")
            #expect(whole.calls.map(\.tool) == ["crates.reserve"], "\(whole.text)")
            try await desk.say("reserve some crates")
            try await desk.say("show the crates")
            #expect(desk.tools.calls == ["crates.reserve {\"count\":5}", "crates.list {}"])
            try await desk.say("reserve some crates")
            #expect(try await desk.say("skip").text == "Skipped.")
            #expect(desk.tools.calls.count == 2)
        }
    }

    @Test func theQuestionIsKeptWithTheConversation() async throws {
        try await run { desk in
            try await desk.say("reserve some crates")
            let state = try #require(try await desk.world.rows(AgentTables.conversation).first)["state"]
            #expect(ConversationState(json: state).question?.words == "reserve some crates")
            #expect(ConversationState(json: state).json == state)
        }
    }
}

/// Crates: tools with numbers that a call cannot do without.
private final class CrateTools: ToolProvider {
    private let made = Mutex<[String]>([])

    /// What was called, in order: `crates.reserve {"count":3}`.
    var calls: [String] { made.withLock { $0 } }

    private static func tool(
        _ id: String, _ title: String, _ effect: Effect, _ utterances: [String], _ properties: JSONObject,
        slots: [String: SlotDefinition] = [:]
    ) -> ToolDefinition {
        ToolDefinition(
            id: id, title: title, description: title,
            parameters: [
                "type": "object", "properties": .object(properties), "additionalProperties": false,
                "required": .array(properties.keys.sorted().reversed().map { .string($0) }),
            ], effect: effect, utterances: utterances.map { Utterance($0) }, slots: slots,
            actsOn: id == "crates.open" ? "crates.crate" : nil)
    }

    static let definitions = [
        tool(
            "crates.reserve", "Reserve crates", .write, ["reserve [{count}] crates"],
            ["count": ["type": "integer", "minimum": 1, "maximum": 99]],
            slots: ["count": SlotDefinition(.number, hints: ["crates"])]),
        tool(
            "crates.quote", "Quote", .read, ["quote a price", "quote {price}"], ["price": ["type": "object"]],
            slots: ["price": SlotDefinition(.money)]),
        tool(
            "crates.measure", "Measure", .write, ["measure a crate", "measure a crate of {width} by {height}"],
            ["width": ["type": "number"], "height": ["type": "number"]],
            slots: ["width": SlotDefinition(.number), "height": SlotDefinition(.number)]),
        tool("crates.list", "List crates", .read, ["show (the|my) crates", "list crates"], [:]),
        tool(
            "crates.open", "Open a crate", .read, ["open {crate}"], ["crate": ["type": "string"]],
            slots: ["crate": SlotDefinition(.reference(entity: "crates.crate"))]),
    ]

    struct Catalogue: ToolCatalogue {
        func allTools() -> [ToolDefinition] { CrateTools.definitions }
        func integration(of tool: String) -> String? { "crates" }
    }

    func tools(for scope: UserScope) async throws -> [ToolDefinition] { Self.definitions }

    func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
        made.withLock { $0.append("\(call.tool) \(call.arguments.text)") }
        guard call.tool == "crates.list" else { return .value(ToolValue(value: [:], message: "Done.")) }
        let items = [("a", "red"), ("b", "blue")].map { ShownEntities.Item(type: "crates.crate", id: $0, label: $1) }
        return .value(
            ToolValue(
                value: [:], message: "1 red, 2 blue", shown: ShownEntities(items: items, select: "crates.open")))
    }
}
