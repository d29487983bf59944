import PluginCommon
public import TandemSDK

public struct ShopForRecipe: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.shop", "Put what a recipe lacks on the grocery list", effect: .write,
        """
        Puts the ingredients of a recipe, for as many people as asked, on the grocery list, without what is in the \
        pantry. Asking again for the same recipe does not add them twice.
        """,
        utterances: [
            "I want to (make|cook|bake) {recipe} for {servings}, put what is missing on (the|my) [grocery|shopping] list",
            "I want to (make|cook|bake) {recipe}, put the missing ingredients on (the|my) [grocery|shopping] list",
            "let us make {recipe} for {servings}, put what is missing on (the|my) [grocery|shopping] list",
            "(put|add) what is missing for {recipe} [for {servings} people] (on|to) (the|my) [grocery|shopping] list",
            "(add|put) [the] missing ingredients for {recipe} (to|on) (the|my) [grocery|shopping] list",
            "(add|put) [the] ingredients (for|of) {recipe} [for {servings} people] (to|on) (the|my) [grocery|shopping] list",
            "(add|put) everything [I need] for {recipe} (to|on) (the|my) [grocery|shopping] list",
            "(add|put) the ingredients I (lack|need) for {recipe} (to|on) (the|my) [grocery|shopping] list",
            "(shop|buy the ingredients) for {recipe} [for {servings} people]",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument(
        "For how many people; as the recipe says when left out", hints: ["people", "servings", "portions", "guests"],
        schema: ["minimum": 1, "maximum": 500])
    var servings: Int?

    public init() {}

    public struct Shopped: Object {
        public var recipeID: RowID
        public var servings: Int
        /// What has to be bought.
        public var missing: [Quantity]
        public var atHome: [String]
        /// Whether it is on the grocery list now.
        public var added: Bool
    }

    public func run(_ context: Context) async throws -> Reply<Shopped> {
        let row = try await context.recipe(recipe)
        let needs = try await ShopForRecipe.needs(row, servings, context)
        let isDone = try await context.buy(needs.shopping, for: row.id)
        let value = Shopped(
            recipeID: row.id, servings: needs.servings, missing: needs.shopping.missing,
            atHome: needs.shopping.atHome, added: isDone && !needs.shopping.missing.isEmpty)
        let dish = "\(row.label) for \(needs.servings)"
        if needs.shopping.missing.isEmpty {
            return Reply("All for \(dish) is at home. Nothing to buy.", value: value, shown: .recipe(row))
        }
        let labels = needs.shopping.labels
        var text: String
        if isDone {
            text = MessageText.fitting { "On the list for \(dish): \(MessageText.list(labels, limit: $0))." }
        } else {
            text = MessageText.fitting {
                "The grocery list is off, nothing added. For \(dish): \(MessageText.list(labels, limit: $0))."
            }
        }
        if let home = ShopForRecipe.atHome(needs.shopping) { text += "\n" + home }
        if !isDone { text += "\nTo use it, say: turn grocery on." }
        return Reply(text, value: value, shown: .recipe(row))
    }

    static func needs(
        _ recipe: Recipe, _ servings: Int?, _ context: Context
    ) async throws -> (shopping: Shopping, servings: Int) {
        let whole = WholeRecipe(
            recipe: recipe, ingredients: try await context.ingredients(of: recipe.id), steps: [])
        guard !whole.ingredients.isEmpty else {
            throw ToolError.invalid(
                "\(recipe.label.capitalizedFirst) has no ingredients yet. Say what goes in, and I shop for it.",
                code: "no_ingredients")
        }
        let servings = servings ?? recipe.servings
        var house = House(try await context.pantry())
        return (Shopping(whole, for: servings, &house), servings)
    }

    static func atHome(_ shopping: Shopping) -> String? {
        guard !shopping.atHome.isEmpty else { return nil }
        return MessageText.fitting { "You have \(MessageText.enumeration(shopping.atHome, limit: $0)) at home." }
    }
}

public struct RecipeNeeds: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.needs", "Say what has to be bought for a recipe", effect: .read,
        "Says which ingredients of a recipe are not in the pantry, without putting them on a list.",
        utterances: [
            "what do I need for {recipe} [for {servings} people]",
            "what do (I|we) need to (make|cook|bake) {recipe} [for {servings} people]",
            "what do I need to buy for [the] {recipe} [for {servings} people]",
            "what am I missing for {recipe} [for {servings} people]",
            "what is missing for {recipe}",
            "do I have everything for {recipe}",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument(
        "For how many people; as the recipe says when left out", hints: ["people", "servings", "portions", "guests"],
        schema: ["minimum": 1, "maximum": 500])
    var servings: Int?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ShopForRecipe.Shopped> {
        let row = try await context.recipe(recipe)
        let needs = try await ShopForRecipe.needs(row, servings, context)
        let value = ShopForRecipe.Shopped(
            recipeID: row.id, servings: needs.servings, missing: needs.shopping.missing,
            atHome: needs.shopping.atHome, added: false)
        let dish = "\(row.label) for \(needs.servings)"
        guard !needs.shopping.missing.isEmpty else {
            return Reply("All for \(dish) is at home.", value: value, shown: .recipe(row))
        }
        var text = MessageText.flow("For \(dish) you need:", needs.shopping.labels)
        if let home = ShopForRecipe.atHome(needs.shopping) { text += "\n" + home }
        return Reply(text, value: value, shown: .recipe(row))
    }
}
