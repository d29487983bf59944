import Logging
import Synchronization
public import TandemAccounts
public import TandemCore
import TandemJSON
public import TandemLanguage
public import TandemStorage

/// What the agent works with.
public struct AgentServices: Sendable {
    public var database: any Database
    public var accounts: Accounts
    public var providers: [any ToolProvider]
    public var catalogue: any ToolCatalogue
    public var language: any LanguageProvider
    public var channels: [any DeliveryChannel]
    public var clock: any WallClock
    public var metrics: AgentMetrics
    public var limits: AgentLimits
    public var policy: Policy
    /// Between this process and others on the same database; nil: they find out by looking.
    public var news: (any TurnNews)?
    /// Who works here.
    public var holder = TurnHolder.current
    /// False for a process that takes messages in and leaves the work to others.
    public var worksOnTurns: Bool

    public init(
        database: any Database, accounts: Accounts, providers: [any ToolProvider], catalogue: any ToolCatalogue,
        language: any LanguageProvider = EmbeddedLanguageProvider(), channels: [any DeliveryChannel] = [],
        clock: any WallClock, metrics: AgentMetrics,
        limits: AgentLimits = AgentLimits(), policy: Policy = .standard, news: (any TurnNews)? = nil,
        worksOnTurns: Bool = true
    ) {
        self.database = database
        self.accounts = accounts
        self.providers = providers
        self.catalogue = catalogue
        self.language = language
        self.channels = channels
        self.clock = clock
        self.metrics = metrics
        self.limits = limits
        self.policy = policy
        self.news = news
        self.worksOnTurns = worksOnTurns
    }
}

/// The agent: takes durable messages, understands them, acts within the policy, answers.
///
/// A message becomes a turn in the front's own transaction (`accept`). Workers take the turns of one person in order, of
/// different people side by side. A turn's plan is persisted before it is carried out, its outcomes, answer, and delivery
/// in one transaction at its end; a turn that was interrupted is rolled back by its journal and carried out again, so
/// that each effect happens once.
public final class AgentCore: InboundSink {
    let store: AgentStore
    let runner: TurnRunner
    let services: AgentServices
    private let directories: ToolDirectoryCache
    let planning: any TurnPlanning
    private let scheduler: TurnScheduler
    private let channels: [String: any DeliveryChannel]
    private let logger = Logger(label: "tandem.agent")
    /// Who waits for the answer of a turn in this process.
    private let waiting = Mutex(Waiting())
    /// Turns that have waited for a next message already.
    let held = Mutex<Set<RecordID>>([])
    /// Some turn could not reach the database.
    private let hasFailed = Atomic(false)

    private struct Waiting {
        var answers: [RecordID: AnswerBox] = [:]
        /// Whose they are, where another process gives the answer.
        var people: [RecordID: UserID] = [:]
        /// Nobody works any more: whoever asked now would wait for ever.
        var isOver = false
    }

