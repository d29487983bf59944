import PluginCommon
public import TandemSDK

/// A monthly limit and how much of it is used.
struct Budget: Sendable, Hashable {
    /// Nil for everything together.
    var category: String?
    var limit: Money
    var spent: Money

    /// Negative when more was spent.
    var left: Money { limit - spent }

    enum State: String, Sendable {
        case within, near, over
    }

    func state(alertAtPercent: Int) -> State {
        if spent.amount > limit.amount { return .over }
        let threshold = limit.amount * Decimal(min(max(alertAtPercent, 1), 100))
        return spent.amount * 100 >= threshold ? .near : .within
    }

    var name: String { (category ?? "everything").capitalizedFirst }

    /// `Groceries: 85.00 of 100.00 EUR this month, 15.00 EUR left.`
    func sentence(_ state: State) -> String {
        let spentText = Budget.amountText(spent)
        let limitText = "\(limit)"
        switch state {
        case .within, .near:
            return "\(name): \(spentText) of \(limitText) this month, \(Budget.amountText(left)) left."
        case .over:
            let past = Budget.amountText(Money(-left.amount, left.currency))
            return "\(name): \(spentText) of \(limitText) this month, \(past) more than planned."
        }
    }

    static func amountText(_ money: Money) -> String {
        let text = "\(money)"
        return String(text.dropLast(money.currency.code.utf8.count + 1))
    }

    /// The budgets with what was spent on them in the month of `day`; amounts in other currencies do not count.
    static func load(_ ledger: Ledger, month day: Day, category: String? = nil) async throws -> [Budget] {
        let limits = ledger.categories.budgets.filter {
            category == nil || $0.category == nil || $0.category == category
        }
        guard !limits.isEmpty else { return [] }
        var filter = ExpenseFilter()
        filter.period = day.wholeMonth
        let totals = try await ledger.totals(filter)
        return limits.map { category, limit in
            let spent = totals.filter {
                (category == nil || $0.category == category) && $0.money.currency == limit.currency
            }.reduce(Money(.zero, limit.currency)) { $0 + $1.money }
            return Budget(category: category, limit: limit, spent: spent)
        }
    }
}

/// The person's settings.
public struct ExpenseSettings: Configuration {
    /// From this part of a budget on, receipts mention it.
    public var alertAtPercent = 80

    public init() {}
}
