import Synchronization
public import TandemCore
import TandemJSON
public import TandemLanguage

/// Several providers as one: the embedded planner for what it is sure of, then the models in their order, then the embedded
/// planner again for whatever it can do.
///
/// Each model has a time limit, a breaker and a budget that is asked before the call. A failure falls over to the next. What
/// was handed out stays: calls of a stream that breaks off are its response, and a provider that takes over in mid-turn may
/// not ask again for a change that was made already. A degraded answer carries a note, once.
///
/// A turn that the embedded planner began is finished without a model, and nothing is asked of a model but the last word of
/// a person or the results of calls: what is idle costs nothing.
public final class FallbackChain: LanguageProvider {
    /// One model.
    public struct Link: Sendable {
        public var provider: any LanguageProvider
        /// For the price table and the usage.
        public var model: String
        /// For one attempt, from the request to the last byte.
        public var timeLimit: Duration
        /// Attempts when it cannot be reached; nothing else is tried again.
        public var attempts: Int

        public init(
            provider: any LanguageProvider, model: String, timeLimit: Duration = .seconds(20), attempts: Int = 2
        ) {
            self.provider = provider
            self.model = model
            self.timeLimit = timeLimit
            self.attempts = attempts
        }
    }

    public struct Options: Sendable {
        /// The embedded planner's calls are carried out without asking a model when each is at least so sure.
        public var sureness = 0.8
        public var budget = ModelBudget()
        public var prices = PriceTable.standard
        public var prompts: PromptLibrary?
        public var folder = ConversationFolder()
        /// What a response may have in tokens, for the estimate, where the request does not say.
        public var outputLimit = 1024
        /// For all attempts of one request together: a turn has to end, too.
        public var totalTime = Duration.seconds(25)
        /// The longest that a provider is left alone for its own wish.
        public var longestWait = Duration.seconds(3600)
        public var breaker = CircuitRules()
        /// For tests: nanoseconds that only grow.
        public var monotonic: @Sendable () -> UInt64 = { monotonicNanoseconds() }

        public init() {}
    }

    public let name = "chain"
    let local: EmbeddedLanguageProvider
    let links: [Link]
    let options: Options
    private let spending: Spending
    let clock: any WallClock
    let metrics: ModelMetrics
    let states: LinkStates
    let memory: ResponseMemory
    private let notices: Notices
    private let turns = TurnTokens()

    public init(
        local: EmbeddedLanguageProvider = EmbeddedLanguageProvider(), links: [Link], meter: any ModelMeter,
        clock: any WallClock, metrics registry: MetricsRegistry = MetricsRegistry(), options: Options = Options()
    ) {
        self.local = local
        self.links = links
        self.options = options
        self.clock = clock
        metrics = ModelMetrics(registry)
        spending = Spending(meter: meter, budget: options.budget, prices: options.prices, metrics: metrics)
        states = LinkStates(names: links.map(\.provider.name), rules: options.breaker)
        memory = ResponseMemory(clock: clock)
        notices = Notices(clock: clock)
    }

    public func respond(to request: LanguageRequest) async throws -> LanguageResponse {
        try await run(request, sink: nil)
    }

    public func stream(_ request: LanguageRequest) -> AsyncThrowingStream<LanguageEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let sink = StreamSink { continuation.yield($0) }
                    let response = try await run(request, sink: sink)
                    sink.complete(response)
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    // MARK: One step

    private func run(_ request: LanguageRequest, sink: StreamSink?) async throws -> LanguageResponse {
        let turn = TurnSoFar(request.messages)
        switch request.messages.last {
        case .person:
            if let sure = sureAnswer(to: request) {
                metrics.requests.with("local", "sure").increment()
                return sure
            }
        case .result:
            // The tools have worded their answers; there is nothing for a model to add.
            if turn.isAllLocal { return LanguageResponse(handledBy: local.name) }
        case .assistant, nil:
            return LanguageResponse(handledBy: local.name)
        }
        // What is nobody's is in nobody's budget: no model is asked.
        guard !links.isEmpty, let account = request.account else { return fallback(request, because: nil) }
        if turn.steps >= options.budget.stepsPerTurn { return refused(.turnSteps, request) }
        if turn.calls.count >= options.budget.callsPerTurn { return refused(.turnCalls, request) }

        var request = request
        if request.instructions.isEmpty { request.instructions = options.prompts?.assistant.text ?? "" }
        request.messages = options.folder.fold(request.messages)
        let key = ResponseMemory.Key(request)
        if let key, let known = memory.response(for: key) {
            metrics.cache.with("hit").increment()
            return known
        }
        let response = try await ask(request, account, turn, sink)
        if let key, response.finish == .complete, response.note == nil, response.handledBy != local.name {
            memory.keep(response, for: key)
        }
        return response
    }

