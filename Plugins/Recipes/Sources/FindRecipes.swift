import PluginCommon
public import TandemSDK

public struct FindRecipes: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.find", "Find recipes", effect: .read,
        """
        Lists the recipes that are saved, or those that fit words (in title, tags, cuisine, ingredients), a kind of dish \
        or a time. For what can be cooked with what is in the house use recipes.suggest.
        """,
        utterances: [
            "(show|list) [me] [all] (my|the) recipes",
            "(which|what) recipes do I have",
            "my recipes",
            "something (quick|easy) to (cook|make|eat)",
            "(find|search) [me] [my] recipes (for|with) {query}",
            "(find|search|look for) [me] a recipe (for|with) {query}",
            "do I have [a|any] recipe[s] (for|with) {query}",
            "which recipes (use|contain|have) {query}",
            "[any] recipes with {query}",
            "something to (cook|make|eat) (in|under|within) {within}",
            "[find|show me] {query} recipes",
            "(what|which) {query} recipes do I have",
            "(show|list|find) [me] [my] {category} recipes",
            "recipes (under|within|in less than) {within}",
            "(what|which) recipes take [less than|under] {within}",
            "[show me] my {only} recipes",
            Utterance("quick recipes", arguments: ["within": 30]),
        ])

    @Argument("Words in title, tags, cuisine or ingredients", schema: ["maxLength": 200]) var query: String?
    @Argument("The kind of dish") var category: Course?
    @Argument("At most this many minutes in all") var within: Minutes?
    @Argument("A tag", planned: false, schema: ["maxLength": 100]) var tag: String?
    @Argument("A cuisine: italian", planned: false, schema: ["maxLength": 100]) var cuisine: String?
    @Argument("Only these") var only: Selection?

    public init() {}

    public enum Selection: String, Choice {
        case favorites, untried

        public var words: [String] {
            switch self {
            case .favorites: ["favourite", "favorite", "favourites", "starred", "best loved"]
            case .untried: ["new", "untried", "never cooked"]
            }
        }
    }

    public struct Found: Object {
        public var recipes: [RecipeSummary]
        public var count: Int
    }

    public func run(_ context: Context) async throws -> Reply<Found> {
        let all = try await context.allRecipes()
        guard !all.isEmpty else {
            return Reply(
                "No recipes yet. Save one like: recipe for pancakes for 4: 250 g flour, 3 eggs, 500 ml milk.",
                value: Found(recipes: [], count: 0))
        }
        let words = query.map { Words($0).stems.filter { !FindRecipes.fillers.contains($0) } } ?? []
        var ingredients: [RowID: [RecipeIngredient]] = [:]
        if !words.isEmpty { ingredients = try await context.allIngredients() }
        let found = all.filter { recipe in
            matches(recipe) && FindRecipes.matches(words, recipe, ingredients[recipe.id] ?? [])
        }
        guard !found.isEmpty else {
            let titles = all.map { $0.title.cut(to: 24) }
            return Reply(
                MessageText.fitting {
                    "No recipe fits that. There is \(MessageText.enumeration(titles, limit: min($0, 5)))."
                }, value: Found(recipes: [], count: 0))
        }
        let sorted = found.sorted { left, right in
            if left.isFavorite != right.isFavorite { return left.isFavorite }
            return (left.titleKey, left.id) < (right.titleKey, right.id)
        }
        let parts = sorted.enumerated().map { index, recipe in
            var part = "\(index + 1) \(recipe.label)"
            if let minutes = recipe.minutes, within != nil { part += " (\(StepTime.text(minutes)))" }
            return part
        }
        return Reply(
            MessageText.flow("\(RecipeText.count(sorted.count, "recipe")):", parts),
            value: Found(recipes: sorted.map(RecipeSummary.init), count: sorted.count), shown: .recipes(sorted))
    }

    /// What people say around the words that they look for.
    private static let fillers: Set<String> = Set(
        [
            "recipe", "recipes", "let", "me", "see", "show", "find", "search", "look", "for", "with", "the", "a", "an",
            "i", "have", "do", "we", "is", "are", "there", "in", "something", "anything", "dish", "meal", "ideas",
        ].map(Words.stem))

    private func matches(_ recipe: Recipe) -> Bool {
        switch only {
        case .favorites where !recipe.isFavorite: return false
        case .untried where recipe.timesCooked > 0: return false
        default: break
        }
        if let category, recipe.category != category { return false }
        if let within {
            guard let minutes = recipe.minutes, minutes <= within.count else { return false }
        }
        if let tag = tag?.singleLine(limit: 100).nonEmpty {
            guard recipe.tags.contains(where: { Words.key($0) == Words.key(tag) }) else { return false }
        }
        if let cuisine = cuisine?.singleLine(limit: 100).nonEmpty {
            guard let mine = recipe.cuisineType, Words.key(mine) == Words.key(cuisine) else { return false }
        }
        return true
    }

    /// All words occur somewhere, or the title is nearly what was said.
    private static func matches(_ words: [String], _ recipe: Recipe, _ ingredients: [RecipeIngredient]) -> Bool {
        guard !words.isEmpty else { return true }
        var bag = Set(Words(recipe.title).stems)
        for text in recipe.tags + [recipe.cuisineType ?? "", recipe.description ?? ""] {
            bag.formUnion(Words(text).stems)
        }
        if let category = recipe.category { bag.formUnion(category.words.map(Words.stem) + [category.rawValue]) }
        if let difficulty = recipe.difficultyLevel { bag.insert(Words.stem(difficulty.rawValue)) }
        for ingredient in ingredients { bag.formUnion(Words(ingredient.ingredientName).stems) }
        if words.allSatisfy(bag.contains) { return true }
        return NameMatcher([recipe.title]).match(words.joined(separator: " ")) != .none
    }
}
