import Expenses
import Grocery
import PluginCommon
import TandemSDK
import TandemTesting
import Testing

@Suite(.timeLimit(.minutes(8)))
struct GroceryToolsTests {
    let host: TestHost
    let ann: TestPerson

    init() throws {
        host = try TestHost(Grocery.self, Expenses.self)
        ann = host.person("ann")
    }

    private func add(_ names: String...) async throws {
        try await ann.value("grocery.add", ["items": .array(names.map { ["name": .string($0)] })])
    }

    private var open: [String] { ann.openNames }

    // MARK: Adding

    @Test func addsSeveralThingsWithTheirAmountsAndAisles() async throws {
        let outcome = await ann.call(
            "grocery.add",
            ["items": [["name": "milk", "quantity": "2", "unit": "l"], ["name": "eggs"], ["name": "bread"]]])
        #expect(outcome.message == "Added milk 2 l, eggs, bread. 3 on the list.")
        let rows = ann.rows(of: GroceryItem.self)
        #expect(rows.map(\.category.rawValue) == ["dairy", "dairy", "bakery"])
        #expect(rows[0].quantity == 2)
        #expect(rows[0].unit == "l")
        #expect(outcome.shown?.isNumbered == false)
        #expect(outcome.shown?.items.count == 3)
    }

    @Test func theSameThingAddsUpInOneRow() async throws {
        try await ann.value("grocery.add", ["items": [["name": "milk", "quantity": "2", "unit": "l"]]])
        let outcome = await ann.call("grocery.add", ["items": [["name": "Milk", "quantity": "500", "unit": "ml"]]])
        #expect(outcome.message == "Now milk 2.5 l. 1 on the list.")
        try await ann.value("grocery.add", ["items": [["name": "milk", "quantity": "1", "unit": "bottle"]]])
        #expect(ann.rows(of: GroceryItem.self).map(\.quantity) == [2.5, 1])
        #expect(await ann.say("grocery.add", ["items": [["name": "the milk"]]]).hasPrefix("Already there: milk 2.5 l."))
    }

    @Test func theSameThingTwiceInOneMessageIsOneRow() async throws {
        let message = await ann.say(
            "grocery.add",
            ["items": [["name": "tomato", "quantity": "2"], ["name": "tomatoes", "quantity": "3"]]])
        #expect(message == "Added tomato x5. 1 on the list.")
    }

    @Test func aSourceThatAsksAgainChangesNothing() async throws {
        try await ann.value("grocery.add", ["items": [["name": "flour", "quantity": "1", "unit": "kg"]]])
        let recipe: JSON = ["items": [["name": "flour", "quantity": "250", "unit": "g"]], "source": "recipe:7"]
        try await ann.value("grocery.add", recipe)
        try await ann.value("grocery.add", recipe)
        #expect(ann.rows(of: GroceryItem.self).map(\.amountText) == ["1.25 kg"])
        try await ann.value(
            "grocery.add", ["items": [["name": "flour", "quantity": "375", "unit": "g"]], "source": "recipe:7"])
        #expect(ann.rows(of: GroceryItem.self).map(\.amountText) == ["1375 g"])
        try await ann.value(
            "grocery.add", ["items": [["name": "flour", "quantity": "100", "unit": "g"]], "source": "recipe:8"])
        #expect(ann.rows(of: GroceryItem.self).map(\.amountText) == ["1475 g"])
    }

    @Test(arguments: ["0", "-1", "0.00001", "1000001", "999999999999999999"])
    func refusesAmountsThatNoListHolds(quantity: String) async throws {
        let outcome = await ann.call("grocery.add", ["items": [["name": "eggs", "quantity": .string(quantity)]]])
        #expect(outcome.error != nil)
        #expect(ann.rows(of: GroceryItem.self).isEmpty)
    }

    @Test func oneBadThingWritesNothing() async throws {
        let outcome = await ann.call(
            "grocery.add", ["items": [["name": "milk"], ["name": "\u{0}\n"]]])
        #expect(outcome.error?.code == "no_name")
        #expect(ann.rows(of: GroceryItem.self).isEmpty)
    }

