import PluginCommon
public import TandemSDK

/// Where somebody is in cooking, as tools give it back.
public struct CookingState: Object {
    public var recipeID: RowID
    public var title: String
    public var servings: Int
    /// The step that is on now; nil when the recipe is done or paused.
    public var step: Int?
    public var of: Int
    public var text: String?
    public var minutes: Int?
    public var timesCooked: Int
}

/// Cooking step by step: one step a message.
enum Cooking {
    static let nothing = ToolError.notFound(
        "Nothing is being cooked right now. To begin: cook pancakes step by step.", code: "not_cooking")

    static func active(_ context: Context) async throws -> CookingSession? {
        try await context.rows(CookingSession.self).list(
            where: \.state == .active, order: .descending(\.id), limit: 1
        ).first
    }

    /// The session that is on, with its recipe and steps.
    static func current(
        _ context: Context
    ) async throws -> (session: CookingSession, recipe: Recipe, steps: [RecipeInstruction]) {
        guard let session = try await active(context),
            let recipe = try await context.rows(Recipe.self).get(session.recipeID)
        else { throw nothing }
        let steps = try await context.steps(of: recipe.id)
        guard !steps.isEmpty else { throw nothing }
        return (session, recipe, steps)
    }

    /// Goes to a step and says it.
    static func show(
        _ number: Int, _ session: CookingSession, _ recipe: Recipe, _ steps: [RecipeInstruction], _ context: Context,
        lead: String = "", tail: String? = nil
    ) async throws -> Reply<CookingState> {
        let number = min(max(number, 1), max(steps.count, 1))
        if session.step != number || session.state != .active {
            try await context.rows(CookingSession.self).update(
                session.id, .set(\.step, number), .set(\.state, .active))
        }
        return reply(number, session, recipe, steps, lead: lead, tail: tail)
    }

    static func reply(
        _ number: Int, _ session: CookingSession, _ recipe: Recipe, _ steps: [RecipeInstruction], lead: String = "",
        tail: String? = nil
    ) -> Reply<CookingState> {
        let number = min(max(number, 1), max(steps.count, 1))
        guard steps.indices.contains(number - 1) else {
            return Reply("No steps left.", value: state(recipe, session.servings, nil, steps))
        }
        let step = steps[number - 1]
        let call = number == steps.count ? "Last step. Say next when it is done." : "Say next when ready."
        var lines = wrapped("\(lead)Step \(number) of \(steps.count): \(step.label)", closing: call)
        if let tip = step.tips { lines.append("Tip: \(tip)") }
        if let tail { lines.append(tail) }
        return Reply(
            lines.joined(separator: "\n"), value: state(recipe, session.servings, number, steps),
            shown: .recipe(recipe))
    }

