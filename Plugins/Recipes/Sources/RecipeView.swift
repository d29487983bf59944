import PluginCommon
public import TandemSDK

/// A recipe as tools give it back, its amounts for `servings`.
public struct RecipeView: Object {
    public var id: RowID
    public var title: String
    /// What the amounts below are for.
    public var servings: Int
    /// What the recipe is written for.
    public var baseServings: Int
    public var ingredients: [Line]
    public var steps: [Step]
    public var description: String?
    public var category: String?
    public var cuisine: String?
    public var difficulty: String?
    public var prepMinutes: Int?
    public var cookMinutes: Int?
    public var totalMinutes: Int?
    public var tips: String?
    public var nutrition: JSON?
    public var tags: [String]
    public var source: String?
    public var imageURL: String?
    public var rating: Decimal?
    public var timesCooked: Int
    public var favorite: Bool

    public struct Line: Object {
        public var name: String
        /// To four digits after the point.
        public var quantity: Decimal?
        public var unit: String?
        public var note: String?
        public var optional: Bool
        /// For people, rounded where it cannot be measured: `5 eggs`.
        public var text: String
    }

    public struct Step: Object {
        public var number: Int
        public var text: String
        public var minutes: Int?
        public var tip: String?
    }

    init(_ whole: WholeRecipe, for servings: Int) {
        let recipe = whole.recipe
        id = recipe.id
        title = recipe.title
        self.servings = servings
        baseServings = recipe.servings
        ingredients = whole.ingredients.map { row in
            Line(
                name: row.ingredientName, quantity: row.amount(for: servings, of: recipe.servings)?.value,
                unit: row.unit, note: row.notes, optional: row.isOptional,
                text: row.label(for: servings, of: recipe.servings))
        }
        steps = whole.steps.enumerated().map { index, row in
            Step(number: index + 1, text: row.instructionText, minutes: row.estimatedTime, tip: row.tips)
        }
        description = recipe.description
        category = recipe.category?.rawValue
        cuisine = recipe.cuisineType
        difficulty = recipe.difficultyLevel?.rawValue
        prepMinutes = recipe.prepTime
        cookMinutes = recipe.cookTime
        totalMinutes = recipe.minutes
        tips = recipe.tips
        nutrition = recipe.nutritionInfo
        tags = recipe.tags
        source = recipe.source
        imageURL = recipe.imageURL
        rating = recipe.rating
        timesCooked = recipe.timesCooked
        favorite = recipe.isFavorite
    }
}

/// A recipe in a list.
public struct RecipeSummary: Object {
    public var id: RowID
    public var title: String
    public var servings: Int
    public var category: String?
    public var cuisine: String?
    public var totalMinutes: Int?
    public var tags: [String]
    public var rating: Decimal?
    public var timesCooked: Int
    public var favorite: Bool

    init(_ recipe: Recipe) {
        id = recipe.id
        title = recipe.title
        servings = recipe.servings
        category = recipe.category?.rawValue
        cuisine = recipe.cuisineType
        totalMinutes = recipe.minutes
        tags = recipe.tags
        rating = recipe.rating
        timesCooked = recipe.timesCooked
        favorite = recipe.isFavorite
    }
}

/// The words of a recipe.
enum RecipeText {
    /// `Pancakes for 6: flour 375 g, 5 eggs, milk 750 ml.`, the steps one a line, then what else is known.
    static func full(_ whole: WholeRecipe, for servings: Int) -> String {
        let recipe = whole.recipe
        let lead = "\(recipe.label.capitalizedFirst) for \(servings)"
        var lines: [String] = []
        if whole.ingredients.isEmpty {
            lines.append("\(lead): no ingredients yet.")
        } else {
            lines.append(
                MessageText.flow("\(lead):", whole.ingredients.map { $0.label(for: servings, of: recipe.servings) }))
        }
        lines += whole.steps.enumerated().map { "\($0.offset + 1) \($0.element.label)" }
        let notes = whole.ingredients.compactMap { row in row.notes.map { "\(row.ingredientName.cut(to: 40)): \($0)" } }
        if !notes.isEmpty { lines.append(notes.joined(separator: "; ") + ".") }
        let facts = facts(recipe)
        if !facts.isEmpty { lines.append(facts.joined(separator: ", ").capitalizedFirst + ".") }
        if let text = recipe.description { lines.append(text) }
        if let tips = recipe.tips { lines.append("Tip: \(tips)") }
        return lines.joined(separator: "\n")
    }

    static func facts(_ recipe: Recipe) -> [String] {
        var facts: [String] = []
        if let minutes = recipe.minutes { facts.append(StepTime.text(minutes)) }
        if let difficulty = recipe.difficultyLevel { facts.append(difficulty.rawValue) }
        if let cuisine = recipe.cuisineType { facts.append(cuisine) }
        if let category = recipe.category, category != .other { facts.append(category.rawValue) }
        if let rating = recipe.rating { facts.append(rating == 1 ? "1 star" : "\(rating) stars") }
        if recipe.isFavorite { facts.append("a favourite") }
        if recipe.timesCooked > 0 {
            facts.append(recipe.timesCooked == 1 ? "cooked once" : "cooked \(recipe.timesCooked) times")
        }
        facts += recipe.tags
        return facts
    }

    static func count(_ number: Int, _ noun: String) -> String { number == 1 ? "1 \(noun)" : "\(number) \(noun)s" }
}
