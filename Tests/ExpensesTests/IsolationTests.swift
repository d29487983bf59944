import Expenses
import Grocery
import TandemSDK
import TandemTesting
import Testing

/// Two people use every tool of both plugins side by side; neither sees or changes anything of the other.
@Suite(.timeLimit(.minutes(8)))
struct IsolationTests {
    static let tools: [(tool: String, arguments: JSON)] = [
        ("grocery.list", [:]), ("grocery.bought", ["items": "milk", "price": ["amount": "1"]]),
        ("grocery.put_back", ["items": "milk"]), ("grocery.remove", ["items": "milk"]),
        ("grocery.update", ["item": "milk", "amount": "3 l"]), ("grocery.clear", ["what": "all"]),
        ("grocery.history", [:]), ("grocery.estimate", [:]), ("grocery.usual", [:]),
        ("grocery.add", ["items": [["name": "milk"]]]),
        ("expenses.list", [:]), ("expenses.total", [:]), ("expenses.breakdown", [:]), ("expenses.trend", [:]),
        ("expenses.budgets", [:]), ("expenses.remove_budget", [:]), ("expenses.recurring", [:]),
        ("expenses.change_recurring", ["recurring": "rent", "amount": ["amount": "1"]]),
        ("expenses.end_recurring", ["recurring": "rent"]),
        ("expenses.update", ["expense": "lunch", "amount": ["amount": "1"]]),
        ("expenses.delete", ["expenses": "lunch"]), ("expenses.categories", [:]),
        ("expenses.rename_category", ["category": "hobby", "name": "fun times"]),
        ("expenses.deactivate_category", ["category": "hobby"]), ("expenses.export", [:]),
        ("expenses.record", ["amount": ["amount": "1"], "description": "lunch"]),
        ("expenses.set_budget", ["limit": ["amount": "1"]]),
        ("expenses.add_recurring", ["description": "rent", "amount": ["amount": "1"]]),
        ("expenses.add_category", ["name": "hobby"]),
    ]

    @Test func everyToolIsCovered() {
        let covered = Set(Self.tools.map(\.tool))
        let declared = (Grocery.definition.tools + Expenses.definition.tools).map { $0.declaration.id }
        #expect(covered == Set(declared))
    }

    @Test(arguments: tools.indices)
    func neitherSeesTheOther(index: Int) async throws {
        let host = try TestHost(Grocery.self, Expenses.self)
        let ann = host.person("ann")
        let ben = host.person("ben")
        try await ann.value("grocery.add", ["items": [["name": "milk", "quantity": "7"]], "notes": "secret-note"])
        try await ann.value(
            "expenses.record", ["amount": ["amount": "4321"], "description": "lunch", "place": "secret-place"])
        try await ann.value("expenses.add_category", ["name": "hobby"])
        try await ann.value("expenses.set_budget", ["limit": ["amount": "9876"]])
        try await ann.value("expenses.add_recurring", ["description": "rent", "amount": ["amount": "4321"]])
        let before = Snapshot(ann)

        let (tool, arguments) = Self.tools[index]
        let outcome = await ben.call(tool, arguments)
        #expect(Snapshot(ann) == before)
        let said = outcome.message + (outcome.value?.text ?? "")
        for secret in ["4321", "9876", "secret", "x7"] { #expect(!said.contains(secret)) }

        // Ids of the other person lead nowhere, and undo takes back only one's own.
        for id in [before.items.first?.id, before.expenses.first?.id, before.recurring.first?.id] {
            let reference = JSON.string("#\(try #require(id))")
            _ = await ben.call("grocery.bought", ["items": reference])
            _ = await ben.call("grocery.remove", ["items": reference])
            _ = await ben.call("expenses.update", ["expense": reference, "amount": ["amount": "1"]])
            _ = await ben.call("expenses.delete", ["expenses": reference])
            _ = await ben.call("expenses.end_recurring", ["recurring": reference])
        }
        while ben.undo() {}
        #expect(Snapshot(ann) == before)
        #expect(ben.rows(of: GroceryItem.self).isEmpty)
        #expect(ben.rows(of: Expense.self).isEmpty)

        // And the tool works for the one whose things they are.
        let own = await ann.call(tool, arguments)
        let isAnswered = own.value != nil || own.error.map { $0.code != "failed" } ?? (own.question != nil)
        #expect(isAnswered, "\(tool): \(own.message)")
    }

    private struct Snapshot: Equatable {
        var items: [GroceryItem]
        var expenses: [Expense]
        var categories: [ExpenseCategory]
        var recurring: [RecurringExpense]

        init(_ person: TestPerson) {
            items = person.rows(of: GroceryItem.self)
            expenses = person.rows(of: Expense.self)
            categories = person.rows(of: ExpenseCategory.self)
            recurring = person.rows(of: RecurringExpense.self)
        }
    }
}
