import PluginCommon
public import TandemSDK

public struct TotalSpent: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.total", "How much was spent", effect: .read,
        """
        Adds up what was spent in a period (this month by default), on everything, on a category, on what words describe, \
        or at a place. Currencies are never mixed.
        """,
        utterances: [
            "how much (did I|have I|I have) (spend|spent) [{period}]",
            "how much (did I|have I) (spend|spent) on {subject} [{period}]",
            "how much (did I|have I) (spend|spent) at {place} [{period}]",
            "what (did I|have I) (spend|spent) on {subject} [{period}]",
            "(what is|what's) my [total] spending [on {subject}] [{period}]",
            "total (spent|spending|expenses) [on|for] [{subject}] [{period}]",
            "how much money (did I spend|went) on {subject} [{period}]",
            "how much [money] have {subject} cost me [{period}]",
        ])

    @Argument("From when to when; this month when left out") var period: Period?
    @Argument("A category, or words in the description", schema: ["maxLength": 200]) var subject: String?
    @Argument("Where", schema: ["maxLength": 200]) var place: String?

    public init() {}

    public struct Total: Object {
        /// One per currency, the person's own first.
        public var totals: [Money]
        public var count: Int
        public var period: Period
        public var category: String?
    }

    public func run(_ context: Context) async throws -> Reply<Total> {
        let ledger = try await Ledger.load(context)
        let span = period?.ordered ?? ledger.today.wholeMonth
        let filter = ExpenseFilter(period: span, on: subject, place: place, ledger.categories)
        let totals = try await ledger.totals(filter)
        let sums = try Ledger.byCurrency(totals)
        let count = totals.reduce(0) { $0 + $1.count }
        let when = span.phrase(today: ledger.today)
        let value = Total(totals: sums, count: count, period: span, category: filter.category)
        guard count > 0 else { return Reply("Nothing spent\(filter.phrase) \(when).", value: value) }
        var message = "\(sumText(sums))\(filter.phrase) \(when), \(count == 1 ? "1 expense" : "\(count) expenses")."
        if span == ledger.today.wholeMonth, filter.words == nil, filter.place == nil {
            let budgets = try await Budget.load(ledger, month: ledger.today, category: filter.category)
            if let budget = budgets.first(where: { $0.category == filter.category }) {
                let left = budget.left
                let remark =
                    left.amount.isNegative
                    ? " \(Money(-left.amount, left.currency)) more than planned." : " \(left) left of the budget."
                message += remark
            }
        }
        return Reply(message, value: value)
    }
}

public struct SpendingBreakdown: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.breakdown", "Spending by category", effect: .read,
        "Shows where the money went: the sum per category in a period, this month by default, largest first.",
        utterances: [
            "where did (my|the|all my) money go [{period}]",
            "(show|give) [me] [my|a] spending by category [{period}]",
            "[spending] breakdown [{period}]",
            "break down my (spending|expenses) [{period}]",
            "(what|which) categories (did|do) I spend [the most] on [{period}]",
            "what did I spend [the] most on [{period}]",
        ])

    @Argument("From when to when; this month when left out") var period: Period?

    public init() {}

    public struct Breakdown: Object {
        public var categories: [CategorySum]
        public var totals: [Money]
        public var period: Period
    }

    public func run(_ context: Context) async throws -> Reply<Breakdown> {
        let ledger = try await Ledger.load(context)
        let span = period?.ordered ?? ledger.today.wholeMonth
        let totals = try await ledger.totals(ExpenseFilter(period: span, ledger.categories))
        let sums = try Ledger.byCurrency(totals)
        let when = span.phrase(today: ledger.today)
        let value = Breakdown(categories: totals.map(CategorySum.init), totals: sums, period: span)
        guard !totals.isEmpty else { return Reply("Nothing spent \(when).", value: value) }
        let parts = totals.map { total in
            let amount = sums.count > 1 ? "\(total.money)" : Budget.amountText(total.money)
            guard let sum = sums.first(where: { $0.currency == total.money.currency }), sum.amount > .zero,
                !total.money.amount.isNegative
            else { return "\(total.category.cut(to: 30)) \(amount)" }
            let percent = (total.money.amount * 100).divided(by: sum.amount, places: 0)
            guard percent.isNumber, percent <= 100 else { return "\(total.category.cut(to: 30)) \(amount)" }
            return "\(total.category.cut(to: 30)) \(amount) (\(percent)%)"
        }
        return Reply(MessageText.flow("\(when.capitalizedFirst) \(sumText(sums)):", parts), value: value)
    }
}

