import Expenses
import Grocery
import PluginCommon
import TandemSDK
import TandemTesting
import Testing

@testable import Recipes

@Suite(.timeLimit(.minutes(8)))
struct RecipeToolsTests {
    let host: TestHost
    let ann: TestPerson

    init() throws {
        host = try TestHost(Recipes.self, Grocery.self, Expenses.self)
        ann = host.person("ann")
    }

    // MARK: Saving

    @Test func savesARecipeWithItsAmounts() async throws {
        let outcome = await ann.call("recipes.save", .pancakes)
        #expect(
            outcome.message == """
                Saved pancakes for 4: flour 250 g, 3 eggs, milk 500 ml.
                Steps can follow: steps for pancakes: mix, rest 20 min, fry.
                """)
        #expect(outcome.value?["outcome"] == "saved")
        let rows = ann.rows(of: RecipeIngredient.self)
        #expect(rows.map(\.ingredientName) == ["flour", "eggs", "milk"])
        #expect(rows.map(\.quantity) == [250, 3, 500])
        #expect(rows.map(\.unit) == ["g", nil, "ml"])
        #expect(outcome.shown?.items.first?.type == "recipes.recipe")
        #expect(outcome.shown?.isNumbered == false)
        #expect(host.person("ben").rows(of: Recipe.self).isEmpty)
        #expect(await host.person("ben").say("recipes.find").hasPrefix("No recipes yet."))
    }

    @Test func readsNotesAndOptionalIngredients() async throws {
        try await ann.value(
            "recipes.save",
            [
                "title": "the Omelette recipe",
                "ingredients": [
                    ["name": "salt to taste"], ["name": "parsley (optional)"],
                    ["name": "onion (chopped)", "quantity": "1"],
                    ["name": "optional chives"], ["name": "eggs", "quantity": "2"], ["name": "Eggs", "quantity": "1"],
                    ["name": "butter", "unit": "tablespoon", "note": "soft"], ["name": "cheese", "optional": true],
                ],
            ])
        let rows = ann.rows(of: RecipeIngredient.self)
        #expect(ann.rows(of: Recipe.self).map(\.title) == ["Omelette"])
        #expect(
            rows.map(\.ingredientName) == ["salt", "parsley", "onion", "chives", "eggs", "butter", "cheese"])
        #expect(rows.map(\.notes) == ["to taste", nil, "chopped", nil, nil, "soft", nil])
        #expect(rows.map(\.isOptional) == [false, true, false, true, false, false, true])
        #expect(rows[4].quantity == 3)
        #expect(rows[5].quantity == 1)
        #expect(rows[5].unit == "tbsp")
    }

    @Test func theSameRecipeAgainIsKnownAnotherIsAskedFor() async throws {
        try await ann.value("recipes.save", .pancakes)
        #expect(await ann.say("recipes.save", .pancakes) == "Pancakes is saved already: 3 ingredients for 4.")
        var other = JSON.pancakes
        other["servings"] = 2
        let asked = await ann.call("recipes.save", other)
        let question = try #require(asked.question)
        #expect(question.message == "There is a recipe for pancakes already. What now? 1 update it, 2 keep both")
        #expect(ann.rows(of: Recipe.self).count == 1)
        let updated = await ann.answer(question, "update", to: "recipes.save", other)
        #expect(updated.value?["outcome"] == "updated")
        #expect(ann.rows(of: Recipe.self).map(\.servings) == [2])
        #expect(ann.rows(of: RecipeIngredient.self).count == 3)
        let kept = await ann.answer(question, "keep", to: "recipes.save", .pancakes)
        #expect(kept.value?["outcome"] == "saved")
        #expect(ann.rows(of: Recipe.self).map(\.title) == ["pancakes", "pancakes 2"])
    }

    @Test func savesWithoutIngredientsAndRefusesNonsense() async throws {
        #expect(
            await ann.say("recipes.save", ["title": "soup"])
                == "Saved soup for 4 people. What goes in? Like: add 3 eggs to soup recipe.")
        for (arguments, code): (JSON, String) in [
            (["title": "\u{200D}"], "no_name"),
            (["title": "x", "ingredients": [["name": "salt", "quantity": "0"]]], "invalid_quantity"),
            (["title": "x", "ingredients": [["name": "salt", "quantity": "999999999999999999"]]], "too_much"),
            (["title": "x", "ingredients": [["name": "\n"]]], "no_name"),
        ] {
            #expect(await ann.call("recipes.save", arguments).error?.code == code)
        }
        #expect(ann.rows(of: Recipe.self).count == 1)
    }

    @Test func undoTakesTheWholeRecipeBack() async throws {
        try await ann.value("recipes.save", .pancakes)
        ann.undo()
        #expect(ann.rows(of: Recipe.self).isEmpty)
        #expect(ann.rows(of: RecipeIngredient.self).isEmpty)
    }

    // MARK: Steps

    @Test func addsStepsWithTheirTimes() async throws {
        try await ann.value("recipes.save", .pancakes)
        let outcome = await ann.call(
            "recipes.add_steps", ["recipe": "pancakes", "steps": "mix flour, eggs and milk, rest 20 min, then fry"])
        #expect(outcome.message == "Pancakes: 1 mix flour, eggs and milk, 2 rest 20 min, 3 fry.")
        #expect(ann.rows(of: RecipeInstruction.self).map(\.estimatedTime) == [nil, 20, nil])
        try await ann.value("recipes.add_steps", ["recipe": "pancakes", "steps": ["eat"]])
        #expect(ann.rows(of: RecipeInstruction.self).map(\.stepNumber) == [1, 2, 3, 4])
        try await ann.value("recipes.add_steps", ["recipe": "pancakes", "steps": "mix; fry", "replace": true])
        #expect(ann.rows(of: RecipeInstruction.self).map(\.instructionText) == ["mix", "fry"])
        #expect(await ann.call("recipes.add_steps", ["recipe": "pancakes", "steps": ",,,"]).error?.code == "no_steps")
    }

    // MARK: Showing

    @Test func showsARecipeScaledWithItsSteps() async throws {
        try await ann.value("recipes.save", .pancakes)
        try await ann.value("recipes.add_steps", ["recipe": "pancakes", "steps": "mix, rest 20 min, fry"])
        #expect(
            await ann.say("recipes.show", ["recipe": "pancake recipe"]) == """
                Pancakes for 4: flour 250 g, 3 eggs, milk 500 ml.
                1 mix
                2 rest 20 min
                3 fry
                """)
        let scaled = await ann.call("recipes.scale", ["recipe": "pancakes", "servings": 6])
        #expect(scaled.message.hasPrefix("Pancakes for 6: flour 375 g, 5 eggs, milk 750 ml.\n"))
        #expect(
            scaled.value?["ingredients"]?.arrayValue?.compactMap { $0["quantity"]?.stringValue } == [
                "375", "4.5", "750",
            ])
        #expect(ann.rows(of: Recipe.self).map(\.servings) == [4])
    }

    @Test func whatIsNotThereIsSaidWithWhatIs() async throws {
        #expect(await ann.call("recipes.show", ["recipe": "soup"]).error?.code == "not_found")
        try await ann.value("recipes.save", .pancakes)
        #expect(
            await ann.say("recipes.show", ["recipe": "soup"]) == "I do not have a recipe for soup. There is pancakes.")
        let ben = host.person("ben")
        let id = try #require(ann.rows(of: Recipe.self).first?.id)
        try await ben.value("recipes.save", ["title": "chili"])
        for tool in ["recipes.show", "recipes.shop", "recipes.needs", "recipes.delete"] {
            #expect(await ben.call(tool, ["recipe": .string("#\(id.value + 1000)")]).error?.code == "not_found")
        }
    }

    @Test func severalThatFitAreAskedFor() async throws {
        for title in ["pea soup", "tomato soup"] { try await ann.value("recipes.save", ["title": .string(title)]) }
        let question = try #require(await ann.call("recipes.show", ["recipe": "soup"]).question)
        #expect(question.message == "Which soup? 1 pea soup, 2 tomato soup")
        let answered = await ann.answer(
            question, question.options[1].value, to: "recipes.show", ["recipe": "soup"])
        #expect(answered.message.hasPrefix("Tomato soup for 4"))
        #expect(await ann.answer(question, "pea", to: "recipes.show", ["recipe": "soup"]).message.hasPrefix("Pea soup"))
        #expect(await ann.answer(question, "#99999", to: "recipes.show", ["recipe": "soup"]).question != nil)
    }

    // MARK: Finding

    @Test func findsByWordsKindAndTime() async throws {
        try await ann.value("recipes.save", .pancakes)
        try await ann.value(
            "recipes.save",
            [
                "title": "carbonara", "cuisine": "Italian", "category": "main", "tags": ["quick"], "total_minutes": 25,
                "ingredients": [
                    ["name": "spaghetti", "quantity": "400", "unit": "g"], ["name": "eggs", "quantity": "4"],
                ],
            ])
        #expect(await ann.say("recipes.find") == "2 recipes: 1 carbonara, 2 pancakes.")
        let all = await ann.call("recipes.find")
        #expect(all.shown?.select == "recipes.show")
        #expect(all.shown?.isNumbered == true)
        for arguments: JSON in [
            ["query": "italian"], ["query": "quick recipes"], ["query": "spaghetti"], ["query": "carbonarra"],
            ["category": "main"], ["within": 30], ["tag": "Quick"], ["cuisine": "italian"], ["query": "main"],
        ] {
            #expect(await ann.say("recipes.find", arguments).hasPrefix("1 recipe: 1 carbonara"), "\(arguments)")
        }
        #expect(await ann.say("recipes.find", ["query": "eggs"]) == "2 recipes: 1 carbonara, 2 pancakes.")
        #expect(
            await ann.say("recipes.find", ["query": "tofu"])
                == "No recipe fits that. There is carbonara and pancakes.")
    }

    @Test func suggestsTheBestCoveredFirst() async throws {
        try await ann.value("recipes.save", .pancakes)
        try await ann.value(
            "recipes.save",
            [
                "title": "omelette",
                "ingredients": [
                    ["name": "large eggs", "quantity": "3"], ["name": "milk"], ["name": "chives (optional)"],
                ],
            ])
        try await ann.value("recipes.save", ["title": "toast", "ingredients": [["name": "bread"]]])
        let arguments: JSON = ["ingredients": [["name": "eggs"], ["name": "milk"]]]
        let outcome = await ann.call("recipes.suggest", arguments)
        #expect(outcome.message == "You could make: 1 omelette (all there), 2 pancakes (missing flour).")
        #expect(outcome.shown?.select == "recipes.show")
        #expect(await host.person("ben").say("recipes.suggest", arguments).hasPrefix("No recipes yet."))
        #expect(
            await ann.say("recipes.suggest", ["ingredients": [["name": "tofu"]]])
                == "None of your 3 recipes uses tofu.")
        #expect(await ann.call("recipes.suggest").error?.code == "nothing_named")
    }

    // MARK: Shopping

    @Test func putsWhatIsMissingOnTheListOnceAndScaled() async throws {
        try await ann.value("recipes.save", .pancakes)
        let arguments: JSON = ["recipe": "pancakes", "servings": 6]
        let outcome = await ann.call("recipes.shop", arguments)
        #expect(outcome.message == "On the list for pancakes for 6: flour 375 g, 5 eggs, milk 750 ml.")
        #expect(ann.rows(of: GroceryItem.self).map(\.itemName) == ["flour", "eggs", "milk"])
        #expect(ann.rows(of: GroceryItem.self).map(\.quantity) == [375, 5, 750])
        try await ann.value("recipes.shop", arguments)
        #expect(ann.rows(of: GroceryItem.self).map(\.quantity) == [375, 5, 750])
        try await ann.value("recipes.shop", ["recipe": "pancakes", "servings": 4])
        #expect(ann.rows(of: GroceryItem.self).map(\.quantity) == [250, 3, 500])
        ann.undo()
        #expect(ann.rows(of: GroceryItem.self).map(\.quantity) == [375, 5, 750])
        #expect(host.person("ben").rows(of: GroceryItem.self).isEmpty)
    }

    @Test func groceryOffIsSaidKindly() async throws {
        try await ann.value("recipes.save", .pancakes)
        ann.setEnabled("grocery", false)
        let outcome = await ann.call("recipes.shop", ["recipe": "pancakes", "servings": 6])
        #expect(
            outcome.message == """
                The grocery list is off, nothing added. For pancakes for 6: flour 375 g, 5 eggs, milk 750 ml.
                To use it, say: turn grocery on.
                """)
        #expect(outcome.value?["added"] == false)
        #expect(ann.calledTools.isEmpty)
    }

    @Test func saysWhatIsNeededWithoutWriting() async throws {
        try await ann.value("recipes.save", .pancakes)
        #expect(
            await ann.say("recipes.needs", ["recipe": "pancakes", "servings": 2])
                == "For pancakes for 2 you need: flour 125 g, 2 eggs, milk 250 ml.")
        #expect(ann.calledTools.isEmpty)
    }

    @Test func shoppingForNothingSaysWhatIsNeededFirst() async throws {
        try await ann.value("recipes.save", ["title": "soup"])
        #expect(await ann.call("recipes.shop", ["recipe": "soup"]).error?.code == "no_ingredients")
    }

    // MARK: Deleting

    @Test func deletesARecipeWithAllThatBelongsToIt() async throws {
        try await ann.value("recipes.save", .pancakes)
        try await ann.value("recipes.add_steps", ["recipe": "pancakes", "steps": "mix, fry"])
        #expect(await ann.say("recipes.delete", ["recipe": "pancakes"]) == "Deleted the recipe for pancakes.")
        #expect(ann.rows(of: RecipeIngredient.self).isEmpty)
        #expect(ann.rows(of: RecipeInstruction.self).isEmpty)
        ann.undo()
        #expect(ann.rows(of: RecipeInstruction.self).count == 2)
    }
}

extension JSON {
    static let pancakes: JSON = [
        "title": "pancakes", "servings": 4,
        "ingredients": [
            ["name": "flour", "quantity": "250", "unit": "g"], ["name": "eggs", "quantity": "3"],
            ["name": "milk", "quantity": "500", "unit": "ml"],
        ],
    ]
}