    /// What the embedded planner makes of it, if it is sure of all of it.
    private func sureAnswer(to request: LanguageRequest) -> LanguageResponse? {
        guard request.toolUse == .automatic else { return nil }
        var response = local.plan(request)
        guard case .complete = response.finish else { return nil }
        guard response.calls.allSatisfy({ $0.confidence >= options.sureness && $0.missing.isEmpty }) else { return nil }
        guard !response.calls.isEmpty || response.text != nil else { return nil }
        for index in response.calls.indices { response.calls[index].continuation = Handed.mark(local.name, nil) }
        response.handledBy = local.name
        return response
    }

    private func ask(
        _ request: LanguageRequest, _ account: LanguageAccount, _ turn: TurnSoFar, _ sink: StreamSink?
    ) async throws -> LanguageResponse {
        var limit: BudgetLimit?
        var wasAsked = false
        let end = options.monotonic() &+ UInt64(max(0, options.totalTime.milliseconds)) * 1_000_000
        for index in links.indices {
            try Task.checkCancellation()
            guard options.monotonic() < end else { break }
            guard states.admit(index, now: options.monotonic()) else {
                metrics.requests.with(links[index].provider.name, "resting").increment()
                continue
            }
            switch try await reserve(request, account, index) {
            case .refused(let refused):
                states.abandon(index)
                metrics.refusals.with(refused.rawValue).increment()
                limit = limit ?? refused
            case .granted(let reservation):
                wasAsked = true
                if let response = try await attempt(request, turn, index, reservation, until: end, sink) {
                    return response
                }
                sink?.restart()
            }
        }
        metrics.fallbacks.with(wasAsked || limit == nil ? "outage" : "budget").increment()
        if let limit, !wasAsked { return refused(limit, request) }
        return fallback(request, because: .outage)
    }

    /// Room for the request, in the turn and in the day.
    private func reserve(
        _ request: LanguageRequest, _ account: LanguageAccount, _ index: Int
    ) async throws -> BudgetVerdict {
        let link = links[index]
        let estimate = LanguageUsage(
            input: TokenEstimate.input(of: request), output: min(request.outputLimit ?? options.outputLimit, 8192))
        let charge = spending.charge(
            for: estimate, of: account, provider: link.provider.name, model: link.model)
        if let limit = options.budget.tokensPerTurn, let turn = account.turn,
            turns.tokens(of: turn) + charge.tokens > limit
        {
            return .refused(.turnTokens)
        }
        return try await spending.reserve(charge)
    }

    private func settle(
        _ reservation: ModelReservation, _ request: LanguageRequest, usage: LanguageUsage, word: String,
        since start: UInt64
    ) async {
        if let turn = reservation.charge.account.turn { turns.add(usage.input + usage.output, to: turn) }
        await spending.settle(reservation, usage: usage, word: word, nanoseconds: options.monotonic() &- start)
    }

    /// The response of one link; nil when the next has to be asked.
    private func attempt(
        _ request: LanguageRequest, _ turn: TurnSoFar, _ index: Int, _ reservation: ModelReservation, until end: UInt64,
        _ sink: StreamSink?
    ) async throws -> LanguageResponse? {
        let link = links[index]
        let name = link.provider.name
        let start = options.monotonic()
        let asked = Handed.unwrapped(request, for: name)
        var attempt = 1
        while true {
            let partial = PartialResponse()
            do {
                let now = options.monotonic()
                let left = Duration.nanoseconds(Int64(clamping: end > now ? end - now : 0))
                var response = try await limited(min(link.timeLimit, left)) {
                    try await Self.collect(link.provider, asked, turn, name, into: partial, sink)
                }
                states.succeeded(index, now: options.monotonic())
                let usage = used(response.usage, reservation, request, response)
                await settle(reservation, request, usage: usage, word: Self.word(response.finish), since: start)
                notices.recovered(request.account?.scope.user)
                response.usage = usage
                response.calls = turn.withoutRepeats(
                    response.calls.map { Handed.marked($0, name) }, tools: request.allTools ?? request.tools)
                response.handledBy = name
                return response
            } catch {
                if Task.isCancelled || error is CancellationError {
                    states.abandon(index)
                    await settle(
                        reservation, request, usage: partial.usage(reservation), word: "cancelled", since: start)
                    throw CancellationError()
                }
                let failure = error as? LanguageError ?? LanguageError(.unavailable, "\(name) failed")
                let calls = turn.withoutRepeats(partial.calls, tools: request.allTools ?? request.tools)
                let mayRepeat =
                    failure.code == .unavailable && failure.retryAfterMilliseconds == nil && attempt < link.attempts
                    && partial.isEmpty
                if mayRepeat {
                    attempt += 1
                    metrics.requests.with(name, "again").increment()
                    try await Task.sleep(for: .milliseconds(Int64.random(in: 50...250)))
                    continue
                }
                states.failed(index, failure, longestWait: options.longestWait, now: options.monotonic())
                // Nothing is paid for what was refused; for what broke off it may be.
                let isPaid = failure.code == .timeout || failure.code == .invalidResponse || !partial.isEmpty
                await settle(
                    reservation, request, usage: isPaid ? partial.usage(reservation) : LanguageUsage(),
                    word: Self.word(failure.code), since: start)
                guard !calls.isEmpty else { return nil }
                // Handed out already: they are carried out, and whoever is asked next sees their results.
                return LanguageResponse(
                    text: partial.text.isEmpty ? nil : partial.text, calls: calls, usage: partial.usage(reservation),
                    handledBy: name)
            }
        }
    }

