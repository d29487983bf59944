import PluginCommon
public import TandemSDK

/// A regular expense as tools give it back.
public struct RecurringSummary: Object {
    public var id: RowID
    public var description: String
    public var amount: Money
    public var category: String
    public var frequency: String
    public var nextDate: Day
    public var isActive: Bool

    init(_ item: RecurringExpense) {
        id = item.id
        description = item.description
        amount = item.money
        category = item.category
        frequency = item.frequency.rawValue
        nextDate = item.nextDate
        isActive = item.isActive
    }
}

/// Regular expenses as tools give them back.
public struct RecurringList: Object {
    public var recurring: [RecurringSummary]
}

public struct AddRecurring: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.add_recurring", "Add a regular expense", effect: .write,
        """
        Remembers something that is paid every week, month or year. Each payment is counted once when it is due, without \
        being said again. The first day is today when none is given.
        """,
        utterances: [
            "{description} is {amount} {frequency}",
            "{description} costs {amount} {frequency}",
            "{description} costs me {amount} {frequency}",
            "I pay {amount} {frequency} for {description}",
            "I pay {amount} for {description} {frequency}",
            "my {description} is {amount} {frequency} [from|starting|since] {first_date}",
            "add [a] (regular|recurring|monthly) expense {description} [of] {amount} [{frequency}]",
            "(add|track) [a|my] {description} subscription for {amount} [{frequency}]",
            "{amount} {frequency} for {description} [from|starting|since] {first_date}",
        ])

    @Argument("What for", schema: ["minLength": 1, "maxLength": 1000]) var description: String
    @Argument("How much each time") var amount: Money
    @Argument("How often") var frequency = Frequency.monthly
    @Argument("The first day it is paid; today when left out", hints: ["from", "starting", "since", "on"])
    var firstDate: Day?
    @Argument("The category; guessed from the description when left out", planned: false, schema: ["maxLength": 200])
    var category: String?
    @Argument("How it is paid", planned: false) var paymentMethod: PaymentMethod?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecurringList> {
        let money = try AmountRules.positive(amount, "regular amount")
        let words = description.singleLine(limit: ExpenseLimits.descriptionLength)
        guard !words.isEmpty else { throw ToolError.invalid("What is it for? Like: rent.", code: "no_name") }
        var ledger = try await Ledger.load(context)
        let first = firstDate ?? ledger.today
        guard first >= ledger.today.adding(days: -366), first <= ledger.today.adding(days: 3660) else {
            throw ToolError.invalid("The first day can be up to a year back. Which day is it?", code: "invalid_date")
        }
        if let known = ledger.recurring.first(where: { Words.key($0.description) == Words.key(words) }) {
            throw ToolError.conflict(
                "\(known.description.cut(to: 40).capitalizedFirst) is there already with \(known.money) \(known.frequency.phrase).",
                code: "present")
        }
        guard ledger.recurring.count < ExpenseLimits.recurring else {
            throw ToolError.conflict("That is as many regular expenses as I can hold.", code: "too_many_recurring")
        }
        let file = try await ledger.category(category?.singleLine(limit: 200), for: words)
        var item = RecurringExpense(
            description: words, amount: money.amount, currency: money.currency.code, category: file,
            frequency: frequency, firstDate: first, nextIndex: 0, paymentMethod: paymentMethod, isActive: true)
        item.id = try await context.rows(RecurringExpense.self).insert(item)
        var after = try await Ledger.load(context)
        let due = item.recurrence.due(from: 0, through: after.today).count
        try await after.settle()
        item = after.recurring.first { $0.id == item.id } ?? item
        let next = "next \(item.nextDate.short(today: after.today))."
        let tail =
            switch due {
            case 0: next.capitalizedFirst
            case 1: "Counted once so far, " + next
            default: "Counted \(due) times so far, " + next
            }
        let head = "\(words.cut(to: 40).capitalizedFirst): \(money) \(frequency.phrase)."
        return Reply(
            head + " " + tail, value: RecurringList(recurring: [RecurringSummary(item)]),
            shown: .touched(item, label: item.label))
    }
}

public struct ListRecurring: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.recurring", "Show regular expenses", effect: .read,
        "Lists what is paid regularly, with the next day of each, and what it comes to in a month.",
        utterances: [
            "(show|list) [me] my (regular|recurring|monthly|fixed) (expenses|payments|costs)",
            "what (are|is) my (regular|recurring|monthly|fixed) (expenses|payments|costs)",
            "what (subscriptions|standing orders) do I have",
            "(show|list) [me] my subscriptions",
            "which payments are (coming up|due next)",
        ])

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecurringList> {
        let ledger = try await Ledger.load(context)
        let today = ledger.today
        // As if everything due were recorded already: the next day lies ahead.
        var items = ledger.recurring
        for index in items.indices {
            items[index].nextIndex += items[index].recurrence.due(from: items[index].nextIndex, through: today).count
        }
        items.sort { left, right in
            left.nextDate != right.nextDate ? left.nextDate < right.nextDate : left.id < right.id
        }
        let value = RecurringList(recurring: items.map(RecurringSummary.init))
        guard !items.isEmpty else {
            return Reply("No regular expenses yet. To add one: rent is 800 every month.", value: value)
        }
        let parts = items.enumerated().map { index, item in
            "\(index + 1) \(item.label), next \(item.nextDate.short(today: today))"
        }
        return Reply(
            MessageText.flow("\(items.count) regular:", parts, separator: "; "), value: value,
            shown: Shown(items, label: \.label))
    }
}

