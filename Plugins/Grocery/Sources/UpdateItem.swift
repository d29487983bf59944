import PluginCommon
public import TandemSDK

public struct UpdateItem: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.update", "Change something on the list", effect: .write,
        """
        Changes amount, name, store, priority, part of the shop, expected cost, date or note of one thing on the \
        shopping list. The amount is text such as 3 l, and replaces the old one.
        """,
        utterances: [
            "change [the] {item} on (my|the) list to {amount}",
            "make [the] {item} {amount}",
            "make (it|that) {amount}",
            "I need {amount} [of] {item} instead",
            "(mark|make) [the] {item} [as] {priority}",
            "[the] {item} (is|are) {priority}",
            "get [the] {item} from {store} instead",
            "rename [the] {item} on (my|the) [grocery|shopping] list to {name}",
            "(rename|change) [the] {item} to {name}",
            "change [the] {item} to {amount}",
            "(add a|make a) note (to|for) [the] {item}: {notes}",
            "I need [the] {item} (by|until) {target_date}",
            "move [the] {item} to {category}",
        ], actsOn: GroceryItem.entity)

    @Argument("What to change: a name, or #id where known") var item: Reference<GroceryItem>
    @Argument("The new amount: 3, 500 g, two packs", schema: ["maxLength": 60]) var amount: String?
    @Argument("A new name", schema: ["maxLength": 200]) var name: String?
    @Argument("The store to get it from", schema: ["maxLength": 200]) var store: String?
    @Argument("How urgent it is") var priority: GroceryItem.Priority?
    @Argument("The part of the shop") var category: Aisle?
    @Argument("What it probably costs", planned: false) var estimatedCost: Money?
    @Argument("When it is needed") var targetDate: Day?
    @Argument("A remark kept with it", schema: ["maxLength": 2000]) var notes: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ListChange> {
        if let estimatedCost { try Price.check(estimatedCost) }
        let open = try await context.openItems()
        let found = try ReferenceFinder(
            open, name: \.itemName, label: { $0.label }, isKnown: FoodLexicon.isKnown
        ).find(References([item]), context)
        guard let row = found.rows.first, found.rows.count == 1 else {
            guard found.rows.count > 1 else { throw ToolError.notFound(Phrase.notFound(found.missing, on: open)) }
            throw ToolError.invalid("One at a time, please. Which one is it?", code: "several")
        }
        let changed = try apply(to: row)
        guard changed != row else {
            throw ToolError.invalid(
                "What should change about \(row.itemName.cut(to: 40))? Like: 3 l, or urgent.", code: "nothing_to_change"
            )
        }
        let twin = open.first { $0.id != row.id && $0.nameKey == changed.nameKey && changed.nameKey != row.nameKey }
        if let twin {
            throw ToolError.conflict(
                "\(twin.itemName.cut(to: 40).capitalizedFirst) is on the list already.", code: "present")
        }
        guard try await context.rows(GroceryItem.self).update(changed) else {
            throw ToolError.notFound("That is no longer on the list.")
        }
        return Reply(
            message(changed, context.clock.today),
            value: ListChange(items: [ItemSummary(changed)], open: open.count),
            shown: .items([changed], numbered: false))
    }

    private func apply(to row: GroceryItem) throws(ToolError) -> GroceryItem {
        var item = row
        if let amount { item.amount = try AmountText.read(amount, of: row.itemName) }
        if let name = name?.singleLine(limit: GroceryLimits.nameLength).nonEmpty {
            item.itemName = name
            item.nameKey = Words.key(name)
            if category == nil, row.category == FoodLexicon.aisle(of: row.itemName) {
                item.category = FoodLexicon.aisle(of: name)
            }
        }
        if let store = store?.singleLine(limit: GroceryLimits.storeLength).nonEmpty { item.storePreference = store }
        if let priority { item.priority = priority }
        if let category { item.category = category }
        if let targetDate { item.targetDate = targetDate }
        if let notes = notes?.singleLine(limit: GroceryLimits.noteLength).nonEmpty { item.notes = notes }
        if let estimatedCost {
            item.estimatedCost = estimatedCost.amount
            item.currency = estimatedCost.currency.code
        }
        return item
    }

    private func message(_ item: GroceryItem, _ today: Day) -> String {
        var facts: [String] = []
        if let store, !store.isEmpty { facts.append("from \(item.storePreference?.cut(to: 30) ?? "")") }
        if priority != nil {
            facts.append(
                item.priority == .high ? "urgent" : item.priority == .low ? "not urgent" : "normal priority")
        }
        if category != nil { facts.append("in \(item.category.label)") }
        if let estimate = item.estimate, estimatedCost != nil { facts.append("about \(estimate)") }
        if let date = item.targetDate, targetDate != nil { facts.append("by \(date.short(today: today))") }
        if notes != nil { facts.append("with your note") }
        let tail = facts.isEmpty ? "" : ", " + facts.joined(separator: ", ")
        return "Now \(item.label)\(tail)."
    }
}

/// Reads amounts that people write: `3`, `500 g`, `2 packs`, `half a litre`, `1/2 cup`, `a dozen`.
enum AmountText {
    static func read(_ text: String, of name: String) throws(ToolError) -> Amount {
        let refusal = ToolError.invalid(
            "How much \(name.cut(to: 40))? An amount like 3 or 500 g works.", code: "invalid_quantity")
        var words = text.singleLine(limit: 60).lowercased().split(separator: " ").map(String.init)[...]
        // `500g`: the number and the unit without a space.
        if let first = words.first, let split = first.firstIndex(where: { $0.isLetter }), split != first.startIndex {
            words = [String(first[..<split]), String(first[split...])] + words.dropFirst()
        }
        var quantity: Decimal?
        var hasArticle = false
        while let word = words.first {
            if word == "a" || word == "an" {
                hasArticle = true
            } else if let value = number(word) {
                // `1 1/2` adds up; a later whole number corrects an earlier one.
                quantity = value < 1 ? (quantity ?? 0) + value : value
            } else {
                break
            }
            words = words.dropFirst()
        }
        if quantity == nil, hasArticle { quantity = 1 }
        let rest = words.filter { $0 != "of" && $0 != "a" && $0 != "an" && Words.key($0) != Words.key(name) }
        let unit = Unit(rest.joined(separator: " "))
        if quantity == nil, rest.isEmpty || !Unit.isKnown(rest.joined(separator: " ")) { throw refusal }
        return try Basket.amount(
            of: Quantity(name, quantity ?? 1, unit: unit.name.isEmpty ? nil : unit.name), name: name)
    }

    private static let words: [String: Decimal] = [
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
        "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20, "half": 0.5, "quarter": 0.25, "couple": 2,
        "\u{BD}": 0.5, "\u{BC}": 0.25, "\u{BE}": 0.75,
    ]

    private static func number(_ word: String) -> Decimal? {
        if let value = words[word] { return value }
        let parts = word.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let over = Decimal(parts[0]), let under = Decimal(parts[1]), !under.isZero {
            let value = over.divided(by: under, places: 4)
            return value.isNumber ? value : nil
        }
        return Decimal(word.replacing(",", with: "."))
    }
}
