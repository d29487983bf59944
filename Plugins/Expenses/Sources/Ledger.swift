import PluginCommon
import TandemSDK

/// One person's records as they stand today, with what has become due.
///
/// Regular expenses have no job of their own: what is due is counted when somebody looks and becomes a row when somebody
/// writes, each occurrence exactly once, so that looking and writing always give the same sums.
struct Ledger: Sendable {
    let context: Context
    let today: Day
    private(set) var categories: Categories
    private(set) var recurring: [RecurringExpense]

    static func load(_ context: Context) async throws -> Ledger {
        let categories = try await context.rows(ExpenseCategory.self).list(limit: 500)
        let recurring = try await context.rows(RecurringExpense.self).list(where: \.isActive == true, limit: 500)
        return Ledger(
            context: context, today: context.clock.today, categories: Categories(categories), recurring: recurring)
    }

    /// Occurrences that are due and no rows yet.
    func due(_ filter: ExpenseFilter = ExpenseFilter()) -> [Expense] {
        recurring.flatMap { item in
            item.recurrence.due(from: item.nextIndex, through: today).map { item.expense(on: $0) }
        }.filter(filter.matches)
    }

    /// Makes rows of what is due. Of two calls at the same time one does it, the other finds it done.
    mutating func settle() async throws {
        var isSettled = false
        for attempt in 0..<3 where !isSettled {
            if attempt > 0 {
                recurring = try await context.rows(RecurringExpense.self).list(where: \.isActive == true, limit: 500)
            }
            do {
                try await settleOnce()
                isSettled = true
            } catch let error as ToolError where error.code == "conflict" || error.code == "unique" {
                continue
            }
        }
    }

    private mutating func settleOnce() async throws {
        var settled = recurring
        for index in settled.indices {
            let item = settled[index]
            let days = item.recurrence.due(from: item.nextIndex, through: today)
            guard !days.isEmpty else { continue }
            try await context.batch { batch in
                batch.update(
                    RecurringExpense.self, where: \.id == item.id, \.nextIndex == item.nextIndex,
                    set: .set(\.nextIndex, item.nextIndex + days.count))
                for day in days { batch.insert(item.expense(on: day)) }
            }
            settled[index].nextIndex += days.count
            recurring = settled
        }
    }

    /// The category to file under, made when it is new.
    mutating func category(_ name: String?, for description: String) async throws -> String {
        guard let name, !name.isEmpty else { return categories.guess(description) }
        switch categories.named(name) {
        case .known(let known): return known
        case .new(let new): return try await addCategory(new)
        }
    }

    /// Adds a category or switches one on again; gives its name.
    @discardableResult
    mutating func addCategory(_ name: String, description: String? = nil) async throws -> String {
        let rows = context.rows(ExpenseCategory.self)
        if var old = categories.row(named: name) {
            old.isActive = true
            if let description { old.description = description }
            try await rows.update(old)
            categories = Categories(categories.rows.map { $0.id == old.id ? old : $0 })
            return old.name
        }
        guard categories.rows.count < ExpenseLimits.categories else {
            throw ToolError.conflict(
                "You have \(categories.rows.count) categories, which is all I can hold.", code: "too_many_categories")
        }
        var row = ExpenseCategory(
            name: name, nameKey: Words.key(name), description: description, isActive: true)
        row.id = try await rows.insert(row)
        categories = Categories(categories.rows + [row])
        return name
    }

    /// Exact sums by category and currency, of rows and of what is due.
    func totals(_ filter: ExpenseFilter) async throws -> [CategoryTotal] {
        var totals: [CategoryTotal] = []
        func add(_ category: String, _ currency: String, _ amount: Decimal, _ count: Int) {
            if let index = totals.firstIndex(where: { $0.category == category && $0.money.currency.code == currency }) {
                totals[index].money.amount += amount
                totals[index].count += count
            } else if let code = Currency(currency) {
                totals.append(CategoryTotal(category: category, money: Money(amount, code), count: count))
            }
        }
        if filter.needsRows {
            for row in try await rows(filter) { add(row.category, row.currency, row.amount, 1) }
        } else {
            for group in try await sums(filter) {
                add(group[\.category] ?? "other", group[\.currency] ?? "", group.sum, group.count)
            }
            for row in due(filter) { add(row.category, row.currency, row.amount, 1) }
        }
        guard totals.allSatisfy(\.money.amount.isNumber) else { throw Ledger.tooLarge }
        return totals.sorted { left, right in
            if left.money.currency != right.money.currency {
                return Ledger.currencyOrder(left.money.currency, right.money.currency, own: context.currency)
            }
            if left.money.amount != right.money.amount { return left.money.amount > right.money.amount }
            return left.category < right.category
        }
    }

