import ModelSimulators
import ScriptServer
import TandemCore
import TandemJSON
import TandemLanguage
import Testing

@testable import TandemModels

@Suite(.timeLimit(.minutes(8)))
struct GeminiProviderTests {
    private let question = LanguageMessage.person(
        "What is on my calendar tomorrow, and is there mail from the plumber?")

    private func run(
        _ replies: [ModelReply], model: String = "gemini-2.5-flash", key: String = "SAMPLE-KEY",
        _ body: (GeminiProvider, ModelScript) async throws -> Void
    ) async throws {
        let script = ModelScript(replies)
        let simulator = try GeminiSimulator(script, checker: Contract.checker)
        defer { simulator.stop() }
        try await body(try Sample.gemini(simulator, model: model, key: key), script)
        #expect(script.violations == [])
    }

    @Test func checksAgainstTheContractWhereItIsHere() {
        if !Contract.isHere {
            print("Gemini's contract is not here: requests are checked by the simulator's rules only")
        }
        #expect((Contract.checker != nil) == Contract.isHere)
    }

    @Test(arguments: [false, true])
    func givesCallsBackWithTheirSignaturesAndResults(streams: Bool) async throws {
        try await run([
            .calls(
                [
                    ("calendar.list", ["start": "2026-11-22T00:00:00Z", "end": "2026-11-23T00:00:00Z"]),
                    ("mail.search", ["query": "from:plumber"]),
                ], text: "Let me look."), .text("Tomorrow: dentist 09:00."),
        ]) { gemini, script in
            let request = Sample.request([question])
            let first: LanguageResponse
            if streams {
                let collected = await Collected(gemini.stream(request))
                #expect(collected.calls.map(\.tool) == ["calendar.list", "mail.search"])
                #expect(collected.text == "Let me look.")
                first = try #require(collected.finished.first)
                #expect(collected.finished.count == 1)
            } else {
                first = try await gemini.respond(to: request)
            }
            #expect(first.calls.map(\.tool) == ["calendar.list", "mail.search"])
            #expect(first.text == "Let me look.")
            #expect(first.usage == LanguageUsage(input: 100, output: 20, cached: 40))
            let second = try await gemini.respond(
                to: Sample.request([
                    question, .assistant(text: first.text, calls: first.calls),
                    .result(
                        call: first.calls[1].id, tool: "mail.search", value: "Mail is not connected", trust: .system,
                        isError: true),
                    .result(
                        call: first.calls[0].id, tool: "calendar.list", value: [["subject": "Dentist"]],
                        trust: .untrusted, isError: false),
                ]))
            #expect(second.text == "Tomorrow: dentist 09:00.")
            #expect(second.finish == .complete)
            let contents = script.bodies[1]["contents"]
            let call = contents?[1]?["parts"]?.arrayValue?.first { $0["functionCall"] != nil }
            #expect(call?["thoughtSignature"]?.stringValue == GeminiSimulator.signature)
            let results = contents?[2]?["parts"]?.arrayValue ?? []
            // In the order of the calls, each an object; what is from outside says so.
            #expect(results.map { $0["functionResponse"]?["name"]?.stringValue } == ["calendar.list", "mail.search"])
            #expect(results[0]["functionResponse"]?["response"]?["source"] == "untrusted")
            #expect(results[1]["functionResponse"]?["response"] == ["error": "Mail is not connected"])
        }
    }

    @Test func runsTwentyParallelCalls() async throws {
        let calls = (0..<20).map { (name: "mail.search", arguments: ["query": .string("q\($0)")] as JSON) }
        try await run([.calls(calls), .text("Done.")]) { gemini, _ in
            let first = try await gemini.respond(to: Sample.request([question]))
            #expect(first.calls.count == 20)
            #expect(Set(first.calls.map(\.id)).count == 20)
            let results = first.calls.shuffled().map { call in
                LanguageMessage.result(call: call.id, tool: call.tool, value: [:], trust: .system, isError: false)
            }
            let second = try await gemini.respond(
                to: Sample.request([question, .assistant(text: nil, calls: first.calls)] + results))
            #expect(second.text == "Done.")
        }
    }

    @Test func answersForCallsThatWereNotCarriedOut() async throws {
        try await run([.calls([("mail.search", ["query": "a"]), ("mail.search", ["query": "b"])]), .text("Hm.")]) {
            gemini, script in
            let first = try await gemini.respond(to: Sample.request([question]))
            _ = try await gemini.respond(
                to: Sample.request([
                    question, .assistant(text: nil, calls: first.calls),
                    .result(call: first.calls[1].id, tool: "mail.search", value: [], trust: .system, isError: false),
                ]))
            let parts = script.bodies[1]["contents"]?[2]?["parts"]
            #expect(parts?[0]?["functionResponse"]?["response"]?["error"] != nil)
            #expect(parts?[1]?["functionResponse"]?["response"]?["result"] == [])
        }
    }

