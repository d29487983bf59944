import PluginCommon
public import TandemSDK

public struct ListExpenses: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.list", "Show expenses", effect: .read,
        """
        Lists recorded expenses, newest first: recent ones, those of a period, a category or a place, or those that words \
        describe. Numbers can be used to correct or delete one.
        """,
        utterances: [
            "(show|list) [me] [the] last things I spent [money] on",
            "show my expenses",
            "list my expenses",
            "my expenses",
            "(show|list) [me] [my] (recent|last|latest) expenses",
            "what are my (recent|last|latest) expenses",
            "(show|list) [me] [my] expenses [from|in|of|for] {period}",
            "(show|list) [me] [my] (spending|expenses) (on|for) {subject} [{period}]",
            "(find|search) [for] [my] expenses (for|about|on|with) {subject}",
            "what did I pay for {period}",
            "what did I spend [money] on {period}",
            "(show|list) [me] [my] expenses at {place}",
            "when did I last pay for {subject}",
        ])

    @Argument("From when to when") var period: Period?
    @Argument("A category, or words in the description", schema: ["maxLength": 200]) var subject: String?
    @Argument("Where", schema: ["maxLength": 200]) var place: String?
    @Argument("How many at most", planned: false, schema: ["minimum": 1, "maximum": 100]) var limit = 10

    public init() {}

    public struct Listing: Object {
        public var expenses: [ExpenseSummary]
        public var count: Int
        /// Regular expenses among them that are due and not recorded yet.
        public var due: Int
    }

    public func run(_ context: Context) async throws -> Reply<Listing> {
        let ledger = try await Ledger.load(context)
        let filter = ExpenseFilter(period: period, on: subject, place: place, ledger.categories)
        let found = try await ledger.rows(filter, limit: min(max(limit, 1), 100))
        let recorded = found.filter { $0.id.isAssigned }
        let due = found.filter { !$0.id.isAssigned }
        let when = filter.period.map { " \($0.phrase(today: ledger.today))" } ?? ""
        let value = Listing(expenses: (recorded + due).map(ExpenseSummary.init), count: found.count, due: due.count)
        guard !found.isEmpty else { return Reply("No expenses\(filter.phrase)\(when) so far.", value: value) }
        let parts = recorded.enumerated().map { index, row in
            "\(index + 1) \(row.label) \(row.expenseDate.short(today: ledger.today))"
        }
        var message = ""
        if !recorded.isEmpty {
            let title = period == nil ? "Latest\(filter.phrase):" : "Spent\(filter.phrase)\(when):"
            message = MessageText.flow(title, parts)
        }
        if !due.isEmpty {
            let names = due.map { "\($0.label) \($0.expenseDate.short(today: ledger.today))" }
            message += (message.isEmpty ? "" : "\n") + MessageText.flow("Regular, due since:", names)
        }
        return Reply(message, value: value, shown: Shown(recorded, label: \.label))
    }
}
