import PluginCommon
public import TandemSDK

/// Recorded expenses as tools give them back.
public struct ExpenseList: Object {
    public var expenses: [ExpenseSummary]
}

public struct UpdateExpense: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.update", "Correct an expense", effect: .write,
        "Corrects one recorded expense: amount, category, description, day, how and where it was paid, tags.",
        utterances: [
            "(change|correct|fix) the {expense} expense to {amount}",
            "the {expense} expense was [actually] {amount}",
            "(it|that) was [actually] {amount}",
            "make (it|that) {amount}",
            "(file|put|move) the {expense} expense (under|in|into|to) {category}",
            "(change|set) the category of {expense} to {category}",
            "(it|that) was {date}",
            "[the] {expense} was {date}",
            "[the] {expense} was [actually] {amount}",
            "[the] {expense} was {amount} not",
            "I paid the {expense} expense (by|with|in) {payment_method}",
            "I paid (it|that) (by|with|in) {payment_method}",
            "(file|put|move) (it|that) (under|in|into) {category}",
            "[the] {expense} [expense] (should be|belongs|goes) (under|in) {category}",
        ], actsOn: Expense.entity)

    @Argument("Which one: what it was for, last, or #id where known") var expense: Reference<Expense>
    @Argument("The right amount") var amount: Money?
    @Argument("The right category", schema: ["maxLength": 200]) var category: String?
    @Argument("The right words", planned: false, schema: ["maxLength": 1000]) var description: String?
    @Argument("The right day") var date: Day?
    @Argument("How it was paid") var paymentMethod: PaymentMethod?
    @Argument("Where", planned: false, schema: ["maxLength": 200]) var place: String?
    @Argument("Words to find it by, instead of the old ones", planned: false, schema: ["maxItems": 20])
    var tags: [String]?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ExpenseList> {
        var ledger = try await Ledger.load(context)
        try await ledger.settle()
        let found = try await ExpenseFinder.find(References([expense]), ledger, context)
        guard let row = found.first, found.count == 1 else {
            guard found.count > 1 else { throw ExpenseFinder.nothing(expense) }
            throw ToolError.invalid("One at a time, please. Which one is it?", code: "several")
        }
        var changed = row
        if let amount {
            let money = try AmountRules.spent(amount, isRefund: row.amount.isNegative)
            changed.amount = money.amount
            changed.currency = money.currency.code
        }
        if let words = description?.singleLine(limit: ExpenseLimits.descriptionLength).nonEmpty {
            changed.description = words
        }
        if let category = category?.singleLine(limit: 200).nonEmpty {
            changed.category = try await ledger.category(category, for: changed.description)
        }
        if let date {
            guard date <= ledger.today.adding(days: 366), date >= ledger.today.adding(days: -36_525) else {
                throw ToolError.invalid("That day is too far away. Which day was it?", code: "invalid_date")
            }
            changed.expenseDate = date
        }
        if let paymentMethod { changed.paymentMethod = paymentMethod }
        if let place = place?.singleLine(limit: ExpenseLimits.placeLength).nonEmpty { changed.location = place }
        if let tags { changed.tags = RecordExpense.clean(tags) }
        guard changed != row else {
            throw ToolError.invalid(
                "What was different about \(row.name.cut(to: 40))? An amount, a day or a category works.",
                code: "nothing_to_change")
        }
        guard try await context.rows(Expense.self).update(changed) else { throw ExpenseFinder.nothing(expense) }
        let alert = changed.amount > row.amount ? try await RecordExpense.alert(ledger, for: changed) : nil
        let when = changed.expenseDate == ledger.today ? "" : ", \(changed.expenseDate.short(today: ledger.today))"
        let paid =
            paymentMethod == nil ? "" : ", paid by \(changed.paymentMethod?.rawValue.replacing("_", with: " ") ?? "")"
        return Reply(
            "Now \(changed.label) (\(changed.category.cut(to: 30)))\(when)\(paid)." + (alert.map { "\n" + $0 } ?? ""),
            value: ExpenseList(expenses: [ExpenseSummary(changed)]), shown: .touched(changed, label: changed.label))
    }
}

public struct DeleteExpenses: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.delete", "Delete an expense", effect: .delete,
        "Deletes recorded expenses, for example one that was noted twice.",
        utterances: [
            "delete {expenses}",
            "delete the {expenses} expense",
            "remove the {expenses} expense",
            "(delete|remove|erase) the expense for {expenses}",
            "(delete|remove|erase) {expenses} from my expenses",
            "forget [the] expense for {expenses}",
        ], actsOn: Expense.entity)

    @Argument("Which ones: what they were for, last, or #id where known") var expenses: References<Expense>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ExpenseList> {
        var ledger = try await Ledger.load(context)
        let found = try await ExpenseFinder.find(expenses, ledger, context)
        guard !found.isEmpty, let first = expenses.all.first else {
            throw ExpenseFinder.nothing(expenses.all.first ?? .words("that"))
        }
        guard found.count <= 20 || !Self.isSweeping(first) else {
            throw ToolError.invalid("That is \(found.count) at once. Naming them one by one works.", code: "too_many")
        }
        try await ledger.settle()
        try await context.batch { batch in for row in found { batch.delete(Expense.self, row.id) } }
        let names = found.map { $0.label }
        return Reply(
            MessageText.fitting { "Deleted \(MessageText.list(names, limit: $0))." },
            value: ExpenseList(expenses: found.map(ExpenseSummary.init)))
    }

    /// Whether the words name no single expense: `everything`.
    private static func isSweeping(_ reference: Reference<Expense>) -> Bool {
        if case .words = reference { return true }
        return false
    }
}

/// Finds recorded expenses among the newest 500.
enum ExpenseFinder {
    static func find(_ references: References<Expense>, _ ledger: Ledger, _ context: Context) async throws -> [Expense]
    {
        let rows = context.rows(Expense.self)
        var recent = try await rows.list(
            where: [], order: [.descending(\.expenseDate), .descending(\.id)], limit: 500)
        for case .id(let id) in references.all where !recent.contains(where: { $0.id == id }) {
            if let row = try await rows.get(id) { recent.append(row) }
        }
        let pointed = references.all.map { reference -> Reference<Expense> in
            guard reference.meansNewest, let newest = recent.max(by: { $0.id < $1.id }) else { return reference }
            return .id(newest.id)
        }
        let today = ledger.today
        return try ReferenceFinder(
            recent, name: \.name, label: { "\($0.label) \($0.expenseDate.short(today: today))" }
        ).find(References(pointed), context).rows
    }

    static func nothing(_ reference: Reference<Expense>) -> ToolError {
        switch reference {
        case .id: .notFound("That expense is no longer there.")
        case .words(let words):
            .notFound("I find no expense for \(words.singleLine(limit: 40)). To see the latest: show my expenses.")
        }
    }
}
