public import TandemSDK

/// A recipe planned for a meal of a day.
public struct PlannedMeal: Row, Hashable {
    public static let table = Table<PlannedMeal>(
        "meal_plan", "your meal plan", .references(\.recipeID, Recipe.self), .index(\.date))

    public var id = RowID()
    public var recipeID: RowID
    public var date: Day
    public var meal: Meal
    public var servings: Int
}

public enum Meal: String, Choice, Comparable {
    case breakfast, lunch, dinner, snack

    public var words: [String] {
        switch self {
        case .breakfast: ["breakfast", "brunch"]
        case .lunch: ["lunch", "noon"]
        case .dinner: ["dinner", "supper", "tonight", "evening"]
        case .snack: ["snack"]
        }
    }

    private var place: Int {
        switch self {
        case .breakfast: 0
        case .lunch: 1
        case .snack: 2
        case .dinner: 3
        }
    }

    public static func < (left: Meal, right: Meal) -> Bool { left.place < right.place }
}
