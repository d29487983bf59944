import TandemCore
import TandemJSON
import TandemStorage

extension AgentStore {
    /// Messages that stay out of a summary: three exchanges.
    static let unfolded = 6
    /// Fewer are not worth a fold.
    static let leastFold = 6
    /// Messages of one fold at most.
    static let mostFold = 120

    /// The person's summary; nil when nothing was folded yet.
    func summary(in transaction: any ReadTransaction) throws -> ConversationSummary? {
        try transaction.list(AgentTables.summaries, limit: 1).first.map(ConversationSummary.init(row:))
    }

    /// What is to be folded next: the summary so far, and messages after it, oldest first; nil when that is too few.
    func unfoldedMessages(
        in transaction: any ReadTransaction
    ) throws -> (summary: ConversationSummary, messages: [ConversationSummary.Message], codes: Set<String>)? {
        let summary = try summary(in: transaction) ?? ConversationSummary()
        let isFirst = summary.upTo == RecordID(rawValue: 0)
        var rows = try transaction.list(
            AgentTables.messages, where: isFirst ? [] : [RowCondition("id", .greater, .id(summary.upTo))],
            order: [RowOrder("id")],
            limit: AgentStore.mostFold + AgentStore.unfolded)
        guard rows.count >= AgentStore.leastFold + AgentStore.unfolded else { return nil }
        rows.removeLast(AgentStore.unfolded)
        let labels = try transaction.trust(of: rows.map(\.id))
        let messages = rows.map { row in
            let isPersons = row.string("direction") == "in"
            return ConversationSummary.Message(
                id: row.id, at: row.createdAt, text: row.string("text") ?? "", isPersons: isPersons,
                trust: labels[row.id] ?? (isPersons ? .owner : .system))
        }
        let codes = try transaction.list(
            AgentTables.confirmations, order: [RowOrder("id", descending: true)],
            limit: 4 * AgentStore.mostConfirmations
        ).compactMap { $0.integer("code").map(String.init) }
        return (summary, messages, Set(codes))
    }

    /// Keeps a summary that was made of the one with `before`; false when somebody else has made another since.
    func keep(
        _ summary: ConversationSummary, madeFrom before: RecordID, in transaction: any WriteTransaction
    ) throws -> Bool {
        let known = try self.summary(in: transaction)
        guard (known?.upTo ?? RecordID(rawValue: 0)) == before else { return false }
        let values: JSONObject = [
            "summary": summary.json, "up_to": .id(summary.upTo), "message_count": .integer(Int64(summary.count)),
            "trust_label": .string(summary.trust.rawValue), "made_by": .string(summary.madeBy),
        ]
        let row: RecordID
        if let id = known?.row {
            try transaction.update(AgentTables.summaries, id, set: values)
            row = id
        } else {
            row = try transaction.insert(AgentTables.summaries, values)
        }
        try transaction.label(row, as: summary.trust)
        return true
    }
}
