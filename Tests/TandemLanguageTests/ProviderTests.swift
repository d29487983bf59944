import TandemCore
import TandemJSON
import Testing

@testable import TandemLanguage

struct PlanPipeTests {
    private static let planner = EmbeddedPlanner(tools: FixtureTools.all)

    private func answer(_ line: String) -> JSON { PlanPipe.answer(line, planner: Self.planner) }

    @Test func answersWithToolArgumentsAndConfidence() {
        let answer = answer(#"{"text":"add milk to my list","now":"2026-11-21T10:00:00Z"}"#)
        #expect(answer["tool"] == "grocery.add")
        #expect(answer["args"] == ["items": [["name": "milk"]]])
        #expect((answer["confidence"]?.doubleValue ?? 0) > 0.5)
        #expect(answer["calls"] == nil)
    }

    @Test func listsSeveralCalls() {
        let answer = answer(#"{"text":"add milk to my list and remind me to call Tom","now":"2026-11-21T10:00:00Z"}"#)
        #expect(answer["calls"]?.arrayValue?.compactMap { $0["tool"]?.stringValue } == ["grocery.add", "tasks.add"])
    }

    @Test func answersNullWhenNothingIsPlanned() {
        #expect(answer(#"{"text":"what's the weather like","now":"2026-11-21T10:00:00Z"}"#) == ["tool": nil])
        #expect(answer(#"{"text":"","now":"2026-11-21T10:00:00Z"}"#) == ["tool": nil])
    }

    @Test func saysWhyWhenAsked() throws {
        let planned = answer(#"{"text":"add milk to my list","now":"2026-11-21T10:00:00Z","why":true}"#)
        let reasons = try #require(planned["why"]?.arrayValue)
        #expect(planned["tool"] == "grocery.add" && reasons.first?["tool"] == "grocery.add")
        #expect((1...PlanPipe.mostWeighed).contains(reasons.count))
        let beliefs = reasons.compactMap { $0["belief"]?.doubleValue }
        #expect(beliefs.count == reasons.count && beliefs == beliefs.sorted(by: >))
        #expect(beliefs[0] >= reasons[0]["needed"]?.doubleValue ?? 1)
        // Of what is not planned, how far it was from it.
        let idle = answer(#"{"text":"what's the weather like","now":"2026-11-21T10:00:00Z","why":true}"#)
        #expect(idle["tool"] == .null)
        for reason in idle["why"]?.arrayValue ?? [] {
            #expect(reason["belief"]?.doubleValue ?? 1 < reason["needed"]?.doubleValue ?? 0)
        }
        #expect(answer(#"{"text":"","now":"2026-11-21T10:00:00Z","why":true}"#)["why"] == [])
        #expect(answer(#"{"text":"add milk","now":"2026-11-21T10:00:00Z"}"#)["why"] == nil)
    }

    @Test func usesTheGivenZone() {
        let line = #"{"text":"remind me to run tomorrow at 8am","now":"2026-11-21T10:00:00Z","timeZone":"Asia/Tokyo"}"#
        #expect(answer(line)["args"]?["due"] == "2026-11-21T23:00:00.000Z")
    }

    @Test(arguments: [
        "", "x", "[]", "{}", #"{"text":"hi"}"#, #"{"text":1,"now":"2026-11-21T10:00:00Z"}"#,
        #"{"text":"hi","now":"yesterday"}"#, #"{"text":"hi","now":"2026-11-21T10:00:00Z","timeZone":"Mars/Olympus"}"#,
        #"{"text":"hi","now":"2026-11-21T10:00:00Z","currency":"euro"}"#, #"{"text":"hi","text":"ho","now":"x"}"#,
    ])
    func saysWhatIsWrongWithBadInput(_ line: String) {
        #expect(answer(line)["error"]?.stringValue?.isEmpty == false)
    }
}

struct EmbeddedLanguageProviderTests {
    private func request(_ messages: [LanguageMessage], _ use: LanguageRequest.ToolUse = .automatic) -> LanguageRequest
    {
        LanguageRequest(messages: messages, tools: FixtureTools.all, context: CorpusReport.context, toolUse: use)
    }

    @Test func plansTheLastMessage() async throws {
        let response = try await EmbeddedLanguageProvider().respond(
            to: request([.person("hello"), .person("add milk to my grocery list")]))
        #expect(response.calls.map(\.tool) == ["grocery.add"])
        #expect(response.calls.first?.id == "call-1")
    }

    @Test func hasNothingToAddAfterAResult() async throws {
        let response = try await EmbeddedLanguageProvider().respond(
            to: request([
                .person("add milk"),
                .result(call: "call-1", tool: "grocery.add", value: [:], trust: .system, isError: false),
            ]))
        #expect(response == LanguageResponse())
    }

    @Test func callsNothingWhenToolsAreNotWanted() async throws {
        let response = try await EmbeddedLanguageProvider().respond(to: request([.person("add milk")], .none))
        #expect(response.calls.isEmpty)
    }

    @Test(.timeLimit(.minutes(8))) func streamsCallsAndTheEndOnce() async throws {
        var calls = 0
        var ends = 0
        for try await event in EmbeddedLanguageProvider().stream(request([.person("add milk to my grocery list")])) {
            switch event {
            case .call: calls += 1
            case .finished: ends += 1
            case .text, .restarted: break
            }
        }
        #expect(calls == 1)
        #expect(ends == 1)
    }

    @Test func keepsPlannersByTheirTools() {
        let cache = PlannerCache(capacity: 1)
        for tools in [FixtureTools.all, FixtureTools.withoutExpenses, FixtureTools.all] {
            let verdict = cache.planner(for: tools).plan("I spent 12 euros on lunch", context: CorpusReport.context)
            if case .calls = verdict {
                #expect(tools.contains { $0.namespace == "expenses" })
            } else {
                #expect(!tools.contains { $0.namespace == "expenses" })
            }
        }
    }
}
