public import TandemSDK

/// One step of a recipe.
public struct RecipeInstruction: Row, Hashable {
    public static let table = Table<RecipeInstruction>(
        "recipe_instructions", "the steps of your recipes", .references(\.recipeID, Recipe.self),
        .index(\.recipeID, \.stepNumber))

    public var id = RowID()
    public var recipeID: RowID
    /// 1 first, without gaps.
    public var stepNumber: Int
    public var instructionText: String
    /// Minutes.
    public var estimatedTime: Int?
    public var tips: String?
    public var imageURL: String?

    /// The text, with its time where the text does not say it.
    var label: String {
        guard let estimatedTime, StepTime.minutes(in: instructionText) == nil else { return instructionText }
        return "\(instructionText) (\(StepTime.text(estimatedTime)))"
    }
}
