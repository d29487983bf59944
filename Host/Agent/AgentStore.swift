import TandemCore
import TandemJSON
import TandemStorage

/// The agent's rows: every function runs inside a transaction of the caller.
struct AgentStore: Sendable {
    /// How long a turn is held by a process of which nothing is heard; whoever lives renews it, however long a turn takes.
    /// For a process of the same machine, of which is known that it lives, it is many times as long.
    static let lease = Duration.seconds(8)
    static let patience = Duration.seconds(82)
    /// A lease that ends within this is renewed by a holder that lives.
    static let renewal = Duration.seconds(6)
    /// How often that is looked at.
    static let look = Duration.seconds(2)
    /// Steps of an interrupted attempt whose writes are looked for where no plan names them.
    static let mostSteps = 32

    let holder: TurnHolder
    /// In whose hands a message is that this process takes in: its own, or nobody's where it works on none.
    var accepts: TurnHolder { worksOnTurns ? holder : .nobody }
    var worksOnTurns = true
    /// Turns come with the summary of what was said longer ago.
    var readsSummaries = false

    // MARK: Taking messages

    /// Stores a message and queues its turn; the message's id is the turn's.
    func accept(_ message: InboundMessage, in transaction: any WriteTransaction) throws -> RecordID {
        // No text of a database holds a zero; nobody means one.
        let text = message.text.utf8.contains(0) ? message.text.filter { $0 != "\u{0}" } : message.text
        var values: JSONObject = ["direction": "in", "channel": .string(message.channel), "text": .string(text)]
        if !message.address.isEmpty { values["address"] = .string(message.address) }
        if let id = message.externalID { values["external_id"] = .string(id) }
        let turn = try transaction.insert(AgentTables.messages, values)
        let until = message.receivedAt.advanced(by: AgentStore.lease)
        try transaction.execute(
            """
            INSERT INTO turn_queue (turn, user_id, holder, lease_until)
            VALUES (\(turn), \(message.scope.user), \(accepts.text), \(until))
            """)
        return turn
    }

    /// Takes the turns of dead holders, and those that this process left after a failure; gives the people concerned.
    func takeOver(now: Timestamp, in transaction: any WriteTransaction) throws -> [UserID] {
        var users: Set<UserID> = []
        for row in try transaction.query("SELECT DISTINCT holder FROM turn_queue") {
            let other = try row.text("holder")
            if other == holder.text {
                // Whoever lives keeps what it holds, however long the queue before it is.
                try transaction.execute(
                    """
                    UPDATE turn_queue SET lease_until = \(now.advanced(by: AgentStore.lease))
                    WHERE holder = \(holder.text) AND lease_until < \(now.advanced(by: AgentStore.renewal))
                    """)
                for row in try transaction.query(
                    "SELECT DISTINCT user_id FROM turn_queue WHERE holder = \(holder.text)")
                {
                    users.insert(try row.userID("user_id"))
                }
                continue
            }
            let holder = TurnHolder(text: other)
            let limit = holder.isHere ? now.advanced(by: .zero - AgentStore.patience) : now
            let lapsed: SQL =
                holder.mayBeAlive ? "holder = \(other) AND lease_until < \(limit)" : "holder = \(other)"
            for row in try transaction.query("SELECT DISTINCT user_id FROM turn_queue WHERE \(lapsed)") {
                users.insert(try row.userID("user_id"))
            }
            try transaction.execute(
                """
                UPDATE turn_queue SET holder = \(self.holder.text), lease_until = \(now.advanced(by: AgentStore.lease)),
                times_left = times_left + \(other.isEmpty ? 0 : 1)
                WHERE \(lapsed)
                """)
        }
        return users.sorted()
    }