public struct ChangeRecurring: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.change_recurring", "Change a regular expense", effect: .write,
        "Changes the amount, name or category of something that is paid regularly, from the next payment on.",
        utterances: [
            "[the|my] {recurring} (went up|rose|changed|went down|increased) to {amount}",
            "[the|my] {recurring} is now {amount}",
            "change [the|my] (regular|recurring|monthly) {recurring} to {amount}",
            "{recurring} (costs|is) {amount} from now on",
        ], actsOn: RecurringExpense.entity)

    @Argument("Which one: its name, or #id where known") var recurring: Reference<RecurringExpense>
    @Argument("The new amount") var amount: Money?
    @Argument("A new name", planned: false, schema: ["maxLength": 1000]) var description: String?
    @Argument("Another category", planned: false, schema: ["maxLength": 200]) var category: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecurringList> {
        let money = try amount.map { try AmountRules.positive($0, "regular amount") }
        var ledger = try await Ledger.load(context)
        let found = try await RecurringFinder.find(References([recurring]), &ledger, context)
        guard var item = found.first else { throw RecurringFinder.nothing(ledger) }
        let before = item
        if let money {
            item.amount = money.amount
            item.currency = money.currency.code
        }
        if let words = description?.singleLine(limit: ExpenseLimits.descriptionLength).nonEmpty {
            item.description = words
        }
        if let category = category?.singleLine(limit: 200).nonEmpty {
            item.category = try await ledger.category(category, for: item.description)
        }
        guard item != before else {
            throw ToolError.invalid(
                "What is new about \(item.description.cut(to: 40))? An amount works.", code: "nothing_to_change")
        }
        guard try await context.rows(RecurringExpense.self).update(item) else { throw RecurringFinder.nothing(ledger) }
        return Reply(
            "Now \(item.label), next \(item.nextDate.short(today: ledger.today)).",
            value: RecurringList(recurring: [RecurringSummary(item)]), shown: .touched(item, label: item.label))
    }
}

public struct EndRecurring: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.end_recurring", "No longer count a regular expense", effect: .write,
        "Ends something that was paid regularly: nothing more is counted for it. What was counted so far stays.",
        utterances: [
            "I (cancelled|canceled|ended) [the|my] {recurring} [subscription|contract]",
            "(end|drop|remove|cancel) [the|my] {recurring} (subscription|contract|payment)",
            "(do not|don't) count [the|my] {recurring} any more",
            "I no longer pay for {recurring}",
            "(end|drop|remove|delete) [the|my] (regular|recurring|monthly) {recurring}",
        ], actsOn: RecurringExpense.entity)

    @Argument("Which ones: names, or #id where known") var recurring: References<RecurringExpense>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecurringList> {
        var ledger = try await Ledger.load(context)
        let found = try await RecurringFinder.find(recurring, &ledger, context)
        guard !found.isEmpty else { throw RecurringFinder.nothing(ledger) }
        try await context.batch { batch in
            for item in found { batch.update(RecurringExpense.self, item.id, .set(\.isActive, false)) }
        }
        let ended = found.map { item in
            var item = item
            item.isActive = false
            return item
        }
        let names = MessageText.enumeration(ended.map { $0.description.cut(to: 40) })
        return Reply(
            "\(names.capitalizedFirst): no longer counted. What was paid so far stays.",
            value: RecurringList(recurring: ended.map(RecurringSummary.init)),
            shown: Shown(ended, label: \.label, numbered: false))
    }
}

/// Finds regular expenses, with everything that was due up to now recorded before they change.
enum RecurringFinder {
    static func find(
        _ references: References<RecurringExpense>, _ ledger: inout Ledger, _ context: Context
    ) async throws -> [RecurringExpense] {
        let ids = try ReferenceFinder(ledger.recurring, name: \.description, label: \.label)
            .find(references, context).rows.map(\.id)
        guard !ids.isEmpty else { return [] }
        try await ledger.settle()
        let current = ledger.recurring
        return ids.compactMap { id in current.first { $0.id == id } }
    }

    static func nothing(_ ledger: Ledger) -> ToolError {
        let names = ledger.recurring.map { $0.description.cut(to: 24) }
        return .notFound(
            names.isEmpty
                ? "There are no regular expenses. To add one: rent is 800 every month."
                : "That is not among the regular ones: \(MessageText.enumeration(names, limit: 5)).")
    }
}
