public import TandemSDK

/// Where somebody is in cooking a recipe; gone when it is done.
public struct CookingSession: Row, Hashable {
    public static let table = Table<CookingSession>(
        "cooking_sessions", "where you are in what you are cooking", .references(\.recipeID, Recipe.self),
        .index(\.state))

    public var id = RowID()
    public var recipeID: RowID
    public var servings: Int
    /// The number of the step last shown.
    public var step: Int
    public var state: State
    public var begunAt: Instant

    public enum State: String, Choice {
        case active, paused
    }
}