    /// Takes this person's turns that nobody holds; true when there are any that this process holds now.
    func takeFree(of user: UserID, now: Timestamp, in transaction: any WriteTransaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE turn_queue SET holder = \(holder.text), lease_until = \(now.advanced(by: AgentStore.lease))
            WHERE user_id = \(user) AND holder = \(TurnHolder.nobody.text)
            """) > 0
    }

    /// Whether any turn waits or is worked on; a look that writes nothing.
    func hasAnyTurn(in transaction: any ReadTransaction) throws -> Bool {
        try transaction.first("SELECT turn FROM turn_queue LIMIT 1") != nil
    }

    /// Who has the person's oldest turn, when it is not this process; nil also when there is none.
    func otherHolder(in transaction: any ReadTransaction) throws -> TurnHolder? {
        guard case .user(let scope) = transaction.scope,
            let oldest = try transaction.first(
                "SELECT holder FROM turn_queue WHERE user_id = \(scope.user) ORDER BY turn LIMIT 1")
        else { return nil }
        let text = try oldest.text("holder")
        return text == holder.text ? nil : TurnHolder(text: text)
    }

    // MARK: Reading a turn

    /// The person's oldest turn that this process holds, with its context; nil when there is none.
    func nextTurn(now: Timestamp, in transaction: any ReadTransaction) throws -> TurnWork? {
        guard case .user(let scope) = transaction.scope,
            let queued = try transaction.first(
                """
                SELECT turn, holder, times_left FROM turn_queue WHERE user_id = \(scope.user) ORDER BY turn LIMIT 1
                """),
            try queued.text("holder") == holder.text
        else { return nil }
        let turn = try queued.recordID("turn")
        guard let message = try transaction.row(AgentTables.messages, turn) else { return nil }
        let conversation = try transaction.list(AgentTables.conversation, limit: 1).first
        let earlier = try transaction.list(
            AgentTables.turns, where: [RowCondition("message", .equal, .id(turn))], limit: 1
        ).first
        return TurnWork(
            turn: turn, text: message.string("text") ?? "", channel: message.string("channel") ?? "",
            address: message.string("address") ?? "", receivedAt: message.createdAt,
            state: conversation.map { ConversationState(json: $0["state"]) } ?? ConversationState(),
            stateRow: conversation?.id,
            confirmations: try openConfirmations(now: now, in: transaction),
            wasLeft: try queued.int("times_left") > 0,
            earlier: earlier.map { row in
                TurnWork.Earlier(
                    row: row.id, attempts: Int(row.integer("attempts") ?? 1),
                    steps: (row["steps"].arrayValue ?? []).compactMap { PlannedStep(json: $0) },
                    handledBy: row.string("handled_by") ?? "local")
            }, summary: readsSummaries ? try summary(in: transaction) : nil)
    }

    /// The person's next messages on the same channel that wait here and follow one another closely, untouched so far.
    func following(
        _ work: TurnWork, within window: Duration, in transaction: any ReadTransaction
    ) throws -> [(turn: RecordID, text: String)] {
        guard case .user(let scope) = transaction.scope else { return [] }
        var last = work.receivedAt
        var found: [(turn: RecordID, text: String)] = []
        for queued in try transaction.query(
            """
            SELECT turn, holder, times_left FROM turn_queue
            WHERE user_id = \(scope.user) AND turn > \(work.turn) ORDER BY turn LIMIT 4
            """)
        {
            guard try queued.text("holder") == holder.text, try queued.int("times_left") == 0,
                let message = try transaction.row(AgentTables.messages, try queued.recordID("turn")),
                message.string("channel") == work.channel, message.string("address") == work.address,
                message.createdAt.since(last) <= window
            else { break }
            last = message.createdAt
            found.append((message.id, message.string("text") ?? ""))
        }
        return found
    }

    /// Whether the person has turns in the queue.
    func hasTurns(in transaction: any ReadTransaction) throws -> Bool {
        guard case .user(let scope) = transaction.scope else { return false }
        return try transaction.first("SELECT turn FROM turn_queue WHERE user_id = \(scope.user) LIMIT 1") != nil
    }

    /// What a turn that another process ended came to, as far as its record tells; nil while it is not answered.
    func answer(of turn: RecordID, in transaction: any ReadTransaction) throws -> Answer? {
        guard
            let message = try transaction.list(
                AgentTables.messages,
                where: [RowCondition("turn", .equal, .id(turn)), RowCondition("direction", .equal, "out")], limit: 1
            ).first,
            let row = try transaction.list(
                AgentTables.turns, where: [RowCondition("message", .equal, .id(turn))], limit: 1
            ).first
        else { return nil }
        let rest = try transaction.list(AgentTables.conversation, limit: 1).first.map {
            ConversationState(json: $0["state"]).rest
        }
        return Answer(
            turn: turn, text: message.string("text") ?? "", hasMore: rest?.isEmpty == false,
            handledBy: row.string("handled_by") ?? "local",
            calls: (row["steps"].arrayValue ?? []).map { step in
                Answer.Call(
                    tool: step["tool"]?.stringValue ?? "", arguments: step["arguments"] ?? [:],
                    outcome: step["outcome"]?.stringValue ?? "")
            }, confirmation: nil, undo: nil)
    }

    // MARK: Writing a turn

    /// Puts the plan on record before it is carried out.
    func insert(plan: TurnDraft.Plan, in transaction: any WriteTransaction) throws -> RecordID {
        try transaction.insert(
            AgentTables.turns,
            [
                "message": .id(plan.turn), "state": "running", "channel": .string(plan.channel),
                "handled_by": .string(plan.handledBy), "steps": .array(plan.steps.map(\.json)),
            ])
    }

    /// Takes up a turn that was left behind: takes back what an interrupted attempt had written, last first, as if it had
    /// never run, and counts the attempt that begins, so that a message that kills whoever reads it is given up one day.
    ///
    /// Returns the attempt's number and the turn's row.
    func begin(_ work: TurnWork, in transaction: any WriteTransaction) throws -> (attempt: Int, row: RecordID) {
        let last = max(AgentStore.mostSteps, (work.earlier?.steps.map(\.index).max() ?? 0) + 1)
        // What has an outcome on record is done, and is not done again.
        let done = Set((work.earlier?.steps ?? []).filter { $0.record != nil }.map(\.index))
        for step in (0..<last).reversed() where !done.contains(step) {
            try transaction.rollBack(WriteOrigin(turn: work.turn, step: step))
        }
        guard let earlier = work.earlier else {
            return (1, try insert(plan: TurnDraft.Plan(turn: work.turn, channel: work.channel), in: transaction))
        }
        let attempt = earlier.attempts + 1
        try transaction.update(AgentTables.turns, earlier.row, set: ["attempts": .integer(Int64(attempt))])
        return (attempt, earlier.row)
    }

    /// Counts an attempt that failed in this process: the next one is made with more care.
    func noteFailure(of turn: RecordID, in transaction: any WriteTransaction) throws {
        guard case .user(let scope) = transaction.scope else { return }
        try transaction.execute(
            """
            UPDATE turn_queue SET times_left = times_left + 1
            WHERE user_id = \(scope.user) AND turn = \(turn) AND holder = \(holder.text)
            """)
    }

    /// Puts the plan of a turn that has a row already on record.
    func update(plan: TurnDraft.Plan, row: RecordID, in transaction: any WriteTransaction) throws {
        try transaction.update(
            AgentTables.turns, row,
            set: ["handled_by": .string(plan.handledBy), "steps": .array(plan.steps.map(\.json))])
    }

    func close(_ confirmation: Confirmation, as state: String, in transaction: any WriteTransaction) throws {
        let count = try transaction.update(
            AgentTables.confirmations,
            where: [RowCondition("id", .equal, .id(confirmation.id)), RowCondition("state", .equal, "open")],
            set: ["state": .string(state)])
        // Used up by another turn meanwhile: this one must not act on it.
        guard count == 1 else { throw StorageError(.conflict, "the confirmation was used already") }
    }

    /// The turn's end, all in one: outcomes, answer, conversation, confirmations, log, delivery, and out of the queue.
    func finish(
        _ draft: TurnDraft, channel: (any DeliveryChannel)?, in transaction: any WriteTransaction
    ) throws -> Answer {
        guard case .user(let scope) = transaction.scope else {
            throw StorageError(.scopeRequired, "a turn belongs to a person")
        }
        var draft = draft
        let taken = try transaction.execute(
            "DELETE FROM turn_queue WHERE user_id = \(scope.user) AND turn = \(draft.turn) AND holder = \(holder.text)")
        guard taken == 1 else { throw StorageError(.conflict, "the turn was taken over by another process") }

        for other in draft.joined {
            let taken = try transaction.execute(
                "DELETE FROM turn_queue WHERE user_id = \(scope.user) AND turn = \(other) AND holder = \(holder.text)")
            guard taken == 1 else { throw StorageError(.conflict, "a turn was taken over by another process") }
            try transaction.insert(
                AgentTables.turns,
                [
                    "message": .id(other), "state": "done", "channel": .string(draft.channel),
                    "handled_by": .string("with \(draft.turn)"), "steps": [], "ended_at": .timestamp(transaction.now),
                ])
        }

        try settle(draft, in: transaction)
        for step in draft.undoSteps.reversed() {
            let origin = WriteOrigin(turn: draft.turn, step: step.index)
            // Taking back cannot itself be taken back; where it failed, nothing of it stays.
            if draft.undo == nil { try transaction.rollBack(origin) } else { try transaction.settle(origin) }
        }
        for (confirmation, state) in draft.closed { try close(confirmation, as: state, in: transaction) }
        if let released = draft.released { try stop(released, &draft, in: transaction) }
        if let undo = draft.undo { try take(back: undo, draft: &draft, in: transaction) }
        let end = try conclude(&draft, in: transaction)
        if let channel {
            try channel.enqueue(
                OutboundMessage(scope: scope, turn: draft.turn, ordinal: 0, address: draft.address, text: end.text),
                in: transaction)
        }
        return Answer(
            turn: draft.turn, text: end.text, hasMore: end.hasMore, handledBy: draft.handledBy,
            calls: draft.results.map {
                Answer.Call(tool: $0.step.tool, arguments: $0.step.arguments, outcome: $0.word)
            },
            confirmation: end.opened.last.map {
                Answer.Waiting(code: $0.code, summary: $0.summary, expiresAt: $0.expiresAt)
            },
            undo: end.undoLabel)
    }

    /// A call that failed leaves nothing behind, whatever it had written before it failed.
    func settle(_ draft: TurnDraft, in transaction: any WriteTransaction) throws {
        for result in draft.results.reversed() where result.step.effect != .read {
            let origin = WriteOrigin(turn: draft.turn, step: result.step.index)
            switch result.outcome {
            case .tool(.failure): try transaction.rollBack(origin)
            // What a tool of its own takes back is not taken back by the journal as well.
            case .tool(.value) where draft.undoTools[result.step.tool] != nil: try transaction.settle(origin)
            default: continue
            }
        }
    }

    /// What an answer came to when it was written down.
    struct Conclusion {
        var opened: [Confirmation]
        var undoLabel: String?
        var text: String
        var hasMore: Bool
    }

    /// Questions, title of the change, record, message, conversation and log of an answer.
    func conclude(_ draft: inout TurnDraft, in transaction: any WriteTransaction) throws -> Conclusion {
        let opened = try open(&draft, in: transaction)
        let undoCalls = draft.undoCalls
        var undoLabel: String?
        if let label = draft.undoLabel {
            try transaction.label(turn: draft.turn, title: label)
            let isJournalled = try transaction.latestUndoableTurn() == draft.turn
            if isJournalled || !undoCalls.isEmpty { undoLabel = label }
        }
        let (text, rest) = draft.cut()
        draft.state.rest = rest
        try record(draft, undoCalls: undoCalls, in: transaction)
        let message = try transaction.insert(
            AgentTables.messages,
            [
                "direction": "out", "channel": .string(draft.channel), "turn": .id(draft.turn), "text": .string(text),
            ])
        if draft.answerTrust > .system { try transaction.label(message, as: draft.answerTrust) }
        if let row = draft.scopeState {
            try transaction.update(AgentTables.conversation, row, set: ["state": draft.state.json])
        } else {
            try transaction.insert(AgentTables.conversation, ["state": draft.state.json])
        }
        try transaction.insert(
            AgentTables.logs,
            [
                "log_level": "info", "log_message": "turn", "log_context": draft.logContext, "turn": .id(draft.turn),
            ])
        return Conclusion(opened: opened, undoLabel: undoLabel, text: text, hasMore: !rest.isEmpty)
    }

    private func record(_ draft: TurnDraft, undoCalls: [JSON], in transaction: any WriteTransaction) throws {
        let steps: JSON
        if draft.goesOn {
            // Whoever goes on with it needs all of it.
            steps = .array(draft.plan.steps.map(\.json))
        } else {
            steps = .array(
                (draft.told + draft.results).map { result in
                    var step = result.step
                    (step.record, step.continuation) = (nil, nil)
                    var object = step.json.objectValue ?? [:]
                    object["outcome"] = .string(result.word)
                    object["ms"] = .integer(Int64(result.milliseconds))
                    return .object(object)
                })
        }
        var values: JSONObject = [
            "state": .string(draft.goesOn ? AgentStore.later : "done"), "handled_by": .string(draft.handledBy),
            "steps": steps,
        ]
        if !draft.goesOn { values["ended_at"] = .timestamp(transaction.now) }
        if !undoCalls.isEmpty {
            values["undo_calls"] = ["title": .string(draft.undoLabel ?? ""), "calls": .array(undoCalls)]
            values["undo_state"] = "open"
        }
        if let row = draft.turnRow {
            try transaction.update(AgentTables.turns, row, set: values)
        } else {
            values["message"] = .id(draft.turn)
            values["channel"] = .string(draft.channel)
            try transaction.insert(AgentTables.turns, values)
        }
    }

    // MARK: Confirmations

    /// Of those that wait, the newest are looked at.
    static let mostConfirmations = 100

    /// Those that wait for the owner's word, oldest first.
    func openConfirmations(now: Timestamp, in transaction: any ReadTransaction) throws -> [Confirmation] {
        try transaction.list(
            AgentTables.confirmations,
            where: [RowCondition("state", .equal, "open"), RowCondition("expires_at", .greater, .timestamp(now))],
            order: [RowOrder("id", descending: true)], limit: AgentStore.mostConfirmations
        ).reversed().compactMap { AgentStore.confirmation($0) }
    }

    private func open(_ draft: inout TurnDraft, in transaction: any WriteTransaction) throws -> [Confirmation] {
        var opened: [Confirmation] = []
        var taken = draft.taken
        if !draft.opened.isEmpty {
            try transaction.update(
                AgentTables.confirmations,
                where: [
                    RowCondition("state", .equal, "open"),
                    RowCondition("expires_at", .lessOrEqual, .timestamp(draft.now)),
                ], set: ["state": "expired"])
        }
        for (step, tool) in zip(draft.opened, draft.openedTools) {
            let code = Confirmation.code(excluding: taken)
            taken.insert(code)
            var confirmation = Confirmation(
                id: RecordID(rawValue: 0), code: code, tool: step.tool, arguments: step.arguments,
                hash: Confirmation.hash(tool: step.tool, arguments: step.arguments),
                summary: ConfirmationText.summary(
                    of: tool, arguments: step.arguments, seen: (draft.state.shown?.items ?? []) + draft.state.touched,
                    isForeign: step.label > .system, time: (draft.now, draft.timeZone)),
                expiresAt: draft.now.advanced(by: Confirmation.lifetime), label: step.contentLabel ?? step.label)
            confirmation.id = try transaction.insert(
                AgentTables.confirmations,
                [
                    "state": "open", "code": .integer(Int64(code)), "tool": .string(step.tool),
                    "arguments": step.arguments, "arguments_hash": .string(confirmation.hash),
                    "summary": .string(confirmation.summary), "expires_at": .timestamp(confirmation.expiresAt),
                    "label": confirmation.label > .system ? .string(confirmation.label.rawValue) : .null,
                ])
            draft.reply.add(ConfirmationText.prompt(summary: confirmation.summary, code: code))
            opened.append(confirmation)
        }
        return opened
    }

    static func confirmation(_ row: UserRow) -> Confirmation? {
        guard let code = row.integer("code"), let tool = row.string("tool"), let hash = row.string("arguments_hash"),
            let summary = row.string("summary"), let expires = row.timestamp("expires_at")
        else { return nil }
        return Confirmation(
            id: row.id, code: Int(code), tool: tool, arguments: row["arguments"], hash: hash, summary: summary,
            expiresAt: expires,
            label: row.string("label").map { TrustLabel(rawValue: $0) ?? .untrusted } ?? .owner)
    }

    // MARK: Undo

    /// The last change of this person that can still be taken back.
    func latestChange(in transaction: any ReadTransaction) throws -> UndoWork? {
        let journalled = try transaction.latestUndoable()
        let called = try transaction.list(
            AgentTables.turns, where: [RowCondition("undo_state", .equal, "open")],
            order: [RowOrder("message", descending: true)], limit: 1
        ).first
        let calledTurn = called?.recordID("message")
        guard let turn = [journalled?.turn, calledTurn].compactMap({ $0 }).max() else { return nil }
        var work = UndoWork(turn: turn, title: "", hasRows: journalled?.turn == turn)
        if let journalled, journalled.turn == turn { work.title = journalled.title ?? "" }
        if let called, calledTurn == turn {
            work.turnRow = called.id
            work.calls = called["undo_calls"]["calls"]?.arrayValue ?? []
            if work.title.isEmpty { work.title = called["undo_calls"]["title"]?.stringValue ?? "" }
        }
        return work
    }

    private func take(back undo: UndoWork, draft: inout TurnDraft, in transaction: any WriteTransaction) throws {
        do {
            try transaction.atomically {
                if undo.hasRows { try transaction.undo(turn: undo.turn) }
            }
        } catch let error as StorageError where error.code == .conflict {
            draft.reply.add("That was changed again since, so I cannot take it back.")
            return
        } catch let error as StorageError where error.code == .notFound {
            draft.reply.add("There is nothing to take back.")
            return
        }
        if let row = undo.turnRow { try transaction.update(AgentTables.turns, row, set: ["undo_state": "done"]) }
        draft.reply.add(undo.title.isEmpty ? "Undone." : "Undone: \(undo.title)")
        // What was shown may no longer be there.
        draft.state.shown = nil
        draft.state.question = nil
    }
}

/// A change about to be taken back.
struct UndoWork: Sendable {
    var turn: RecordID
    /// What the person was told then.
    var title: String
    var hasRows: Bool
    /// The turn's row and the calls that take back what no journal can.
    var turnRow: RecordID?
    var calls: [JSON] = []
}
