import ModelSimulators
import Synchronization
import TandemCore
import TandemJSON
import TandemLanguage
import Testing

@testable import TandemModels

/// A provider that does what a test says.
final class ScriptedProvider: LanguageProvider {
    enum Step: Sendable {
        case give(LanguageResponse)
        case fail(LanguageError.Code, after: [LanguageEvent] = [], wait: Int? = nil)
        case hang
    }

    let name: String
    private let steps: Mutex<[Step]>
    private let seen = Mutex<[LanguageRequest]>([])

    init(_ name: String, _ steps: [Step]) {
        self.name = name
        self.steps = Mutex(steps)
    }

    var requests: [LanguageRequest] { seen.withLock { $0 } }

    private func next(_ request: LanguageRequest) -> Step {
        seen.withLock { $0.append(request) }
        return steps.withLock { steps in
            guard let first = steps.first else { return .give(LanguageResponse(text: "By \(name).")) }
            if steps.count > 1 { steps.removeFirst() }
            return first
        }
    }

    func respond(to request: LanguageRequest) async throws -> LanguageResponse {
        switch next(request) {
        case .give(let response): return response
        case .fail(let code, _, let wait): throw LanguageError(code, name, retryAfterMilliseconds: wait)
        case .hang:
            try await Task.sleep(for: .seconds(600))
            return LanguageResponse()
        }
    }

    func stream(_ request: LanguageRequest) -> AsyncThrowingStream<LanguageEvent, any Error> {
        let step = next(request)
        return AsyncThrowingStream { continuation in
            switch step {
            case .give(let response):
                if let text = response.text { continuation.yield(.text(text)) }
                for call in response.calls { continuation.yield(.call(call)) }
                continuation.yield(.finished(response))
                continuation.finish()
            case .fail(let code, let events, let wait):
                for event in events { continuation.yield(event) }
                continuation.finish(throwing: LanguageError(code, name, retryAfterMilliseconds: wait))
            case .hang: break
            }
        }
    }
}

@Suite(.timeLimit(.minutes(8)))
struct FallbackChainTests {
    private let clock = ManualClock(Sample.now)
    private let meter: MemoryMeter
    private let grocery = ToolDefinition(
        id: "grocery.add", title: "Add to the grocery list", description: "Adds things to the grocery list.",
        parameters: [
            "type": "object", "properties": ["items": ["type": "array", "items": ["type": "object"]]],
            "required": ["items"],
        ], effect: .write, utterances: [Utterance("add {items} to [my] [grocery] list"), Utterance("buy {items}")],
        slots: ["items": SlotDefinition(.items, required: true)])
    private let person = LanguageAccount(
        scope: UserScope(authenticated: UserID(rawValue: 7)), turn: RecordID(rawValue: 9))

    init() { meter = MemoryMeter(clock: clock) }

    private func chain(
        _ providers: [ScriptedProvider], limit: Duration = .seconds(20), budget: ModelBudget = ModelBudget(),
        model: String = "gpt-4o-mini", metrics: MetricsRegistry = MetricsRegistry(), attempts: Int = 1
    ) -> FallbackChain {
        var options = FallbackChain.Options()
        options.budget = budget
        options.prompts = try? PromptLibrary()
        return FallbackChain(
            links: providers.map {
                FallbackChain.Link(provider: $0, model: model, timeLimit: limit, attempts: attempts)
            }, meter: meter, clock: clock, metrics: metrics, options: options)
    }

    private func request(
        _ text: String, _ more: [LanguageMessage] = [], account: LanguageAccount? = nil
    ) -> LanguageRequest {
        var request = Sample.request(
            [.person(text)] + more, tools: Sample.tools + [grocery], account: account ?? person)
        request.instructions = ""
        return request
    }

    private func call(_ tool: String = "tasks.add", id: String = "c1") -> LanguageCall {
        LanguageCall(id: id, tool: tool, arguments: ["items": [["name": "milk"]]], continuation: ["part": ["x": 1]])
    }

    @Test func doesWhatThePlannerIsSureOfWithoutAModel() async throws {
        let model = ScriptedProvider("a", [])
        let chain = chain([model])
        let first = try await chain.respond(to: request("add milk and eggs to my grocery list"))
        #expect(first.calls.map(\.tool) == ["grocery.add"])
        #expect(first.handledBy == "local")
        // Nor are its results worth a call.
        let later = try await chain.respond(
            to: request(
                "add milk and eggs to my grocery list",
                [
                    .assistant(text: nil, calls: first.calls),
                    .result(call: first.calls[0].id, tool: "grocery.add", value: [:], trust: .system, isError: false),
                ]))
        #expect(later.calls.isEmpty && later.text == nil)
        #expect(model.requests.isEmpty)
        #expect(meter.outcomes.isEmpty)
    }

