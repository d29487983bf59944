import PluginCommon
public import TandemSDK

/// A planned meal as tools give it back.
public struct MealSummary: Object {
    public var id: RowID
    public var recipeID: RowID
    public var title: String
    public var date: Day
    public var meal: String
    public var servings: Int

    init(_ row: PlannedMeal, _ recipe: Recipe) {
        id = row.id
        recipeID = row.recipeID
        title = recipe.title
        date = row.date
        meal = row.meal.rawValue
        servings = row.servings
    }
}

extension Context {
    /// What is planned in a period, in order, with the recipes.
    func plan(_ period: Period) async throws -> [(row: PlannedMeal, recipe: Recipe)] {
        let period = period.ordered
        let rows = try await rows(PlannedMeal.self).list(
            where: \.date >= period.from, \.date <= period.to, order: .ascending(\.date), .ascending(\.id), limit: 500)
        var recipes: [RowID: Recipe] = [:]
        let ids = Set(rows.map(\.recipeID)).sorted()
        for start in stride(from: 0, to: ids.count, by: 200) {
            let part = Array(ids[start..<min(start + 200, ids.count)])
            for recipe in try await self.rows(Recipe.self).list(where: .any(of: part, \.id), limit: 500) {
                recipes[recipe.id] = recipe
            }
        }
        return rows.sorted { ($0.date, $0.meal, $0.id) < ($1.date, $1.meal, $1.id) }
            .compactMap { row in recipes[row.recipeID].map { (row, $0) } }
    }

    /// For one day of the past week the same weekday ahead: of a plan, `Friday` means the one to come.
    func coming(_ period: Period) -> Period? {
        let today = clock.today
        guard period.from == period.to, period.to < today, period.to >= today.adding(days: -7) else { return nil }
        let day = period.to.adding(days: 7)
        return Period(from: day, to: day)
    }

    /// Today and the six days after it.
    var comingWeek: Period { Period(from: clock.today, to: clock.today.adding(days: 6)) }

    /// `Fri`, `today`, `12 Dec`: how a planned day reads.
    func dayName(_ day: Day) -> String {
        let today = clock.today
        if day == today.adding(days: 1) { return "tomorrow" }
        guard day > today, day <= today.adding(days: 6) else { return day.short(today: today) }
        let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        let place = day.weekday - 1
        return names.indices.contains(place) ? names[place] : day.short(today: today)
    }
}

public struct PlanMeal: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.plan", "Plan a meal", effect: .write,
        "Plans a recipe for a day and a meal: dinner and today where nothing is said.",
        utterances: [
            "plan {recipe} for {date}",
            "(let us|can we) (have|eat) {recipe} [for {meal}] on {date}",
            "put {recipe} on (the|my) meal plan [for {date}]",
            "schedule {recipe} for {date} [{meal}]",
            "plan {recipe} for {meal} [on] [{date}]",
            "(we are|I am) (having|eating) {recipe} [for {meal}] [on] {date}",
            "add {recipe} to (the|my) meal plan [for {date}]",
            "put {recipe} on the menu [for] [{date}]",
            "{recipe} is on the menu (for|on) {date}",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument("The day; today when left out") var date: Day?
    @Argument("Which meal; dinner when left out") var meal: Meal?
    @Argument(
        "For how many people; as the recipe says when left out", hints: ["people", "servings", "portions", "guests"],
        schema: ["minimum": 1, "maximum": 500])
    var servings: Int?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MealSummary> {
        let row = try await context.recipe(recipe)
        let day = date ?? context.clock.today
        let meal = meal ?? .dinner
        let meals = context.rows(PlannedMeal.self)
        let there = try await meals.list(
            where: \.recipeID == row.id, \.date == day, \.meal == meal, order: .ascending(\.id), limit: 1)
        var planned = PlannedMeal(recipeID: row.id, date: day, meal: meal, servings: servings ?? row.servings)
        var lead = "Planned"
        if let before = there.first {
            planned.id = before.id
            planned.servings = servings ?? before.servings
            if planned.servings == before.servings {
                lead = "Already planned:"
            } else {
                try await meals.update(planned)
                lead = "Now"
            }
        } else {
            guard try await meals.count(where: \.date >= context.clock.today) < RecipeLimits.plannedMeals else {
                throw ToolError.conflict("The meal plan is full. Remove something first.", code: "full")
            }
            planned.id = try await meals.insert(planned)
        }
        return Reply(
            "\(lead) \(row.label) for \(planned.servings), \(context.dayName(day)) \(meal.rawValue).",
            value: MealSummary(planned, row), shown: .recipe(row))
    }
}