    /// Lines that each fit a message, broken between words.
    private static func wrapped(_ text: String, closing: String) -> [String] {
        let mark = text.last.map { ".!?".contains($0) } ?? false ? " " : ". "
        var lines: [String] = []
        var line = ""
        for word in (text + mark + closing).split(separator: " ") {
            if !line.isEmpty, line.unicodeScalars.count + word.unicodeScalars.count + 1 > MessageText.lineLimit {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        lines.append(line)
        return lines
    }

    static func state(
        _ recipe: Recipe, _ servings: Int, _ number: Int?, _ steps: [RecipeInstruction]
    ) -> CookingState {
        let step = number.flatMap { steps.indices.contains($0 - 1) ? steps[$0 - 1] : nil }
        return CookingState(
            recipeID: recipe.id, title: recipe.title, servings: servings, step: number, of: steps.count,
            text: step?.instructionText, minutes: step?.estimatedTime, timesCooked: recipe.timesCooked)
    }

    /// Counts the recipe as cooked, and asks how it was.
    static func finish(
        _ recipe: Recipe, _ session: CookingSession?, _ context: Context
    ) async throws -> Reply<CookingState> {
        var cooked = recipe
        cooked.timesCooked = min(recipe.timesCooked, 1_000_000) + 1
        cooked.lastCookedAt = context.clock.now
        let row = cooked
        try await context.batch { batch in
            batch.update(
                Recipe.self, row.id, .set(\.timesCooked, row.timesCooked), .set(\.lastCookedAt, row.lastCookedAt))
            batch.delete(CookingSession.self, where: \.recipeID == row.id)
        }
        let count = cooked.timesCooked == 1 ? "the first time" : "\(cooked.timesCooked) times now"
        let question = recipe.rating == nil ? " How was it? Say for example: 4 stars." : ""
        return Reply(
            "Enjoy! \(recipe.label.capitalizedFirst), cooked \(count).\(question)",
            value: state(cooked, session?.servings ?? recipe.servings, nil, []), shown: .recipe(recipe))
    }
}

public struct Cook: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.cook", "Cook step by step", effect: .write,
        """
        Begins to cook a recipe step by step, one step a message, or goes on where it was paused. Then use recipes.next, \
        recipes.back, recipes.step and recipes.done.
        """,
        utterances: [
            "(cook|make) {recipe} step by step",
            "let us cook {recipe} [for {servings} people]",
            "start cooking {recipe}", "(cook|I want to cook) {recipe}",
            "(guide|walk|take) me through [the] {recipe} [recipe]",
            "(guide|walk|take) me through {recipe} step by step",
            "I want to (start|begin) cooking {recipe}",
            "continue cooking", "continue cooking {recipe}", "go on cooking",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known; what was paused when left out") var recipe: Reference<Recipe>?
    @Argument(
        "For how many people; as the recipe says when left out", hints: ["people", "servings", "portions", "guests"],
        schema: ["minimum": 1, "maximum": 500])
    var servings: Int?
    @Argument("From the first step, even when it was paused later", planned: false) var fromBeginning = false

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CookingState> {
        let sessions = context.rows(CookingSession.self)
        let row: Recipe
        if let recipe {
            row = try await context.recipe(recipe)
        } else {
            let last = try await sessions.list(order: .descending(\.id), limit: 1).first
            guard let last, let known = try await context.rows(Recipe.self).get(last.recipeID) else {
                throw Cooking.nothing
            }
            row = known
        }
        let whole = try await context.whole(row)
        guard !whole.steps.isEmpty else {
            throw ToolError.invalid(
                "\(row.label.capitalizedFirst) has no steps yet. Add some like: steps for pancakes: mix, rest 20 min, fry.",
                code: "no_steps")
        }
        try await sessions.update(where: \.state == .active, \.recipeID != row.id, set: .set(\.state, .paused))
        if !fromBeginning,
            let before = try await sessions.list(where: \.recipeID == row.id, order: .descending(\.id), limit: 1).first
        {
            return try await Cooking.show(
                before.step, before, row, whole.steps, context, lead: "Back to \(row.title.cut(to: 30)). ")
        }
        try await sessions.delete(where: \.recipeID == row.id)
        var session = CookingSession(
            recipeID: row.id, servings: servings ?? row.servings, step: 1, state: .active, begunAt: context.clock.now)
        session.id = try await sessions.insert(session)
        let names = whole.ingredients.map { $0.label(for: session.servings, of: row.servings) }
        return Cooking.reply(
            1, session, row, whole.steps, lead: "\(row.title.cut(to: 30).capitalizedFirst) for \(session.servings). ",
            tail: names.isEmpty ? nil : MessageText.flow("You need:", names))
    }
}

public struct NextStep: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.next", "The next cooking step", effect: .write,
        "Goes to the next step of what is being cooked; after the last one the recipe is done.",
        utterances: [
            "next", "what is next", "next step", "next cooking step", "what is the next step [in the recipe]",
            "step done", "done",
        ])

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CookingState> {
        let now = try await Cooking.current(context)
        guard now.session.step < now.steps.count else {
            return try await Cooking.finish(now.recipe, now.session, context)
        }
        return try await Cooking.show(now.session.step + 1, now.session, now.recipe, now.steps, context)
    }
}

public struct PreviousStep: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.back", "The cooking step before", effect: .write, "Goes back one step of what is being cooked.",
        utterances: ["back", "(previous|last) step", "go back [a|one] step", "step back"])

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CookingState> {
        let now = try await Cooking.current(context)
        return try await Cooking.show(
            now.session.step - 1, now.session, now.recipe, now.steps, context,
            lead: now.session.step <= 1 ? "This is the first. " : "")
    }
}

public struct CurrentStep: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.step", "Repeat the cooking step, or go to one", effect: .write,
        "Says the step of what is being cooked again, or goes to the step of that number.",
        utterances: [
            "repeat [that|the] step", "repeat", "where am I [in the recipe]", "which step am I (on|at)",
            "(go|jump) to step {number}", "step {number}", "what was the step again",
        ])

    @Argument("The number of the step; the one that is on when left out", hints: ["step"], schema: ["minimum": 1])
    var number: Int?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CookingState> {
        let now = try await Cooking.current(context)
        if let number, number > now.steps.count {
            throw ToolError.invalid(
                "There are \(RecipeText.count(now.steps.count, "step")). You are at \(now.session.step).",
                code: "no_such_step")
        }
        return try await Cooking.show(number ?? now.session.step, now.session, now.recipe, now.steps, context)
    }
}

public struct DoneCooking: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.done", "Done cooking", effect: .write,
        "Ends the cooking of a recipe and counts it as cooked; also for a recipe cooked without the steps.",
        utterances: [
            "(done|finished) cooking [{recipe}]", "I (am|have) (done|finished) cooking [{recipe}]",
            "I cooked [the] {recipe}",
            "we (cooked|made) [the] {recipe}",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe; what is being cooked when left out") var recipe: Reference<Recipe>?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CookingState> {
        if let recipe { return try await Cooking.finish(context.recipe(recipe), nil, context) }
        let now = try await Cooking.current(context)
        return try await Cooking.finish(now.recipe, now.session, context)
    }
}

public struct PauseCooking: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.pause", "Pause cooking", effect: .write,
        "Puts away what is being cooked without counting it; recipes.cook goes on at the same step.",
        utterances: ["pause [the] cooking", "(stop|leave) cooking [for now]", "put the cooking away"])

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CookingState> {
        let now = try await Cooking.current(context)
        try await context.rows(CookingSession.self).update(now.session.id, .set(\.state, .paused))
        return Reply(
            "Paused \(now.recipe.label) at step \(now.session.step). To go on: continue cooking.",
            value: Cooking.state(now.recipe, now.session.servings, nil, now.steps), shown: .recipe(now.recipe))
    }
}
