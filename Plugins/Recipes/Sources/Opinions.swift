import PluginCommon
public import TandemSDK

public struct RateRecipe: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.rate", "Rate a recipe", effect: .write,
        "Gives a recipe 1 to 5 stars; the one cooked last when none is named.",
        utterances: [
            "rate [the] {recipe} {stars} [stars]", "give [the] {recipe} {stars} stars", "{stars} stars [for {recipe}]",
            "[the] {recipe} (gets|was|deserves) {stars} stars",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe; the one cooked last when left out") var recipe: Reference<Recipe>?
    @Argument("1 to 5", hints: ["stars", "star"], schema: ["minimum": 1, "maximum": 5]) var stars: Double

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeSummary> {
        let row: Recipe
        if let recipe {
            row = try await context.recipe(recipe)
        } else {
            let last = try await context.rows(Recipe.self).list(
                where: \.lastCookedAt != nil, order: .descending(\.lastCookedAt), .descending(\.id), limit: 1)
            guard let known = last.first else {
                throw ToolError.invalid("Which recipe? Like: rate pancakes 4 stars.", code: "nothing_named")
            }
            row = known
        }
        guard stars.isFinite, stars >= 1, stars <= 5 else {
            throw ToolError.invalid("1 to 5 stars, please.", code: "invalid_stars")
        }
        // Half stars are kept.
        let rating = Decimal(Int64((stars * 2).rounded()) * 5, places: 1)
        var rated = row
        rated.rating = rating
        try await context.rows(Recipe.self).update(row.id, .set(\.rating, rating))
        return Reply(
            "\(row.label.capitalizedFirst): \(rating) \(rating == 1 ? "star" : "stars").", value: RecipeSummary(rated),
            shown: .recipe(row))
    }
}

public struct FavoriteRecipe: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.favorite", "Mark a recipe as favourite", effect: .write,
        "Makes a recipe a favourite, or no longer one.",
        utterances: [
            "mark {recipe} as [a] favourite [recipe]",
            "make {recipe} a favourite [recipe]",
            "add [the] {recipe} to my favourite[s] [recipes]",
            "[the] {recipe} is (a|my) favourite",
            Utterance("(remove|take) {recipe} (from|off) my favourite[s]", arguments: ["favorite": false]),
            Utterance("[the] {recipe} is not (a|my) favourite [any more]", arguments: ["favorite": false]),
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument("False to take it back", planned: false) var favorite = true

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeSummary> {
        var row = try await context.recipe(recipe)
        let isNew = row.isFavorite != favorite
        row.isFavorite = favorite
        if isNew { try await context.rows(Recipe.self).update(row.id, .set(\.isFavorite, favorite)) }
        let title = row.label.capitalizedFirst
        let text =
            favorite
            ? "\(title) is \(isNew ? "now" : "already") a favourite."
            : "\(title) is \(isNew ? "no longer" : "not") a favourite."
        return Reply(text, value: RecipeSummary(row), shown: .recipe(row))
    }
}

public struct AddTip: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.tip", "Add a tip to a recipe", effect: .write, "Keeps a hint for next time with a recipe.",
        utterances: [
            "tip for {recipe}: {tip}",
            "next time {tip} (for|in) [the] {recipe}",
            "cooking tip for {recipe}: {tip}",
            "add a (tip|note) to [the] {recipe} recipe: {tip}",
            "note for [the] {recipe} recipe: {tip}",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument("What to do next time", schema: ["minLength": 1, "maxLength": 2000]) var tip: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeView> {
        let text = tip.singleLine(limit: RecipeLimits.tipsLength)
        guard text.isVisible else {
            throw ToolError.invalid("What is the tip? Like: tip for pancakes: less sugar.", code: "no_text")
        }
        var row = try await context.recipe(recipe)
        let before = row.tips.map { $0.hasSuffix(".") ? "\($0) " : "\($0). " } ?? ""
        guard before.count + text.count <= RecipeLimits.tipsLength else {
            throw ToolError.invalid("The tips of this recipe are full. A shorter one may fit.", code: "too_long")
        }
        row.tips = before + text
        try await context.rows(Recipe.self).update(row.id, .set(\.tips, row.tips))
        return Reply(
            "Kept with \(row.label): \(text.cut(to: 90))",
            value: RecipeView(try await context.whole(row), for: row.servings),
            shown: .recipe(row))
    }
}
