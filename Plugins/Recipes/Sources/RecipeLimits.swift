import TandemSDK

/// The sizes that a cookbook may have.
enum RecipeLimits {
    static let recipes = 500
    static let titleLength = 80
    static let nameLength = 80
    static let noteLength = 200
    static let descriptionLength = 500
    static let tipsLength = 1000
    static let sourceLength = 300
    static let cuisineLength = 40
    static let tagLength = 30
    static let tags = 12
    static let ingredients = 80
    static let steps = 60
    static let stepLength = 500
    static let servings = 500
    static let minutes = 10_080
    static let quantity = Decimal(100_000)
    static let nutritionBytes = 4000
    static let pantry = 300
    static let plannedMeals = 400
    /// Recipes that one shopping trip for the meal plan covers: the host allows 32 calls.
    static let recipesPerTrip = 20
}
