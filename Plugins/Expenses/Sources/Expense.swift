import PluginCommon
public import TandemSDK

/// Money spent, or a refund: then the amount is negative.
public struct Expense: Row, Hashable {
    public static let entity = "expenses.expense"
    public static let table = Table<Expense>(
        "expenses", "what you spent, on what and when", .sealed(\.receiptImageURL),
        .searchable(\.description, \.location), .index(\.expenseDate),
        .index(\.category, \.expenseDate), .unique(\.recurringKey))

    public var id = RowID()
    public var amount: Decimal
    public var currency: String
    public var category: String
    public var description: String
    public var expenseDate: Day
    public var paymentMethod: PaymentMethod?
    public var location: String?
    public var receiptImageURL: String?
    public var tags: [String]
    public var recurring: Bool
    /// The category whose budget it counts for, where it is not its own.
    public var budgetCategory: String?
    /// `ID:DATE` of the recurring expense that this is an occurrence of: each at most once.
    public var recurringKey: String?

    var money: Money { Money(amount, Currency(currency) ?? "XXX") }

    /// `lunch`; a nameless expense goes by its category.
    var name: String { description.isEmpty ? category : description }

    /// `lunch 12.00 EUR`.
    var label: String { "\(name.cut(to: 40)) \(money)" }
}

public enum PaymentMethod: String, Choice {
    case cash, card, transfer
    case directDebit = "direct_debit"
    case mobile, voucher, other

    public var words: [String] {
        switch self {
        case .cash: ["cash", "in cash", "coins"]
        case .card: ["card", "credit card", "debit card", "visa", "mastercard", "by card", "amex"]
        case .transfer: ["bank transfer", "wire", "transfer"]
        case .directDebit: ["direct debit", "standing order"]
        case .mobile: ["phone", "apple pay", "google pay", "paypal", "mobile payment"]
        case .voucher: ["voucher", "gift card", "coupon"]
        case .other: ["another way"]
        }
    }
}

/// A category of the person's own, or what the person changed about a built-in one.
public struct ExpenseCategory: Row, Hashable {
    public static let entity = "expenses.category"
    public static let table = Table<ExpenseCategory>(
        "expense_categories", "your spending categories and their monthly budgets", .unique(\.nameKey))

    public var id = RowID()
    public var name: String
    /// The name's stems; `*` for the budget of everything together.
    public var nameKey: String
    /// Words that belong to it, for guessing.
    public var description: String?
    /// Per month, in `budgetCurrency`.
    public var budgetLimit: Decimal?
    public var budgetCurrency: String?
    public var colorCode: String?
    public var icon: String?
    public var isActive: Bool
    /// The built-in category that it took the place of when that was renamed.
    public var replaces: String?

    /// The key of the budget of everything together.
    static let overall = "*"

    var budget: Money? {
        guard let budgetLimit, let currency = budgetCurrency.flatMap({ Currency($0) }) else { return nil }
        return Money(budgetLimit, currency)
    }
}

/// Something that is paid again and again.
public struct RecurringExpense: Row, Hashable {
    public static let entity = "expenses.recurring"
    public static let table = Table<RecurringExpense>(
        "expense_recurring", "what you pay regularly", .index(\.isActive))

    public var id = RowID()
    public var description: String
    public var amount: Decimal
    public var currency: String
    public var category: String
    public var frequency: Frequency
    public var firstDate: Day
    /// The first occurrence that is no expense yet; 0 is the one on `firstDate`.
    public var nextIndex: Int
    public var paymentMethod: PaymentMethod?
    public var location: String?
    public var isActive: Bool

    var money: Money { Money(amount, Currency(currency) ?? "XXX") }
    var recurrence: Recurrence { Recurrence(first: firstDate, frequency: frequency) }
    var nextDate: Day { recurrence.day(nextIndex) }
    var label: String { "\(description.cut(to: 40)) \(money) \(frequency.phrase)" }

    func expense(on day: Day) -> Expense {
        Expense(
            amount: amount, currency: currency, category: category, description: description, expenseDate: day,
            paymentMethod: paymentMethod, location: location, tags: [], recurring: true,
            recurringKey: "\(id):\(day)")
    }
}

/// The sizes that the records may have.
enum ExpenseLimits {
    static let descriptionLength = 200
    static let nameLength = 40
    static let placeLength = 100
    static let tagLength = 30
    static let tags = 20
    static let categories = 60
    static let recurring = 60
    /// So that the sum of as many rows as a person may have stays within 64 bits at four digits after the point.
    static let amount = Decimal(10_000_000_000)
}
