import Grocery
import PluginCommon
import TandemSDK
import TandemTesting
import Testing

@testable import Recipes

@Suite(.timeLimit(.minutes(8)))
struct CookingToolsTests {
    let host: TestHost
    let ann: TestPerson
    let ben: TestPerson

    init() async throws {
        host = try TestHost(Recipes.self, Grocery.self)
        ann = host.person("ann")
        ben = host.person("ben")
        try await ann.value("recipes.save", .pancakes)
        try await ann.value("recipes.add_steps", ["recipe": "pancakes", "steps": "mix, rest 20 min, fry"])
    }

    // MARK: Cooking

    @Test func oneStepAMessage() async throws {
        #expect(
            await ann.say("recipes.cook", ["recipe": "pancakes", "servings": 6]) == """
                Pancakes for 6. Step 1 of 3: mix. Say next when ready.
                You need: flour 375 g, 5 eggs, milk 750 ml.
                """)
        #expect(await ann.say("recipes.back") == "This is the first. Step 1 of 3: mix. Say next when ready.")
        #expect(await ann.say("recipes.next") == "Step 2 of 3: rest 20 min. Say next when ready.")
        #expect(await ann.say("recipes.step") == "Step 2 of 3: rest 20 min. Say next when ready.")
        #expect(await ann.say("recipes.next") == "Step 3 of 3: fry. Last step. Say next when it is done.")
        #expect(await ann.say("recipes.step", ["number": 1]) == "Step 1 of 3: mix. Say next when ready.")
        #expect(await ann.call("recipes.step", ["number": 4]).error?.code == "no_such_step")
        try await ann.value("recipes.step", ["number": 3])
        #expect(
            await ann.say("recipes.next")
                == "Enjoy! Pancakes, cooked the first time. How was it? Say for example: 4 stars.")
        #expect(ann.rows(of: Recipe.self).map(\.timesCooked) == [1])
        #expect(ann.rows(of: CookingSession.self).isEmpty)
        #expect(await ann.say("recipes.rate", ["stars": 4]) == "Pancakes: 4 stars.")
        #expect(await ann.say("recipes.done", ["recipe": "pancakes"]) == "Enjoy! Pancakes, cooked 2 times now.")
        #expect(await ann.call("recipes.next").error?.code == "not_cooking")
    }

    @Test func pausesAndGoesOn() async throws {
        try await ann.value("recipes.cook", ["recipe": "pancakes"])
        try await ann.value("recipes.next")
        #expect(
            await ann.say("recipes.pause") == "Paused pancakes at step 2. To go on: continue cooking.")
        #expect(await ann.call("recipes.next").error?.code == "not_cooking")
        #expect(
            await ann.say("recipes.cook") == "Back to pancakes. Step 2 of 3: rest 20 min. Say next when ready.")
        try await ann.value("recipes.save", ["title": "tea", "steps": ["boil", "pour"]])
        try await ann.value("recipes.cook", ["recipe": "tea"])
        #expect(ann.rows(of: CookingSession.self).map(\.state) == [.paused, .active])
        #expect(await ann.say("recipes.done").hasPrefix("Enjoy! Tea"))
        #expect(ann.rows(of: CookingSession.self).map(\.state) == [.paused])
    }

    @Test func cookingIsOnesOwn() async throws {
        try await ann.value("recipes.cook", ["recipe": "pancakes"])
        for tool in ["recipes.next", "recipes.back", "recipes.step", "recipes.done", "recipes.pause", "recipes.cook"] {
            #expect(await ben.call(tool).error?.code == "not_cooking")
        }
        #expect(ann.rows(of: CookingSession.self).map(\.step) == [1])
        #expect(await ben.call("recipes.rate", ["stars": 3]).error?.code == "nothing_named")
    }

    @Test func aRecipeWithoutStepsSaysHowToAddThem() async throws {
        try await ann.value("recipes.save", ["title": "soup"])
        #expect(await ann.call("recipes.cook", ["recipe": "soup"]).error?.code == "no_steps")
    }

    @Test func longStepsBreakBetweenWordsIntoLines() async throws {
        let long = String(repeating: "stir slowly and carefully ", count: 15)
        try await ann.value("recipes.save", ["title": "risotto", "steps": [.string(long), "serve"]])
        let message = await ann.say("recipes.cook", ["recipe": "risotto"])
        for line in message.split(separator: "\n") { #expect(line.unicodeScalars.count <= 150) }
        #expect(message.split(separator: "\n").joined(separator: " ").contains("carefully. Say next"))
    }

    // MARK: Plan

    @Test func plansShowsAndTakesOff() async throws {
        // Saturday, 21 November 2026.
        #expect(
            await ann.say("recipes.plan", ["recipe": "pancakes", "date": "2026-11-27"])
                == "Planned pancakes for 4, Friday dinner.")
        #expect(
            await ann.say("recipes.plan", ["recipe": "pancakes", "date": "2026-11-27"])
                == "Already planned: pancakes for 4, Friday dinner.")
        #expect(
            await ann.say(
                "recipes.plan", ["recipe": "pancakes", "date": "2026-11-22", "meal": "breakfast", "servings": 2])
                == "Planned pancakes for 2, tomorrow breakfast.")
        let shown = await ann.call("recipes.meals")
        #expect(shown.message == "Planned: 1 tomorrow breakfast pancakes, 2 Friday pancakes.")
        #expect(shown.shown?.select == "recipes.show")
        let friday: JSON = ["when": ["from": "2026-11-20", "to": "2026-11-20"]]
        #expect(await ann.say("recipes.meals", friday) == "Planned: 1 Friday pancakes.")
        #expect(await ben.say("recipes.meals").hasPrefix("Nothing planned in the coming week."))
        #expect(await ben.call("recipes.unplan", ["date": "2026-11-27"]).error?.code == "not_found")
        let question = try #require(await ann.call("recipes.unplan", ["recipe": "pancakes"]).question)
        #expect(question.message == "Which day? 1 tomorrow breakfast, 2 Friday dinner")
        let answered = await ann.answer(
            question, question.options[1].value, to: "recipes.unplan", ["recipe": "pancakes"])
        #expect(answered.message == "Off the plan: pancakes (Friday).")
        #expect(await ann.say("recipes.unplan", ["date": "2026-11-22"]) == "Off the plan: pancakes (tomorrow).")
        #expect(await ann.call("recipes.unplan").error?.code == "nothing_named")
    }

    @Test func shopsForThePlanOnce() async throws {
        #expect(await ann.call("recipes.shop_plan").error?.code == "not_found")
        try await ann.value("recipes.plan", ["recipe": "pancakes", "date": "2026-11-22", "servings": 2])
        try await ann.value("recipes.plan", ["recipe": "pancakes", "date": "2026-11-23", "servings": 4])
        #expect(
            await ann.say("recipes.shop_plan") == "On the list for 1 recipe: flour 375 g, 5 eggs, milk 750 ml.")
        try await ann.value("recipes.shop_plan")
        #expect(ann.rows(of: GroceryItem.self).map(\.quantity) == [375, 5, 750])
        #expect(ben.rows(of: GroceryItem.self).isEmpty)
        ann.setEnabled("grocery", false)
        #expect(await ann.say("recipes.shop_plan").hasPrefix("The grocery list is off, nothing added."))
    }

    // MARK: Pantry

    @Test func whatIsAtHomeIsLeftOutAndSaid() async throws {
        #expect(
            await ann.say(
                "recipes.have", ["items": [["name": "flour"], ["name": "milk", "quantity": "0.2", "unit": "l"]]])
                == "Noted at home: flour, milk 0.2 l.")
        let outcome = await ann.call("recipes.shop", ["recipe": "pancakes", "servings": 6])
        #expect(outcome.message == "On the list for pancakes for 6: 5 eggs, milk 550 ml.\nYou have flour at home.")
        #expect(ann.rows(of: GroceryItem.self).map(\.itemName) == ["eggs", "milk"])
        #expect(await ann.say("recipes.pantry") == "At home: 1 flour, 2 milk 0.2 l.")
        #expect(await ann.say("recipes.suggest").hasPrefix("You could make: 1 pancakes (missing eggs)."))
        #expect(await ben.say("recipes.pantry").hasPrefix("Nothing noted yet."))
        #expect(await ben.call("recipes.used_up", ["items": "flour"]).error?.code == "not_found")
        #expect(await ann.say("recipes.used_up", ["items": "the flour"]) == "No longer at home: flour.")
        #expect(ann.rows(of: PantryItem.self).map(\.itemName) == ["milk"])
        try await ann.value("recipes.have", ["items": [["name": "milk"], ["name": "eggs"], ["name": "plain flour"]]])
        #expect(
            await ann.say("recipes.shop", ["recipe": "pancakes"])
                == "All for pancakes for 4 is at home. Nothing to buy.")
    }

    // MARK: Changing

    @Test func ratesMarksAndNotes() async throws {
        #expect(await ann.say("recipes.rate", ["recipe": "pancakes", "stars": 4.4]) == "Pancakes: 4.5 stars.")
        #expect(await ann.say("recipes.favorite", ["recipe": "pancakes"]) == "Pancakes is now a favourite.")
        #expect(await ann.say("recipes.find", ["only": "favorites"]) == "1 recipe: 1 pancakes.")
        #expect(
            await ann.say("recipes.favorite", ["recipe": "pancakes", "favorite": false])
                == "Pancakes is no longer a favourite.")
        #expect(
            await ann.say("recipes.tip", ["recipe": "pancakes", "tip": "less sugar"])
                == "Kept with pancakes: less sugar")
        try await ann.value("recipes.tip", ["recipe": "pancakes", "tip": "more milk"])
        #expect(ann.rows(of: Recipe.self).map(\.tips) == ["less sugar. more milk"])
    }

    @Test func changesARecipe() async throws {
        #expect(
            await ann.say("recipes.edit", ["recipe": "pancakes", "title": "crepes", "servings": 6])
                == "Changed crepes: was pancakes, for 6.")
        #expect(ann.rows(of: RecipeIngredient.self).map(\.quantity) == [250, 3, 500])
        try await ann.value(
            "recipes.edit", ["recipe": "crepes", "servings": 12, "scale": true, "tags": ["Quick", "#quick"]])
        #expect(ann.rows(of: RecipeIngredient.self).map(\.quantity) == [500, 6, 1000])
        #expect(ann.rows(of: Recipe.self).map(\.tags) == [["quick"]])
        #expect(await ann.call("recipes.edit", ["recipe": "crepes"]).error?.code == "nothing_to_change")
        try await ann.value("recipes.save", ["title": "soup"])
        #expect(await ann.call("recipes.edit", ["recipe": "soup", "title": "Crepe"]).error?.code == "present")
        #expect(
            await ann.say(
                "recipes.add_ingredients",
                ["recipe": "crepes", "ingredients": [["name": "salt"], ["name": "egg", "quantity": "7"]]])
                == "Now in crepes: 7 egg, salt.")
        #expect(
            await ann.say("recipes.remove_ingredient", ["recipe": "crepes", "ingredients": ["salt", "the milk"]])
                == "Took milk, salt out of crepes.")
        #expect(ann.rows(of: RecipeIngredient.self).map(\.ingredientName) == ["flour", "egg"])
        #expect(
            await ann.say("recipes.change_step", ["recipe": "crepes", "number": 2, "text": "rest an hour"])
                == "Step 2 of crepes: rest an hour")
        #expect(ann.rows(of: RecipeInstruction.self).map(\.estimatedTime) == [nil, 60, nil])
        try await ann.value("recipes.change_step", ["recipe": "crepes", "number": 1, "remove": true])
        #expect(ann.rows(of: RecipeInstruction.self).map(\.stepNumber) == [1, 2])
        #expect(
            await ann.call("recipes.change_step", ["recipe": "crepes", "number": 3, "text": "x"]).error?.code
                == "no_such_step")
    }

    /// Every tool that names a recipe, by the id of somebody else's.
    @Test func nobodyReachesTheRecipesOfOthers() async throws {
        let id = try #require(ann.rows(of: Recipe.self).first?.id)
        // Ids are per host here: ben's first recipe would have the same one, so ann gets two.
        try await ann.value("recipes.save", ["title": "soup"])
        let others = try #require(ann.rows(of: Recipe.self).map(\.id).max())
        #expect(others > id)
        try await ben.value("recipes.save", ["title": "toast"])
        let before = ann.rows(of: Recipe.self)
        for tool in Recipes.definition.tools {
            guard tool.parameters["properties"]?["recipe"] != nil else { continue }
            var arguments: JSON = [
                "recipe": .string("#\(others)"), "steps": "x", "servings": 2, "ingredients": [["name": "x"]],
                "stars": 3,
                "tip": "x", "number": 1, "text": "x", "title": "x",
            ]
            if tool.declaration.id == "recipes.remove_ingredient" { arguments["ingredients"] = ["x"] }
            let known = Set((tool.parameters["properties"]?.objectValue ?? [:]).map(\.key))
            var own = JSONObject()
            for (name, value) in arguments.objectValue ?? [:] where known.contains(name) { own[name] = value }
            if ben.rows(of: Recipe.self).contains(where: { $0.id == others }) { continue }
            let code = await ben.call(tool.declaration.id, .object(own)).error?.code
            #expect(code == "not_found", "\(tool.declaration.id)")
        }
        #expect(ann.rows(of: Recipe.self) == before)
    }
}