    @Test func asksTheModelForWhatThePlannerDoesNotKnow() async throws {
        let usage = LanguageUsage(input: 1000, output: 100, cached: 400)
        let model = ScriptedProvider("a", [.give(LanguageResponse(text: "Paris.", calls: [call()], usage: usage))])
        let response = try await chain([model]).respond(to: request("what would Seneca say of my inbox"))
        #expect(response.text == "Paris.")
        #expect(response.handledBy == "a")
        #expect(response.note == nil)
        #expect(model.requests.first?.instructions.contains("ADHD") == true)
        #expect(meter.outcomes.map(\.word) == ["ok"])
        #expect(meter.day(of: UserID(rawValue: 7)).tokens == 1100)
        // 600 at 0.15, 400 at 0.075, 100 at 0.60 a million.
        #expect(meter.outcomes.first?.micros == 180)
    }

    @Test func givesBackToEachProviderWhatIsItsOwn() async throws {
        let first = ScriptedProvider("a", [.give(LanguageResponse(calls: [call("mail.search")])), .fail(.unavailable)])
        let second = ScriptedProvider("b", [])
        let chain = chain([first, second])
        let question = "what would Seneca say of my inbox"
        let asked = try await chain.respond(to: request(question))
        let results: [LanguageMessage] = [
            .assistant(text: nil, calls: asked.calls),
            .result(call: asked.calls[0].id, tool: "mail.search", value: [], trust: .system, isError: false),
        ]
        let answer = try await chain.respond(to: request(question, results))
        #expect(answer.handledBy == "b")
        guard case .assistant(_, let own)? = first.requests.last?.messages[1],
            case .assistant(_, let others)? = second.requests.last?.messages[1]
        else {
            Issue.record("no calls in the conversation")
            return
        }
        #expect(own.first?.continuation == ["part": ["x": 1]])
        #expect(others.first?.continuation == nil)
    }

    @Test(arguments: [
        LanguageError.Code.unavailable, .timeout, .invalidResponse, .rateLimited, .rejected, .unauthorized,
    ])
    func fallsOverToTheNext(code: LanguageError.Code) async throws {
        let chain = chain([ScriptedProvider("a", [.fail(code)]), ScriptedProvider("b", [])])
        let response = try await chain.respond(to: request("what would Seneca say of my inbox"))
        #expect(response.text == "By b.")
        #expect(response.handledBy == "b")
        #expect(response.note == nil)
    }

    @Test func givesUpOnWhatTakesTooLong() async throws {
        let chain = chain([ScriptedProvider("a", [.hang]), ScriptedProvider("b", [])], limit: .milliseconds(100))
        let response = try await chain.respond(to: request("what would Seneca say of my inbox"))
        #expect(response.handledBy == "b")
        #expect(meter.outcomes.map(\.word) == ["timeout", "ok"])
    }

    @Test func givesUpOnAllTogetherInTime() async throws {
        var options = FallbackChain.Options()
        options.totalTime = .milliseconds(100)
        let second = ScriptedProvider("b", [])
        let chain = FallbackChain(
            links: [
                FallbackChain.Link(provider: ScriptedProvider("a", [.hang]), model: "m"),
                FallbackChain.Link(provider: second, model: "m"),
            ], meter: meter, clock: clock, options: options)
        let response = try await chain.respond(to: request("what would Seneca say of my inbox"))
        #expect(response.handledBy == "local")
        #expect(response.note != nil)
        #expect(second.requests.isEmpty)
    }

    @Test func saysOnceThatItIsDegraded() async throws {
        let chain = chain([ScriptedProvider("a", [.fail(.unavailable)])])
        let first = try await chain.respond(to: request("what would Seneca say of my inbox"))
        let second = try await chain.respond(to: request("and what of my calendar, old friend"))
        #expect(first.handledBy == "local")
        #expect(first.note == "My smart half is away just now; plain requests still work.")
        #expect(second.note == nil)
        let other = LanguageAccount(scope: UserScope(authenticated: UserID(rawValue: 8)))
        let third = try await chain.respond(to: request("what would Seneca say of my inbox", account: other))
        #expect(third.note != nil)
        clock.advance(by: .seconds(13 * 3600))
        let later = try await chain.respond(to: request("and what of my calendar, old friend"))
        #expect(later.note != nil)
    }

