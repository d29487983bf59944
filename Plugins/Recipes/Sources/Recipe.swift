import PluginCommon
public import TandemSDK

/// A recipe without its ingredients and steps, which are rows of their own.
public struct Recipe: Row, Hashable {
    public static let entity = "recipes.recipe"
    public static let table = Table<Recipe>(
        "recipes", "your recipes", .scale(\.rating, 1), .searchable(\.title, \.description, \.tips), .index(\.titleKey),
        .index(\.lastCookedAt))

    public var id = RowID()
    public var title: String
    /// The title reduced to its stems.
    public var titleKey: String
    public var description: String?
    public var category: Course?
    /// Lower case: `italian`.
    public var cuisineType: String?
    public var difficultyLevel: Difficulty?
    /// Minutes.
    public var prepTime: Int?
    /// Minutes.
    public var cookTime: Int?
    /// Minutes; as said, or the sum of the two where both are known.
    public var totalTime: Int?
    /// What the amounts are for.
    public var servings: Int
    public var tips: String?
    public var nutritionInfo: JSON?
    public var tags: [String] = []
    public var imageURL: String?
    public var source: String?
    /// 1 to 5 stars.
    public var rating: Decimal?
    public var timesCooked = 0
    public var lastCookedAt: Instant?
    public var isFavorite = false
    public var isPublic = false
    public var createdAt: Instant?
    public var updatedAt: Instant?

    public init(title: String, servings: Int) {
        self.title = title
        titleKey = Words.key(title)
        self.servings = servings
    }

    /// The title as it fits a message.
    var label: String { title.cut(to: 40) }

    /// What is known about the time that it takes, in minutes.
    var minutes: Int? {
        if let totalTime { return totalTime }
        guard prepTime != nil || cookTime != nil else { return nil }
        return (prepTime ?? 0) + (cookTime ?? 0)
    }
}

public enum Difficulty: String, Choice {
    case easy, medium, hard

    public var words: [String] {
        switch self {
        case .easy: ["simple", "beginner"]
        case .medium: ["intermediate", "moderate"]
        case .hard: ["difficult", "advanced"]
        }
    }
}

/// The part of a meal that a recipe is for.
public enum Course: String, Choice {
    case breakfast, starter, soup, salad, main, side, dessert, baking, snack, sauce, drink, other

    public var words: [String] {
        switch self {
        case .breakfast: ["breakfast", "brunch"]
        case .starter: ["starter", "appetizer", "appetiser"]
        case .soup: ["soup", "stew", "broth"]
        case .salad: ["salad"]
        case .main: ["main", "main course", "main dish", "dinner", "lunch"]
        case .side: ["side", "side dish"]
        case .dessert: ["dessert", "pudding", "sweet"]
        case .baking: ["baking", "bread", "cake", "pastry"]
        case .snack: ["snack", "finger food"]
        case .sauce: ["sauce", "dip", "dressing"]
        case .drink: ["drink", "smoothie", "cocktail"]
        case .other: []
        }
    }
}
