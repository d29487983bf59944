import PluginCommon
public import TandemSDK

public struct EditRecipe: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.edit", "Change a recipe", effect: .write,
        """
        Changes title, servings, kind of dish, cuisine, times, tags or source of a recipe. New servings say what its \
        amounts are for; the amounts stay, unless scale is given.
        """,
        utterances: [
            "rename [the] {recipe} [recipe] to {title}",
            "call [the] {recipe} recipe {title}",
            "the {recipe} recipe serves {servings} [people]",
            "change the servings of [the] {recipe} to {servings}",
            "[the] {recipe} [recipe] takes {total_minutes}",
            "[the] {recipe} [recipe] is (a|an) {category} [recipe]",
            "tag [the] {recipe} [recipe] [as] {tags}",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument("A new title", schema: ["minLength": 1, "maxLength": 200]) var title: String?
    @Argument(
        "What its amounts are for", hints: ["serves", "people", "servings", "portions"],
        schema: ["minimum": 1, "maximum": 500])
    var servings: Int?
    @Argument("With servings: change the amounts accordingly", planned: false) var scale = false
    @Argument("What it is", planned: false, schema: ["maxLength": 2000]) var description: String?
    @Argument("The kind of dish") var category: Course?
    @Argument("Where it comes from", planned: false, schema: ["maxLength": 100]) var cuisine: String?
    @Argument("How hard it is", planned: false) var difficulty: Difficulty?
    @Argument("Minutes of preparation", planned: false, schema: ["minimum": 0, "maximum": 10_080])
    var prepMinutes: Int?
    @Argument("Minutes of cooking", planned: false, schema: ["minimum": 0, "maximum": 10_080]) var cookMinutes: Int?
    @Argument("Minutes in all") var totalMinutes: Minutes?
    @Argument("Words to add to its tags", schema: ["maxItems": 12]) var tags: [String]?
    @Argument("Words to take off its tags", planned: false, schema: ["maxItems": 12]) var removeTags: [String]?
    @Argument("In place of its tips", planned: false, schema: ["maxLength": 4000]) var tips: String?
    @Argument("What is in one serving", planned: false) var nutrition: JSON?
    @Argument("Book or address that it is from", planned: false, schema: ["maxLength": 1000]) var source: String?
    @Argument("Address of a picture", planned: false, schema: ["maxLength": 1000]) var imageURL: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeView> {
        let before = try await context.recipe(recipe)
        var row = before
        if let title {
            let name = Cookbook.title(title)
            guard name.isVisible else { throw ToolError.invalid("What is it called now?", code: "no_name") }
            row.title = name
            row.titleKey = Words.key(name)
            if row.titleKey != before.titleKey,
                try await context.rows(Recipe.self).count(where: \.titleKey == row.titleKey) > 0
            {
                throw ToolError.conflict("There is a recipe for \(row.label) already.", code: "present")
            }
        }
        if let servings { row.servings = servings }
        try RecipeDetails(
            description: description, category: category, cuisine: cuisine, difficulty: difficulty,
            prepMinutes: prepMinutes, cookMinutes: cookMinutes, totalMinutes: totalMinutes?.count, tags: nil,
            tips: tips, nutrition: nutrition, source: source, imageURL: imageURL
        ).apply(to: &row)
        if let tags { row.tags = RecipeDetails.tags(tags, after: row.tags) }
        if let removeTags {
            let keys = Set(removeTags.prefix(100).map(Words.key))
            row.tags.removeAll { keys.contains(Words.key($0)) }
        }
        guard row != before else {
            throw ToolError.invalid(
                "What should change about \(row.label)? Like: rename it, or for 6 people.", code: "nothing_to_change")
        }
        let changed = row
        var ingredients: [RecipeIngredient] = []
        if scale, row.servings != before.servings {
            ingredients = try await context.ingredients(of: row.id)
            for place in ingredients.indices {
                let amount = ingredients[place].amount(for: row.servings, of: before.servings)
                ingredients[place].quantity = amount?.value ?? ingredients[place].quantity
            }
        }
        let scaled = ingredients
        try await context.batch { batch in
            batch.update(changed)
            for ingredient in scaled { batch.update(ingredient) }
        }
        return Reply(
            "Changed \(row.label): \(changes(row, before).joined(separator: ", ")).",
            value: RecipeView(try await context.whole(row), for: row.servings), shown: .recipe(row))
    }

    private func changes(_ row: Recipe, _ before: Recipe) -> [String] {
        var changes: [String] = []
        if row.title != before.title { changes.append("was \(before.title.cut(to: 30))") }
        if row.servings != before.servings { changes.append("for \(row.servings)") }
        if row.category != before.category, let category = row.category { changes.append(category.rawValue) }
        if row.minutes != before.minutes, let minutes = row.minutes { changes.append(StepTime.text(minutes)) }
        if row.cuisineType != before.cuisineType, let cuisine = row.cuisineType { changes.append(cuisine) }
        if row.tags != before.tags {
            changes.append(
                row.tags.isEmpty
                    ? "no tags" : "tags \(MessageText.enumeration(row.tags.map { $0.cut(to: 20) }, limit: 3))")
        }
        return changes.isEmpty ? ["details"] : changes
    }
}