    @Test func keepsWhatWasSaidAboutAThing() async throws {
        try await ann.value(
            "grocery.add",
            [
                "items": [["name": "widgets"]], "category": "household", "priority": "high", "store": "Corner shop",
                "target_date": "2026-11-25", "estimated_cost": ["amount": "4.50"], "notes": "the blue ones",
            ])
        let row = try #require(ann.rows(of: GroceryItem.self).first)
        #expect(row.category.rawValue == "household")
        #expect(row.priority == .high)
        #expect(row.storePreference == "Corner shop")
        #expect(row.targetDate == Day("2026-11-25"))
        #expect(row.estimatedCost == 4.5)
        #expect(row.currency == "EUR")
        #expect(row.notes == "the blue ones")
        #expect(row.addedDate == Day("2026-11-21"))
    }

    @Test func aFullListSaysSoAndKeepsWhatItHas() async throws {
        for batch in 0..<3 {
            try await ann.value(
                "grocery.add",
                ["items": .array((0..<100).map { ["name": .string("thing \(batch) \($0)")] })])
        }
        #expect(await ann.call("grocery.add", ["items": [["name": "one more"]]]).error?.code == "list_full")
        #expect(ann.rows(of: GroceryItem.self).count == 300)
        #expect(await ann.call("grocery.add", ["items": .array((0..<101).map { _ in ["name": "x"] })]).error != nil)
    }

    // MARK: Listing