    @Test func sendsAnotherProvidersCallsToModelsThatWantSignatures() async throws {
        try await run([.text("Ok.")], model: "gemini-3-flash") { gemini, _ in
            let call = LanguageCall(id: "x1", tool: "mail.search", arguments: ["query": "a"])
            let response = try await gemini.respond(
                to: Sample.request([
                    question, .assistant(text: nil, calls: [call]),
                    .result(call: "x1", tool: "mail.search", value: [], trust: .system, isError: false),
                ]))
            #expect(response.text == "Ok.")
        }
    }

    @Test func keepsTheBeginningOfRequestsTheSame() async throws {
        try await run([]) { gemini, script in
            _ = try await gemini.respond(to: Sample.request([question]))
            var later = Sample.request(
                [question, .assistant(text: "Nothing.", calls: []), .person("And on Monday?")],
                tools: Sample.tools.reversed())
            later.context.now = Sample.now.advanced(by: .seconds(600))
            _ = try await gemini.respond(to: later)
            let (first, second) = (script.bodies[0], script.bodies[1])
            #expect(first["tools"]?.text == second["tools"]?.text)
            #expect(first["systemInstruction"]?.text == second["systemInstruction"]?.text)
            #expect(second["contents"]?[2]?["parts"]?[0]?["text"]?.stringValue?.hasPrefix("[now: Saturday") == true)
            let keys = first.objectValue?.keys ?? []
            #expect(Array(keys.prefix(3)) == ["systemInstruction", "tools", "contents"])
        }
    }

    @Test(arguments: [LanguageRequest.ToolUse.none, .required])
    func saysHowToolsMayBeUsed(use: LanguageRequest.ToolUse) async throws {
        try await run([]) { gemini, script in
            _ = try await gemini.respond(to: Sample.request([question], use: use))
            let mode = script.bodies[0]["toolConfig"]?["functionCallingConfig"]?["mode"]
            #expect(mode == (use == .none ? "NONE" : "ANY"))
        }
    }

    @Test func countsTokens() async throws {
        try await run([]) { gemini, _ in
            let count = try await gemini.countTokens(of: Sample.request([question]))
            #expect(count > 10)
        }
    }