public struct AddIngredients: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.add_ingredients", "Add ingredients to a recipe", effect: .write,
        "Adds ingredients to a recipe, or changes the amounts of those that it has.",
        utterances: [
            "add {ingredients} to [the] {recipe} recipe",
            "add {ingredients} to the recipe (for|of) {recipe}",
            "add {ingredients} to the ingredients (for|of) {recipe}",
            "[the] {recipe} recipe (needs|has) [also] {ingredients}",
            "put {ingredients} in [the] {recipe} recipe",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument("The ingredients with their amounts", schema: ["minItems": 1, "maxItems": 80])
    var ingredients: [IngredientInput]

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeView> {
        let new = try Ingredient.all(ingredients)
        guard !new.isEmpty else {
            throw ToolError.invalid("Which ingredients? Like: 250 g flour, 3 eggs.", code: "no_name")
        }
        let row = try await context.recipe(recipe)
        let before = try await context.ingredients(of: row.id)
        var updated: [RecipeIngredient] = []
        var added: [RecipeIngredient] = []
        var next = (before.map(\.orderIndex).max() ?? -1) + 1
        for ingredient in new {
            if let old = before.first(where: { $0.nameKey == ingredient.key }) {
                var changed = ingredient.row(of: row.id, at: old.orderIndex)
                changed.id = old.id
                if changed.notes == nil { changed.notes = old.notes }
                if changed.quantity == nil {
                    changed.quantity = old.quantity
                    changed.unit = old.unit
                }
                updated.append(changed)
            } else {
                added.append(ingredient.row(of: row.id, at: next))
                next += 1
            }
        }
        guard before.count + added.count <= RecipeLimits.ingredients else {
            throw ToolError.invalid("Up to \(RecipeLimits.ingredients) ingredients fit one recipe.", code: "too_many")
        }
        let (inserts, updates) = (added, updated)
        try await context.batch { batch in
            for ingredient in updates { batch.update(ingredient) }
            for ingredient in inserts { batch.insert(ingredient) }
        }
        let whole = try await context.whole(row)
        let labels = (updated + added).map { $0.label(for: row.servings, of: row.servings) }
        return Reply(
            MessageText.fitting { "Now in \(row.label): \(MessageText.list(labels, limit: $0))." },
            value: RecipeView(whole, for: row.servings), shown: .recipe(row))
    }
}

