import PluginCommon
import TandemSDK
import TandemTesting
import Testing

@testable import Expenses

@Suite(.timeLimit(.minutes(8)))
struct ExpensesToolsTests {
    let host: TestHost
    let ann: TestPerson

    init() throws {
        host = try TestHost(Expenses.self)
        ann = host.person("ann")
    }

    private func spend(
        _ amount: String, _ description: String, on day: String? = nil, currency: String? = nil, category: String? = nil
    ) async throws {
        var money: JSON = ["amount": .string(amount)]
        if let currency { money["currency"] = .string(currency) }
        var arguments: JSON = ["amount": money, "description": .string(description)]
        if let day { arguments["date"] = .string(day) }
        if let category { arguments["category"] = .string(category) }
        try await ann.value("expenses.record", arguments)
    }

    private func setDay(_ day: String) throws { host.now = try #require(Instant("\(day)T10:00:00Z")) }

    private var rows: [Expense] { ann.rows(of: Expense.self) }

    // MARK: Recording

    @Test func recordsAndSaysSo() async throws {
        let outcome = await ann.call("expenses.record", ["amount": ["amount": "12"], "description": "lunch"])
        #expect(outcome.message == "Noted 12.00 EUR for lunch (eating out).")
        let row = try #require(rows.first)
        #expect(row.amount == 12)
        #expect(row.currency == "EUR")
        #expect(row.category == "eating out")
        #expect(row.expenseDate == Day("2026-11-21"))
        #expect(outcome.shown?.items.map(\.id) == [row.id.description])
        #expect(outcome.shown?.isNumbered == false)
    }

    @Test func keepsWhatWasSaid() async throws {
        ann.currency = "GBP"
        let message = await ann.say(
            "expenses.record",
            [
                "amount": ["amount": "7.5", "currency": "CHF"], "description": "train", "category": "work",
                "date": "2026-11-20", "payment_method": "card", "place": "Zurich HB", "tags": ["trip", "Trip", " "],
            ])
        #expect(message == "Noted 7.50 CHF for train at Zurich HB (work), yesterday.")
        let row = try #require(rows.first)
        #expect(row.currency == "CHF")
        #expect(row.paymentMethod == .card)
        #expect(row.location == "Zurich HB")
        #expect(row.tags == ["trip"])
        try await ann.value("expenses.record", ["amount": ["amount": "1"]])
        #expect(rows.last?.currency == "GBP")
        #expect(rows.last?.category == "other")
    }

    @Test(arguments: [
        ("0", "EUR", "invalid_amount"), ("-5", "EUR", "negative_amount"), ("1.005", "EUR", "too_precise"),
        ("1.5", "JPY", "too_precise"), ("1.2345", "KWD", "too_precise"), ("5", "XXX", "unknown_currency"),
        ("10000000001", "EUR", "too_large"), ("999999999999999999", "USD", "too_large"),
    ])
    func refusesAmountsKindly(amount: String, currency: String, code: String) async throws {
        let outcome = await ann.call(
            "expenses.record", ["amount": ["amount": .string(amount), "currency": .string(currency)]])
        #expect(outcome.error?.code == code)
        #expect(outcome.message.utf8.count <= 150)
        #expect(rows.isEmpty)
    }

    @Test func aRefundIsANegativeRecordWhenSaidSo() async throws {
        try await spend("50", "shoes")
        let message = await ann.say(
            "expenses.record", ["amount": ["amount": "20"], "description": "shoes", "refund": true])
        #expect(message == "Noted 20.00 EUR back for shoes (clothing).")
        try await ann.value(
            "expenses.record", ["amount": ["amount": "-5"], "description": "shoes", "refund": true])
        #expect(rows.map(\.amount) == [50, -20, -5])
        #expect(
            await ann.say("expenses.total", ["subject": "clothes"])
                == "25.00 EUR on clothing this month, 3 expenses.")
    }

