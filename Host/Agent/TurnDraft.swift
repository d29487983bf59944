import TandemCore
import TandemJSON

/// A turn read from the database, ready to be worked on.
struct TurnWork: Sendable {
    /// An attempt that did not come to its end.
    struct Earlier: Sendable {
        var row: RecordID
        var attempts: Int
        var steps: [PlannedStep]
        var handledBy: String
    }

    /// The inbound message's id is the turn's.
    var turn: RecordID
    var text: String
    var channel: String
    var address: String
    var receivedAt: Timestamp
    var state: ConversationState
    var stateRow: RecordID?
    var confirmations: [Confirmation]
    /// An attempt may have been made before: by a process that died, or one that failed.
    var wasLeft = false
    var earlier: Earlier?
    /// Of what was said longer ago; read where a model may be asked.
    var summary: ConversationSummary?
}

/// A turn on its way to its answer.
struct TurnDraft: Sendable {
    let turn: RecordID
    let channel: String
    let address: String
    var scopeState: RecordID?
    var state: ConversationState
    var handledBy = "local"
    var steps: [PlannedStep] = []
    var results: [StepResult] = []
    var reply = ReplyComposer()
    /// Details that come back with `more`, in place of a composed reply.
    var rest: String?
    /// The message asked to take something back.
    var undoes = false
    /// What will be taken back with the turn's end.
    var undo: UndoWork?
    /// The calls that were made to take it back.
    var undoSteps: [PlannedStep] = []
    /// Confirmations that this turn ends, with their new state.
    var closed: [(Confirmation, String)] = []
    /// It is answered now and goes on afterwards.
    var goesOn = false
    /// What was confirmed and waits for a moment before it leaves.
    var held: Confirmation?
    /// It was answered before, and this is the rest of it.
    var later: LaterTurn?
    /// Outcomes of which the first answer told.
    var told: [StepResult] = []
    /// What was confirmed before and is to be stopped before it leaves.
    var released: Confirmation?
    /// Confirmations that this turn asks for.
    var opened: [PlannedStep] = []
    var openedTools: [ToolDefinition] = []
    /// Of the tools that were called: which tool takes each back.
    var undoTools: [String: String] = [:]
    /// Further messages that this turn answers, since they belong together.
    var joined: [RecordID] = []
    /// Of everything that was read for the answer.
    var trust = TrustLabel.system
    /// Said beside the answer.
    var notice: TurnNotice?
    /// Questions for the owner's word that this answer may ask.
    var questions = AgentLimits().questionsPerTurn
    /// The persisted turn, once there is one.
    var turnRow: RecordID?
    let taken: Set<Int>
    let now: Timestamp
    /// The person's.
    let timeZone: String

    init(work: TurnWork, context: TurnContext) {
        turn = work.turn
        channel = work.channel
        address = work.address
        scopeState = work.stateRow
        state = work.state
        turnRow = work.earlier?.row
        joined = work.earlier?.steps.first?.joined ?? []
        taken = Set(context.confirmations.map(\.code))
        now = context.now
        timeZone = context.timeZone
    }

    struct Plan: Sendable {
        var turn: RecordID
        var channel: String
        var handledBy = "local"
        /// None: the message was taken up and not understood yet.
        var steps: [PlannedStep] = []
    }

    var plan: Plan {
        var plan = Plan(turn: turn, channel: channel, handledBy: handledBy, steps: steps)
        if !steps.isEmpty { plan.steps[0].joined = joined }
        return plan
    }

    /// What `undo` will call this change: the first sentence of what the person is told. Nil when nothing may have changed.
    var undoLabel: String? {
        let changed = results.contains { result in
            guard result.step.effect != .read, case .tool(.value) = result.outcome else { return false }
            return true
        }
        guard changed else { return nil }
        let text = reply.whole
        let sentence = text.firstRange(of: ". ").map { String(text[..<$0.lowerBound]) } ?? text
        let line = sentence.prefix { $0 != "\n" }
        return line.count <= 80 ? String(line) : String(line.prefix(77)) + "..."
    }

    /// The calls that would take back what no journal can, newest first.
    var undoCalls: [JSON] {
        (told + results).reversed().compactMap { result in
            guard case .tool(.value(let value)) = result.outcome, let tool = undoTools[result.step.tool] else {
                return nil
            }
            return ["tool": .string(tool), "arguments": value.value]
        }
    }

    /// For the agent log: what was decided and how it went, no words of the person.
    var logContext: JSON {
        [
            "channel": .string(channel), "handled_by": .string(handledBy), "undo": .bool(undoes),
            "confirmations": .integer(Int64(opened.count)),
            "calls": .array(
                results.map {
                    [
                        "tool": .string($0.step.tool), "effect": .string($0.step.effect.rawValue),
                        "label": .string($0.step.label.rawValue), "confidence": .number($0.step.confidence),
                        "outcome": .string($0.word), "ms": .integer(Int64($0.milliseconds)),
                    ]
                }),
        ]
    }

    /// The answer's one segment, and what waits for `more`.
    func cut() -> (text: String, rest: String) {
        let (head, rest) = SMSText.split(SMSText.prepared(rest ?? reply.whole), suffix: " (more)")
        return (head, rest)
    }

    mutating func answerWithRest() {
        if state.rest.isEmpty {
            reply.add("That was all of it.")
        } else {
            rest = state.rest
        }
    }

