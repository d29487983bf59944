import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemLanguage
import TandemStorage

/// One turn, from its message to its answer.
extension AgentCore {
    func process(
        _ work: TurnWork, scope: UserScope
    ) async throws -> (Answer, hasMore: Bool, joined: [RecordID]) {
        let start = monotonicNanoseconds()
        let deadline = start + UInt64(services.limits.turnTime.milliseconds) * 1_000_000
        let patience = patience(since: start)
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
            currency: profile.currency, account: LanguageAccount(scope: scope, turn: work.turn), summary: work.summary)
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

        if resumedSteps == nil { draft.learn(from: interpretation, words: words, now: context.now) }
        switch interpretation {
        case .unlearn:
            draft.state.learned = LearnedWays()
            draft.reply.add("Forgotten: I read your words like anybody's again.")
        case .reply(let text), .unclear(let text):
            draft.reply.add(text)
            draft.state.question = nil
        case .remark(let text):
            draft.reply.add(text)
        case .asking(let text, let question):
            draft.reply.add(text)
            draft.state.question = question
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
            try await confirm(
                confirmation, draft: &draft, directory: directory, scope: scope, deadline: deadline, patience: patience)
        case .model(let response, let reading, let note):
            let loop = ModelLoop(
                words: words, directory: directory, limits: services.limits, history: context.history,
                reading: reading,
                offer: planning.offer(for: words, context: context, reading: reading, directory: directory))
            try await converse(
                loop, from: response, draft: &draft, context: context, scope: scope, deadline: deadline,
                patience: patience)
            if let note { draft.reply.add(note) }
        case .steps(let steps, let handler) where resumedSteps != nil && handler != ProviderTurnPlanner.local:
            draft.handledBy = handler
            let loop = try await restored(steps, work, context: context, directory: directory)
            try await converse(
                loop, from: nil, draft: &draft, context: context, scope: scope, deadline: deadline, patience: patience)
        case .steps(let steps, let handler):
            draft.handledBy = handler
            try await carryOut(
                steps, draft: &draft, directory: directory, scope: scope, deadline: deadline, patience: patience,
                isResumed: resumedSteps != nil)
        }
        if planning.asksModels {
            draft.note(said: words)
        }
        if let notice = await services.catalogue.notice(for: scope), draft.hasRoom(for: notice) { draft.say(notice) }
        return try await finish(draft, scope: scope, since: start)
    }

    func confirm(
        _ confirmation: Confirmation, draft: inout TurnDraft, directory: ToolDirectory, scope: UserScope,
        deadline: UInt64, patience: UInt64?
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
            label: .owner, contentLabel: confirmation.label > .system ? confirmation.label : nil, isConfirmed: true)
        if isHeld(tool) {
            draft.closed.append((confirmation, "held"))
            draft.held = confirmation
            (draft.steps, draft.goesOn) = ([step], true)
            let seconds = services.limits.sendDelay.components.seconds
            draft.reply.add("\(confirmation.summary): it goes out in \(seconds) s. Text undo to stop it.")
            return
        }
        draft.closed.append((confirmation, "used"))
        try await carryOut(
            [step], draft: &draft, directory: directory, scope: scope, deadline: deadline, patience: patience)
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

    /// Makes the calls of a plan, those that have no outcome on record yet.
    ///
    /// - Parameters:
    ///   - patience: Until when the person is kept waiting; nil: until all is done.
    ///   - isResumed: The plan is on record, and calls may have been made before, by a process that died.
    func carryOut(
        _ steps: [PlannedStep], draft: inout TurnDraft, directory: ToolDirectory, scope: UserScope, deadline: UInt64,
        patience: UInt64? = nil, isResumed: Bool = false
    ) async throws {
        draft.state.question = nil
        draft.steps = steps
        draft.told = steps.filter(\.isTold).compactMap(StepResult.init(recorded:))
        // What may change something is on record before it is tried.
        if !isResumed, steps.contains(where: { $0.effect != .read }) { try await putOnRecord(&draft, scope: scope) }
        var results = steps.filter { !$0.isTold }.compactMap(StepResult.init(recorded:))
        var open = steps.filter { $0.record == nil }
        while !open.isEmpty, !draft.goesOn {
            // What reached others is on record before anything else is begun.
            let count = open.firstIndex { $0.effect >= .send }.map { $0 + 1 } ?? open.count
            let part = Array(open.prefix(count))
            open.removeFirst(count)
            let made = await runner.run(
                part, turn: draft.turn, scope: scope, directory: directory, deadline: deadline, patience: patience,
                isRepeated: isResumed)
            results += made
            draft.goesOn = made.count < part.count
            guard draft.goesOn || !open.isEmpty else { break }
            draft.note(made, directory: directory, withQuestions: draft.goesOn)
            if !draft.goesOn, made.contains(where: \.reachedOthers) { try await putOnRecord(&draft, scope: scope) }
        }
        results.sort { $0.step.index < $1.step.index }
        draft.take(results, directory: directory, now: services.clock.now)
        if draft.goesOn {
            draft.tellAll()
            draft.reply.add(AgentCore.goesOnLine)
        }
    }

    static let goesOnLine = "That takes a while. I tell you as soon as it is done."

    /// Finds the last change and makes the calls that take back what no journal can; the rows follow with the turn's end.
    func takeBack(
        _ draft: inout TurnDraft, directory: ToolDirectory, scope: UserScope, deadline: UInt64
    ) async throws {
        draft.undoes = true
        let store = store
        if let held = try await services.database.read(scope, { try store.latestHeld(in: $0) }) {
            draft.released = held
            return
        }
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

    func finish(
        _ draft: TurnDraft, scope: UserScope, since start: UInt64
    ) async throws -> (Answer, hasMore: Bool, joined: [RecordID]) {
        let store = store
        let channel = channels[draft.channel]
        let now = services.clock.now
        var continuation: (LaterTurn, Timestamp?)?
        if draft.goesOn {
            let isBusy = draft.held == nil
            continuation = (
                LaterTurn(
                    scope: scope, turn: draft.turn, confirmation: draft.held?.id, holder: services.holder.text,
                    busyUntil: isBusy ? now.advanced(by: services.limits.laterTime) : now),
                isBusy ? nil : now.advanced(by: services.limits.sendDelay)
            )
        }
        let later = services.later
        let (answer, hasMore) = try await services.database.write(scope) { [continuation] transaction in
            let answer = try store.finish(draft, channel: channel, in: transaction)
            try draft.notice?.settle(transaction)
            if let (turn, time) = continuation { try later?.put(off: turn, until: time, in: transaction) }
            return (answer, try store.hasTurns(in: transaction))
        }
        channel?.wake()
        services.metrics.answered(channel: draft.channel, by: draft.handledBy, since: start)
        noteConversed(scope)
        held.withLock { _ = $0.remove(draft.turn) }
        return (answer, hasMore, draft.joined)
    }

    static func description(of error: any Error) -> String {
        (error as? StorageError)?.description ?? String(describing: type(of: error))
    }
}
