import ModelSimulators
import TandemCore
import TandemJSON
import TandemLanguage
import Testing

@testable import TandemModels

@Suite(.timeLimit(.minutes(8)))
struct ChatCompletionsTests {
    enum Server: String, CaseIterable, Sendable {
        case openAI, ollama, llamaCpp

        var manners: ChatSimulator.Manners {
            switch self {
            case .openAI: .openAI
            case .ollama: .ollama
            case .llamaCpp: .llamaCpp
            }
        }
    }

    private let question = LanguageMessage.person("Is there mail from the plumber?")

    private func run(
        _ replies: [ModelReply], _ server: Server = .openAI,
        _ body: (ChatCompletionsProvider, ModelScript) async throws -> Void
    ) async throws {
        let script = ModelScript(replies)
        let simulator = try ChatSimulator(script, manners: server.manners)
        defer { simulator.stop() }
        try await body(try Sample.chat(simulator, key: server.manners.needsKey ? "SAMPLE-KEY" : nil), script)
        #expect(script.violations == [])
    }

    @Test(arguments: Server.allCases, [false, true])
    func callsToolsOfEveryServer(server: Server, streams: Bool) async throws {
        try await run(
            [
                .calls([
                    ("mail-search", ["query": "from:\"plumber\" \u{e9}"]),
                    ("calendar-list", ["start": "2026-11-22T00:00:00Z", "end": "2026-11-23T00:00:00Z"]),
                ]), .text("No mail from the plumber, but a dentist at nine."),
            ], server
        ) { chat, script in
            let request = Sample.request([question])
            let first: LanguageResponse
            if streams {
                let collected = await Collected(chat.stream(request))
                #expect(collected.failure == nil)
                first = try #require(collected.finished.first)
                #expect(collected.calls == first.calls)
            } else {
                first = try await chat.respond(to: request)
            }
            #expect(first.calls.map(\.tool) == ["mail.search", "calendar.list"])
            #expect(first.calls.first?.arguments == ["query": "from:\"plumber\" \u{e9}"])
            #expect(first.usage == LanguageUsage(input: 100, output: 20, cached: 40))
            let results = first.calls.map { call in
                LanguageMessage.result(call: call.id, tool: call.tool, value: [], trust: .contact, isError: false)
            }
            let later = Sample.request([question, .assistant(text: nil, calls: first.calls)] + results)
            var text = ""
            if streams {
                let collected = await Collected(chat.stream(later))
                #expect(collected.finished.first?.text == collected.text)
                text = collected.text
            } else {
                text = try await chat.respond(to: later).text ?? ""
            }
            #expect(text == "No mail from the plumber, but a dentist at nine.")
            let answer = script.bodies[1]["messages"]?.arrayValue?.first { $0["role"] == "tool" }
            #expect(answer?["content"]?.stringValue?.contains("\"source\":\"contact\"") == true)
        }
    }

    @Test func runsTwentyParallelCalls() async throws {
        let calls = (0..<20).map { (name: "mail-search", arguments: ["query": .string("q\($0)")] as JSON) }
        try await run([.calls(calls), .text("Done.")]) { chat, _ in
            let collected = await Collected(chat.stream(Sample.request([question])))
            #expect(collected.calls.count == 20)
            #expect(Set(collected.calls.map(\.id)).count == 20)
            #expect(collected.calls.map { $0.arguments["query"]?.stringValue } == (0..<20).map { "q\($0)" })
        }
    }

    @Test func readsWhatServersWriteOddly() async throws {
        func message(_ message: JSON, _ finish: JSON) -> ModelReply {
            .answer(["choices": [["message": message, "finish_reason": finish]]])
        }
        try await run([
            message(["content": [["type": "text", "text": "in "], ["type": "text", "text": "parts"]]], "stop"),
            message(
                ["content": nil, "function_call": ["name": "mail-search", "arguments": "{\"query\":\"a\"}"]],
                "function_call"),
            message(["content": "", "tool_calls": [["function": ["name": "mail.search", "arguments": ""]]]], "eos"),
            message(
                [
                    "tool_calls": [
                        ["id": "", "function": ["name": "mail-search", "arguments": "\"{\\\"query\\\":\\\"b\\\"}\""]]
                    ]
                ],
                "tool_calls"),
            message(["content": nil, "refusal": "I cannot."], "stop"),
            message(["content": "cut o"], "length"),
            message(["content": "no"], "content_filter"),
        ]) { chat, _ in
            var responses: [LanguageResponse] = []
            for _ in 0..<7 { responses.append(try await chat.respond(to: Sample.request([question]))) }
            #expect(responses[0].text == "in parts")
            #expect(responses[1].calls.first?.arguments == ["query": "a"])
            #expect(responses[2].calls.first?.arguments == [:])
            #expect(responses[3].calls.first?.arguments == ["query": "b"])
            #expect(responses[4].finish == .refused)
            #expect(responses[5].finish == .truncated)
            #expect(responses[6].finish == .refused)
        }
    }

