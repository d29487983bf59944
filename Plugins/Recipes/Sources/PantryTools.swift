import PluginCommon
public import TandemSDK

/// What a change of the pantry gives back.
public struct PantryChange: Object {
    public var items: [Line]
    /// Things in the pantry after the change.
    public var count: Int

    public struct Line: Object {
        public var id: RowID
        public var name: String
        public var quantity: Decimal?
        public var unit: String?

        init(_ item: PantryItem) {
            id = item.id
            name = item.itemName
            quantity = item.quantity
            unit = item.unit
        }
    }

    init(_ items: [PantryItem], count: Int) {
        self.items = items.map(Line.init)
        self.count = count
    }
}

public struct HaveAtHome: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.have", "Remember what is at home", effect: .write,
        """
        Notes what is in the pantry, with amounts where said. It is left out when shopping for recipes and counts when \
        looking for what can be cooked.
        """,
        utterances: [
            "I have {items} at home",
            "I have {items} in the (pantry|house|fridge|cupboard|kitchen|freezer)",
            "there is {items} in the (pantry|house|fridge|cupboard|kitchen|freezer)",
            "(add|put) {items} (to|in|into) (my|the) pantry",
            "we have {items} at home",
        ])

    @Argument("The things, each with quantity and unit where said", schema: ["minItems": 1, "maxItems": 100])
    var items: [Quantity]

    public init() {}

    public func run(_ context: Context) async throws -> Reply<PantryChange> {
        let things = try Ingredient.all(
            items.map { IngredientInput(thing: HaveAtHome.bare($0), note: nil, isOptional: false) }, limit: 100)
        guard !things.isEmpty else {
            throw ToolError.invalid("What do you have? Like: I have flour at home.", code: "no_name")
        }
        let before = try await context.pantry()
        // `we have no flour at home`
        let gone = things.filter { $0.key.hasPrefix("no ") && $0.quantity == nil }.map { String($0.key.dropFirst(3)) }
        if gone.count == things.count { return try await HaveAtHome.remove(gone, before, context) }
        var changed: [PantryItem] = []
        for thing in things {
            var item =
                before.first { $0.nameKey == thing.key } ?? PantryItem(itemName: thing.name, nameKey: thing.key)
            item.quantity = thing.quantity
            item.unit = thing.unit == .piece ? nil : thing.unit.name
            if let place = changed.firstIndex(where: { $0.nameKey == item.nameKey }) {
                changed[place] = item
            } else {
                changed.append(item)
            }
        }
        let count = before.count + changed.count { !$0.id.isAssigned }
        guard count <= RecipeLimits.pantry else {
            throw ToolError.conflict("The pantry list is full. Take something out first.", code: "full")
        }
        let rows = changed
        let result = try await context.batch { batch in
            for item in rows { if item.id.isAssigned { batch.update(item) } else { batch.insert(item) } }
        }
        var ids = result.ids[...]
        for place in changed.indices where !changed[place].id.isAssigned {
            if let id = ids.popFirst() { changed[place].id = id }
        }
        let labels = changed.map(\.label)
        return Reply(
            MessageText.fitting { "Noted at home: \(MessageText.list(labels, limit: $0))." },
            value: PantryChange(changed, count: count), shown: Shown(changed, label: \.label, numbered: false))
    }
}

extension HaveAtHome {
    /// `there is rice` → `rice`.
    private static func bare(_ thing: Quantity) -> Quantity {
        var bare = thing
        let name = thing.name.singleLine(limit: 400)
        for lead in ["there is ", "there are ", "still "] where name.lowercased().hasPrefix(lead) {
            bare.name = String(name.dropFirst(lead.count))
        }
        return bare
    }

    private static func remove(
        _ keys: [String], _ pantry: [PantryItem], _ context: Context
    ) async throws -> Reply<PantryChange> {
        let rows = pantry.filter { keys.contains($0.nameKey) }
        guard !rows.isEmpty else {
            return Reply("That is not noted at home anyway.", value: PantryChange([], count: pantry.count))
        }
        try await context.batch { batch in for row in rows { batch.delete(PantryItem.self, row.id) } }
        let names = rows.map { $0.itemName.cut(to: 40) }
        return Reply(
            MessageText.fitting { "No longer at home: \(MessageText.list(names, limit: $0))." },
            value: PantryChange(rows, count: pantry.count - rows.count))
    }
}

public struct ShowPantry: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.pantry", "Show what is at home", effect: .read, "Lists what the person said is in the pantry.",
        utterances: [
            "what is in (my|the) (pantry|house|cupboard|kitchen)",
            "(show|list) [me] (my|the) pantry",
            "what do I have at home",
        ])

    public init() {}

    public func run(_ context: Context) async throws -> Reply<PantryChange> {
        let items = try await context.pantry()
        guard !items.isEmpty else {
            return Reply("Nothing noted yet. Say: I have flour at home.", value: PantryChange([], count: 0))
        }
        return Reply(
            MessageText.flow("At home:", items.enumerated().map { "\($0.offset + 1) \($0.element.label)" }),
            value: PantryChange(items, count: items.count), shown: Shown(items, label: \.label))
    }
}

public struct UsedUp: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.used_up", "Forget what is no longer at home", effect: .write,
        "Takes things out of the pantry list.",
        utterances: [
            "(take|remove|delete) {items} (out of|from) (my|the) pantry",
            "(I|we) have no {items} [left] at home [any more]",
            "[the] {items} (is|are) used up",
            "(I|we) used up [the] {items}",
        ], actsOn: PantryItem.entity)

    @Argument("What is gone: names, or #id where known") var items: References<PantryItem>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<PantryChange> {
        let all = try await context.pantry()
        let found = try ReferenceFinder(
            all, name: \.itemName, label: { $0.label }, isKnown: FoodLexicon.isKnown
        ).find(items, context)
        guard !found.rows.isEmpty else {
            let names = MessageText.enumeration(all.map { $0.itemName.cut(to: 24) }, limit: 4)
            throw ToolError.notFound(
                all.isEmpty ? "Nothing is noted at home." : "That is not noted at home. There is \(names).")
        }
        try await context.batch { batch in for row in found.rows { batch.delete(PantryItem.self, row.id) } }
        let names = found.rows.map { $0.itemName.cut(to: 40) }
        return Reply(
            MessageText.fitting { "No longer at home: \(MessageText.list(names, limit: $0))." },
            value: PantryChange(found.rows, count: all.count - found.rows.count))
    }
}
