import PluginCommon
public import TandemSDK

public struct ListItems: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.list", "Show the grocery list", effect: .read,
        """
        Shows what is still to buy, by aisle, numbered. May be limited to one store, one part of the shop or a priority.
        """,
        utterances: [
            "[is there] anything [left|else] to buy",
            "[show me] what is left to buy",
            "what am I supposed to (get|buy) [at the (shop|store|supermarket)]",
            "I am at the (shop|store|supermarket), what do I need",
            "what do (I|we) need at the (shop|store|supermarket)",
            "what is on my [grocery|shopping] list",
            "(show|read|tell) [me] (my|the) [grocery|shopping] list",
            "[my|the] (grocery|shopping) list",
            "what (do|should) (I|we) [need|have] [to] (buy|get)",
            "what is (left|still|missing) [to buy] on the [grocery|shopping] list",
            "what do I need (from|at) {store}",
            "what {category} do I need [to buy]",
            "show [me] (the|my) {category} on (the|my) [grocery|shopping] list",
            "which groceries are {priority}",
        ])

    @Argument("Only this part of the shop") var category: Aisle?
    @Argument("Only what is wanted from this store", schema: ["maxLength": 200]) var store: String?
    @Argument("Only this priority") var priority: GroceryItem.Priority?

    public init() {}

    public struct Listing: Object {
        public var items: [ItemSummary]
        public var count: Int
    }

    public func run(_ context: Context) async throws -> Reply<Listing> {
        let all = try await context.openItems()
        let items = Shelf.sorted(all.filter(matches))
        guard !items.isEmpty else {
            let message =
                all.isEmpty
                ? "The list is empty. Nothing to buy." : "Nothing like that on the list. \(Phrase.left(all))"
            return Reply(message, value: Listing(items: [], count: 0))
        }
        return Reply(
            MessageText.flow("\(items.count) to buy:", Shelf.parts(items)),
            value: Listing(items: items.map(ItemSummary.init), count: items.count),
            shown: .items(items, select: "grocery.bought"))
    }

    private func matches(_ item: GroceryItem) -> Bool {
        if let category, item.category != category { return false }
        if let priority, item.priority != priority { return false }
        guard let store = store?.singleLine(limit: 200).nonEmpty else { return true }
        guard let preference = item.storePreference else { return false }
        return NameMatcher([preference]).match(store) != .none
    }
}