    @Test func stillDoesPlainRequestsDuringAnOutage() async throws {
        let chain = chain([ScriptedProvider("a", [.fail(.unavailable)])])
        var plain = request("buy milk")
        plain.toolUse = .required
        let response = try await chain.respond(to: plain)
        #expect(response.calls.map(\.tool) == ["grocery.add"])
        #expect(response.note != nil)
    }

    @Test func restsAProviderThatFails() async throws {
        let model = ScriptedProvider("a", [.fail(.unavailable)])
        let chain = chain([model, ScriptedProvider("b", [])])
        for number in 0..<8 {
            _ = try await chain.respond(to: request("what would Seneca say of inbox \(number)"))
        }
        #expect(model.requests.count == 3)
    }

    @Test func keepsTheWaitThatAProviderAsksFor() async throws {
        let model = ScriptedProvider("a", [.fail(.rateLimited, wait: 46_000)])
        let now = Mutex<UInt64>(1)
        var options = FallbackChain.Options()
        options.monotonic = { now.withLock { $0 } }
        let chain = FallbackChain(
            links: [FallbackChain.Link(provider: model, model: "m")], meter: meter, clock: clock, options: options)
        _ = try await chain.respond(to: request("what would Seneca say of inbox 1"))
        now.withLock { $0 += 45_000_000_000 }
        _ = try await chain.respond(to: request("what would Seneca say of inbox 2"))
        #expect(model.requests.count == 1)
        now.withLock { $0 += 2_000_000_000 }
        _ = try await chain.respond(to: request("what would Seneca say of inbox 3"))
        #expect(model.requests.count == 2)
    }

    // MARK: Streams that break off

    @Test func keepsCallsThatWereHandedOut() async throws {
        let first = ScriptedProvider("a", [.fail(.invalidResponse, after: [.text("Let me "), .call(call())])])
        let second = ScriptedProvider(
            "b", [.give(LanguageResponse(calls: [call(id: "z1")])), .give(LanguageResponse(text: "Done."))])
        let chain = chain([first, second])
        let question = "what would Seneca add to my day"
        let collected = await Collected(chain.stream(request(question)))
        #expect(collected.failure == nil)
        #expect(collected.calls.map(\.id) == ["c1"])
        #expect(collected.finished.first?.calls.map(\.id) == ["c1"])
        #expect(collected.restarts == 0)
        #expect(second.requests.isEmpty)
        // The next step falls over, and the other provider asks for the same change: it is not made again.
        let results: [LanguageMessage] = [
            .assistant(text: nil, calls: collected.calls),
            .result(call: "c1", tool: "tasks.add", value: [:], trust: .system, isError: false),
        ]
        let again = await Collected(chain.stream(request(question, results)))
        #expect(again.calls.isEmpty)
        #expect(again.finished.first?.handledBy == "b")
    }

    @Test func takesBackTextOfABrokenStream() async throws {
        let first = ScriptedProvider("a", [.fail(.timeout, after: [.text("The answer is ")])])
        let chain = chain([first, ScriptedProvider("b", [])])
        let collected = await Collected(chain.stream(request("what would Seneca say of my inbox")))
        #expect(collected.restarts == 1)
        #expect(collected.text == "By b.")
        #expect(collected.finished.first?.text == "By b.")
        #expect(meter.outcomes.map(\.word) == ["timeout", "ok"])
        #expect((meter.outcomes.first?.usage.output ?? 0) > 0)
    }

    @Test func fallsOverFromARealStreamThatIsCut() async throws {
        let script = ModelScript([.cut(.text("one two three four"), after: 2)])
        let cut = try GeminiSimulator(script, checker: Contract.checker)
        defer { cut.stop() }
        let other = try ChatSimulator(ModelScript(rule: { _ in .text("All well.") }))
        defer { other.stop() }
        let chain = FallbackChain(
            links: [
                FallbackChain.Link(provider: try Sample.gemini(cut), model: "gemini-2.5-flash"),
                FallbackChain.Link(provider: try Sample.chat(other), model: "small"),
            ], meter: meter, clock: clock)
        let collected = await Collected(chain.stream(request("what would Seneca say of my inbox")))
        #expect(collected.text == "All well.")
        #expect(collected.restarts == 1)
        #expect(collected.finished.first?.handledBy == "chat")
    }

    // MARK: Budgets

