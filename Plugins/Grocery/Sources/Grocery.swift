public import TandemSDK

/// The grocery list: capture, shop, check off, and know what it costs.
public enum Grocery: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.grocery", namespace: "grocery", name: "Grocery list", version: "1.0.0",
        summary: "A shopping list sorted by aisle, that adds up amounts and remembers what you buy.",
        aliases: ["groceries", "shopping", "shopping list"], license: "Apache-2.0", tables: [GroceryItem.self],
        tools: [
            AddItems.self, ListItems.self, BoughtItems.self, PutBackItems.self, RemoveItems.self, UpdateItem.self,
            ClearItems.self, PurchaseHistory.self, EstimateCost.self, UsualItems.self,
        ],
        calls: [
            .init("expenses.record", reason: "to note what you paid when you check something off with its price")
        ])
}