    public init(_ services: AgentServices) {
        self.services = services
        directories = ToolDirectoryCache(providers: services.providers)
        runner = TurnRunner(
            directories: directories, policy: services.policy, limits: services.limits, metrics: services.metrics)
        planning = ProviderTurnPlanner(provider: services.language, catalogue: services.catalogue)
        store = AgentStore(holder: services.holder, worksOnTurns: services.worksOnTurns)
        scheduler = TurnScheduler(workers: services.limits.concurrency)
        channels = Dictionary(services.channels.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The way for tools to call tools: to be handed to the plugin host.
    public var mediator: any ToolMediator { runner }

    // MARK: Taking messages

    public func accept(_ message: InboundMessage, in transaction: any WriteTransaction) throws {
        _ = try store.accept(message, in: transaction)
    }

    public func wake(_ scope: UserScope) {
        guard services.worksOnTurns else {
            services.news?.tell(scope.user)
            return
        }
        scheduler.wake(scope)
    }

    public func beginArrival() { scheduler.beginArrival() }

    public func endArrival() { scheduler.endArrival() }

    /// Takes a message and waits for its answer: for fronts that show it themselves. `run` must be running.
    ///
    /// Throws when the message could not be made durable, and `CancellationError` when the caller's task is cancelled or
    /// the agent shuts down first: the turn is then finished all the same, at the next start at the latest.
    ///
    /// - Parameter noting: Told the turn's id, in the transaction that makes it durable.
    public func converse(
        _ text: String, channel: String, scope: UserScope,
        noting: @escaping @Sendable (RecordID, any WriteTransaction) throws -> Void = { _, _ in }
    ) async throws -> Answer {
        let message = InboundMessage(
            scope: scope, text: text, channel: channel, address: "", externalID: nil, receivedAt: services.clock.now)
        let store = store
        let box = AnswerBox()
        let turn: RecordID
        do {
            turn = try await services.database.write(scope) { transaction in
                let turn = try store.accept(message, in: transaction)
                try noting(turn, transaction)
                // Before the commit: a worker that has this person already takes the turn up right after it.
                self.expect(turn, box, of: scope)
                return turn
            }
        } catch {
            waiting.withLock { $0.answers = $0.answers.filter { $0.value !== box } }
            throw error
        }
        wake(scope)
        let answer = await box.wait()
        waiting.withLock { waiting in
            waiting.answers[turn] = nil
            waiting.people[turn] = nil
        }
        guard let answer else { throw CancellationError() }
        return answer
    }

    /// Takes a message for which nobody waits; gives its turn. The answer goes to the channel and the history.
    public func take(
        _ text: String, channel: String, scope: UserScope,
        noting: @escaping @Sendable (RecordID, any WriteTransaction) throws -> Void = { _, _ in }
    ) async throws -> RecordID {
        let message = InboundMessage(
            scope: scope, text: text, channel: channel, address: "", externalID: nil, receivedAt: services.clock.now)
        let store = store
        let turn = try await services.database.write(scope) { transaction in
            let turn = try store.accept(message, in: transaction)
            try noting(turn, transaction)
            return turn
        }
        wake(scope)
        return turn
    }

    private func expect(_ turn: RecordID, _ box: AnswerBox, of scope: UserScope) {
        let worksOnTurns = services.worksOnTurns
        let isOver = waiting.withLock { waiting in
            if !waiting.isOver { waiting.answers[turn] = box }
            if !waiting.isOver, !worksOnTurns { waiting.people[turn] = scope.user }
            return waiting.isOver
        }
        if isOver { box.give(nil) }
    }

    // MARK: Working

    /// Works until the task is cancelled, once. First takes up what an earlier process left behind.
    public func run() async {
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                guard services.worksOnTurns else {
                    group.addTask { await self.watchAnswers() }
                    await group.waitForAll()
                    return
                }
                let listening = services.news?.listen { [weak self] user in self?.heard(of: user) }
                defer { withExtendedLifetime(listening) {} }
                for _ in 0..<services.limits.concurrency { group.addTask { await self.work() } }
                group.addTask { await self.runner.watch.run() }
                group.addTask { await self.rescan() }
                await group.waitForAll()
            }
        } onCancel: {
            scheduler.close()
        }
        let abandoned = waiting.withLock { waiting in
            defer { waiting = Waiting(isOver: true) }
            return waiting.answers.values.map { $0 }
        }
        for box in abandoned { box.give(nil) }
    }

    private func work() async {
        while let scope = await scheduler.next() {
            let hasMore = await workOff(scope)
            scheduler.finish(scope, hasMore: hasMore)
        }
    }

    /// Looks for turns that nobody works on: left by a dead process at the start, failed ones later.
    private func rescan() async {
        while !Task.isCancelled {
            var pause = AgentStore.look
            do {
                try await look()
            } catch is CancellationError {
                return
            } catch {
                logger.error(
                    "could not look for turns left behind", metadata: ["error": "\(AgentCore.description(of: error))"])
                pause = .seconds(1)
            }
            await sleep(for: pause)
        }
    }

