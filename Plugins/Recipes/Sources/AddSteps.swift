import PluginCommon
public import TandemSDK

public struct AddSteps: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.add_steps", "Add steps to a recipe", effect: .write,
        "Adds steps behind those that a recipe has; with replace, in their place. Times in the words are understood.",
        utterances: [
            "[the] steps for [the] {recipe}: {steps}",
            "cooking steps for {recipe}: {steps}",
            "add [the] steps to [the] {recipe}: {steps}",
            "add [a] step to [the] {recipe}: {steps}",
            "[the] (method|instructions|directions) for [the] {recipe}: {steps}",
            Utterance("replace all [the] steps (of|for) [the] {recipe}: {steps}", arguments: ["replace": true]),
            Utterance("new steps for [the] {recipe}: {steps}", arguments: ["replace": true]),
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>
    @Argument("The steps in their order, as one text or a list") var steps: StepList
    @Argument("In place of the steps that are there", planned: false) var replace = false

    public init() {}

    public func run(_ context: Context) async throws -> Reply<RecipeView> {
        guard !steps.all.isEmpty else {
            throw ToolError.invalid("Which steps? Like: steps for pancakes: mix, rest 20 min, fry.", code: "no_steps")
        }
        let row = try await context.recipe(recipe)
        let before = replace ? [] : try await context.steps(of: row.id)
        guard before.count + steps.all.count <= RecipeLimits.steps else {
            throw ToolError.invalid("Up to \(RecipeLimits.steps) steps fit one recipe.", code: "too_many")
        }
        try await context.batch { batch in
            if replace { batch.delete(RecipeInstruction.self, where: \.recipeID == row.id) }
            for (place, step) in steps.all.enumerated() {
                batch.insert(
                    RecipeInstruction(
                        recipeID: row.id, stepNumber: before.count + place + 1, instructionText: step.text,
                        estimatedTime: step.minutes, tips: step.tip))
            }
        }
        let whole = try await context.whole(row)
        let parts = whole.steps.enumerated().map { "\($0.offset + 1) \($0.element.label)" }
        return Reply(
            MessageText.flow("\(row.label.capitalizedFirst):", parts), value: RecipeView(whole, for: row.servings),
            shown: .recipe(row))
    }
}
