import TandemCore
import TandemJSON
import TandemStorage

/// Turns that go on after their first answer.
extension AgentStore {
    /// The `state` of such a turn.
    static let later = "later"

    /// What was confirmed last and can still be stopped.
    func latestHeld(in transaction: any ReadTransaction) throws -> Confirmation? {
        try transaction.list(
            AgentTables.confirmations, where: [RowCondition("state", .equal, "held")],
            order: [RowOrder("id", descending: true)], limit: 1
        ).first.flatMap(AgentStore.confirmation)
    }

    func stop(_ held: Confirmation, _ draft: inout TurnDraft, in transaction: any WriteTransaction) throws {
        let count = try transaction.update(
            AgentTables.confirmations,
            where: [RowCondition("id", .equal, .id(held.id)), RowCondition("state", .equal, "held")],
            set: ["state": "dropped"])
        draft.reply.add(count == 1 ? "Stopped, it did not go out: \(held.summary)" : "That has gone out already.")
    }

    /// Takes a turn up; nil when it was stopped or is over.
    ///
    /// - Parameter isInterrupted: Whether nobody works on a step any more.
    func goOn(
        with later: LaterTurn, now: Timestamp, in transaction: any WriteTransaction,
        isInterrupted: (WriteOrigin) -> Bool
    ) throws -> TurnWork? {
        guard
            let row = try transaction.list(
                AgentTables.turns, where: [RowCondition("message", .equal, .id(later.turn))], limit: 1
            ).first, row.string("state") == AgentStore.later,
            let message = try transaction.row(AgentTables.messages, later.turn)
        else { return nil }
        if let id = later.confirmation {
            let state = try transaction.row(AgentTables.confirmations, id)?.string("state")
            guard state == "held" || state == "going" else {
                try transaction.update(
                    AgentTables.turns, row.id, set: ["state": "done", "ended_at": .timestamp(transaction.now)])
                return nil
            }
            if state == "held" { try transaction.update(AgentTables.confirmations, id, set: ["state": "going"]) }
        }
        let steps = (row["steps"].arrayValue ?? []).compactMap { PlannedStep(json: $0) }
        for step in steps.reversed() where step.record == nil {
            let origin = WriteOrigin(turn: later.turn, step: step.index)
            if isInterrupted(origin) { try transaction.rollBack(origin) }
        }
        let attempts = Int(row.integer("attempts") ?? 1) + 1
        try transaction.update(AgentTables.turns, row.id, set: ["attempts": .integer(Int64(attempts))])
        let conversation = try transaction.list(AgentTables.conversation, limit: 1).first
        return TurnWork(
            turn: later.turn, text: message.string("text") ?? "", channel: message.string("channel") ?? "",
            address: message.string("address") ?? "", receivedAt: message.createdAt,
            state: conversation.map { ConversationState(json: $0["state"]) } ?? ConversationState(),
            stateRow: conversation?.id, confirmations: try openConfirmations(now: now, in: transaction),
            wasLeft: true,
            earlier: TurnWork.Earlier(
                row: row.id, attempts: attempts, steps: steps, handledBy: row.string("handled_by") ?? "local"),
            summary: readsSummaries ? try summary(in: transaction) : nil)
    }

    /// The end of a turn that went on: outcomes, message, conversation as it is by now, log, delivery, all in one.
    func finish(
        later draft: TurnDraft, channel: (any DeliveryChannel)?, in transaction: any WriteTransaction
    ) throws {
        guard case .user(let scope) = transaction.scope, let row = draft.turnRow, let later = draft.later else {
            throw StorageError(.scopeRequired, "a turn belongs to a person")
        }
        var draft = draft
        let taken = try transaction.update(
            AgentTables.turns,
            where: [RowCondition("id", .equal, .id(row)), RowCondition("state", .equal, .string(AgentStore.later))],
            set: ["state": "done"])
        guard taken == 1 else { throw StorageError(.conflict, "the turn was ended by another process") }
        if let id = later.confirmation { try transaction.update(AgentTables.confirmations, id, set: ["state": "used"]) }
        // Other messages were answered meanwhile: what this one changes is put on top of what they left.
        let conversation = try transaction.list(AgentTables.conversation, limit: 1).first
        draft.rebase(on: conversation.map { ConversationState(json: $0["state"]) } ?? ConversationState())
        draft.scopeState = conversation?.id
        try settle(draft, in: transaction)
        _ = try conclude(&draft, in: transaction)
        guard let channel else { return }
        try channel.enqueue(
            OutboundMessage(
                scope: scope, turn: draft.turn, ordinal: 1, address: draft.address, text: draft.cut().text),
            in: transaction)
    }
}
