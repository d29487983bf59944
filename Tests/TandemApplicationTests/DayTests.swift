import TandemAgent
import TandemCore
import TandemJSON
import TestDatabases
import Testing

/// The day of the acceptance conversation: exact about what was done, loose about the words.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct DayTests {
    private func items(_ household: Household) async throws -> [String: JSON] {
        let rows = try await household.rows("grocery_items").filter { $0["status"] == "open" }
        return Dictionary(rows.map { ($0["name_key"]?.stringValue ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func amount(_ row: JSON?, _ column: String) -> Double? {
        row?[column]?.stringValue.flatMap { Double($0) }
    }

    @Test func aDayLeavesExactlyWhatWasAskedFor() async throws {
        try await Household.run { (household) async throws in
            // Two litres of milk, eggs and bread.
            #expect(try await household.say(Day.messages[0]).calls.map(\.tool) == ["grocery.add"])
            var list = try await items(household)
            #expect(list.count == 3)
            #expect(amount(list["milk"], "quantity") == 2)
            #expect(list["milk"]?["unit"] == "l")

            // What is on the list.
            let shown = try await household.say(Day.messages[1])
            for word in ["milk", "egg", "bread"] { #expect(shown.text.lowercased().contains(word)) }
            #expect(shown.undo == nil)

            // Bought: off the list, and an expense.
            let bought = try await household.say(Day.messages[2])
            #expect(bought.text.contains("3.20"))
            let milk = try await household.rows("grocery_items").first { $0["name_key"] == "milk" }
            #expect(milk?["status"] == "purchased")
            #expect(amount(milk, "price_paid") == 3.2)
            let expenses = try await household.rows("expenses")
            #expect(expenses.count == 1)
            #expect(amount(expenses.first, "amount") == 3.2)
            #expect(expenses.first?["currency"] == "EUR")
            #expect(expenses.first?["expense_date"] == "2026-11-21")

            // How much.
            #expect(try await household.say(Day.messages[3]).text.contains("3.20"))

            // Undone, in both plugins.
            #expect(try await household.say(Day.messages[4]).text.hasPrefix("Undone"))
            #expect(try await household.rows("expenses").isEmpty)
            list = try await items(household)
            #expect(list.count == 3)
            #expect(list["milk"]?["price_paid"]?.isNull ?? true)

            // A recipe.
            try await household.say(Day.messages[5])
            let recipes = try await household.rows("recipes")
            #expect(recipes.count == 1)
            #expect(try await household.rows("recipe_ingredients").count == 3)

            // For six: what is missing, scaled, comes onto the list, nothing twice.
            try await household.say(Day.messages[6])
            list = try await items(household)
            #expect(list.count == 4)
            #expect(amount(list["flour"], "quantity") == 375)
            #expect(list["flour"]?["unit"] == "g")
            #expect(try await household.rows("recipes").count == 1)

            // A task with its day.
            try await household.say(Day.messages[7])
            var tasks = try await household.rows("tasks")
            #expect(tasks.count == 1)
            #expect(tasks.first?["title"]?.stringValue?.lowercased().contains("passport") == true)
            #expect(tasks.first.map { "\($0.text)" }?.contains("2027-03-31") == true)

            // Broken down: it asks, and invents nothing.
            #expect(try await household.say(Day.messages[8]).text.contains("?"))
            tasks = try await household.rows("tasks")
            #expect(tasks.count == 1)

            // Expenses off: taken as a request, not as the answer to the question.
            #expect(try await household.say(Day.messages[9]).calls.map(\.tool) == ["integrations.off"])
            #expect(try await household.rows("tasks").count == 1)
            let refused = try await household.say(Day.messages[10])
            #expect(refused.text.lowercased().contains("expenses"))
            #expect(refused.text.lowercased().contains("off"))
            #expect(refused.undo == nil)
            #expect(try await household.rows("expenses").isEmpty)
            #expect(try await household.rows("tasks").count == 1)

            // Switching off was the last change.
            #expect(try await household.say("undo").text.hasPrefix("Undone"))
            #expect(try await household.say("I spent 12 euros on lunch").calls.map(\.tool) == ["expenses.record"])
            #expect(try await household.rows("expenses").compactMap { amount($0, "amount") } == [12])
            #expect(try await household.rows("expenses", of: household.bob).isEmpty)
            #expect(try await household.rows("grocery_items", of: household.bob).isEmpty)
        }
    }

    @Test func switchingOffAndOnKeepsWhatWasSaved() async throws {
        try await Household.run { (household) async throws in
            try await household.say("I spent 12 euros on lunch")
            try await household.say("turn expenses off")
            let answer = try await household.say("how much did I spend this month?")
            #expect(answer.calls.allSatisfy { $0.outcome == "off" })
            // The other person's stays on.
            #expect(
                try await household.say("I spent 5 euros on tea", as: household.bob).calls.map(\.outcome) == ["value"])
            try await household.say("turn expenses on")
            #expect(try await household.say("how much did I spend this month?").text.contains("12"))
        }
    }

    /// What a caller adds up over a hundred entries is exact.
    @Test func totalsAreExact() async throws {
        try await Household.run { (household) async throws in
            var cents = 0
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 1...30 {
                    let amount = index * 37 + 1
                    cents += amount
                    let text = "I spent \(amount / 100).\(amount % 100 / 10)\(amount % 10) euros on coffee"
                    group.addTask { try await household.say(text) }
                }
                try await group.waitForAll()
            }
            let total = "\(cents / 100).\(cents % 100 / 10)\(cents % 10)"
            #expect(try await household.say("how much did I spend this month?").text.contains(total))
            #expect(try await household.rows("expenses").count == 30)
        }
    }
}