    private func look() async throws {
        let store = store
        guard try await services.database.read(.system, { try store.hasAnyTurn(in: $0) }) else { return }
        let now = services.clock.now
        let left = try await services.database.write(.system) { try store.takeOver(now: now, in: $0) }
        for user in left { scheduler.wake(UserScope(authenticated: user)) }
    }

    /// Another process says that something waits for this person.
    private func heard(of user: UserID?) {
        Task { [self] in
            guard let user else {
                try? await look()
                return
            }
            let store = store
            let now = services.clock.now
            _ = try? await services.database.write(.system) { try store.takeFree(of: user, now: now, in: $0) }
            scheduler.wake(UserScope(authenticated: user))
        }
    }

    /// A process that works on no turns: looks whether others have answered those that are waited for here.
    private func watchAnswers() async {
        let store = store
        while !Task.isCancelled {
            for (turn, user) in waiting.withLock({ waiting in waiting.people.map { ($0.key, $0.value) } }) {
                let scope = UserScope(authenticated: user)
                guard let answer = try? await services.database.read(scope, { try store.answer(of: turn, in: $0) })
                else { continue }
                waiting.withLock { $0.answers.removeValue(forKey: turn) }?.give(answer)
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Ends early when a turn failed meanwhile: the database may have been away.
    private func sleep(for pause: Duration) async {
        let end = ContinuousClock.now + pause
        while ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            if hasFailed.exchange(false, ordering: .relaxed) { return }
        }
    }

    /// One turn of a person: then it is other people's turn. True when there are more.
    private func workOff(_ scope: UserScope) async -> Bool {
        guard !Task.isCancelled else { return false }
        var current: RecordID?
        do {
            guard let work = try await load(scope) else {
                await waitForOther(scope)
                return false
            }
            current = work.turn
            let (answer, hasMore, joined) = try await process(work, scope: scope)
            if hasMore { tellOthers(scope) }
            for turn in [work.turn] + joined {
                waiting.withLock { $0.answers.removeValue(forKey: turn) }?.give(answer)
            }
            return hasMore
        } catch is CancellationError {
            return false
        } catch let wait as WaitForMore {
            Task { [self] in
                try? await Task.sleep(for: wait.time)
                scheduler.wake(scope)
            }
            return false
        } catch {
            services.metrics.failed()
            if let code = (error as? StorageError)?.code, code == .unavailable || code == .outcomeUnknown {
                hasFailed.store(true, ordering: .relaxed)
            }
            logger.error(
                "a turn failed; it is tried again", metadata: ["error": "\(AgentCore.description(of: error))"])
            let store = store
            if let turn = current {
                try? await services.database.write(scope) { try store.noteFailure(of: turn, in: $0) }
            }
            return false
        }
    }

    /// This process has a turn of the person whose turn it is not yet: another one works on an earlier one. It tells when it
    /// is done; where nobody can be told, this one looks again soon.
    private func waitForOther(_ scope: UserScope) async {
        let store = store
        guard (try? await services.database.read(scope, { try store.otherHolder(in: $0) })) ?? nil != nil else {
            return
        }
        Task { [self] in
            try? await Task.sleep(for: services.news == nil ? .milliseconds(25) : .milliseconds(250))
            scheduler.wake(scope)
        }
    }

    /// The person's next turn may be another process's.
    private func tellOthers(_ scope: UserScope) {
        guard let news = services.news else { return }
        let store = store
        Task { [self] in
            guard (try? await services.database.read(scope, { try store.otherHolder(in: $0) })) ?? nil != nil else {
                return
            }
            news.tell(scope.user)
        }
    }

    private func load(_ scope: UserScope) async throws -> TurnWork? {
        let store = store
        let now = services.clock.now
        return try await services.database.read(scope) { try store.nextTurn(now: now, in: $0) }
    }

    // MARK: One turn

    private func process(
        _ work: TurnWork, scope: UserScope
    ) async throws -> (Answer, hasMore: Bool, joined: [RecordID]) {
        let start = monotonicNanoseconds()
        let deadline = start + UInt64(services.limits.turnTime.milliseconds) * 1_000_000
        let store = store
        var attempt = 1
        var resumedSteps: [PlannedStep]?
        var turnRow: RecordID?
        if work.earlier != nil || work.wasLeft {
            // Interrupted: take back what its calls had written, then carry the same plan out again, if it had one.
            services.metrics.tookUpAgain()
            (attempt, turnRow) = try await services.database.write(scope) { transaction in
                try store.begin(work, in: transaction)
            }
            if let steps = work.earlier?.steps, !steps.isEmpty { resumedSteps = steps }
        }

        let profile = try await services.accounts.profile(of: scope)
        let directory = try await directories.directory(for: scope)
        let context = TurnContext(
            state: work.state, confirmations: work.confirmations, now: services.clock.now, timeZone: profile.timeZone,
            currency: profile.currency, account: LanguageAccount(scope: scope, turn: work.turn))
        var draft = TurnDraft(work: work, context: context)
        draft.turnRow = turnRow ?? draft.turnRow
        draft.questions = services.limits.questionsPerTurn

        if attempt > services.limits.attempts, context.now.since(work.receivedAt) >= services.limits.patience {
            draft.reply.add("Something went wrong on my side, and nothing was changed. Please send it again.")
            return try await finish(draft, scope: scope, since: start)
        }
        let interpreter = Interpreter(
            context: context, directory: directory, planning: planning, limits: services.limits)
        var words = work.text
        let interpretation: Interpretation
        if let resumedSteps {
            interpretation = .steps(resumedSteps, handledBy: work.earlier?.handledBy ?? "local")
        } else {
            var read = await interpreter.interpret(work.text)
            if case .unclear = read.0, services.limits.joiningChannels.contains(work.channel) {
                if let joined = try await join(work, interpreter, scope) {
                    (read, draft.joined, words) = (joined.read, joined.turns, joined.text)
                }
            }
            (interpretation, draft.handledBy) = read
        }

        switch interpretation {
        case .reply(let text), .unclear(let text):
            draft.reply.add(text)
            draft.state.question = nil
        case .remark(let text):
            draft.reply.add(text)
        case .more:
            draft.answerWithRest()
        case .undo:
            try await takeBack(&draft, directory: directory, scope: scope, deadline: deadline)
        case .off(let tool, let integration):
            let obstacle = await services.catalogue.obstacle(to: tool, in: scope)
            draft.off(tool: tool, integration: integration, obstacle: obstacle)
        case .declined(let confirmation):
            draft.closed.append((confirmation, "dropped"))
            draft.reply.add("Alright, left as it is.")
        case .confirmed(let confirmation):
            try await confirm(confirmation, draft: &draft, directory: directory, scope: scope, deadline: deadline)
        case .model(let response, let reading, let note):
            let loop = ModelLoop(
                words: words, directory: directory, limits: services.limits, history: context.history,
                reading: reading)
            try await converse(
                loop, from: response, draft: &draft, context: context, scope: scope, deadline: deadline)
            if let note { draft.reply.add(note) }
        case .steps(let steps, let handler) where resumedSteps != nil && handler != ProviderTurnPlanner.local:
            draft.handledBy = handler
            let loop = try await restored(steps, work, context: context, directory: directory)
            try await converse(loop, from: nil, draft: &draft, context: context, scope: scope, deadline: deadline)
        case .steps(let steps, let handler):
            draft.handledBy = handler
            try await carryOut(
                steps, draft: &draft, directory: directory, scope: scope, deadline: deadline,
                isResumed: resumedSteps != nil)
        }
        if planning.asksModels {
            draft.note(said: words)
        }
        if let notice = await services.catalogue.notice(for: scope), draft.hasRoom(for: notice) { draft.say(notice) }
        return try await finish(draft, scope: scope, since: start)
    }

    private func confirm(
        _ confirmation: Confirmation, draft: inout TurnDraft, directory: ToolDirectory, scope: UserScope,
        deadline: UInt64
    ) async throws {
        guard let tool = directory[confirmation.tool]?.definition,
            Confirmation.hash(tool: confirmation.tool, arguments: confirmation.arguments) == confirmation.hash
        else {
            draft.closed.append((confirmation, "dropped"))
            draft.reply.add("That is not possible any more, so I left it.")
            return
        }
        let step = PlannedStep(
            index: 0, tool: confirmation.tool, effect: tool.effect, arguments: confirmation.arguments, confidence: 1,
            label: .owner, isConfirmed: true)
        draft.closed.append((confirmation, "used"))
        try await carryOut(
            [step], draft: &draft, directory: directory, scope: scope, deadline: deadline, isResumed: false)
    }

    /// Makes the plan durable, with the outcomes that are known.
    func putOnRecord(_ draft: inout TurnDraft, scope: UserScope) async throws {
        let store = store
        let plan = draft.plan
        // A confirmation is used up in the same transaction, so that no crash can use it twice.
        let closed = draft.closed
        let row = draft.turnRow
        draft.turnRow = try await services.database.write(scope) { transaction in
            for (confirmation, state) in closed { try store.close(confirmation, as: state, in: transaction) }
            guard let row else { return try store.insert(plan: plan, in: transaction) }
            try store.update(plan: plan, row: row, in: transaction)
            return row
        }
        draft.closed = []
    }

    private func carryOut(
        _ steps: [PlannedStep], draft: inout TurnDraft, directory: ToolDirectory, scope: UserScope, deadline: UInt64,
        isResumed: Bool
    ) async throws {
        draft.state.question = nil
        draft.steps = steps
        // What may change something is on record before it is tried.
        if !isResumed, steps.contains(where: { $0.effect != .read }) { try await putOnRecord(&draft, scope: scope) }
        let results = await runner.run(
            steps, turn: draft.turn, scope: scope, directory: directory, deadline: deadline)
        draft.take(results, directory: directory, now: services.clock.now)
    }

    /// Finds the last change and makes the calls that take back what no journal can; the rows follow with the turn's end.
    private func takeBack(
        _ draft: inout TurnDraft, directory: ToolDirectory, scope: UserScope, deadline: UInt64
    ) async throws {
        draft.undoes = true
        let store = store
        guard let change = try await services.database.read(scope, { try store.latestChange(in: $0) }) else {
            draft.reply.add("There is nothing to take back.")
            return
        }
        let steps = change.calls.enumerated().compactMap { index, call -> PlannedStep? in
            guard let name = call["tool"]?.stringValue, let tool = directory[name]?.definition else { return nil }
            return PlannedStep(
                index: index, tool: name, effect: tool.effect, arguments: call["arguments"] ?? [:], confidence: 1,
                label: .owner, isConfirmed: true)
        }
        // All or nothing: a tool that is off meanwhile cannot take its part back.
        let isPossible = steps.count == change.calls.count
        draft.undoSteps = isPossible ? steps : []
        let results = await runner.run(
            draft.undoSteps, turn: draft.turn, scope: scope, directory: directory, deadline: deadline)
        let failed = results.contains { result in
            if case .tool(.value) = result.outcome { return false }
            return true
        }
        if failed || !isPossible {
            draft.reply.add("I could not take that back. Please try it again in a moment.")
            return
        }
        draft.undo = change
    }

    private func finish(
        _ draft: TurnDraft, scope: UserScope, since start: UInt64
    ) async throws -> (Answer, hasMore: Bool, joined: [RecordID]) {
        let store = store
        let channel = channels[draft.channel]
        let (answer, hasMore) = try await services.database.write(scope) { transaction in
            let answer = try store.finish(draft, channel: channel, in: transaction)
            try draft.notice?.settle(transaction)
            return (answer, try store.hasTurns(in: transaction))
        }
        channel?.wake()
        services.metrics.answered(channel: draft.channel, by: draft.handledBy, since: start)
        held.withLock { _ = $0.remove(draft.turn) }
        return (answer, hasMore, draft.joined)
    }

    private static func description(of error: any Error) -> String {
        (error as? StorageError)?.description ?? String(describing: type(of: error))
    }
}