    /// Streams when somebody looks on; the calls are marked as they are handed out.
    private static func collect(
        _ provider: any LanguageProvider, _ request: LanguageRequest, _ turn: TurnSoFar, _ name: String,
        into partial: PartialResponse, _ sink: StreamSink?
    ) async throws -> LanguageResponse {
        guard let sink else { return try await provider.respond(to: request) }
        for try await event in provider.stream(request) {
            switch event {
            case .text(let piece):
                partial.add(text: piece)
                sink.text(piece)
            case .call(let call):
                let marked = Handed.marked(call, name)
                partial.add(call: marked)
                let isNew = !turn.withoutRepeats([marked], tools: request.allTools ?? request.tools).isEmpty
                if isNew { sink.call(marked) }
            case .restarted:
                partial.restart()
                sink.restart()
            case .finished(let response): return response
            }
        }
        try Task.checkCancellation()
        throw LanguageError(.invalidResponse, "\(name) ended without an end")
    }

    /// What was used; estimated where the provider does not say.
    private func used(
        _ usage: LanguageUsage, _ reservation: ModelReservation, _ request: LanguageRequest,
        _ response: LanguageResponse
    ) -> LanguageUsage {
        guard usage.input == 0, usage.output == 0 else { return usage }
        let output = TokenEstimate.tokens(of: [.assistant(text: response.text, calls: response.calls)])
        return LanguageUsage(input: TokenEstimate.input(of: request), output: output)
    }

    // MARK: Doing without a model

    private func refused(_ limit: BudgetLimit, _ request: LanguageRequest) -> LanguageResponse {
        switch limit {
        case .turnSteps, .turnCalls, .turnTokens: fallback(request, because: .turn)
        case .silent: fallback(request, because: nil)
        case .unknown: fallback(request, because: .outage)
        case .dayRequests, .dayTokens, .dayMoney, .totalMoney: fallback(request, because: .budget)
        }
    }

    private func fallback(_ request: LanguageRequest, because reason: Notices.Reason?) -> LanguageResponse {
        metrics.requests.with(local.name, "fallback").increment()
        var response: LanguageResponse
        if case .person? = request.messages.last {
            response = local.plan(request)
            for index in response.calls.indices { response.calls[index].continuation = Handed.mark(local.name, nil) }
        } else {
            response = LanguageResponse()
        }
        response.handledBy = local.name
        // What asks for text alone is no answer to a person.
        if let reason, request.toolUse != .none, request.account?.isSilent != true {
            response.note = notices.note(reason, for: request.account?.scope.user)
        }
        return response
    }

    private static func word(_ finish: LanguageResponse.Finish) -> String {
        switch finish {
        case .complete: "ok"
        case .unclear: "unclear"
        case .truncated: "truncated"
        case .refused: "refused"
        }
    }

    private static func word(_ code: LanguageError.Code) -> String {
        switch code {
        case .unavailable: "unavailable"
        case .rateLimited: "rate_limited"
        case .timeout: "timeout"
        case .invalidResponse: "invalid_response"
        case .rejected: "rejected"
        case .unauthorized: "unauthorized"
        }
    }

    /// Runs the body for at most so long.
    private func limited<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                throw LanguageError(.timeout, "the time limit of \(limit) is over")
            }
            return value
        }
    }
}
