import PluginCommon
public import TandemSDK

/// A recorded expense as tools give it back.
public struct ExpenseSummary: Object {
    /// Missing for a regular expense that is due and not recorded yet.
    public var id: RowID?
    public var amount: Money
    public var category: String
    public var description: String
    public var date: Day
    public var paymentMethod: String?
    public var place: String?
    public var tags: [String]
    public var recurring: Bool

    init(_ expense: Expense) {
        id = expense.id.isAssigned ? expense.id : nil
        amount = expense.money
        category = expense.category
        description = expense.description
        date = expense.expenseDate
        paymentMethod = expense.paymentMethod?.rawValue
        place = expense.location
        tags = expense.tags
        recurring = expense.recurring
    }
}

/// A sum in one category and currency, as tools give it back.
public struct CategorySum: Object {
    public var category: String
    public var amount: Money
    public var count: Int

    init(_ total: CategoryTotal) {
        category = total.category
        amount = total.money
        count = total.count
    }
}

extension Reference where Target == Expense {
    /// Whether the words only point at the newest: `the last one`, `last expense`.
    var meansNewest: Bool {
        guard case .words(let words) = self else { return false }
        let pointing: Set<String> = ["last", "latest", "newest", "recent", "previous", "most"]
        let fillers: Set<String> = ["the", "my", "one", "expense", "entry", "spending", "that", "it", "record"]
        let said = Words.split(words)
        return said.contains(where: pointing.contains)
            && said.allSatisfy { pointing.contains($0) || fillers.contains($0) }
    }
}

/// `240.00 EUR and 12.00 USD`.
func sumText(_ sums: [Money]) -> String { MessageText.enumeration(sums.map(\.description), limit: 6) }
