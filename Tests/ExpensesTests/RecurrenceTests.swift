import TandemSDK
import Testing

@testable import Expenses

struct RecurrenceTests {
    private func day(_ text: String) throws -> Day { try #require(Day(text)) }

    @Test func theLastOfTheMonthStaysTheLast() throws {
        let schedule = Recurrence(first: try day("2026-01-31"), frequency: .monthly)
        let days = schedule.due(from: 0, through: try day("2026-05-01"))
        #expect(days.map(\.description) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"])
        #expect(schedule.due(from: 4, through: try day("2026-05-30")).isEmpty)
        #expect(schedule.due(from: 4, through: try day("2026-05-31")).map(\.description) == ["2026-05-31"])
    }

    @Test func leapDaysRecurYearly() throws {
        let schedule = Recurrence(first: try day("2024-02-29"), frequency: .yearly)
        #expect(
            schedule.due(from: 0, through: try day("2028-03-01")).map(\.description)
                == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"])
    }

    @Test func weeksAreSevenDays() throws {
        let schedule = Recurrence(first: try day("2026-12-28"), frequency: .weekly)
        #expect(
            schedule.due(from: 0, through: try day("2027-01-12")).map(\.description)
                == ["2026-12-28", "2027-01-04", "2027-01-11"])
    }

    @Test(arguments: Frequency.allCases)
    func boundsAreHeldAtTheEdgesOfTheCalendar(frequency: Frequency) {
        let schedule = Recurrence(first: Day(number: .min), frequency: frequency)
        #expect(schedule.due(from: 0, through: Day(number: .max)).count == Recurrence.limit)
        #expect(schedule.due(from: .max, through: Day(number: .max)).count <= 1)
        #expect(schedule.due(from: .min, through: Day(number: .min)).count == 1)
    }
}

struct CSVTests {
    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("two\nlines", "\"two\nlines\""),
        ("=1+1", "\"'=1+1\""), ("+49", "\"'+49\""), ("-5", "\"'-5\""), ("@cmd", "\"'@cmd\""), (" =1", "\"' =1\""),
        ("\u{FF1D}1", "\"'\u{FF1D}1\""), ("\ttab", "\"'\ttab\""), ("", ""), ("a=b", "a=b"),
    ])
    func textIsQuotedAndMadeHarmless(text: String, expected: String) {
        #expect(CSV.Field.text(text).encoded == expected)
    }

    @Test func linesEndInCarriageReturnAndLineFeed() {
        #expect(CSV.line([.plain("-3.20"), .text("x")]) == "-3.20,x\r\n")
    }
}

struct SpendingLexiconTests {
    @Test(arguments: [
        ("lunch", "eating out"), ("lunch with a friend", "eating out"), ("milk and eggs", "groceries"),
        ("bus ticket", "transport"), ("rent", "housing"), ("electricity", "utilities"), ("dentist", "health"),
        ("netflix", "subscriptions"), ("cat food", "pets"), ("chocolate bar", "groceries"), ("shoes", "clothing"),
        ("haircut", "personal care"), ("cinema", "entertainment"), ("parking ticket", "fees"), ("diapers", "children"),
        ("birthday present", "gifts"), ("flight to Rome", "travel"), ("textbooks", "education"), ("Lidl", "groceries"),
        ("toilet paper", "household"), ("meds", "health"), ("Uber Eats", "eating out"), ("uber", "transport"),
        ("gas bill", "utilities"), ("gas", "transport"), ("video games", "entertainment"),
    ])
    func guessesTheCategory(text: String, category: String) {
        #expect(SpendingLexicon.category(of: text) == category)
    }

    @Test(arguments: ["", "qwertz", "!!!", "牛"]) func admitsWhatItDoesNotKnow(text: String) {
        #expect(SpendingLexicon.category(of: text) == nil)
    }

    @Test func everyCategoryGoesByItsOwnName() {
        for category in SpendingLexicon.categories { #expect(SpendingLexicon.builtIn(named: category) == category) }
        #expect(SpendingLexicon.builtIn(named: "Food") == "groceries")
    }
}

struct CategoriesTests {
    private let categories = Categories([
        ExpenseCategory(name: "pet food", nameKey: "pet food", isActive: true),
        ExpenseCategory(name: "everything", nameKey: "*", budgetLimit: 10, budgetCurrency: "EUR", isActive: true),
    ])

    @Test(arguments: [
        ("Groceries", "groceries"), ("food", "groceries"), ("eating", "eating out"), ("restaurants", "eating out"),
        ("grocery", "groceries"), ("entertainmant", "entertainment"), ("Pet Food", "pet food"), ("clothes", "clothing"),
    ])
    func readsNames(said: String, name: String) { #expect(categories.existing(said) == name) }

    @Test(arguments: ["", "*", "everything", "care", "out", "lunch", "\u{1F95B}"])
    func readsNothingIntoOtherWords(said: String) { #expect(categories.existing(said) == nil) }

    @Test func theOverallBudgetIsNoCategory() {
        #expect(!categories.names.contains("everything"))
        #expect(categories.budgets.count == 1)
        #expect(categories.budgets.first?.category == nil)
    }

    @Test(arguments: ["my budget", "everything", "the whole month", ""])
    func generalWordsMeanTheOverallBudget(said: String) { #expect(BudgetSubject.category(said) == nil) }
}