    mutating func off(tool: String, integration: String, obstacle: TurnNotice?) {
        state.question = nil
        if let obstacle {
            say(obstacle)
        } else {
            reply.add(
                "\(integration.capitalizedFirst) is off, so nothing was done. To use it, text: turn \(integration) on")
        }
        results.append(
            StepResult(
                step: PlannedStep(
                    index: 0, tool: tool, effect: .read, arguments: [:], confidence: 1, label: .owner),
                outcome: .unavailable, milliseconds: 0))
    }

    /// Keeps message and answer for the next request to a model. The questions for the owner's word come later, so that no
    /// model ever sees a code.
    mutating func note(said text: String) {
        state.note(ConversationState.Exchange(person: text, answer: reply.whole, trust: answerTrust, turn: turn))
    }

    /// The least trusted of what the answer is made of.
    var answerTrust: TrustLabel {
        results.reduce(trust) { trust, result in
            if case .tool(.value(let value)) = result.outcome { return max(trust, value.trust) }
            return trust
        }
    }

    /// Puts outcomes on record with the plan.
    mutating func note(_ results: [StepResult], directory: ToolDirectory, withQuestions: Bool) {
        for result in results {
            guard let place = steps.firstIndex(where: { $0.index == result.step.index }) else { continue }
            steps[place].record = result.record(
                of: directory[result.step.tool]?.definition, withQuestions: withQuestions)
        }
    }

    /// The answer says everything that is on record.
    mutating func tellAll() {
        for place in steps.indices where steps[place].record != nil { steps[place].isTold = true }
    }

    /// Puts what this turn changes in the conversation on top of what was said since it began.
    mutating func rebase(on current: ConversationState) {
        let own = state
        state = current
        for result in results {
            guard case .tool(.value(let value)) = result.outcome else { continue }
            state.note(value.shown, tool: result.step.tool, trust: value.trust)
        }
        if results.contains(where: \.isQuestion), state.question == nil { state.question = own.question }
        if let exchange = own.exchanges.last, !current.exchanges.contains(exchange) { state.note(exchange) }
    }

    /// There is nothing else to decide, and the answer leaves room for it in its one segment.
    func hasRoom(for notice: TurnNotice) -> Bool {
        guard state.question == nil, opened.isEmpty, !undoes, rest == nil, self.notice == nil,
            !(results.contains { $0.shownNumbers })
        else { return false }
        var longer = reply
        longer.add(notice.text)
        return SMSText.segments(of: SMSText.prepared(longer.whole)) == 1
    }

    /// Adds words of the host's own, with their question.
    mutating func say(_ notice: TurnNotice) {
        reply.add(notice.text)
        self.notice = notice
        guard let (tool, arguments, request) = notice.question else { return }
        state.question = PendingQuestion(
            tool: tool, arguments: arguments, field: request.field, schema: request.schema, options: request.options,
            resumeState: request.resumeState, askedAt: now)
    }

    /// Takes over the outcomes: answer, conversation state, questions and confirmations.
    ///
    /// - Parameter text: A model's answer, which then stands for the tools' own words.
    mutating func take(_ results: [StepResult], text: String? = nil, directory: ToolDirectory, now: Timestamp) {
        self.results = results
        for result in told {
            if case .tool(let undo)? = directory[result.step.tool]?.definition.undo {
                undoTools[result.step.tool] = undo
            }
        }
        // What the owner is asked to agree to is worded by the host alone.
        let isWorded = text?.isEmpty == false && !results.contains { $0.isQuestion }
        if isWorded, let text { reply.add(text) }
        for result in results {
            if case .tool(let undo)? = directory[result.step.tool]?.definition.undo {
                undoTools[result.step.tool] = undo
            }
            switch result.outcome {
            case .tool(.value(let value)):
                if !isWorded { reply.add(value.message.isEmpty ? "Done." : value.message) }
                state.note(value.shown, tool: result.step.tool, trust: value.trust)
            case .tool(.failure(let failure)):
                if !isWorded {
                    reply.add(failure.message.isEmpty ? "That did not work. Nothing was changed." : failure.message)
                }
            case .tool(.inputRequired(let request)):
                guard state.question == nil else {
                    reply.add("One more question comes after this one: send that part again.")
                    continue
                }
                reply.add(request.message)
                state.question = PendingQuestion(
                    tool: result.step.tool, arguments: result.step.arguments, field: request.field,
                    schema: request.schema, options: request.options, resumeState: request.resumeState, askedAt: now,
                    label: result.step.label)
                state.shown = nil
            case .tool(.authRequired(_, let message)), .tool(.accepted(_, let message)):
                reply.add(message)
            case .needsConfirmation:
                guard let tool = directory[result.step.tool]?.definition else { continue }
                guard opened.count < questions else {
                    reply.add("More of it needs your word: ask for it again.")
                    continue
                }
                opened.append(result.step)
                openedTools.append(tool)
            case .refused where !result.step.isPlanned:
                reply.add("Something I read asked for more than you did; I left that.")
            case .refused:
                reply.add("I do not do that on somebody else's words. Ask me yourself if you want it.")
            case .unavailable:
                if !isWorded { reply.add("That is switched off.") }
            }
        }
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

extension StepResult {
    /// The person has to say something before it goes on.
    var isQuestion: Bool {
        switch outcome {
        case .needsConfirmation, .tool(.inputRequired): true
        default: false
        }
    }

    /// A call was made that may have had an effect elsewhere.
    var reachedOthers: Bool {
        guard step.effect >= .send, case .tool = outcome else { return false }
        return true
    }

    /// The answer numbers things: a digit that follows means one of them.
    var shownNumbers: Bool {
        guard case .tool(.value(let value)) = outcome, let shown = value.shown else { return false }
        return shown.isNumbered && !shown.items.isEmpty
    }
}
