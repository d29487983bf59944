import PluginCommon
public import TandemSDK

/// A budget and its use, as tools give it back.
public struct BudgetSummary: Object {
    /// Missing for the budget of everything together.
    public var category: String?
    public var limit: Money
    public var spent: Money
    /// Negative when more was spent than planned.
    public var left: Money
    /// `within`, `near` or `over`.
    public var state: String

    init(_ budget: Budget, alertAtPercent: Int) {
        category = budget.category
        limit = budget.limit
        spent = budget.spent
        left = budget.left
        state = budget.state(alertAtPercent: alertAtPercent).rawValue
    }
}

/// Budgets as tools give them back.
public struct BudgetList: Object {
    public var budgets: [BudgetSummary]
}

public struct SetBudget: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.set_budget", "Set a monthly budget", effect: .write,
        "Sets how much to spend in a month at most, on one category or on everything together. Replaces the old limit.",
        utterances: [
            "set [a|my] [monthly] budget [of] {limit} for {category}",
            "set [a|my] [monthly] {category} budget [to|of] {limit}",
            "[my] budget for {category} is {limit}",
            "[my] {category} budget (is|should be) {limit}",
            "set [a|my] [overall|total|monthly] budget (of|to) {limit}",
            "I (want|would like) to spend (at most|no more than) {limit} [a month] [on {category}]",
            "limit {category} to {limit} [a month|per month]",
            "(put|set) a (cap|limit) of {limit} [a month] on {category}",
            "cap {category} at {limit} [a month]",
            "budget {limit} for {category}",
        ])

    @Argument("The most to spend in a month", hints: ["budget", "limit", "at most"]) var limit: Money
    @Argument("The category; everything together when left out", schema: ["maxLength": 200]) var category: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<BudgetList> {
        let money = try AmountRules.positive(limit, "budget")
        var ledger = try await Ledger.load(context)
        try await ledger.settle()
        let name = try await file(&ledger)
        let key = name.map { Words.key($0) } ?? ExpenseCategory.overall
        var row =
            ledger.categories.rows.first { $0.nameKey == key }
            ?? ExpenseCategory(name: name ?? "everything", nameKey: key, isActive: true)
        row.budgetLimit = money.amount
        row.budgetCurrency = money.currency.code
        row.isActive = true
        if row.id.isAssigned {
            try await context.rows(ExpenseCategory.self).update(row)
        } else {
            guard ledger.categories.rows.count <= ExpenseLimits.categories else {
                throw ToolError.conflict("That is as many categories as I can hold.", code: "too_many_categories")
            }
            row.id = try await context.rows(ExpenseCategory.self).insert(row)
        }
        let after = try await Ledger.load(context)
        let percent = context.config(ExpenseSettings.self).alertAtPercent
        let budgets = try await Budget.load(after, month: after.today, category: name).filter { $0.category == name }
        let budget = budgets.first ?? Budget(category: name, limit: money, spent: Money(.zero, money.currency))
        let left = budget.left.amount.isNegative ? "" : ", \(Budget.amountText(budget.left)) left"
        return Reply(
            "Budget set: \(money) a month for \(name?.cut(to: 40) ?? "everything"). So far \(Budget.amountText(budget.spent))\(left).",
            value: BudgetList(budgets: [BudgetSummary(budget, alertAtPercent: percent)]))
    }

    private func file(_ ledger: inout Ledger) async throws -> String? {
        guard let category = BudgetSubject.category(category) else { return nil }
        return try await ledger.category(category, for: "")
    }
}

