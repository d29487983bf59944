import PluginCommon
public import TandemSDK

public struct DeleteRecipe: Tool {
    public static let declaration = ToolDeclaration(
        "recipes.delete", "Delete a recipe", effect: .delete,
        "Deletes a recipe with its ingredients, steps and planned meals.",
        utterances: [
            "(delete|remove|erase) [the|my] recipe for {recipe}",
            "(delete|erase) (the|my) {recipe} recipe",
            "get rid of (the|my) {recipe} recipe",
        ], actsOn: Recipe.entity)

    @Argument("Which recipe: a name, or #id where known") var recipe: Reference<Recipe>

    public init() {}

    public struct Deleted: Object {
        public var id: RowID
        public var title: String
    }

    public func run(_ context: Context) async throws -> Reply<Deleted> {
        let row = try await context.recipe(recipe)
        guard try await context.rows(Recipe.self).delete(row.id) else { throw Cookbook.missing(nil, []) }
        return Reply("Deleted the recipe for \(row.label).", value: Deleted(id: row.id, title: row.title))
    }
}