    @Test func refusesArgumentsThatAreNoObject() async throws {
        let broken: JSON = [
            "choices": [
                [
                    "message": [
                        "tool_calls": [["id": "a", "function": ["name": "mail-search", "arguments": "{\"query\":"]]]
                    ],
                    "finish_reason": "tool_calls",
                ]
            ]
        ]
        try await run([.answer(broken)]) { chat, _ in
            await #expect(throws: LanguageError.self) { try await chat.respond(to: Sample.request([question])) }
        }
    }

    @Test func tellsFailuresApart() async throws {
        let cases: [(Int, JSON, [(String, String)], LanguageError.Code, Int?)] = [
            (
                429, ["error": ["message": "slow down", "code": "rate_limit_exceeded"]], [("Retry-After", "7")],
                .rateLimited, 7000
            ),
            (429, ["error": ["message": "pay", "code": "insufficient_quota"]], [], .unauthorized, nil),
            (503, ["error": "loading model"], [], .unavailable, nil),
            (400, ["object": "error", "message": "context too long"], [], .rejected, nil),
            (500, nil, [], .unavailable, nil),
        ]
        for (status, body, headers, code, wait) in cases {
            try await run([.failure(status, body, headers: headers)]) { chat, _ in
                let collected = await Collected(chat.stream(Sample.request([question])))
                #expect(collected.failure?.code == code)
                #expect(collected.failure?.retryAfterMilliseconds == wait)
            }
        }
        let simulator = try ChatSimulator(ModelScript())
        defer { simulator.stop() }
        await #expect(throws: LanguageError(.unauthorized, "chat refuses the key (401)")) {
            _ = try await Sample.chat(simulator, key: "WRONG-KEY").respond(to: Sample.request([question]))
        }
    }

    @Test(arguments: Server.allCases)
    func takesABreakInAStreamForAFailure(server: Server) async throws {
        try await run([.cut(.text("one two three four five"), after: 3)], server) { chat, _ in
            let collected = await Collected(chat.stream(Sample.request([question])))
            #expect(collected.failure?.code == .invalidResponse)
            #expect(collected.finished.isEmpty)
        }
    }

    @Test func embedsInTheOrderOfTheTexts() async throws {
        let simulator = try ChatSimulator(ModelScript())
        defer { simulator.stop() }
        let base = try #require(WebAddress(simulator.base))
        let model = ChatEmbeddings(
            key: Secret("SAMPLE-KEY"), base: base, model: "small", dimensions: 8, http: Sample.http)
        let many = try await model.embed((0..<100).map { "text \($0)" }, for: .document)
        let one = try await model.embed(["text 41"], for: .query)
        #expect(many.count == 100)
        #expect(many[41] == one[0])
        let wrong = ChatEmbeddings(
            key: Secret("SAMPLE-KEY"), base: base, model: "small", dimensions: 9, http: Sample.http)
        await #expect(throws: LanguageError.self) { try await wrong.embed(["x"], for: .query) }
    }
}

struct ThoughtFilterTests {
    @Test(arguments: [
        ("<think>a</think>\n\nHello", "Hello"), ("Hello <think>", "Hello <think>"), ("<thin", "<thin"),
        ("\n<think>never ends", ""), ("<think></think>x", "x"), ("", ""), ("<3 you", "<3 you"),
    ])
    func dropsThoughtsAtTheBeginning(text: String, expected: String) {
        for size in [1, 3, 100] {
            var filter = ThoughtFilter()
            var result = ""
            var rest = text[...]
            while !rest.isEmpty {
                result += filter.take(String(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(result + filter.finish() == expected)
        }
    }
}

struct ServerSentEventsTests {
    @Test(arguments: ["\n", "\r\n", "\r"], [1, 2, 7, 1000])
    func cutsAtEmptyLines(end: String, size: Int) {
        let lines = [": comment", "event: x", "data: one", "data:two", "", "", "id: 3", "data", "", "data: last"]
        let bytes = Array(lines.joined(separator: end).utf8)
        var parser = ServerSentEvents()
        var events: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            for event in parser.take(Array(bytes[start..<min(start + size, bytes.count)])) ?? [] {
                events.append(String(decoding: event, as: UTF8.self))
            }
        }
        if let last = parser.finish() { events.append(String(decoding: last, as: UTF8.self)) }
        #expect(events == ["one\ntwo", "", "last"])
    }

    @Test func refusesEndlessEvents() {
        var parser = ServerSentEvents()
        let block = [UInt8](repeating: 65, count: 1 << 20)
        #expect((0..<5).contains { _ in parser.take(block) == nil })
    }
}