public struct ShowMeals: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.meals", "Show the meal plan", effect: .read,
        "Shows what is planned to eat: the coming seven days where no time is said.",
        utterances: [
            "(show|list) [me] (my|the) meal plan [for {when}]",
            "[my|the] meal plan [for] [{when}]",
            "what is for (dinner|lunch|breakfast|supper) [{when}]",
            "what are we (eating|having) [for (dinner|lunch|breakfast)] [{when}]",
            "what (meals|food) (is|are|have I) planned [for {when}]",
        ])

    @Argument("Which days; the coming week when left out") var when: Period?

    public init() {}

    public struct Listing: Object {
        public var meals: [MealSummary]
        public var from: Day
        public var to: Day
    }

    public func run(_ context: Context) async throws -> Reply<Listing> {
        var period = (when ?? context.comingWeek).ordered
        var plan = try await context.plan(period)
        if let coming = context.coming(period) {
            let ahead = try await context.plan(coming)
            if !ahead.isEmpty || plan.isEmpty { (period, plan) = (coming, ahead) }
        }
        let value = Listing(
            meals: plan.map { MealSummary($0.row, $0.recipe) }, from: period.from, to: period.to)
        guard !plan.isEmpty else {
            let text = when == nil ? "in the coming week" : period.phrase(today: context.clock.today)
            return Reply("Nothing planned \(text). To plan: plan pancakes for Friday.", value: value)
        }
        let parts = plan.enumerated().map { index, entry in
            let meal = entry.row.meal == .dinner ? "" : " \(entry.row.meal.rawValue)"
            return "\(index + 1) \(context.dayName(entry.row.date))\(meal) \(entry.recipe.label)"
        }
        return Reply(
            MessageText.flow("Planned:", parts), value: value, shown: .recipes(plan.map(\.recipe)))
    }
}

public struct UnplanMeal: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.unplan", "Take a meal off the plan", effect: .write,
        "Takes planned meals off the meal plan: a recipe, a day, or a recipe on a day. The recipes stay.",
        utterances: [
            "(take|remove) {recipe} (off|from) (the|my) meal plan",
            "(we are|I am) not (having|eating) {recipe} [on] {date}",
            "unplan {recipe} [on {date}]",
            "(take|move) {recipe} off the (menu|plan) [for {date}]",
            "(clear|remove) (the|my) meal plan for {date}",
            "(clear|take) {date} [off] (the|my) meal plan",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>?
    @Argument("The day") var date: Day?
    @Argument("Which meal") var meal: Meal?

    public init() {}

    public struct Removed: Object {
        public var meals: [MealSummary]
    }

    public func run(_ context: Context) async throws -> Reply<Removed> {
        guard recipe != nil || date != nil else {
            throw ToolError.invalid("Which meal? A recipe or a day, like: unplan pancakes.", code: "nothing_named")
        }
        let today = context.clock.today
        let period = date.map { Period(from: $0, to: $0) } ?? Period(from: today, to: today.adding(days: 366))
        var plan = try await context.plan(period)
        if let meal { plan = plan.filter { $0.row.meal == meal } }
        if let recipe {
            let row = try await context.recipe(recipe)
            plan = plan.filter { $0.row.recipeID == row.id }
            if plan.isEmpty {
                throw ToolError.notFound("\(row.label.capitalizedFirst) is not planned then.")
            }
            if plan.count > 1, date == nil { plan = try one(of: plan, context) }
        }
        guard !plan.isEmpty else { throw ToolError.notFound("Nothing is planned then.") }
        let removed = plan
        try await context.batch { batch in for entry in removed { batch.delete(PlannedMeal.self, entry.row.id) } }
        let names = removed.map { "\($0.recipe.label) (\(context.dayName($0.row.date)))" }
        return Reply(
            MessageText.fitting { "Off the plan: \(MessageText.list(names, limit: $0))." },
            value: Removed(meals: removed.map { MealSummary($0.row, $0.recipe) }),
            shown: removed.count == 1 ? removed.first.map { .recipe($0.recipe) } : nil)
    }

    /// Planned several times: the person says which, unless they have.
    private func one(
        of plan: [(row: PlannedMeal, recipe: Recipe)], _ context: Context
    ) throws -> [(row: PlannedMeal, recipe: Recipe)] {
        if case .string(let answer) = context.answer("which_day") {
            let key = Words.key(answer)
            let picked = plan.filter {
                "#\($0.row.id)" == answer || Words.key(context.dayName($0.row.date)) == key
                    || $0.row.date.description == answer
            }
            if !picked.isEmpty { return picked }
            if ["all", "both", "every"].contains(key) { return plan }
        }
        var ask = Ask("Which day?", field: "which_day")
        for entry in plan.prefix(9) {
            ask.options.append(
                Ask.Option(
                    "\(context.dayName(entry.row.date)) \(entry.row.meal.rawValue)",
                    value: .string("#\(entry.row.id)")))
            if ask.options.count > 2, ask.message.unicodeScalars.count > MessageText.lineLimit {
                ask.options.removeLast()
                break
            }
        }
        throw ask
    }
}

