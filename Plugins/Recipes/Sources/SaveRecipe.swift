import PluginCommon
public import TandemSDK

public struct SaveRecipe: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.save", "Save a recipe", effect: .write,
        """
        Keeps a recipe: title, for how many people, ingredients with amounts, and steps if they are said. A title that \
        is there already is updated or kept beside it, after asking.
        """,
        utterances: [
            "save [a|the|my|this] recipe for {title} for {servings} [people]: {ingredients}",
            "save [a|the|my|this] recipe for {title}: {ingredients}",
            "save recipe {title}: {ingredients}",
            "save [a|the] {title} recipe: {ingredients}",
            "(new|keep a|write down a|store this) recipe [for] {title}: {ingredients}",
            "add a recipe for {title}: {ingredients}",
            "new recipe [for] {title} for {servings} [people]: {ingredients}",
            "add a recipe for {title} with {ingredients}",
            "save [a|the|my|this] recipe for {title} with {ingredients}",
            "recipe for {title}: {ingredients}",
            "recipe for {title} for {servings} [people]: {ingredients}",
            "save a [new] recipe called {title}",
            "save a [new] recipe called {title}: {ingredients}",
        ])

    @Argument("What it is called", schema: ["minLength": 1, "maxLength": 200]) var title: String
    @Argument(
        "For how many people the amounts are; 4 when not said", hints: ["serves", "servings", "people", "portions"],
        schema: ["minimum": 1, "maximum": 500])
    var servings: Int?
    @Argument("The ingredients, each with quantity and unit where said", schema: ["maxItems": 80])
    var ingredients: [IngredientInput]?
    @Argument("The steps in their order, when they were said", planned: false) var steps: StepList?
    @Argument("What it is", planned: false, schema: ["maxLength": 2000]) var description: String?
    @Argument("The kind of dish", planned: false) var category: Course?
    @Argument("Where it comes from: italian", planned: false, schema: ["maxLength": 100]) var cuisine: String?
    @Argument("How hard it is", planned: false) var difficulty: Difficulty?
    @Argument("Minutes of preparation", planned: false, schema: ["minimum": 0, "maximum": 10_080])
    var prepMinutes: Int?
    @Argument("Minutes of cooking", planned: false, schema: ["minimum": 0, "maximum": 10_080]) var cookMinutes: Int?
    @Argument("Minutes in all", planned: false, schema: ["minimum": 1, "maximum": 10_080]) var totalMinutes: Int?
    @Argument("Words to find it by: vegan, quick", planned: false, schema: ["maxItems": 12]) var tags: [String]?
    @Argument("Hints for cooking it", planned: false, schema: ["maxLength": 4000]) var tips: String?
    @Argument("What is in one serving, any members", planned: false) var nutrition: JSON?
    @Argument("Book or address that it is from", planned: false, schema: ["maxLength": 1000]) var source: String?
    @Argument("Address of a picture", planned: false, schema: ["maxLength": 1000]) var imageURL: String?

    public init() {}

    public struct Saved: Object {
        public var recipe: RecipeView
        /// `saved`, `updated` or `present`.
        public var outcome: String
    }

    public func run(_ context: Context) async throws -> Reply<Saved> {
        let name = Cookbook.title(title)
        guard name.isVisible else {
            throw ToolError.invalid("What is it called? Like: save a recipe for pancakes.", code: "no_name")
        }
        let parsed = try Ingredient.all(ingredients ?? [])
        let steps = Array((steps?.all ?? []).prefix(RecipeLimits.steps))
        var recipe = Recipe(title: name, servings: servings ?? 4)
        let same = try await context.rows(Recipe.self).list(
            where: \.titleKey == recipe.titleKey, order: .descending(\.id), limit: 1)
        if let before = same.first {
            if let reply = try await unchanged(before, parsed, steps, context) { return reply }
            switch choice(context) {
            case "update": return try await update(before, parsed, steps, context)
            case "keep":
                recipe.title = try await freeTitle(name, context)
                recipe.titleKey = Words.key(recipe.title)
            default:
                throw Ask(
                    "There is a recipe for \(before.label) already. What now?", field: "same_title",
                    options: [
                        Ask.Option("update it", value: "update"), Ask.Option("keep both", value: "keep"),
                    ])
            }
        }
        guard try await context.rows(Recipe.self).count() < RecipeLimits.recipes else {
            throw ToolError.conflict("The cookbook is full with \(RecipeLimits.recipes) recipes.", code: "full")
        }
        try apply(to: &recipe)
        let made = recipe
        let result = try await context.batch { batch in
            let id = batch.insert(made)
            SaveRecipe.insert(parsed, steps, of: id, &batch)
        }
        guard let id = result.ids.first else { throw ToolError(code: "not_saved", "That was not saved. Try again.") }
        recipe.id = id
        return try await reply(recipe, "saved", context)
    }

    private func choice(_ context: Context) -> String? {
        guard case .string(let text) = context.answer("same_title") else { return nil }
        let words = Set(Words.split(text))
        if !words.isDisjoint(with: ["update", "replace", "overwrite", "change", "it"]) { return "update" }
        if !words.isDisjoint(with: ["keep", "both", "second", "new", "another", "beside"]) { return "keep" }
        return nil
    }

    static func insert(_ ingredients: [Ingredient], _ steps: [StepList.Step], of id: RowID, _ batch: inout RowBatch) {
        for (place, ingredient) in ingredients.enumerated() { batch.insert(ingredient.row(of: id, at: place)) }
        for (place, step) in steps.enumerated() {
            batch.insert(
                RecipeInstruction(
                    recipeID: id, stepNumber: place + 1, instructionText: step.text, estimatedTime: step.minutes,
                    tips: step.tip))
        }
    }

    /// The same recipe said again changes nothing.
    private func unchanged(
        _ before: Recipe, _ ingredients: [Ingredient], _ steps: [StepList.Step], _ context: Context
    ) async throws -> Reply<Saved>? {
        var after = before
        try apply(to: &after)
        if let servings { after.servings = servings }
        guard after == before else { return nil }
        let whole = try await context.whole(before)
        let rows = ingredients.enumerated().map { $0.element.row(of: before.id, at: $0.offset) }
        let isSame =
            (ingredients.isEmpty || rows.map(SaveRecipe.content) == whole.ingredients.map(SaveRecipe.content))
            && (steps.isEmpty || steps.map(\.text) == whole.steps.map(\.instructionText))
        guard isSame else { return nil }
        return Reply(
            "\(before.label.capitalizedFirst) is saved already: "
                + "\(RecipeText.count(whole.ingredients.count, "ingredient")) for \(before.servings).",
            value: Saved(recipe: RecipeView(whole, for: before.servings), outcome: "present"), shown: .recipe(before))
    }

    private static func content(_ row: RecipeIngredient) -> [String?] {
        [row.nameKey, row.quantity?.description, row.unit, row.notes, row.isOptional ? "optional" : nil]
    }

    private func update(
        _ before: Recipe, _ ingredients: [Ingredient], _ steps: [StepList.Step], _ context: Context
    ) async throws -> Reply<Saved> {
        var recipe = before
        try apply(to: &recipe)
        if let servings { recipe.servings = servings }
        let changed = recipe
        try await context.batch { batch in
            batch.update(changed)
            if !ingredients.isEmpty { batch.delete(RecipeIngredient.self, where: \.recipeID == changed.id) }
            if !steps.isEmpty { batch.delete(RecipeInstruction.self, where: \.recipeID == changed.id) }
            SaveRecipe.insert(ingredients, steps, of: changed.id, &batch)
        }
        return try await reply(recipe, "updated", context)
    }

    /// `pancakes 2`, the first that is free.
    private func freeTitle(_ name: String, _ context: Context) async throws -> String {
        let taken = Set(try await context.allRecipes().map(\.titleKey))
        let stem = name.cut(to: RecipeLimits.titleLength - 4)
        for number in 2...(RecipeLimits.recipes + 2) where !taken.contains(Words.key("\(stem) \(number)")) {
            return "\(stem) \(number)"
        }
        return name
    }

    private func apply(to recipe: inout Recipe) throws(ToolError) {
        try RecipeDetails(
            description: description, category: category, cuisine: cuisine, difficulty: difficulty,
            prepMinutes: prepMinutes, cookMinutes: cookMinutes, totalMinutes: totalMinutes, tags: tags, tips: tips,
            nutrition: nutrition, source: source, imageURL: imageURL
        ).apply(to: &recipe)
    }

    private func reply(_ recipe: Recipe, _ outcome: String, _ context: Context) async throws -> Reply<Saved> {
        let whole = try await context.whole(recipe)
        var text = "\(outcome.capitalizedFirst) \(recipe.label) for \(recipe.servings)"
        if outcome == "saved", servings == nil { text += " people" }
        if whole.ingredients.isEmpty {
            text += ". What goes in? Like: add 3 eggs to \(recipe.title.cut(to: 24)) recipe."
        } else {
            let names = whole.ingredients.map { $0.label(for: recipe.servings, of: recipe.servings) }
            let lead = text
            text = MessageText.fitting { "\(lead): \(MessageText.list(names, limit: $0))." }
            if whole.steps.isEmpty {
                text += "\nSteps can follow: steps for \(recipe.label): mix, rest 20 min, fry."
            } else {
                text += "\n" + RecipeText.count(whole.steps.count, "step") + "."
            }
        }
        return Reply(
            text, value: Saved(recipe: RecipeView(whole, for: recipe.servings), outcome: outcome),
            shown: .recipe(recipe))
    }
}

