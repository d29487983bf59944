public import TandemSDK

/// The cookbook: keep recipes, scale them, shop for them, plan meals and cook step by step.
public enum Recipes: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.recipes", namespace: "recipes", name: "Recipes", version: "1.0.0",
        summary: "Keeps your recipes, scales them, shops for what is missing and guides you through cooking.",
        aliases: ["recipe", "cookbook", "cooking", "meal plan"], license: "Apache-2.0",
        tables: [
            Recipe.self, RecipeIngredient.self, RecipeInstruction.self, PlannedMeal.self, CookingSession.self,
            PantryItem.self,
        ],
        tools: [
            SaveRecipe.self, AddSteps.self, ShowRecipe.self, ScaleRecipe.self, FindRecipes.self, SuggestRecipes.self,
            RecipeNeeds.self, ShopForRecipe.self, PlanMeal.self, ShowMeals.self, UnplanMeal.self, ShopForPlan.self,
            Cook.self, NextStep.self, PreviousStep.self, CurrentStep.self, DoneCooking.self, PauseCooking.self,
            RateRecipe.self, FavoriteRecipe.self, AddTip.self, EditRecipe.self, AddIngredients.self,
            RemoveIngredient.self, ChangeStep.self, HaveAtHome.self, ShowPantry.self, UsedUp.self, DeleteRecipe.self,
        ],
        calls: [
            .init("grocery.add", reason: "to put on your grocery list what a recipe lacks")
        ])
}
