import PluginCommon
public import TandemSDK

public struct PutBackItems: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.put_back", "Put something back on the list", effect: .write,
        """
        Puts things back on the shopping list that were checked off or taken off, or that are usually bought: as they \
        were, with amount and store.
        """,
        utterances: [
            "put [the] {items} back [on (my|the) [grocery|shopping] list]",
            "uncheck [the] {items}",
            "untick [the] {items}",
            "I (did not|didn't) (buy|get) [the] {items}",
            "[the] {items} (was|were) not bought",
            "I need [the] {items} again",
        ], actsOn: GroceryItem.entity)

    @Argument("What to put back: names, or #id where known") var items: References<GroceryItem>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ListChange> {
        let today = context.clock.today
        let open = try await context.openItems()
        let gone = try await context.rows(GroceryItem.self).list(
            where: \.status != .open, order: .descending(\.updatedAt), .descending(\.id), limit: 500)
        // The newest of each name stands for all of them, unless an id says otherwise.
        var keys: Set<String> = []
        var candidates = gone.filter { keys.insert($0.nameKey).inserted }
        for case .id(let id) in items.all where !candidates.contains(where: { $0.id == id }) {
            if let row = gone.first(where: { $0.id == id }) { candidates.append(row) }
        }
        let found = try ReferenceFinder(
            candidates, name: \.itemName, label: { $0.label }, isKnown: FoodLexicon.isKnown
        ).find(items, context)
        guard !found.rows.isEmpty else { throw nothing(found.missing, open) }

        var returned: [GroceryItem] = []
        var present: [GroceryItem] = []
        var flipped: [GroceryItem] = []
        var basket = Basket(open)
        for row in found.rows {
            if let same = open.first(where: { $0.nameKey == row.nameKey }) {
                present.append(same)
            } else if row.status == .removed || row.purchasedDate == today {
                var item = row
                item.status = .open
                item.purchasedDate = nil
                flipped.append(item)
            } else {
                try basket.add(
                    Quantity(row.itemName, row.quantity, unit: row.unit),
                    .init(today: today, category: row.category, store: row.storePreference))
            }
        }
        guard open.count + flipped.count + basket.outcomes.count <= GroceryLimits.openItems else {
            throw ToolError.conflict("The list is full. Check off or clear a few first.", code: "list_full")
        }
        let restored = flipped
        try await context.batch { batch in for row in restored { batch.update(row) } }
        let saved = try await AddItems.save(basket, before: open, context)
        returned = restored + basket.outcomes.map { saved[$0.place] }

        let noted = restored.compactMap { $0.expenseID == nil ? nil : $0.price }
        let count = open.count + returned.count
        let text = MessageText.fitting { limit in
            var sentences: [String] = []
            if !returned.isEmpty {
                sentences.append("Back on the list: \(MessageText.list(returned.map(\.label), limit: limit)).")
            }
            if !present.isEmpty {
                sentences.append("Already there: \(MessageText.list(present.map(\.label), limit: limit)).")
            }
            sentences.append(Phrase.count(count))
            return sentences.joined(separator: " ")
        }
        let remark = noted.first.map { "\nThe \($0) stay noted in expenses." } ?? ""
        return Reply(
            text + remark, value: ListChange(items: (returned + present).map(ItemSummary.init), open: count),
            shown: .items(returned + present, numbered: false))
    }

    private func nothing(_ missing: [Reference<GroceryItem>], _ open: [GroceryItem]) -> ToolError {
        let known = missing.compactMap { reference -> GroceryItem? in
            switch reference {
            case .id(let id): open.first { $0.id == id }
            case .words(let words): open.first { $0.nameKey == Words.key(words) }
            }
        }
        if let item = known.first {
            return .conflict("\(item.itemName.cut(to: 40).capitalizedFirst) is on the list already.", code: "present")
        }
        return .notFound("I do not remember that one. To add it: add milk to the list.", code: "not_found")
    }
}

