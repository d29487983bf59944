import PluginCommon
public import TandemSDK

public struct SuggestRecipes: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.suggest", "What can be cooked with what is in the house", effect: .read,
        """
        Lists recipes that can be cooked with what the person names and has in the pantry: those with the least missing \
        first, with what is missing.
        """,
        utterances: [
            "what (can|could) (I|we) (cook|make|bake) with {ingredients}",
            "what (can|could) (I|we) (cook|make|bake)",
            "what (can|could) (I|we) (cook|make) with what I have [at home]",
            "I have {ingredients}, what can I (cook|make)",
            "what can I do with {ingredients}",
            "[any|some] ideas for (dinner|lunch|breakfast|supper)",
            "what should (I|we) (cook|make|have) for (dinner|lunch|supper)",
            "what could (I|we) have for (dinner|lunch|supper)",
            "recipe ideas (for|with) {ingredients}",
        ])

    @Argument("What is there besides the pantry", schema: ["maxItems": 60]) var ingredients: [Quantity]?

    public init() {}

    public struct Suggestions: Object {
        public var recipes: [Suggestion]

        public struct Suggestion: Object {
            public var recipe: RecipeSummary
            public var have: [String]
            public var missing: [String]
        }
    }

    private struct Candidate {
        var recipe: Recipe
        var have: [String] = []
        var missing: [String] = []
        /// How many of the things that were named it uses.
        var named = 0
    }

    public func run(_ context: Context) async throws -> Reply<Suggestions> {
        let all = try await context.allRecipes()
        let rows = try await context.allIngredients()
        let vague: Set<String> = Set(
            ["what i have", "what is there", "this", "that", "these", "anything"].map(Words.key))
        let names = (ingredients ?? []).prefix(60).map { $0.name.singleLine(limit: 200) }
            .filter { !$0.isEmpty && !vague.contains(Words.key($0)) }
        let pantry = try await context.pantry()
        let house = House(pantry, and: names)
        let named = House([], and: names)
        guard !names.isEmpty || !pantry.isEmpty else {
            throw ToolError.invalid(
                "What is there? Like: what can I cook with eggs and milk.", code: "nothing_named")
        }
        let candidates = all.compactMap { recipe -> Candidate? in
            guard let rows = rows[recipe.id], !rows.isEmpty else { return nil }
            var candidate = Candidate(recipe: recipe)
            for row in rows {
                let isNamed = !House.isFree(row.ingredientName) && named.holds(row.ingredientName)
                if isNamed { candidate.named += 1 }
                if house.holds(row.ingredientName) {
                    candidate.have.append(row.ingredientName)
                } else if !row.isOptional {
                    candidate.missing.append(row.ingredientName)
                }
            }
            if names.isEmpty { return candidate.have.isEmpty ? nil : candidate }
            return candidate.named == 0 ? nil : candidate
        }
        let sorted = Array(candidates.sorted(by: SuggestRecipes.isBetter).prefix(20))
        let value = Suggestions(
            recipes: sorted.map { .init(recipe: RecipeSummary($0.recipe), have: $0.have, missing: $0.missing) })
        guard !sorted.isEmpty else {
            let subject = names.isEmpty ? "that" : MessageText.enumeration(names.map { $0.cut(to: 24) }, limit: 3)
            let text =
                all.isEmpty
                ? "No recipes yet. Save one like: recipe for pancakes: 250 g flour, 3 eggs."
                : "None of your \(RecipeText.count(all.count, "recipe")) uses \(subject)."
            return Reply(text, value: value)
        }
        let parts = sorted.enumerated().map { index, candidate in
            let missing = candidate.missing.map { $0.cut(to: 24) }
            let note = missing.isEmpty ? "all there" : "missing \(MessageText.enumeration(missing, limit: 3))"
            return "\(index + 1) \(candidate.recipe.label) (\(note))"
        }
        return Reply(
            MessageText.flow("You could make:", parts), value: value, shown: .recipes(sorted.map(\.recipe)))
    }

    /// Best covered first: by the share that is there, then by how little is missing.
    private static func isBetter(_ left: Candidate, _ right: Candidate) -> Bool {
        let (a, b) = (left.have.count, right.have.count)
        let (totalA, totalB) = (a + left.missing.count, b + right.missing.count)
        if a * totalB != b * totalA { return a * totalB > b * totalA }
        if left.missing.count != right.missing.count { return left.missing.count < right.missing.count }
        if left.named != right.named { return left.named > right.named }
        if left.recipe.isFavorite != right.recipe.isFavorite { return left.recipe.isFavorite }
        return (left.recipe.titleKey, left.recipe.id) < (right.recipe.titleKey, right.recipe.id)
    }
}

extension House {
    /// Whether any of it is there.
    func holds(_ name: String) -> Bool { stock(of: name, nil, .piece) != .none }
}