    /// Exact sums by day, in one currency.
    func daily(_ filter: ExpenseFilter, in currency: Currency) async throws -> [(day: Day, amount: Decimal)] {
        if filter.needsRows {
            return try await rows(filter).filter { $0.currency == currency.code }.map { ($0.expenseDate, $0.amount) }
        }
        let period = filter.period ?? Period(from: today, to: today)
        var groups: [RowGroup<Expense>]
        if let category = filter.category {
            groups = try await context.rows(Expense.self).sum(
                \.amount, by: \.expenseDate, where: \.expenseDate >= period.from, \.expenseDate <= period.to,
                \.category == category, \.currency == currency.code)
        } else {
            groups = try await context.rows(Expense.self).sum(
                \.amount, by: \.expenseDate, where: \.expenseDate >= period.from, \.expenseDate <= period.to,
                \.currency == currency.code)
        }
        let rows = groups.compactMap { group in group[\.expenseDate].map { (day: $0, amount: group.sum) } }
        return rows + due(filter).filter { $0.currency == currency.code }.map { ($0.expenseDate, $0.amount) }
    }

    private func sums(_ filter: ExpenseFilter) async throws -> [RowGroup<Expense>] {
        let rows = context.rows(Expense.self)
        switch (filter.period, filter.category) {
        case (let period?, let category?):
            return try await rows.sum(
                \.amount, by: \.category, \.currency, where: \.expenseDate >= period.from,
                \.expenseDate <= period.to, \.category == category)
        case (let period?, nil):
            return try await rows.sum(
                \.amount, by: \.category, \.currency, where: \.expenseDate >= period.from, \.expenseDate <= period.to)
        case (nil, let category?):
            return try await rows.sum(\.amount, by: \.category, \.currency, where: \.category == category)
        case (nil, nil): return try await rows.sum(\.amount, by: \.category, \.currency)
        }
    }

    /// The matching rows and what is due of them, newest first; at most `limit`.
    func rows(_ filter: ExpenseFilter, limit: Int = .max) async throws -> [Expense] {
        var conditions: [Condition<Expense>] = []
        if let period = filter.period {
            conditions.append(\.expenseDate >= period.from)
            conditions.append(\.expenseDate <= period.to)
        }
        if let category = filter.category { conditions.append(\.category == category) }
        var found: [Expense] = []
        var offset = 0
        let size = filter.needsRows ? 500 : min(limit, 500)
        while found.count < limit {
            let page = try await context.rows(Expense.self).list(
                where: conditions, order: [.descending(\.expenseDate), .descending(\.id)], limit: size, offset: offset)
            found += page.filter(filter.matches)
            offset += page.count
            if page.count < size { break }
        }
        let merged = (found + due(filter)).sorted { left, right in
            if left.expenseDate != right.expenseDate { return left.expenseDate > right.expenseDate }
            return left.id > right.id
        }
        return Array(merged.prefix(limit))
    }

    /// Sums by currency over categories, in the order of the totals.
    static func byCurrency(_ totals: [CategoryTotal]) throws(ToolError) -> [Money] {
        var sums: [Money] = []
        for total in totals {
            if let index = sums.firstIndex(where: { $0.currency == total.money.currency }) {
                sums[index] += total.money
            } else {
                sums.append(total.money)
            }
        }
        guard sums.allSatisfy(\.amount.isNumber) else { throw tooLarge }
        return sums
    }

    private static let tooLarge = ToolError.conflict("These amounts are too large to add up.", code: "too_large")

    /// The person's own currency first, the others by code.
    private static func currencyOrder(_ left: Currency, _ right: Currency, own: Currency) -> Bool {
        if left == own || right == own { return left == own }
        return left.code < right.code
    }
}

/// What was spent in one category and currency.
struct CategoryTotal: Sendable, Hashable {
    var category: String
    var money: Money
    var count: Int
}

/// Which expenses are meant.
struct ExpenseFilter: Sendable, Hashable {
    var period: Period?
    var category: String?
    /// Words that must all occur in description, place or tags.
    var words: String?
    var place: String?

    /// The words are compared here, not by the database.
    var needsRows: Bool { words != nil || place != nil }

    func matches(_ expense: Expense) -> Bool {
        if let period, !period.contains(expense.expenseDate) { return false }
        if let category, expense.category != category { return false }
        if let words {
            let text = [expense.description, expense.location ?? "", expense.category] + expense.tags
            let stems = Set(Words(text.joined(separator: " ")).stems)
            guard Words(words).stems.allSatisfy(stems.contains) else { return false }
        }
        if let place {
            guard let location = expense.location else { return false }
            guard NameMatcher([location]).match(place) != .none else { return false }
        }
        return true
    }

    /// What a person said money was spent on: a category where there is one of that name, otherwise words.
    init(period: Period? = nil, on subject: String? = nil, place: String? = nil, _ categories: Categories) {
        self.period = period?.ordered
        self.place = place?.singleLine(limit: 100).nonEmpty
        guard let subject = subject?.singleLine(limit: 100).nonEmpty else { return }
        let fillers: Set<String> = ["everything", "all", "anything", "stuff", "things", "money", "total"]
        if fillers.contains(subject.lowercased()) { return }
        if let known = categories.existing(subject) { category = known } else { words = subject }
    }

    init() {}

    /// ` on groceries`, ` at Lidl`; empty for everything.
    var phrase: String {
        var text = ""
        if let category { text += " on \(category)" }
        if let words { text += " on \(words.cut(to: 40))" }
        if let place { text += " at \(place.cut(to: 40))" }
        return text
    }
}
