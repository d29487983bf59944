import PluginCommon
public import TandemSDK

/// Something that the person says is at home.
public struct PantryItem: Row, Hashable {
    public static let entity = "recipes.pantry_item"
    public static let table = Table<PantryItem>("pantry_items", "what you have at home", .index(\.nameKey))

    public var id = RowID()
    public var itemName: String
    /// The name reduced to its stems.
    public var nameKey: String
    /// Nil for enough of it.
    public var quantity: Decimal?
    /// Canonical short form; nil for pieces.
    public var unit: String?

    var label: String {
        let name = itemName.cut(to: 40)
        guard let amount = ScaledAmount(quantity, Unit(unit ?? ""), for: 1, of: 1) else { return name }
        return amount.label(of: name)
    }
}