    @Test func refusesABadKeyForGood() async throws {
        let simulator = try GeminiSimulator(ModelScript())
        defer { simulator.stop() }
        await #expect(throws: LanguageError(.unauthorized, "gemini refuses the key (400 API_KEY_INVALID)")) {
            _ = try await Sample.gemini(simulator, key: "WRONG-KEY-1234").respond(to: Sample.request([question]))
        }
        await #expect(throws: LanguageError(.unauthorized, "gemini does not know the model (404)")) {
            _ = try await Sample.gemini(simulator, model: "gemini-none").respond(to: Sample.request([question]))
        }
    }

    @Test(arguments: [false, true])
    func takesABreakInAStreamForAFailure(isSlow: Bool) async throws {
        let whole = ModelReply.calls([("mail.search", ["query": "a"])], text: "One two three.")
        try await run([.cut(isSlow ? .slow(whole, milliseconds: 5) : whole, after: 4)]) { gemini, _ in
            let collected = await Collected(gemini.stream(Sample.request([question])))
            #expect(collected.failure?.code == .invalidResponse)
            #expect(collected.calls.map(\.tool) == ["mail.search"])
            #expect(collected.finished.isEmpty)
        }
    }

    @Test func readsSlowStreamsWhole() async throws {
        let text = "one two three four five six seven eight"
        try await run([.slow(.text(text), milliseconds: 10)]) { gemini, _ in
            let collected = await Collected(gemini.stream(Sample.request([question])))
            #expect(collected.text == text)
            #expect(collected.failure == nil)
            #expect(collected.finished.first?.text == text)
        }
    }

    @Test func tellsErrorsWithinAStream() async throws {
        let failure = GeminiSimulator.errorBody(503, "UNAVAILABLE", "The model is overloaded.")
        try await run([.events([failure])]) { gemini, _ in
            let collected = await Collected(gemini.stream(Sample.request([question])))
            #expect(collected.failure?.code == .unavailable)
        }
    }

    @Test func survivesWhatItDoesNotKnow() async throws {
        let strange: JSON = [
            "candidates": [
                [
                    "content": ["parts": [["text": "Hello"], ["newKind": ["a": 1]]], "role": "model"],
                    "finishReason": "SOMETHING_NEW", "newField": 3,
                ]
            ], "newTop": [1],
        ]
        let empty: JSON = ["candidates": [["finishReason": "SOMETHING_NEW"]]]
        let stranger: JSON = [
            "candidates": [
                ["content": ["parts": [["functionCall": ["name": "rm_rf"]]]], "finishReason": "STOP"]
            ]
        ]
        try await run([.answer(strange), .answer(empty), .answer(stranger), .answer([:]), .answer([])]) { gemini, _ in
            let response = try await gemini.respond(to: Sample.request([question]))
            #expect(response.text == "Hello")
            for _ in 0..<4 {
                await #expect(throws: LanguageError.self) { try await gemini.respond(to: Sample.request([question])) }
            }
        }
    }

    @Test(arguments: [ModelReply.hangUp, .cut(.text("x"), after: 0)])
    func saysWhenTheConnectionBreaks(reply: ModelReply) async throws {
        try await run([reply, reply]) { gemini, _ in
            await #expect(throws: LanguageError.self) { try await gemini.respond(to: Sample.request([question])) }
        }
    }

    // MARK: The contract's samples

    /// Each answer of the samples, as the service would give it, is read as it is meant.
    @Test(.enabled(if: Contract.isHere, "the vendors' contracts are not here"), arguments: Contract.samples())
    func readsTheSample(name: String) async throws {
        let sample = try Contract.sample(name)
        let status = Int(clamping: sample["response"]?["status"]?.int64Value ?? 0)
        let reply: ModelReply
        if let events = sample["response"]?["sse"]?.arrayValue {
            reply = .events(events)
        } else {
            reply = .failure(status, sample["response"]?["json"] ?? .null)
        }
        let script = ModelScript([reply])
        let simulator = try GeminiSimulator(script)
        defer { simulator.stop() }
        let gemini = try Sample.gemini(simulator)
        let names = [
            "calendar_list_events", "mail_search", "add_expense", "list_tasks", "get_weather", "create_event",
        ]
        let tools = names.map { Sample.tool($0, ["type": "object", "properties": ["a": ["type": "string"]]]) }
        let request = Sample.request([question], tools: tools)
        if name.hasPrefix("streamGenerateContent") {
            let collected = await Collected(gemini.stream(request))
            #expect(collected.text == "Let me look that up.")
            #expect(collected.calls.map(\.tool) == ["mail_search"])
            #expect(collected.finished.first?.usage == LanguageUsage(input: 10, output: 24))
            return
        }
        guard name.hasPrefix("generateContent") || name.hasPrefix("error") else { return }
        let outcome: Result<LanguageResponse, LanguageError>
        do {
            outcome = .success(try await gemini.respond(to: request))
        } catch let error as LanguageError {
            outcome = .failure(error)
        }
        switch name {
        case "generateContent-text": #expect(try outcome.get().text?.isEmpty == false)
        case "generateContent-parallel-function-calls":
            let calls = try outcome.get().calls
            #expect(calls.map(\.tool) == ["calendar_list_events", "mail_search"])
            #expect(calls[0].continuation?["part"]?["thoughtSignature"] == "c2FtcGxlLXNpZ25hdHVyZQ==")
            #expect(try outcome.get().usage == LanguageUsage(input: 143, output: 90))
        case "generateContent-forced-call": #expect(try outcome.get().calls.count == 1)
        case "generateContent-function-responses": #expect(try outcome.get().text?.hasPrefix("Tomorrow") == true)
        case "generateContent-prompt-blocked": #expect(try outcome.get().finish == .refused)
        case "generateContent-finish-safety": #expect(try outcome.get().finish == .refused)
        case "generateContent-finish-max-tokens": #expect(try outcome.get().finish == .truncated)
        case "generateContent-finish-malformed-call": #expect(outcome.code == .invalidResponse)
        case "error-quota-429":
            #expect(outcome.code == .rateLimited)
            if case .failure(let error) = outcome { #expect(error.retryAfterMilliseconds == 46_000) }
        case "error-invalid-key", "error-no-key-403", "error-oauth-401", "error-model-404":
            #expect(outcome.code == .unauthorized)
        case "error-invalid-argument": #expect(outcome.code == .rejected)
        case "error-internal-500", "error-overloaded-503": #expect(outcome.code == .unavailable)
        default: Issue.record("the sample \(name) is not tested")
        }
    }

    // MARK: Embeddings

    @Test func embedsInBatchesOfUnitVectors() async throws {
        let simulator = try GeminiSimulator(ModelScript(), checker: Contract.checker)
        defer { simulator.stop() }
        let base = try #require(WebAddress(simulator.origin))
        let model = GeminiEmbeddings(key: Secret("SAMPLE-KEY"), base: base, dimensions: 8, http: Sample.http)
        let texts = (0..<230).map { "text \($0)" } + [""]
        let vectors = try await model.embed(texts, for: .document)
        #expect(vectors.count == texts.count)
        #expect(simulator.server.requests.count == 3)
        for vector in vectors {
            #expect(vector.count == 8)
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
        }
        let again = try await model.embed(["text 7"], for: .query)
        #expect(again[0] == vectors[7])
        #expect(simulator.script.violations == [])
    }
}

extension Result where Failure == LanguageError {
    var code: LanguageError.Code? {
        if case .failure(let error) = self { return error.code }
        return nil
    }
}