public struct SpendingTrend: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.trend", "Compare with earlier months", effect: .read,
        """
        Compares what was spent so far this month with the same days of last month and with the average of the three \
        months before, for everything or one category.
        """,
        utterances: [
            "(am I|are we) spending (more|less) [on {subject}] [than (last month|usual|before)]",
            "how does my spending [on {subject}] compare [to last month|with last month]",
            "how is my spending [on {subject}] (going|developing|doing)",
            "[spending] trend [for|of|on] [{subject}]",
            "compare my spending [on {subject}] (to|with) last month",
            "(show|what are) [me] my spending trends",
        ])

    @Argument("A category, or words in the description", schema: ["maxLength": 200]) var subject: String?

    public init() {}

    public struct Trend: Object {
        /// This month so far.
        public var current: Money
        /// Last month through the same day.
        public var previous: Money
        public var previousWhole: Money
        /// The mean of the three months before, each through the same day.
        public var average: Money
        public var direction: String
    }

    public func run(_ context: Context) async throws -> Reply<Trend> {
        let ledger = try await Ledger.load(context)
        let today = ledger.today
        let months = (0...3).map { today.adding(months: -$0).wholeMonth }
        var filter = ExpenseFilter(on: subject, ledger.categories)
        filter.period = Period(from: months[3].from, to: today)
        let currency = context.currency
        let daily = try await ledger.daily(filter, in: currency)
        func sum(_ month: Period, through day: Int) throws(ToolError) -> Money {
            var total = Money(.zero, currency)
            for entry in daily where month.contains(entry.day) && entry.day.day <= day { total.amount += entry.amount }
            guard total.amount.isNumber else {
                throw .conflict("These amounts are too large to add up.", code: "too_large")
            }
            return total
        }
        let current = try sum(months[0], through: today.day)
        let previous = try sum(months[1], through: today.day)
        let whole = try sum(months[1], through: 31)
        var earlier = Money(.zero, currency)
        for month in months.dropFirst() { earlier += try sum(month, through: today.day) }
        let average = Money(earlier.amount.divided(by: 3, places: currency.minorUnits), currency)
        let hasHistory = daily.contains { $0.day < months[0].from }
        let direction = SpendingTrend.direction(current, previous)
        let value = Trend(
            current: current, previous: previous, previousWhole: whole, average: average,
            direction: hasHistory ? direction.rawValue : "unknown")
        guard hasHistory else {
            let message =
                daily.isEmpty
                ? "Nothing to compare yet\(filter.phrase)."
                : "\(current)\(filter.phrase) so far this month. Next month I can compare."
            return Reply(message, value: value)
        }
        let last = months[1].from.monthName
        let first =
            "\(current)\(filter.phrase) so far this month, \(SpendingTrend.words(current, previous)) by this day in \(last)."
        let second =
            "\(SpendingTrend.words(current, average).capitalizedFirst) on average over three months. All of \(last): \(whole)."
        return Reply(first + "\n" + second, value: value)
    }

    enum Direction: String {
        case more, less, same
    }

    /// Within a twentieth counts as the same.
    static func direction(_ current: Money, _ other: Money) -> Direction {
        let difference = current.amount - other.amount
        guard difference.magnitude * 20 > other.amount.magnitude else { return .same }
        return difference.isNegative ? .less : .more
    }

    /// `30.00 less than the 270.00`, `about the same as the 245.00`.
    static func words(_ current: Money, _ other: Money) -> String {
        let difference = Money((current.amount - other.amount).magnitude, current.currency)
        let reference = Budget.amountText(other)
        return switch direction(current, other) {
        case .same: "about the same as the \(reference)"
        case .more: "\(Budget.amountText(difference)) more than the \(reference)"
        case .less: "\(Budget.amountText(difference)) less than the \(reference)"
        }
    }
}