    @Test func theListIsNumberedByAisle() async throws {
        #expect(await ann.say("grocery.list") == "The list is empty. Nothing to buy.")
        try await ann.value(
            "grocery.add",
            [
                "items": [
                    ["name": "milk", "quantity": "2", "unit": "l"], ["name": "eggs", "quantity": "6"],
                    ["name": "bread"],
                ]
            ])
        let outcome = await ann.call("grocery.list")
        #expect(outcome.message == "3 to buy: 1 bread, 2 eggs x6, 3 milk 2 l.")
        #expect(outcome.shown?.select == "grocery.bought")
        #expect(outcome.shown?.items.map(\.label) == ["bread", "eggs x6", "milk 2 l"])
        try await add("apples", "shampoo", "cat food")
        let long = await ann.call("grocery.list")
        #expect(
            long.message
                == "6 to buy: Produce: 1 apples, Bakery: 2 bread, Dairy: 3 eggs x6, 4 milk 2 l, Personal care: 5 shampoo, Pets: 6 cat food."
        )
        #expect(long.shown?.items.count == 6)
    }

    @Test func aLongListStartsWithALineThatStandsAlone() async throws {
        try await ann.value(
            "grocery.add", ["items": .array((0..<40).map { ["name": .string("long thing number \($0)")] })])
        let lines = await ann.say("grocery.list").split(separator: "\n")
        #expect(lines.count > 3)
        #expect(lines.allSatisfy { $0.count <= 151 })
    }

    @Test func filtersByAislePriorityAndStore() async throws {
        try await ann.value("grocery.add", ["items": [["name": "milk"]], "store": "Lidl"])
        try await ann.value("grocery.add", ["items": [["name": "apples"]], "priority": "high"])
        #expect(await ann.say("grocery.list", ["category": "dairy"]) == "1 to buy: 1 milk.")
        #expect(await ann.say("grocery.list", ["priority": "high"]) == "1 to buy: 1 apples (urgent).")
        #expect(await ann.say("grocery.list", ["store": "lidl"]) == "1 to buy: 1 milk.")
        #expect(await ann.say("grocery.list", ["store": "Aldi"]).hasPrefix("Nothing like that on the list."))
    }

    // MARK: Checking off

    @Test func checkingOffWithAPriceRecordsTheExpense() async throws {
        try await add("milk", "eggs", "bread")
        let outcome = await ann.call("grocery.bought", ["items": "the milk", "price": ["amount": "3.20"]])
        #expect(outcome.message == "Checked off milk. 3.20 EUR noted. 2 left: bread and eggs.")
        let expense = try #require(ann.rows(of: Expense.self).first)
        #expect(expense.amount == 3.2)
        #expect(expense.currency == "EUR")
        #expect(expense.category == "groceries")
        #expect(expense.description == "milk")
        let row = try #require(ann.rows(of: GroceryItem.self).first { $0.itemName == "milk" })
        #expect(row.status == .purchased)
        #expect(row.purchasedDate == Day("2026-11-21"))
        #expect(row.pricePaid == 3.2)
        #expect(outcome.value?["expense_id"]?.stringValue == expense.id.description)
        #expect(ann.undo())
        #expect(ann.rows(of: Expense.self).isEmpty)
        #expect(open == ["milk", "eggs", "bread"])
    }

    @Test func withExpensesOffItIsCheckedOffAllTheSame() async throws {
        try await add("milk")
        ann.setEnabled("expenses", false)
        let message = await ann.say("grocery.bought", ["items": "milk", "price": ["amount": "3.20"]])
        #expect(message == "Checked off milk. The price was not recorded: expenses is off. All done.")
        #expect(open.isEmpty)
        #expect(ann.rows(of: Expense.self).isEmpty)
    }

    @Test func aHostWithoutExpensesIsLikeExpensesOff() async throws {
        let alone = try TestHost(Grocery.self).person()
        try await alone.value("grocery.add", ["items": [["name": "milk"]]])
        #expect(
            await alone.say("grocery.bought", ["items": "milk", "price": ["amount": "1"]])
                == "Checked off milk. The price was not recorded: expenses is off. All done.")
    }

    @Test func aFailingExpenseDoesNotUndoTheCheckOff() async throws {
        let other = try TestHost(Grocery.self)
        other.stub("expenses.record") { _ in .failure(ToolError(code: "broken", "Broken.")) }
        let ben = other.person("ben")
        try await ben.value("grocery.add", ["items": [["name": "milk"]]])
        let message = await ben.say("grocery.bought", ["items": "milk", "price": ["amount": "1"]])
        #expect(message == "Checked off milk. The price was not recorded this time. All done.")
        #expect(ben.openNames.isEmpty)
    }

    @Test(arguments: ["eggs and bread", "eggs, bread", "bread & eggs", "the Eggs and some bread"])
    func severalNamesAtOnce(text: String) async throws {
        try await add("milk", "eggs", "bread")
        try await ann.value("grocery.bought", ["items": .string(text)])
        #expect(open == ["milk"])
    }

    @Test func numbersArriveAsReferences() async throws {
        try await add("milk", "eggs", "bread")
        let shown = try #require(await ann.call("grocery.list").shown)
        let picked: [JSON] = shown.items[1...].map { .string("#\($0.id)") }
        #expect(await ann.say("grocery.bought", ["items": .array(picked)]) == "Checked off eggs, milk. 1 left: bread.")
    }

    @Test func everythingMeansEverything() async throws {
        try await add("milk", "eggs", "bread")
        #expect(await ann.say("grocery.bought", ["items": "everything except the eggs"]).hasSuffix("1 left: eggs."))
        try await ann.value("grocery.bought", ["all": true, "price": ["amount": "20"]])
        #expect(open.isEmpty)
        #expect(await ann.call("grocery.bought", ["all": true]).error?.code == "empty_list")
        #expect(ann.rows(of: Expense.self).map(\.amount) == [20])
    }

    @Test func anAmbiguousNameIsAskedAboutAndAnsweredByNumber() async throws {
        try await add("oat milk", "whole milk", "bread")
        let asked = await ann.call("grocery.bought", ["items": "milk", "price": ["amount": "2.10"]])
        let question = try #require(asked.question)
        #expect(question.message == "Which milk? 1 oat milk, 2 whole milk")
        #expect(open.count == 3)
        let outcome = await ann.answer(
            question, question.options[1].value, to: "grocery.bought",
            ["items": "milk", "price": ["amount": "2.10"]])
        #expect(outcome.message.hasPrefix("Checked off whole milk. 2.10 EUR noted."))
        #expect(open == ["oat milk", "bread"])
    }

    @Test func twoAmbiguousNamesAreAskedAboutOneAfterTheOther() async throws {
        try await add("oat milk", "whole milk", "red onions", "white onions")
        let arguments: JSON = ["items": "milk and onions"]
        let first = try #require(await ann.call("grocery.bought", arguments).question)
        let second = try #require(
            await ann.answer(first, first.options[0].value, to: "grocery.bought", arguments).question)
        #expect(second.message.hasPrefix("Which onions?"))
        _ = await ann.answer(second, "the red ones", to: "grocery.bought", arguments)
        _ = await ann.answer(second, second.options[1].value, to: "grocery.bought", arguments)
        #expect(open.contains("whole milk"))
        #expect(!open.contains("oat milk"))
        #expect(!open.contains("white onions"))
    }

    @Test func anExactNameWins() async throws {
        try await add("oat milk", "milk")
        try await ann.value("grocery.bought", ["items": "the milk"])
        #expect(open == ["oat milk"])
    }

    @Test func whatIsNotThereNamesWhatIs() async throws {
        try await add("milk", "eggs")
        let outcome = await ann.call("grocery.bought", ["items": "caviar"])
        #expect(outcome.error?.code == "not_found")
        #expect(outcome.message == "Caviar is not on the list. On it: eggs and milk.")
        #expect(await ann.say("grocery.bought", ["items": "milk and caviar"]).contains("Caviar is not on the list."))
        #expect(open == ["eggs"])
    }

    @Test func sayingItTwiceRecordsItOnce() async throws {
        try await add("milk", "eggs")
        let arguments: JSON = ["items": "milk", "price": ["amount": "3.20"]]
        try await ann.value("grocery.bought", arguments)
        #expect(await ann.say("grocery.bought", arguments) == "Already checked off: milk. 1 left: eggs.")
        #expect(ann.rows(of: Expense.self).count == 1)
    }

    @Test func aPriceMayFollowLater() async throws {
        try await add("milk", "eggs")
        try await ann.value("grocery.bought", ["items": "milk"])
        #expect(await ann.say("grocery.bought", ["items": "milk", "price": ["amount": "3.20"]]) == "3.20 EUR noted.")
        #expect(ann.rows(of: Expense.self).map(\.amount) == [3.2])
        #expect(ann.rows(of: GroceryItem.self).first?.pricePaid == 3.2)
    }

    @Test(arguments: [
        ("0", "EUR", "invalid_price"), ("-3", "EUR", "invalid_price"), ("3.205", "EUR", "too_precise"),
        ("1.5", "JPY", "too_precise"), ("1", "XXX", "unknown_currency"), ("99999999999", "EUR", "invalid_price"),
    ])
    func refusesPricesThatAreNone(amount: String, currency: String, code: String) async throws {
        try await add("milk")
        let price: JSON = ["amount": .string(amount), "currency": .string(currency)]
        #expect(await ann.call("grocery.bought", ["items": "milk", "price": price]).error?.code == code)
        #expect(open == ["milk"])
    }

    @Test func amountsInWordsDoNotHideTheName() async throws {
        try await add("milk", "wine")
        try await ann.value("grocery.bought", ["items": "2 l of milk and a bottle of wine"])
        #expect(open.isEmpty)
    }

    // MARK: The rest of the life of a line

    @Test func putBackAndRemoveAreEachOthersUndo() async throws {
        try await add("milk", "eggs")
        #expect(await ann.say("grocery.remove", ["items": "milk"]) == "Took milk off. 1 on the list.")
        #expect(open == ["eggs"])
        #expect(await ann.say("grocery.put_back", ["items": "milk"]) == "Back on the list: milk. 2 on the list.")
        try await ann.value("grocery.bought", ["items": "eggs", "price": ["amount": "2"]])
        #expect(
            await ann.say("grocery.put_back", ["items": "eggs"])
                == "Back on the list: eggs. 2 on the list.\nThe 2.00 EUR stay noted in expenses.")
        #expect(await ann.call("grocery.put_back", ["items": "eggs"]).error?.code == "present")
        #expect(await ann.call("grocery.put_back", ["items": "caviar"]).error?.code == "not_found")
    }

    @Test func anOldPurchaseIsPutBackAsACopy() async throws {
        try await add("milk")
        try await ann.value("grocery.bought", ["items": "milk"])
        host.now = try #require(Instant("2026-11-28T10:00:00Z"))
        try await ann.value("grocery.put_back", ["items": "milk"])
        #expect(ann.rows(of: GroceryItem.self).map(\.status) == [.purchased, .open])
    }

    @Test(arguments: [
        ("3 l", "Now milk 3 l."), ("500ml", "Now milk 500 ml."), ("two bottles", "Now milk 2 bottles."),
        ("half a litre", "Now milk 0.5 l."), ("1 1/2 cups", "Now milk 1.5 cups."), ("a dozen", "Now milk 1 dozen."),
        ("3", "Now milk x3."), ("2,5 l of milk", "Now milk 2.5 l."), ("half a dozen", "Now milk x6."),
    ])
    func updatesTheAmount(amount: String, message: String) async throws {
        try await add("milk")
        #expect(await ann.say("grocery.update", ["item": "milk", "amount": .string(amount)]) == message)
    }

    @Test(arguments: ["", "lots", "-3", "0 l", "1/0 l", "9999999999999999999"])
    func refusesUnclearAmounts(amount: String) async throws {
        try await add("milk")
        #expect(await ann.call("grocery.update", ["item": "milk", "amount": .string(amount)]).error != nil)
    }

    @Test func updatesEverythingElse() async throws {
        try await add("milk", "eggs")
        #expect(
            await ann.say("grocery.update", ["item": "milk", "priority": "high", "store": "Lidl"])
                == "Now milk, from Lidl, urgent.")
        try await ann.value("grocery.update", ["item": "milk", "name": "oat milk", "notes": "barista"])
        #expect(open == ["oat milk", "eggs"])
        #expect(await ann.call("grocery.update", ["item": "oat milk", "name": "Eggs"]).error?.code == "present")
        #expect(await ann.call("grocery.update", ["item": "eggs"]).error?.code == "nothing_to_change")
        #expect(await ann.call("grocery.update", ["item": "tea", "priority": "low"]).error?.code == "not_found")
    }

    @Test func clearsWhatWasAsked() async throws {
        try await add("milk", "eggs", "bread")
        try await ann.value("grocery.bought", ["items": "milk"])
        #expect(
            await ann.say("grocery.clear", ["what": "purchased"])
                == "Cleared 1 line of what was bought. 2 on the list.")
        #expect(await ann.say("grocery.clear") == "Cleared 2 lines. The list is empty.")
        #expect(await ann.say("grocery.clear", ["what": "all"]) == "Nothing to clear there.")
        #expect(ann.undo())
        #expect(open == ["eggs", "bread"])
    }

    @Test func remembersWhatWasBought() async throws {
        #expect(await ann.say("grocery.history") == "No purchases checked off in the last 30 days.")
        try await add("milk", "eggs")
        try await ann.value("grocery.bought", ["items": "milk", "price": ["amount": "3.20"]])
        host.now = try #require(Instant("2026-11-23T10:00:00Z"))
        try await ann.value("grocery.bought", ["items": "eggs"])
        #expect(await ann.say("grocery.history") == "Bought in 30 days: 1 eggs, 2 milk 3.20 EUR.")
        #expect(
            await ann.say("grocery.history", ["period": ["from": "2026-11-20", "to": "2026-11-21"]])
                == "Bought 20 Nov to 21 Nov: 1 milk 3.20 EUR.")
        #expect(await ann.say("grocery.history", ["item": "the milk"]) == "Last bought milk on 21 Nov for 3.20 EUR.")
        #expect(await ann.say("grocery.history", ["item": "tea"]) == "No tea checked off so far.")
    }

    @Test func estimatesFromCostsAndLastPrices() async throws {
        #expect(await ann.say("grocery.estimate") == "The list is empty, so it costs nothing.")
        try await ann.value("grocery.add", ["items": [["name": "milk", "quantity": "2", "unit": "l"]]])
        try await ann.value("grocery.bought", ["items": "milk", "price": ["amount": "3.25"]])
        try await ann.value("grocery.add", ["items": [["name": "milk", "quantity": "500", "unit": "ml"]]])
        try await ann.value("grocery.add", ["items": [["name": "cheese"]], "estimated_cost": ["amount": "4.10"]])
        try await add("bread")
        let outcome = await ann.call("grocery.estimate")
        // 3.25 for 2 l makes 0.8125 for half a litre, so 0.81.
        #expect(outcome.message.hasPrefix("About 4.91 EUR for 2 of 3. No price yet: bread."))
        #expect(outcome.value?["totals"] == [["amount": "4.91", "currency": "EUR"]])
    }

    @Test func suggestsWhatIsBoughtOften() async throws {
        #expect(await ann.say("grocery.usual").hasPrefix("I learn this"))
        for day in ["2026-10-01", "2026-10-08", "2026-10-15"] {
            host.now = try #require(Instant("\(day)T10:00:00Z"))
            try await add("milk", "eggs")
            if day == "2026-10-01" { try await add("caviar") }
            try await ann.value("grocery.bought", ["all": true])
        }
        host.now = try #require(Instant("2026-10-20T10:00:00Z"))
        try await add("eggs")
        let outcome = await ann.call("grocery.usual")
        #expect(outcome.message == "You often buy: 1 milk (3 times).")
        let shown = try #require(outcome.shown)
        #expect(shown.select == "grocery.put_back")
        try await ann.value("grocery.put_back", ["items": .string("#\(shown.items[0].id)")])
        #expect(open == ["eggs", "milk"])
    }
}

extension TestPerson {
    var openNames: [String] { rows(of: GroceryItem.self).filter { $0.status == .open }.map(\.itemName) }
}

extension GroceryItem {
    var amountText: String { quantity.map { "\($0)" + (unit.map { " \($0)" } ?? "") } ?? "" }
}