public struct RemoveIngredient: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.remove_ingredient", "Take an ingredient out of a recipe", effect: .write,
        "Takes ingredients out of a recipe.",
        utterances: [
            "(take|remove) {ingredients} (out of|from) the {recipe} recipe",
            "(take|remove) [the] {ingredients} (out of|from) the recipe (for|of) {recipe}",
            "leave [the] {ingredients} out of [the] {recipe} [recipe]",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument("Names of what to take out", schema: ["minItems": 1, "maxItems": 80]) var ingredients: [String]

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeView> {
        let row = try await context.recipe(recipe)
        let before = try await context.ingredients(of: row.id)
        let matcher = NameMatcher(before.map(\.ingredientName), isKnown: FoodLexicon.isKnown)
        var places: Set<Int> = []
        for name in ingredients.prefix(RecipeLimits.ingredients) {
            switch matcher.match(name) {
            case .exact(let found), .close(let found): if let first = found.first { places.insert(first) }
            case .none: break
            }
        }
        let gone = places.sorted().compactMap { before.indices.contains($0) ? before[$0] : nil }
        guard !gone.isEmpty else {
            let names = MessageText.enumeration(before.map { $0.ingredientName.cut(to: 24) }, limit: 4)
            throw ToolError.notFound(
                before.isEmpty
                    ? "\(row.label.capitalizedFirst) has no ingredients yet."
                    : "That is not in \(row.label). There is \(names).")
        }
        try await context.batch { batch in for item in gone { batch.delete(RecipeIngredient.self, item.id) } }
        let names = gone.map { $0.ingredientName.cut(to: 40) }
        return Reply(
            MessageText.fitting { "Took \(MessageText.list(names, limit: $0)) out of \(row.label)." },
            value: RecipeView(try await context.whole(row), for: row.servings), shown: .recipe(row))
    }
}

public struct ChangeStep: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.change_step", "Change a step of a recipe", effect: .write,
        "Puts new words in the place of a step, or takes the step out when there are none.",
        utterances: [
            "(change|replace) step {number} of {recipe} (to|by|with) {text}",
            "change step {number} of {recipe}: {text}",
            "(change|replace) step {number} (to|by|with) {text}",
            "change step {number}: {text}",
            "step {number} of [the] {recipe} [recipe] is {text}",
            Utterance("(remove|delete) step {number} of {recipe}", arguments: ["remove": true]),
            Utterance("(remove|delete) step {number}", arguments: ["remove": true]),
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument("The number of the step", hints: ["step"], schema: ["minimum": 1]) var number: Int
    @Argument("The new words", schema: ["maxLength": 2000]) var text: String?
    @Argument("How long it takes, in minutes", planned: false, schema: ["minimum": 1, "maximum": 10_080])
    var minutes: Int?
    @Argument("Take the step out", planned: false) var remove = false

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeView> {
        let row = try await context.recipe(recipe)
        let steps = try await context.steps(of: row.id)
        guard number >= 1, steps.indices.contains(number - 1) else {
            throw ToolError.notFound(
                "\(row.label.capitalizedFirst) has \(RecipeText.count(steps.count, "step")).", code: "no_such_step")
        }
        let old = steps[number - 1]
        let message: String
        if remove {
            let later = steps[number...]
            try await context.batch { batch in
                batch.delete(RecipeInstruction.self, old.id)
                for (offset, step) in later.enumerated() {
                    batch.update(RecipeInstruction.self, step.id, .set(\.stepNumber, number + offset))
                }
            }
            message = "Took step \(number) out of \(row.label). \(RecipeText.count(steps.count - 1, "step")) now."
        } else {
            guard let new = StepList.Step(text ?? old.instructionText, minutes: minutes),
                text != nil || minutes != nil
            else {
                throw ToolError.invalid("What should step \(number) say?", code: "no_text")
            }
            var step = old
            step.instructionText = new.text
            step.estimatedTime = new.minutes
            try await context.rows(RecipeInstruction.self).update(step)
            message = "Step \(number) of \(row.label): \(step.label.cut(to: 80))"
        }
        return Reply(
            message, value: RecipeView(try await context.whole(row), for: row.servings), shown: .recipe(row))
    }
}