public struct ShowBudgets: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.budgets", "Show budgets and what is left", effect: .read,
        "Shows the monthly budgets with what was spent and what is left this month, all of them or that of one category.",
        utterances: [
            "(show|list) [me] my budgets",
            "(what are|what is) my (budget|budgets)",
            "how much [money] [of my budget] (is|do I have) left [for {category}]",
            "how much (can I|may I) still spend [on {category}]",
            "how is my {category} budget [doing]",
            "(what is|what's) (left of|remaining in) my {category} budget",
            "(what is|what's) left (of|in) my budget [for {category}]",
            "am I (within|over|on) budget [for {category}]",
        ])

    @Argument("Only this category", schema: ["maxLength": 200]) var category: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<BudgetList> {
        let ledger = try await Ledger.load(context)
        let percent = context.config(ExpenseSettings.self).alertAtPercent
        var budgets = try await Budget.load(ledger, month: ledger.today)
        if let said = BudgetSubject.category(category), let known = ledger.categories.existing(said) {
            budgets = budgets.filter { $0.category == known }
            guard !budgets.isEmpty else {
                return Reply(
                    "No budget for \(known) yet. To set one: budget 100 for \(known).", value: BudgetList(budgets: []))
            }
        }
        guard !budgets.isEmpty else {
            return Reply("No budgets yet. To set one: budget 200 for groceries.", value: BudgetList(budgets: []))
        }
        let ordered = budgets.sorted { left, right in
            // What needs a look comes first: the largest part used.
            let first = left.spent.amount * right.limit.amount
            let second = right.spent.amount * left.limit.amount
            if first.isNumber, second.isNumber, first != second { return first > second }
            return left.name < right.name
        }
        let value = BudgetList(budgets: ordered.map { BudgetSummary($0, alertAtPercent: percent) })
        guard ordered.count > 1 else {
            return Reply(ordered[0].sentence(ordered[0].state(alertAtPercent: percent)), value: value)
        }
        let parts = ordered.map { budget in
            let left = budget.left
            let rest =
                left.amount.isNegative
                ? "\(Money(-left.amount, left.currency)) over" : "\(left) left"
            return "\(budget.name.cut(to: 30)) \(rest)"
        }
        let details = ordered.map { $0.sentence($0.state(alertAtPercent: percent)) }
        return Reply(MessageText.flow("This month:", parts) + "\n" + details.joined(separator: "\n"), value: value)
    }
}

public struct RemoveBudget: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.remove_budget", "Remove a budget", effect: .write,
        "Takes away the monthly limit of one category or of everything together. The expenses stay.",
        utterances: [
            "(remove|delete|drop) [the|my] {category} budget",
            "(remove|delete|drop) [the|my] budget for {category}",
            "no [more] budget for {category}",
            "(remove|lift|drop) the (limit|cap) on {category}",
            "(remove|delete|drop) my [overall|total|monthly] budget",
        ])

    @Argument("The category; everything together when left out", schema: ["maxLength": 200]) var category: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<BudgetList> {
        let ledger = try await Ledger.load(context)
        let said = BudgetSubject.category(category)
        let name = said.map { ledger.categories.existing($0) ?? $0.lowercased() }
        let key = name.map { Words.key($0) } ?? ExpenseCategory.overall
        let row = ledger.categories.rows.first { $0.nameKey == key && $0.budgetLimit != nil }
        guard var row else {
            let names = ledger.categories.budgets.map { ($0.category ?? "everything").cut(to: 24) }
            let there = names.isEmpty ? "There are none." : "There is one for \(MessageText.enumeration(names))."
            throw ToolError.notFound("No budget for \(name?.cut(to: 30) ?? "everything together"). \(there)")
        }
        row.budgetLimit = nil
        row.budgetCurrency = nil
        try await context.rows(ExpenseCategory.self).update(row)
        let label = row.nameKey == ExpenseCategory.overall ? "everything together" : row.name.cut(to: 40)
        return Reply("Removed the budget for \(label).", value: BudgetList(budgets: []))
    }
}

/// What a budget is for, in the words of a person.
enum BudgetSubject {
    /// The category that is named; nil for everything together, however that is said: `my budget`, `the whole month`.
    static func category(_ said: String?) -> String? {
        guard let said = said?.singleLine(limit: 200).nonEmpty else { return nil }
        let general: Set<String> = [
            "everything", "all", "overall", "total", "together", "month", "monthly", "whole", "budget", "my", "the",
            "budgets", "spending", "this", "general", "in",
        ]
        return Words.split(said).allSatisfy(general.contains) ? nil : said
    }
}
