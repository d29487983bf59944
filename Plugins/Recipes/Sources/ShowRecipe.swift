import PluginCommon
public import TandemSDK

public struct ShowRecipe: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.show", "Show a recipe", effect: .read,
        "Shows a recipe: ingredients, for as many people as asked, and numbered steps.",
        utterances: [
            "show [me] the recipe for {recipe}",
            "show [me] (the|my) {recipe} recipe",
            "(open|read|pull up) (the|my) {recipe} recipe",
            "(open|read) the recipe for {recipe}",
            "how do (I|you|we) (make|cook|prepare|bake) {recipe}",
            "what is in [the] {recipe} [recipe]",
            "what goes in[to] [the] {recipe}",
            "[the] ingredients (for|of) {recipe}",
            "show [me] the (ingredients|steps) (for|of) {recipe}",
            "[the] recipe for {recipe}",
            "(show|open) {recipe}",
            "(let us|I want to) make {recipe}",
            "(make|bake) {recipe}",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument(
        "For how many people", hints: ["people", "servings", "portions"], schema: ["minimum": 1, "maximum": 500])
    var servings: Int?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeView> {
        try await ShowRecipe.reply(context.recipe(recipe), servings, context)
    }

    static func reply(_ recipe: Recipe, _ servings: Int?, _ context: Context) async throws -> Reply<RecipeView> {
        let whole = try await context.whole(recipe)
        let servings = servings ?? recipe.servings
        return Reply(
            RecipeText.full(whole, for: servings), value: RecipeView(whole, for: servings), shown: .recipe(recipe))
    }
}

public struct ScaleRecipe: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.scale", "Show a recipe for another number of people", effect: .read,
        "Shows the ingredients of a recipe for a number of people. The recipe itself stays as it is.",
        utterances: [
            "scale [the] {recipe} [recipe] (to|for) {servings} [people|servings]",
            "[the] {recipe} for {servings} (people|servings|persons|guests)",
            "convert [the] {recipe} [recipe] to {servings} (people|servings)",
            "(resize|adjust) [the] {recipe} [recipe] (to|for) {servings} [people|servings]",
            "how much do I need for {recipe} for {servings}",
            "(make|cook) {recipe} for {servings} [people]",
            "{recipe} for {servings}",
            "[the] {recipe} recipe for {servings} [people]",
            "[the] recipe for {recipe} for {servings} people",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument(
        "For how many people", hints: ["people", "servings", "portions", "persons", "guests"],
        schema: ["minimum": 1, "maximum": 500])
    var servings: Int

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeView> {
        try await ShowRecipe.reply(context.recipe(recipe), servings, context)
    }
}