public struct ShopForPlan: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.shop_plan", "Shop for the meal plan", effect: .write,
        """
        Puts on the grocery list what the planned meals lack: of the coming seven days where no time is said. Asking again \
        does not add it twice.
        """,
        utterances: [
            "shop for (the|my) meal plan [for {when}]",
            "(put|add) (everything|what is missing|the ingredients) for (the|my) meal plan (on|to) (the|my) [grocery|shopping] list",
            "(put|add) (everything|what is missing) for the (planned meals|week's meals) (on|to) (the|my) [grocery|shopping] list",
            "shop for the (planned meals|week's meals)",
        ])

    @Argument("Which days; the coming week when left out") var when: Period?

    public init() {}

    public struct Shopped: Object {
        public var recipes: [String]
        /// What has to be bought, by recipe.
        public var missing: [Quantity]
        public var atHome: [String]
        public var added: Bool
    }

    public func run(_ context: Context) async throws -> Reply<Shopped> {
        let asked = (when ?? context.comingWeek).ordered
        let plan = try await context.plan(context.coming(asked) ?? asked)
        guard !plan.isEmpty else {
            throw ToolError.notFound("Nothing is planned then. To plan: plan pancakes for Friday.")
        }
        var servings: [RowID: Int] = [:]
        var recipes: [Recipe] = []
        for entry in plan {
            if servings[entry.recipe.id] == nil { recipes.append(entry.recipe) }
            servings[entry.recipe.id, default: 0] += min(entry.row.servings, RecipeLimits.servings)
        }
        guard recipes.count <= RecipeLimits.recipesPerTrip else {
            throw ToolError.invalid("That is a lot at once. A shorter time, like this week, works.", code: "too_many")
        }
        var house = House(try await context.pantry())
        var needs: [(id: RowID, shopping: Shopping)] = []
        for recipe in recipes {
            let whole = WholeRecipe(
                recipe: recipe, ingredients: try await context.ingredients(of: recipe.id), steps: [])
            needs.append((recipe.id, Shopping(whole, for: servings[recipe.id] ?? recipe.servings, &house)))
        }
        var isDone = context.canShop
        for need in needs where isDone { isDone = try await context.buy(need.shopping, for: need.id) }
        let missing = needs.flatMap(\.shopping.missing)
        let labels = needs.flatMap(\.shopping.labels)
        let value = Shopped(
            recipes: recipes.map(\.title), missing: missing, atHome: needs.flatMap(\.shopping.atHome),
            added: isDone && !missing.isEmpty)
        let count = RecipeText.count(recipes.count, "recipe")
        guard !missing.isEmpty else {
            return Reply("All for \(count) is at home. Nothing to buy.", value: value)
        }
        guard isDone else {
            let text = MessageText.fitting {
                "The grocery list is off, nothing added. For \(count): \(MessageText.list(labels, limit: $0))."
            }
            return Reply(text + "\nTo use it, say: turn grocery on.", value: value)
        }
        return Reply(
            MessageText.fitting { "On the list for \(count): \(MessageText.list(labels, limit: $0))." }, value: value)
    }
}
