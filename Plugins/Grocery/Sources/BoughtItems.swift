import PluginCommon
public import TandemSDK

public struct BoughtItems: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.bought", "Check off what was bought", effect: .write,
        """
        Checks things off the shopping list. With a price, the amount is also recorded as an expense when the person has \
        expenses switched on. Use all for the whole list.
        """,
        utterances: [
            "I bought [the] {items}",
            "(bought|got) [the] {items}",
            "I bought [the] {items} for {price}",
            "(bought|got) [the] {items} for {price}",
            "I (got|picked up|grabbed) [the] {items} [at {store}]",
            "I bought [the] {items} at {store} for {price}",
            "(bought|got) [the] {items} (at|from) {store}",
            "[the] {items} (is|are) done",
            "got {items} [already]",
            "(check|tick|cross) off [the] {items} [from (my|the) [grocery|shopping] list]",
            "(check|tick|cross) [the] {items} off [my|the] [grocery|shopping] [list]",
            "[the] {items} (is|are) (bought|in the cart|in the basket)",
            Utterance("bought everything", arguments: ["all": true]),
            Utterance("I bought everything [on (my|the) list]", arguments: ["all": true]),
            Utterance("(bought|got) it all", arguments: ["all": true]),
            Utterance("(bought|got) everything [on (my|the) list] for {price}", arguments: ["all": true]),
            Utterance("check off (everything|the whole [grocery|shopping] list)", arguments: ["all": true]),
        ], actsOn: GroceryItem.entity)

    @Argument("What was bought: names, or #id where known") var items: References<GroceryItem>?
    @Argument("What it cost together") var price: Money?
    @Argument("Where it was bought", schema: ["maxLength": 200]) var store: String?
    @Argument("Everything that is on the list", planned: false) var all = false

    public init() {}

    public struct Bought: Object {
        public var items: [ItemSummary]
        /// Open things after the change.
        public var open: Int
        public var missing: [String]
        /// The expense that was recorded for the price, if one was.
        public var expenseID: String?
        public var expense: Money?
    }

    public func run(_ context: Context) async throws -> Reply<Bought> {
        if let price { try Price.check(price) }
        let open = try await context.openItems()
        var found = ReferenceFinder<GroceryItem>.Found()
        if let items {
            found = try ReferenceFinder(
                open, name: \.itemName, label: { $0.label }, isKnown: FoodLexicon.isKnown
            ).find(items, context)
        }
        if all { found.rows = open }
        let (late, missing) = try await recentlyBought(found.missing, context)
        if found.rows.isEmpty, late.isEmpty {
            if all || found.isEverything, missing.isEmpty {
                throw ToolError.notFound("The list is empty already. Nothing to check off.", code: "empty_list")
            }
            guard items != nil else {
                throw ToolError.invalid("What did you buy? Names or numbers from the list work.", code: "no_name")
            }
            throw ToolError.notFound(Phrase.notFound(missing, on: open))
        }
        return try await checkOff(found.rows, late, missing, open, context)
    }

    /// What was checked off in the last week already: named again, perhaps with its price.
    private func recentlyBought(
        _ missing: [Reference<GroceryItem>], _ context: Context
    ) async throws -> (late: [GroceryItem], missing: [Reference<GroceryItem>]) {
        guard !missing.isEmpty else { return ([], []) }
        let purchases = try await context.purchases(since: context.clock.today.adding(days: -7), limit: 200)
        var late: [GroceryItem] = []
        var unknown: [Reference<GroceryItem>] = []
        for reference in missing {
            let match: GroceryItem? =
                switch reference {
                case .id(let id): purchases.first { $0.id == id }
                case .words(let words): purchases.first { $0.nameKey == Words.key(words) }
                }
            if let match, !late.contains(where: { $0.id == match.id }) {
                late.append(match)
            } else if match == nil {
                unknown.append(reference)
            }
        }
        return (late, unknown)
    }

    private func checkOff(
        _ rows: [GroceryItem], _ late: [GroceryItem], _ missing: [Reference<GroceryItem>], _ open: [GroceryItem],
        _ context: Context
    ) async throws -> Reply<Bought> {
        let today = context.clock.today
        let place = store?.singleLine(limit: GroceryLimits.storeLength).nonEmpty
        var bought = rows
        // A price that was recorded once stays so: saying it twice must not record it twice.
        let unpriced = late.filter { $0.expenseID == nil }
        let isPriceNew = price != nil && (!rows.isEmpty || !unpriced.isEmpty)
        for index in bought.indices {
            bought[index].status = .purchased
            bought[index].purchasedDate = today
        }
        if isPriceNew { bought += unpriced }
        if let price, isPriceNew, bought.count == 1 {
            bought[0].pricePaid = price.amount
            bought[0].currency = price.currency.code
        }
        if let place { for index in bought.indices { bought[index].storePreference = place } }
        let changed = bought
        try await context.batch { batch in
            for row in changed { batch.update(row) }
        }
        let ids = Set(rows.map(\.id))
        let left = open.filter { !ids.contains($0.id) }

        var expense: Expense?
        if let price, isPriceNew {
            expense = await record(price, for: bought, place, context)
            if let id = expense?.id {
                for index in bought.indices { bought[index].expenseID = id }
                try await context.rows(GroceryItem.self).update(
                    where: .any(of: bought.map(\.id), \.id), set: .set(\.expenseID, id))
            }
        }
        let touched = bought + late.filter { row in !bought.contains { $0.id == row.id } }
        return Reply(
            message(rows, late, missing, left, expense, open),
            value: Bought(
                items: touched.map(ItemSummary.init), open: left.count,
                missing: missing.map { reference in
                    switch reference {
                    case .id(let id): "#\(id)"
                    case .words(let words): words.singleLine(limit: 80)
                    }
                },
                expenseID: expense?.id, expense: expense?.isRecorded == true ? price : nil),
            shown: .items(touched, numbered: false))
    }

    private struct Expense {
        var isRecorded: Bool
        var id: String?
        /// What to say about it.
        var sentence: String
        /// A remark about the budget, as a line of its own.
        var alert: String?
    }

    /// Records the price as an expense. The things stay checked off whatever comes of it.
    private func record(_ price: Money, for items: [GroceryItem], _ place: String?, _ context: Context) async -> Expense
    {
        guard context.tools.isAvailable("expenses.record") else {
            return Expense(isRecorded: false, sentence: "The price was not recorded: expenses is off.")
        }
        var arguments: JSONObject = [
            "amount": price.json,
            "description": .string(MessageText.enumeration(items.map { $0.itemName.cut(to: 40) }, limit: 4)),
            "category": "groceries", "date": context.clock.today.json,
        ]
        if let place { arguments["place"] = .string(place) }
        do {
            let result = try await context.tools.call("expenses.record", .object(arguments))
            return Expense(
                isRecorded: true, id: result.value["id"]?.stringValue, sentence: "\(price) noted.",
                alert: result.value["alert"]?.stringValue)
        } catch let error as ToolError where error.code == "not_granted" {
            return Expense(isRecorded: false, sentence: "The price was not recorded: expenses is off.")
        } catch {
            return Expense(isRecorded: false, sentence: "The price was not recorded this time.")
        }
    }

    private func message(
        _ rows: [GroceryItem], _ late: [GroceryItem], _ missing: [Reference<GroceryItem>], _ left: [GroceryItem],
        _ expense: Expense?, _ open: [GroceryItem]
    ) -> String {
        let text = MessageText.fitting { limit in
            var sentences: [String] = []
            if !rows.isEmpty {
                sentences.append("Checked off \(MessageText.list(rows.map { $0.itemName.cut(to: 40) }, limit: limit)).")
            } else if expense == nil {
                let names = late.map { $0.itemName.cut(to: 40) }
                sentences.append("Already checked off: \(MessageText.list(names, limit: limit)).")
            }
            if let expense { sentences.append(expense.sentence) }
            if !rows.isEmpty || expense == nil { sentences.append(Phrase.left(left)) }
            return sentences.joined(separator: " ")
        }
        var lines = [text]
        if let alert = expense?.alert { lines.append(alert) }
        if !missing.isEmpty { lines.append(Phrase.notFound(missing, on: left)) }
        return lines.joined(separator: "\n")
    }
}