/// What may be said about a recipe besides title, servings, ingredients and steps.
struct RecipeDetails {
    var description: String?
    var category: Course?
    var cuisine: String?
    var difficulty: Difficulty?
    var prepMinutes: Int?
    var cookMinutes: Int?
    var totalMinutes: Int?
    var tags: [String]?
    var tips: String?
    var nutrition: JSON?
    var source: String?
    var imageURL: String?

    func apply(to recipe: inout Recipe) throws(ToolError) {
        if let text = description?.singleLine(limit: RecipeLimits.descriptionLength).nonEmpty {
            recipe.description = text
        }
        if let category { recipe.category = category }
        if let text = cuisine?.singleLine(limit: RecipeLimits.cuisineLength).nonEmpty {
            recipe.cuisineType = text.lowercased()
        }
        if let difficulty { recipe.difficultyLevel = difficulty }
        let timesChanged = prepMinutes != nil || cookMinutes != nil
        if let prepMinutes { recipe.prepTime = min(max(prepMinutes, 0), RecipeLimits.minutes) }
        if let cookMinutes { recipe.cookTime = min(max(cookMinutes, 0), RecipeLimits.minutes) }
        if let totalMinutes {
            recipe.totalTime = min(max(totalMinutes, 1), RecipeLimits.minutes)
        } else if timesChanged, recipe.prepTime != nil, recipe.cookTime != nil {
            recipe.totalTime = (recipe.prepTime ?? 0) + (recipe.cookTime ?? 0)
        }
        if let tags { recipe.tags = RecipeDetails.tags(tags, after: []) }
        if let text = tips?.singleLine(limit: RecipeLimits.tipsLength).nonEmpty { recipe.tips = text }
        if let nutrition, !nutrition.isNull {
            guard nutrition.serialized().count <= RecipeLimits.nutritionBytes else {
                throw .invalid("That is too much nutrition data for one recipe.", code: "too_large")
            }
            recipe.nutritionInfo = nutrition
        }
        if let text = source?.singleLine(limit: RecipeLimits.sourceLength).nonEmpty { recipe.source = text }
        if let text = imageURL?.singleLine(limit: RecipeLimits.sourceLength).nonEmpty { recipe.imageURL = text }
    }

    /// Lower case, each once, at most as many as a recipe may have.
    static func tags(_ new: [String], after old: [String]) -> [String] {
        var tags = old
        for tag in new.prefix(100) {
            var text = tag.singleLine(limit: RecipeLimits.tagLength).lowercased()
            while text.hasPrefix("#") { text.removeFirst() }
            if !text.isEmpty, !tags.contains(text) { tags.append(text) }
        }
        return Array(tags.prefix(RecipeLimits.tags))
    }
}