    @Test(arguments: [
        (ModelBudget(requestsPerDay: 0), "Today's"), (ModelBudget(tokensPerDay: 100), "Today's"),
        (ModelBudget(microsPerDay: 10), "Today's"), (ModelBudget(totalMicrosPerDay: 10), "Today's"),
        (ModelBudget(tokensPerTurn: 100), "That took"), (ModelBudget(stepsPerTurn: 0), "That took"),
    ])
    func asksTheBudgetBeforeTheModel(budget: ModelBudget, note: String) async throws {
        let model = ScriptedProvider("a", [])
        let metrics = MetricsRegistry()
        let response = try await chain([model], budget: budget, metrics: metrics)
            .respond(to: request("what would Seneca say of my inbox"))
        #expect(model.requests.isEmpty)
        #expect(response.handledBy == "local")
        #expect(response.note?.hasPrefix(note) == true)
        #expect(meter.outcomes.isEmpty)
    }

    @Test func goesToAFreeModelWhenTheMoneyIsGone() async throws {
        let paid = ScriptedProvider("a", [])
        let free = ScriptedProvider("b", [])
        var options = FallbackChain.Options()
        options.budget = ModelBudget(microsPerDay: 10)
        let chain = FallbackChain(
            links: [
                FallbackChain.Link(provider: paid, model: "gpt-4o"),
                FallbackChain.Link(provider: free, model: "own-model"),
            ], meter: meter, clock: clock, options: options)
        let response = try await chain.respond(to: request("what would Seneca say of my inbox"))
        #expect(response.handledBy == "b")
        #expect(response.note == nil)
        #expect(paid.requests.isEmpty)
    }

    @Test func beginsANewDay() async throws {
        let model = ScriptedProvider("a", [])
        let chain = chain([model], budget: ModelBudget(requestsPerDay: 1))
        for number in 0..<3 { _ = try await chain.respond(to: request("what would Seneca say of inbox \(number)")) }
        #expect(model.requests.count == 1)
        clock.advance(by: .seconds(86_400))
        _ = try await chain.respond(to: request("what would Seneca say of inbox 9"))
        #expect(model.requests.count == 2)
    }

    @Test func leavesConversationsTheirShare() async throws {
        let model = ScriptedProvider("a", [])
        let chain = chain([model], budget: ModelBudget(requestsPerDay: 10, silentShare: 0.3))
        let silent = LanguageAccount(scope: person.scope, isSilent: true)
        for number in 0..<6 {
            let response = try await chain.respond(
                to: request("what would Seneca say of inbox \(number)", account: silent))
            // Nobody is told of what nobody waits for.
            #expect(response.note == nil)
        }
        #expect(model.requests.count == 3)
        #expect(meter.outcomes.count == 3)
        for number in 10..<20 { _ = try await chain.respond(to: request("what would Seneca say of inbox \(number)")) }
        #expect(model.requests.count == 10)
    }

    @Test func asksNobodyWithoutAWord() async throws {
        let model = ScriptedProvider("a", [])
        let chain = chain([model])
        for messages in [[], [LanguageMessage.assistant(text: "Hello.", calls: [])]] {
            let response = try await chain.respond(to: Sample.request(messages))
            #expect(response.text == nil && response.calls.isEmpty)
        }
        #expect(model.requests.isEmpty)
    }

    @Test func knowsAResponseAgain() async throws {
        let model = ScriptedProvider("a", [])
        let chain = chain([model])
        for _ in 0..<3 { _ = try await chain.respond(to: request("what would Seneca say of my inbox")) }
        #expect(model.requests.count == 1)
        let other = LanguageAccount(scope: UserScope(authenticated: UserID(rawValue: 8)))
        _ = try await chain.respond(to: request("what would Seneca say of my inbox", account: other))
        #expect(model.requests.count == 2)
        clock.advance(by: .seconds(61))
        var later = request("what would Seneca say of my inbox")
        later.context.now = clock.now
        _ = try await chain.respond(to: later)
        #expect(model.requests.count == 3)
    }

    @Test func bearsMuchAtOnce() async throws {
        let providers = [ScriptedProvider("a", [.fail(.unavailable)]), ScriptedProvider("b", [])]
        let chain = chain(providers, budget: ModelBudget(requestsPerDay: 50))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let response = try? await chain.respond(to: request("what would Seneca say of inbox \(number)"))
                    #expect(response?.handledBy != nil)
                }
            }
        }
        // Never more than the budget, however many come at once.
        #expect(providers[0].requests.count + providers[1].requests.count <= 50)
    }

    @Test func endsWhenTheCallerGoes() async throws {
        let chain = chain([ScriptedProvider("a", [.hang])], limit: .seconds(600))
        let task = Task { try await chain.respond(to: request("what would Seneca say of my inbox")) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