    @Test func sumsAreExact() async throws {
        for _ in 0..<10 { try await spend("0.10", "milk") }
        #expect(await ann.call("expenses.total").value?["totals"] == [["amount": "1.00", "currency": "EUR"]])
        var total = Decimal.zero
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let cents = Decimal(Int64.random(in: 1...1_000_000_000, using: &random), places: 2)
            total += cents
            try await spend("\(cents)", "things", currency: "USD")
        }
        let totals = try #require(await ann.call("expenses.total").value?["totals"]?.arrayValue)
        #expect(totals.count == 2)
        #expect(totals[1]["amount"]?.stringValue == total.text(places: 2))
    }

    @Test func theLargestAmountsStillAddUp() async throws {
        for _ in 0..<20 { try await spend("10000000000", "house") }
        #expect(await ann.say("expenses.total").hasPrefix("200000000000.00 EUR this month"))
    }

    @Test func currenciesAreNeverMixed() async throws {
        try await spend("10", "lunch")
        try await spend("1200", "sushi", currency: "JPY")
        try await spend("5.125", "dinner", currency: "KWD")
        #expect(
            await ann.say("expenses.total", ["subject": "restaurants"]).hasPrefix("10.00 EUR, 1200 JPY and 5.125 KWD"))
    }

    // MARK: Asking

    @Test func totalsByCategoryPeriodAndWords() async throws {
        #expect(await ann.say("expenses.total") == "Nothing spent this month.")
        try await spend("3.20", "milk")
        try await spend("12", "lunch")
        try await spend("8", "lunch with a friend", on: "2026-10-15")
        #expect(await ann.say("expenses.total") == "15.20 EUR this month, 2 expenses.")
        #expect(
            await ann.say("expenses.total", ["subject": "groceries"]) == "3.20 EUR on groceries this month, 1 expense.")
        #expect(
            await ann.say("expenses.total", ["subject": "lunches"]) == "12.00 EUR on lunches this month, 1 expense.")
        #expect(
            await ann.say("expenses.total", ["period": ["from": "2026-10-01", "to": "2026-10-31"]])
                == "8.00 EUR in October, 1 expense.")
        #expect(
            await ann.say("expenses.total", ["subject": "food", "period": ["from": "2026-11-21", "to": "2026-11-21"]])
                == "3.20 EUR on groceries today, 1 expense.")
        let backwards = await ann.call("expenses.total", ["period": ["from": "2026-11-30", "to": "2026-10-01"]])
        #expect(backwards.value?["count"] == 3)
    }

    @Test func totalsByPlace() async throws {
        try await ann.value("expenses.record", ["amount": ["amount": "9"], "description": "milk", "place": "Lidl"])
        try await ann.value("expenses.record", ["amount": ["amount": "4"], "description": "milk", "place": "Aldi"])
        #expect(await ann.say("expenses.total", ["place": "lidl"]) == "9.00 EUR at lidl this month, 1 expense.")
    }

    @Test func listsAndSearches() async throws {
        #expect(await ann.say("expenses.list") == "No expenses so far.")
        try await spend("3.20", "milk")
        try await spend("12", "lunch", on: "2026-11-20")
        let outcome = await ann.call("expenses.list")
        #expect(outcome.message == "Latest: 1 milk 3.20 EUR today, 2 lunch 12.00 EUR yesterday.")
        #expect(outcome.shown?.items.map(\.type) == ["expenses.expense", "expenses.expense"])
        #expect(await ann.say("expenses.list", ["subject": "lunch"]) == "Latest on lunch: 1 lunch 12.00 EUR yesterday.")
        #expect(await ann.say("expenses.list", ["subject": "caviar"]) == "No expenses on caviar so far.")
        #expect(
            await ann.say("expenses.list", ["period": ["from": "2026-11-20", "to": "2026-11-20"]])
                == "Spent yesterday: 1 lunch 12.00 EUR yesterday.")
    }

    @Test func breaksDownByCategory() async throws {
        try await spend("75", "groceries")
        try await spend("25", "lunch")
        #expect(
            await ann.say("expenses.breakdown")
                == "This month 100.00 EUR: groceries 75.00 (75%), eating out 25.00 (25%).")
        #expect(
            await ann.say("expenses.breakdown", ["period": ["from": "2025-01-01", "to": "2025-12-31"]])
                == "Nothing spent in 2025.")
    }

    @Test func comparesWithEarlierMonths() async throws {
        #expect(await ann.say("expenses.trend") == "Nothing to compare yet.")
        try await spend("100", "food")
        #expect(await ann.say("expenses.trend") == "100.00 EUR so far this month. Next month I can compare.")
        try await spend("150", "food", on: "2026-10-21")
        try await spend("40", "food", on: "2026-10-22")
        try await spend("50", "food", on: "2026-09-05")
        let outcome = await ann.call("expenses.trend")
        #expect(
            outcome.message == """
                100.00 EUR so far this month, 50.00 less than the 150.00 by this day in October.
                33.33 more than the 66.67 on average over three months. All of October: 190.00 EUR.
                """)
        #expect(outcome.value?["direction"] == "less")
    }

    // MARK: Budgets

    @Test func remarksOnABudgetNearAndOver() async throws {
        #expect(
            await ann.say("expenses.set_budget", ["limit": ["amount": "100"], "category": "groceries"])
                == "Budget set: 100.00 EUR a month for groceries. So far 0.00, 100.00 left.")
        #expect(
            await ann.say("expenses.record", ["amount": ["amount": "79.99"], "description": "milk"])
                == "Noted 79.99 EUR for milk (groceries).")
        let near = await ann.call("expenses.record", ["amount": ["amount": "0.01"], "description": "milk"])
        #expect(
            near.message
                == "Noted 0.01 EUR for milk (groceries). Groceries: 80.00 of 100.00 EUR this month, 20.00 left.")
        #expect(near.value?["alert"] == "Groceries: 80.00 of 100.00 EUR this month, 20.00 left.")
        let over = await ann.say("expenses.record", ["amount": ["amount": "32"], "description": "milk"])
        #expect(over.hasSuffix("Groceries: 112.00 of 100.00 EUR this month, 12.00 more than planned."))
        // Another category, currency or month says nothing.
        #expect(
            await ann.call("expenses.record", ["amount": ["amount": "5"], "description": "bus"]).value?["alert"] == nil)
        let dollars: JSON = ["amount": ["amount": "500", "currency": "USD"], "description": "milk"]
        #expect(await ann.call("expenses.record", dollars).value?["alert"] == nil)
        let october: JSON = ["amount": ["amount": "500"], "description": "milk", "date": "2026-10-02"]
        #expect(await ann.call("expenses.record", october).value?["alert"] == nil)
    }

    @Test func theAlertThresholdIsASetting() async throws {
        var settings = ExpenseSettings()
        settings.alertAtPercent = 50
        ann.configure("expenses", settings)
        try await ann.value("expenses.set_budget", ["limit": ["amount": "100"]])
        #expect(
            await ann.say("expenses.record", ["amount": ["amount": "50"], "description": "bus"])
                .hasSuffix("Everything: 50.00 of 100.00 EUR this month, 50.00 left."))
    }

    @Test func showsReplacesAndRemovesBudgets() async throws {
        #expect(await ann.say("expenses.budgets") == "No budgets yet. To set one: budget 200 for groceries.")
        try await ann.value("expenses.set_budget", ["limit": ["amount": "200"], "category": "food"])
        try await ann.value("expenses.set_budget", ["limit": ["amount": "300"], "category": "groceries"])
        try await ann.value("expenses.set_budget", ["limit": ["amount": "1000"], "category": "everything"])
        try await spend("30", "milk")
        try await spend("20", "bus")
        let outcome = await ann.call("expenses.budgets")
        #expect(
            outcome.message.split(separator: "\n").first
                == "This month: Groceries 270.00 EUR left, Everything 950.00 EUR left.")
        #expect(outcome.value?["budgets"]?.arrayValue?.count == 2)
        #expect(
            await ann.say("expenses.budgets", ["category": "groceries"])
                == "Groceries: 30.00 of 300.00 EUR this month, 270.00 left.")
        #expect(await ann.say("expenses.total").hasSuffix("950.00 EUR left of the budget."))
        #expect(
            await ann.say("expenses.remove_budget", ["category": "groceries"]) == "Removed the budget for groceries.")
        #expect(await ann.call("expenses.remove_budget", ["category": "groceries"]).error?.code == "not_found")
        #expect(await ann.say("expenses.remove_budget") == "Removed the budget for everything together.")
        #expect(await ann.call("expenses.set_budget", ["limit": ["amount": "0"]]).error?.code == "invalid_amount")
    }

    // MARK: Regular expenses

    @Test func aRegularExpenseIsCountedOncePerOccurrence() async throws {
        let message = await ann.say(
            "expenses.add_recurring",
            ["description": "rent", "amount": ["amount": "800"], "first_date": "2026-10-01"])
        #expect(message == "Rent: 800.00 EUR every month. Counted 2 times so far, next 1 Dec.")
        #expect(rows.map(\.expenseDate.description) == ["2026-10-01", "2026-11-01"])
        #expect(
            await ann.say("expenses.total", ["subject": "housing"]) == "800.00 EUR on housing this month, 1 expense.")
        try setDay("2027-01-15")
        // Looking counts what is due without writing it.
        let before = rows
        let year: JSON = ["from": "2026-10-01", "to": "2027-01-31"]
        #expect(await ann.call("expenses.total", ["period": year]).value?["count"] == 4)
        #expect(await ann.say("expenses.list", ["period": year]).contains("Regular, due since: rent 800.00 EUR 1 Jan"))
        #expect(rows == before)
        // Writing makes rows of it, and the sums stay.
        try await spend("5", "milk")
        #expect(rows.count == before.count + 3)
        try await spend("5", "milk")
        #expect(rows.count == before.count + 4)
        #expect(await ann.call("expenses.total", ["period": year]).value?["count"] == 6)
        #expect(Set(rows.compactMap(\.recurringKey)).count == 4)
    }

    @Test func deletingAnOccurrenceDoesNotBringItBack() async throws {
        try await ann.value(
            "expenses.add_recurring",
            ["description": "gym", "amount": ["amount": "30"], "frequency": "weekly", "first_date": "2026-11-14"])
        #expect(rows.count == 2)
        let id = try #require(rows.last?.id)
        try await ann.value("expenses.delete", ["expenses": .string("#\(id)")])
        try await spend("1", "milk")
        #expect(rows.count == 2)
        #expect(ann.undo())
        #expect(ann.undo())
        #expect(rows.count == 2)
    }

    @Test func twoWritesAtOnceSettleOnce() async throws {
        try await ann.value(
            "expenses.add_recurring",
            ["description": "rent", "amount": ["amount": "800"], "first_date": "2026-11-01"])
        try setDay("2027-03-02")
        let person = ann
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    _ = await person.call("expenses.record", ["amount": ["amount": "1"], "description": "milk"])
                }
            }
        }
        #expect(rows.filter(\.recurring).count == 5)
        #expect(rows.filter { !$0.recurring }.count == 4)
    }

    @Test func listsChangesAndEndsRegularExpenses() async throws {
        #expect(await ann.say("expenses.recurring").hasPrefix("No regular expenses yet."))
        try await ann.value("expenses.add_recurring", ["description": "netflix", "amount": ["amount": "12.99"]])
        try await ann.value(
            "expenses.add_recurring",
            [
                "description": "insurance", "amount": ["amount": "120"], "frequency": "yearly",
                "first_date": "2027-02-01",
            ])
        #expect(
            await ann.call("expenses.add_recurring", ["description": "Netflix", "amount": ["amount": "1"]]).error?.code
                == "present")
        let listed = await ann.call("expenses.recurring")
        #expect(
            listed.message
                == "2 regular: 1 netflix 12.99 EUR every month, next 21 Dec; 2 insurance 120.00 EUR every year, next 1 Feb 2027."
        )
        #expect(
            await ann.say("expenses.change_recurring", ["recurring": "netflix", "amount": ["amount": "14.99"]])
                == "Now netflix 14.99 EUR every month, next 21 Dec.")
        #expect(rows.map(\.amount) == [12.99])
        try setDay("2026-12-22")
        #expect(
            await ann.say("expenses.end_recurring", ["recurring": "netflix"])
                == "Netflix: no longer counted. What was paid so far stays.")
        #expect(rows.map(\.amount) == [12.99, 14.99])
        try setDay("2027-06-01")
        try await spend("1", "milk")
        #expect(rows.filter(\.recurring).count == 3)
        #expect(await ann.call("expenses.end_recurring", ["recurring": "netflix"]).error?.code == "not_found")
        #expect(
            await ann.call(
                "expenses.add_recurring",
                ["description": "x", "amount": ["amount": "1"], "first_date": "2020-01-01"]
            ).error?.code == "invalid_date")
    }

    @Test func sayingARegularExpenseMentionsIt() async throws {
        try await ann.value("expenses.add_recurring", ["description": "rent", "amount": ["amount": "800"]])
        #expect(
            await ann.say("expenses.record", ["amount": ["amount": "800"], "description": "rent"])
                .contains("\nRent is also counted every month already"))
    }

    // MARK: Correcting

    @Test func correctsByNameNumberAndLast() async throws {
        try await spend("12", "lunch")
        try await spend("3", "milk")
        #expect(
            await ann.say("expenses.update", ["expense": "the lunch", "amount": ["amount": "14.50"]])
                == "Now lunch 14.50 EUR (eating out).")
        #expect(
            await ann.say(
                "expenses.update", ["expense": "the last expense", "category": "gifts", "date": "2026-11-20"])
                == "Now milk 3.00 EUR (gifts), yesterday.")
        let id = try #require(rows.first?.id)
        try await ann.value("expenses.update", ["expense": .string("#\(id)"), "payment_method": "cash"])
        #expect(rows.first?.paymentMethod == .cash)
        #expect(await ann.call("expenses.update", ["expense": "lunch"]).error?.code == "nothing_to_change")
        #expect(await ann.call("expenses.update", ["expense": "caviar", "category": "x"]).error?.code == "not_found")
        #expect(await ann.call("expenses.update", ["expense": "#99", "category": "x"]).error?.code == "not_found")
    }

    @Test func asksWhichOfSeveral() async throws {
        try await spend("12", "lunch", on: "2026-11-19")
        try await spend("9.50", "lunch")
        let arguments: JSON = ["expenses": "lunch"]
        let question = try #require(await ann.call("expenses.delete", arguments).question)
        #expect(question.message == "Which lunch? 1 lunch 9.50 EUR today, 2 lunch 12.00 EUR 19 Nov")
        let outcome = await ann.answer(question, question.options[1].value, to: "expenses.delete", arguments)
        #expect(outcome.message == "Deleted lunch 12.00 EUR.")
        #expect(rows.map(\.amount) == [9.5])
    }

    // MARK: Categories

    @Test func ownCategoriesComeFirst() async throws {
        #expect(
            await ann.say("expenses.add_category", ["name": "Knitting", "words": ["yarn", "wool"]])
                == "Added the category knitting with yarn and wool.")
        try await spend("9", "red yarn")
        try await spend("9", "knitting needles")
        try await spend("9", "dinghy", category: "Sailing")
        #expect(rows.map(\.category) == ["knitting", "knitting", "sailing"])
        #expect(
            await ann.say("expenses.categories").hasPrefix("21 categories: knitting, sailing, groceries, eating out"))
    }

    @Test func renamingMovesWhatWasFiled() async throws {
        try await spend("9", "milk")
        #expect(
            await ann.say("expenses.rename_category", ["category": "groceries", "name": "Food and drink"])
                == "Groceries is now food and drink.")
        #expect(rows.map(\.category) == ["food and drink"])
        try await spend("9", "milk")
        try await spend("9", "cheese", category: "groceries")
        #expect(rows.map(\.category) == ["food and drink", "food and drink", "food and drink"])
        #expect(
            await ann.call("expenses.rename_category", ["category": "transport", "name": "health"]).error?.code
                == "present")
        #expect(
            await ann.call("expenses.rename_category", ["category": "nonsense", "name": "x"]).error?.code == "not_found"
        )
    }

    @Test func aCategorySwitchedOffGetsNothingMore() async throws {
        try await spend("9", "netflix")
        #expect(
            await ann.say("expenses.deactivate_category", ["category": "subscriptions"])
                == "Switched subscriptions off. What was filed there stays.")
        try await spend("9", "netflix")
        #expect(rows.map(\.category) == ["subscriptions", "other"])
        #expect(await ann.call("expenses.deactivate_category", ["category": "other"]).error?.code == "needed")
        #expect(
            await ann.say("expenses.add_category", ["name": "subscriptions"]) == "Added the category subscriptions.")
        try await spend("9", "netflix")
        #expect(rows.last?.category == "subscriptions")
    }

    // MARK: Export

    @Test func exportsCommaSeparatedValues() async throws {
        #expect(await ann.say("expenses.export") == "Nothing to export this month.")
        try await spend("3.2", "milk, \"fresh\"")
        try await spend("4", "=cmd|' /C calc'!A0", on: "2026-11-20")
        let outcome = await ann.call("expenses.export")
        let csv = try #require(outcome.value?["csv"]?.stringValue)
        #expect(
            csv == "date,amount,currency,category,description,payment_method,place,tags,recurring\r\n"
                + "2026-11-20,4.00,EUR,other,\"'=cmd|' /C calc'!A0\",,,,no\r\n"
                + "2026-11-21,3.20,EUR,groceries,\"milk, \"\"fresh\"\"\",,,,no\r\n")
        #expect(outcome.message.hasPrefix("2 expenses this month as CSV:\n"))
        #expect(outcome.value?["file_name"] == "expenses-2026-11-01-2026-11-30.csv")
    }

    @Test func anExportOfManyRowsAsksForAShorterPeriod() async throws {
        for _ in 0..<2501 {
            try ann.insert(
                Expense(
                    amount: 1, currency: "EUR", category: "other", description: "x",
                    expenseDate: try #require(Day("2026-11-02")), tags: [], recurring: false))
        }
        #expect(await ann.call("expenses.export").error?.code == "too_large")
        #expect(await ann.say("expenses.total") == "2501.00 EUR this month, 2501 expenses.")
        #expect(await ann.call("expenses.total", ["subject": "x"]).value?["count"] == 2501)
    }
}