public struct RemoveItems: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.remove", "Take something off the list", effect: .write,
        """
        Takes things off the shopping list that are not wanted any more. They are not counted as bought and can be put \
        back.
        """,
        utterances: [
            "(remove|delete|drop) [the] {items} [from (my|the) [grocery|shopping] list]",
            "take [the] {items} off (my|the) [grocery|shopping] list",
            "take [the] {items} off",
            "(I|we) (do not|don't) need [the] {items} [any more]",
            "I no longer need [the] {items}",
        ], actsOn: GroceryItem.entity)

    @Argument("What to take off: names, or #id where known") var items: References<GroceryItem>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ListChange> {
        let open = try await context.openItems()
        let found = try ReferenceFinder(
            open, name: \.itemName, label: { $0.label }, isKnown: FoodLexicon.isKnown
        ).find(items, context)
        guard !found.rows.isEmpty else {
            throw ToolError.notFound(
                found.isEverything ? "The list is empty already." : Phrase.notFound(found.missing, on: open))
        }
        try await context.batch { batch in
            for row in found.rows { batch.update(GroceryItem.self, row.id, .set(\.status, .removed)) }
        }
        let ids = Set(found.rows.map(\.id))
        let left = open.filter { !ids.contains($0.id) }
        var text = MessageText.fitting { limit in
            "Took \(MessageText.list(found.rows.map { $0.itemName.cut(to: 40) }, limit: limit)) off. "
                + Phrase.count(left.count)
        }
        if !found.missing.isEmpty { text += "\n" + Phrase.notFound(found.missing, on: left) }
        let removed = found.rows.map { row in
            var item = row
            item.status = .removed
            return item
        }
        return Reply(
            text, value: ListChange(items: removed.map(ItemSummary.init), open: left.count),
            shown: .items(removed, numbered: false))
    }
}

public struct ClearItems: Tool {
    public enum Scope: String, Choice {
        case list, purchased, all

        public var words: [String] {
            switch self {
            case .list: ["open", "the list", "shopping list", "grocery list", "what is left"]
            case .purchased: ["bought", "checked off", "done", "ticked off", "history", "purchases"]
            case .all: ["everything", "all of it", "with history"]
            }
        }
    }

    public static let declaration = ToolDeclaration(
        "grocery.clear", "Clear the grocery list", effect: .delete,
        """
        Deletes many lines at once: what is still to buy (list), what was checked off (purchased), or everything (all).
        """,
        utterances: [
            Utterance("(clear|empty|wipe) (my|the) [grocery|shopping] list", arguments: ["what": "list"]),
            Utterance(
                "(clear|delete|remove) the (bought|purchased|checked off) [items|things|groceries]",
                arguments: ["what": "purchased"]),
            Utterance("(clear|delete) my (purchase|grocery) history", arguments: ["what": "purchased"]),
            Utterance(
                "(clear|delete|wipe) (everything|all) [about|in] [my] (groceries|grocery list)",
                arguments: ["what": "all"]
            ),
            Utterance("start a new [grocery|shopping] list", arguments: ["what": "list"]),
        ])

    @Argument("Which lines") var what = Scope.list

    public init() {}

    public struct Cleared: Object {
        public var deleted: Int
        /// Open things after the change.
        public var open: Int
    }

    public func run(_ context: Context) async throws -> Reply<Cleared> {
        let rows = context.rows(GroceryItem.self)
        let deleted =
            switch what {
            case .list: try await rows.delete(where: \.status == .open)
            case .purchased: try await rows.delete(where: \.status != .open)
            case .all: try await rows.delete()
            }
        let open = what == .purchased ? try await rows.count(where: \.status == .open) : 0
        let things = deleted == 1 ? "1 line" : "\(deleted) lines"
        let message =
            switch what {
            case _ where deleted == 0: "Nothing to clear there."
            case .list: "Cleared \(things). The list is empty."
            case .purchased: "Cleared \(things) of what was bought. \(Phrase.count(open))"
            case .all: "Cleared all \(things). A fresh list."
            }
        return Reply(message, value: Cleared(deleted: deleted, open: open))
    }
}
