import PluginCommon
import TandemSDK

/// A recipe with all that belongs to it.
struct WholeRecipe: Sendable {
    var recipe: Recipe
    /// In their order.
    var ingredients: [RecipeIngredient]
    /// In their order.
    var steps: [RecipeInstruction]
}

extension Context {
    func allRecipes() async throws -> [Recipe] {
        try await rows(Recipe.self).list(order: .ascending(\.titleKey), .ascending(\.id), limit: RecipeLimits.recipes)
    }

    func ingredients(of recipe: RowID) async throws -> [RecipeIngredient] {
        try await rows(RecipeIngredient.self).list(
            where: \.recipeID == recipe, order: .ascending(\.orderIndex), .ascending(\.id), limit: 500)
    }

    func steps(of recipe: RowID) async throws -> [RecipeInstruction] {
        try await rows(RecipeInstruction.self).list(
            where: \.recipeID == recipe, order: .ascending(\.stepNumber), .ascending(\.id), limit: 500)
    }

    func whole(_ recipe: Recipe) async throws -> WholeRecipe {
        WholeRecipe(
            recipe: recipe, ingredients: try await ingredients(of: recipe.id), steps: try await steps(of: recipe.id))
    }

    /// The ingredients of all recipes, by recipe, each in order.
    func allIngredients() async throws -> [RowID: [RecipeIngredient]] {
        let rows = try await rows(RecipeIngredient.self).all(order: .ascending(\.recipeID), .ascending(\.orderIndex))
        return Dictionary(grouping: rows, by: \.recipeID)
    }

    /// The recipe that is meant. Several that fit: `Ask`. None: `ToolError.notFound` with what there is.
    func recipe(_ reference: Reference<Recipe>) async throws -> Recipe {
        switch reference {
        case .id(let id):
            if let recipe = try await rows(Recipe.self).get(id) { return recipe }
            throw Cookbook.missing(nil, try await allRecipes())
        case .words(let words):
            let name = Cookbook.title(words)
            if case .string(let text) = answer("which") {
                if text.hasPrefix("#"), let id = RowID(text.dropFirst()) {
                    if let recipe = try await rows(Recipe.self).get(id) { return recipe }
                } else {
                    return try Cookbook.pick(Cookbook.title(text), try await allRecipes(), isAnswer: true)
                }
            }
            let same = try await rows(Recipe.self).list(where: \.titleKey == Words.key(name), limit: 2)
            if same.count == 1, let recipe = same.first { return recipe }
            return try Cookbook.pick(name, try await allRecipes(), isAnswer: false)
        }
    }
}

/// Finding recipes by what people call them.
enum Cookbook {
    /// `the pancake recipe` → `pancake`, `recipe for pancakes` → `pancakes`.
    static func title(_ text: String) -> String {
        let clean = text.singleLine(limit: 400)
        var words = clean.split(separator: " ")[...]
        let articles: Set<String> = ["the", "my", "our", "a", "an", "some", "this", "that", "your"]
        while words.count > 1, let first = words.first?.lowercased(), articles.contains(first) { words.removeFirst() }
        if words.count > 2, words.first?.lowercased() == "recipe",
            let link = words.dropFirst().first?.lowercased(), link == "for" || link == "of"
        {
            words = words.dropFirst(2)
        }
        if words.count > 1, ["make", "cook"].contains(words.first?.lowercased() ?? "") { words.removeFirst() }
        if words.count > 1, ["called", "named"].contains(words.first?.lowercased() ?? "") { words.removeFirst() }
        for ending in [["step", "by", "step"], ["recipe"], ["recipes"]]
        where words.count > ending.count && words.suffix(ending.count).map({ $0.lowercased() }) == ending {
            words.removeLast(ending.count)
        }
        let quotes: Set<Character> = ["\"", "'", ":"]
        var name = words.joined(separator: " ")[...]
        while name.count > 1, let first = name.first, quotes.contains(first) { name = name.dropFirst() }
        while name.count > 1, let last = name.last, quotes.contains(last) { name = name.dropLast() }
        return String(name).cut(to: RecipeLimits.titleLength)
    }

    static func pick(_ name: String, _ recipes: [Recipe], isAnswer: Bool) throws -> Recipe {
        switch NameMatcher(recipes.map(\.title)).match(name) {
        case .none: throw missing(name, recipes)
        case .exact(let places), .close(let places):
            let found = places.compactMap { recipes.indices.contains($0) ? recipes[$0] : nil }
            guard let first = found.first else { throw missing(name, recipes) }
            if found.count == 1 || isAnswer { return first }
            throw question("Which \(name.cut(to: 30))?", found)
        }
    }

    /// As many options as one text message holds, at least two.
    static func question(_ text: String, _ recipes: [Recipe]) -> Ask {
        var ask = Ask(text, field: "which")
        for recipe in recipes.prefix(9) {
            let isTwin = recipes.contains { $0.id != recipe.id && $0.title == recipe.title }
            let label = isTwin ? "\(recipe.label) for \(recipe.servings)" : recipe.label
            ask.options.append(Ask.Option(label, value: .string("#\(recipe.id)")))
            if ask.options.count > 2, ask.message.unicodeScalars.count > MessageText.lineLimit {
                ask.options.removeLast()
                break
            }
        }
        return ask
    }

    static func missing(_ name: String?, _ recipes: [Recipe]) -> ToolError {
        let subject = name.map { "a recipe for \($0.cut(to: 30))" } ?? "that recipe"
        guard !recipes.isEmpty else {
            return .notFound("I do not have \(subject) yet. Save one like: recipe for pancakes: 250 g flour, 3 eggs.")
        }
        let titles = recipes.map { $0.title.cut(to: 24) }
        return .notFound(
            MessageText.fitting { limit in
                "I do not have \(subject). There is \(MessageText.enumeration(titles, limit: min(limit, 4)))."
            })
    }
}

extension Shown {
    static func recipes(_ recipes: [Recipe]) -> Shown {
        Shown(recipes, label: \.label, select: "recipes.show")
    }

    static func recipe(_ recipe: Recipe) -> Shown { .touched(recipe, label: recipe.label) }
}
