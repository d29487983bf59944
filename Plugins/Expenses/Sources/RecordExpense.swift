import PluginCommon
public import TandemSDK

public struct RecordExpense: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.record", "Note an expense", effect: .write,
        """
        Records money that was spent, or with refund money that came back. The category is guessed from the words when it \
        is not given; the day is today unless another one is said. Mentions the budget when it is nearly or fully used.
        """,
        utterances: [
            "I spent {amount} on {description}",
            "spent {amount} [on|for] {description}",
            "spent {amount} on {description} at {place}",
            "spent {amount} at {place}",
            "I spent {amount} on {description} {date}",
            "I paid {amount} for {description}",
            "{description} set me back {amount}",
            "{description} came to {amount}",
            "[I] got charged {amount} (for|by) {description}",
            "I bought {description} for {amount}",
            "bought {description} for {amount}",
            "I paid [the|my] {description} {amount}",
            "paid {amount} for {description} (by|with|in) {payment_method}",
            "{description} cost [me] {amount}",
            "{description} was {amount}",
            "(log|note|record|add|track) [an] expense [of] {amount} [for|on] {description}",
            "(log|note|record|add) {amount} for {description}",
            "(log|note|record|add) {amount} for {description} (under|as|in) {category}",
            "expense {amount} {description}",
            "{amount} for {description}",
            "{amount} on {description}",
            "{description} {amount}",
            Utterance("refund of {amount} for {description}", arguments: ["refund": true]),
            Utterance("refund {amount} for {description}", arguments: ["refund": true]),
            Utterance("I got a refund of {amount} [for {description}]", arguments: ["refund": true]),
            Utterance("I got {amount} back [for {description}]", arguments: ["refund": true]),
            Utterance("they refunded [me] {amount} [for {description}]", arguments: ["refund": true]),
        ]
            + ["lunch", "dinner", "breakfast", "taxi", "parking", "petrol", "groceries", "coffee"].map {
                Utterance("\($0) {amount}", arguments: ["description": .string($0)])
            })

    @Argument("How much") var amount: Money
    @Argument("What for, in a few words", schema: ["maxLength": 1000]) var description: String?
    @Argument("The category; guessed from the description when left out", schema: ["maxLength": 200])
    var category: String?
    @Argument("The day; today when left out") var date: Day?
    @Argument("How it was paid") var paymentMethod: PaymentMethod?
    @Argument("Where", schema: ["maxLength": 200]) var place: String?
    @Argument("Words to find it by", planned: false, schema: ["maxItems": 20]) var tags: [String]?
    @Argument("Money that came back", planned: false) var refund = false
    @Argument("Address of a picture of the receipt", planned: false, schema: ["maxLength": 2000])
    var receiptImageURL: String?

    public init() {}

    public struct Recorded: Object {
        public var id: RowID
        public var expense: ExpenseSummary
        /// A kind remark when a budget is nearly or fully used.
        public var alert: String?
    }

    public func run(_ context: Context) async throws -> Reply<Recorded> {
        let money = try AmountRules.spent(amount, isRefund: refund)
        var ledger = try await Ledger.load(context)
        let day = date ?? ledger.today
        guard day <= ledger.today.adding(days: 366), day >= ledger.today.adding(days: -36_525) else {
            throw ToolError.invalid("That day is too far away. Which day was it?", code: "invalid_date")
        }
        try await ledger.settle()
        let location = place?.singleLine(limit: ExpenseLimits.placeLength).nonEmpty
        let words = description?.singleLine(limit: ExpenseLimits.descriptionLength) ?? ""
        let file = try await ledger.category(
            category?.singleLine(limit: 200), for: words.isEmpty ? location ?? "" : words)
        var expense = Expense(
            amount: money.amount, currency: money.currency.code, category: file, description: words,
            expenseDate: day, paymentMethod: paymentMethod, location: location,
            receiptImageURL: receiptImageURL?.singleLine(limit: 2000).nonEmpty,
            tags: RecordExpense.clean(tags ?? []), recurring: false)
        expense.id = try await context.rows(Expense.self).insert(expense)

        let alert = try await RecordExpense.alert(ledger, for: expense)
        var lines = [receipt(expense, ledger.today)]
        if let alert {
            let joined = lines[0] + " " + alert
            if joined.unicodeScalars.count <= MessageText.lineLimit { lines[0] = joined } else { lines.append(alert) }
        }
        if let twin = ledger.recurring.first(where: { isOccurrence(expense, of: $0) }) {
            lines.append(
                "\(twin.description.cut(to: 40).capitalizedFirst) is also counted \(twin.frequency.phrase) already; undo if it is the same."
            )
        }
        return Reply(
            lines.joined(separator: "\n"),
            value: Recorded(id: expense.id, expense: ExpenseSummary(expense), alert: alert),
            shown: .touched(expense, label: expense.label))
    }

    private func receipt(_ expense: Expense, _ today: Day) -> String {
        let what = expense.description.isEmpty ? "" : " for \(expense.description.cut(to: 50))"
        let whereText = expense.location.map { " at \($0.cut(to: 30))" } ?? ""
        let when = expense.expenseDate == today ? "" : ", \(expense.expenseDate.short(today: today))"
        let amount = Money(expense.amount.magnitude, expense.money.currency)
        let verb = expense.amount.isNegative ? "Noted \(amount) back" : "Noted \(amount)"
        return "\(verb)\(what)\(whereText) (\(expense.category.cut(to: 30)))\(when)."
    }

    /// A regular payment of the same name and amount that falls close to this one: perhaps the same.
    private func isOccurrence(_ expense: Expense, of item: RecurringExpense) -> Bool {
        guard !expense.description.isEmpty, Words.key(item.description) == Words.key(expense.description) else {
            return false
        }
        guard item.amount == expense.amount, item.nextIndex > 0 else { return false }
        let last = item.recurrence.day(item.nextIndex - 1)
        return abs(last.distance(to: expense.expenseDate)) <= 5
    }

    static func clean(_ tags: [String]) -> [String] {
        var seen: Set<String> = []
        return tags.map { $0.singleLine(limit: ExpenseLimits.tagLength) }
            .filter { !$0.isEmpty && seen.insert($0.lowercased()).inserted }.prefix(ExpenseLimits.tags).map { $0 }
    }

    /// What to say about the budgets that the expense counts for; nil when there is room or the month is another one.
    static func alert(_ ledger: Ledger, for expense: Expense) async throws -> String? {
        guard !expense.amount.isNegative, ledger.today.wholeMonth.contains(expense.expenseDate) else { return nil }
        let percent = ledger.context.config(ExpenseSettings.self).alertAtPercent
        let budgets = try await Budget.load(ledger, month: ledger.today, category: expense.category)
        let pressing = budgets.filter {
            $0.limit.currency.code == expense.currency && $0.state(alertAtPercent: percent) != .within
        }
        // The narrower budget says more; the overall one speaks when that is silent.
        guard let budget = pressing.first(where: { $0.category != nil }) ?? pressing.first else { return nil }
        return budget.sentence(budget.state(alertAtPercent: percent))
    }
}
