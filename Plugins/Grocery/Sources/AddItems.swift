import PluginCommon
public import TandemSDK

public struct AddItems: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.add", "Add to the grocery list", effect: .write,
        """
        Puts one or more things on the shopping list, with amounts where known. The same thing in a convertible unit is \
        added to its line instead of getting a second one. Give a source such as recipe:42 when the amounts come from \
        there: asking again for the same source then changes nothing.
        """,
        utterances: [
            "add {items} [to (my|the) [grocery|shopping] list]",
            "put {items} on (my|the) [grocery|shopping] list",
            "I need [to buy|to get] {items} [from the (shop|store|supermarket)]",
            "we need {items}",
            "we need [some|more] (stuff|things): {items}",
            "(we have|I have|we just) run out of {items}",
            "(we|I) could do with [some|more] {items}",
            "{items} (to|onto) the list",
            "remind me to (buy|get) {items} when I am (shopping|at the shop|at the store)",
            "{items} next time I am at the (shop|store|supermarket)",
            "(out of|low on|running low on|running out of|almost out of) {items}",
            "[the] {items} (is|are) all gone",
            "add to (my|the) (grocery|shopping) list: {items}",
            "put {items} on (there|it)",
            "{items} on the list",
            "(grocery|shopping) list: {items}",
            "(we are|I am) (out of|low on|running out of) {items}",
            "(we|I) have [got] no {items} left",
            "no [more] {items} left",
            "(buy|get|pick up) {items}",
            "{items} [on|onto|to] (my|the) (grocery|shopping) list",
            "add {items} to the (grocery|shopping) list by {target_date}",
            "add {items} from {store} to (my|the) [grocery|shopping] list",
            "(buy|get) {items} (at|from) {store}",
            "I need {items} from {store}",
            "(put|add) {items} [on|to] (my|the) [grocery|shopping] list as {priority}",
        ])

    @Argument("The things, each with quantity and unit where said", schema: ["minItems": 1, "maxItems": 100])
    var items: [Quantity]
    @Argument("The part of the shop; guessed from the name when left out", planned: false)
    var category: Aisle?
    @Argument("How urgent they are") var priority: GroceryItem.Priority?
    @Argument("The store to get them from", schema: ["maxLength": 200]) var store: String?
    @Argument("When they are needed", hints: ["by", "until", "before"]) var targetDate: Day?
    @Argument("What one of them probably costs; for one thing at a time", planned: false) var estimatedCost: Money?
    @Argument("A remark kept with them", planned: false, schema: ["maxLength": 2000]) var notes: String?
    @Argument(
        "Where the amounts come from, e.g. recipe:42; asking again does not add them twice", planned: false,
        schema: ["maxLength": 100])
    var source: String?

    public init() {}

    public struct Added: Object {
        public var items: [Line]
        /// Open things after the change.
        public var open: Int

        public struct Line: Object {
            public var item: ItemSummary
            /// `added`, `merged` or `present`.
            public var outcome: String
        }
    }

    public func run(_ context: Context) async throws -> Reply<Added> {
        guard !items.isEmpty else {
            throw ToolError.invalid("Tell me what to add, like: add milk and eggs.", code: "no_name")
        }
        guard items.count <= GroceryLimits.itemsPerCall else {
            throw ToolError.invalid("That is a lot at once. Up to 100 things in one go work.", code: "too_many")
        }
        if let estimatedCost { try Price.check(estimatedCost) }
        let open = try await context.openItems()
        var basket = Basket(open)
        let details = Basket.Details(
            today: context.clock.today, category: category, priority: priority,
            store: store?.singleLine(limit: GroceryLimits.storeLength).nonEmpty, targetDate: targetDate,
            notes: notes?.singleLine(limit: GroceryLimits.noteLength).nonEmpty,
            estimate: items.count == 1 ? estimatedCost : nil,
            source: source?.singleLine(limit: GroceryLimits.sourceLength).nonEmpty)
        for thing in items { try basket.add(thing, details) }
        guard basket.items.count <= GroceryLimits.openItems else {
            throw ToolError.conflict(
                "The list is full with \(open.count) things. Check off or clear a few first.", code: "list_full")
        }
        let saved = try await AddItems.save(basket, before: open, context)
        let lines = AddItems.lines(saved, basket.outcomes)
        return Reply(
            AddItems.message(lines, open: saved.count),
            value: Added(
                items: lines.map { .init(item: ItemSummary($0.item), outcome: $0.kind.rawValue) }, open: saved.count),
            shown: .items(lines.map(\.item), numbered: false))
    }

    /// Writes what changed and gives all open rows with their ids.
    static func save(_ basket: Basket, before: [GroceryItem], _ context: Context) async throws -> [GroceryItem] {
        var items = basket.items
        let changed = Set(basket.outcomes.map(\.place)).sorted()
        let result = try await context.batch { batch in
            for place in changed {
                if place >= before.count {
                    batch.insert(items[place])
                } else if items[place] != before[place] {
                    batch.update(items[place])
                }
            }
        }
        var ids = result.ids[...]
        for place in changed where place >= before.count {
            if let id = ids.popFirst() { items[place].id = id }
        }
        return items
    }

    /// One line per row, in the order of adding; a row named twice counts by its strongest outcome.
    private static func lines(
        _ items: [GroceryItem], _ outcomes: [Basket.Outcome]
    ) -> [(item: GroceryItem, kind: Basket.Outcome.Kind)] {
        var lines: [(item: GroceryItem, kind: Basket.Outcome.Kind)] = []
        var places: [Int: Int] = [:]
        for outcome in outcomes {
            if let line = places[outcome.place] {
                if lines[line].kind == .present { lines[line].kind = outcome.kind }
            } else {
                places[outcome.place] = lines.count
                lines.append((items[outcome.place], outcome.kind))
            }
        }
        return lines
    }

    private static func message(_ lines: [(item: GroceryItem, kind: Basket.Outcome.Kind)], open: Int) -> String {
        func names(_ kind: Basket.Outcome.Kind) -> [String] { lines.filter { $0.kind == kind }.map(\.item.label) }
        return MessageText.fitting { limit in
            var sentences: [String] = []
            let added = names(.added)
            let merged = names(.merged)
            let present = names(.present)
            if !added.isEmpty { sentences.append("Added \(MessageText.list(added, limit: limit)).") }
            if !merged.isEmpty { sentences.append("Now \(MessageText.list(merged, limit: limit)).") }
            if !present.isEmpty { sentences.append("Already there: \(MessageText.list(present, limit: limit)).") }
            sentences.append(Phrase.count(open))
            return sentences.joined(separator: " ")
        }
    }
}
