import PluginCommon
public import TandemSDK

/// One ingredient of a recipe, for the recipe's own number of servings.
public struct RecipeIngredient: Row, Hashable {
    public static let table = Table<RecipeIngredient>(
        "recipe_ingredients", "the ingredients of your recipes", .references(\.recipeID, Recipe.self),
        .index(\.recipeID, \.orderIndex))

    public var id = RowID()
    public var recipeID: RowID
    public var ingredientName: String
    /// The name reduced to its stems.
    public var nameKey: String
    public var quantity: Decimal?
    /// Canonical short form; nil for pieces.
    public var unit: String?
    public var notes: String?
    public var isOptional: Bool
    /// 0 first.
    public var orderIndex: Int

    /// How much, for `servings` people.
    func amount(for servings: Int, of base: Int) -> ScaledAmount? {
        ScaledAmount(quantity, Unit(unit ?? ""), for: servings, of: base)
    }

    /// `flour 375 g`, `5 eggs`, `parsley (optional)`.
    func label(for servings: Int, of base: Int) -> String {
        var text = ingredientName.cut(to: 40)
        if let amount = amount(for: servings, of: base) { text = amount.label(of: text) }
        if isOptional { text += " (optional)" }
        return text
    }
}
