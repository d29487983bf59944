import TandemSDK
import Testing

@testable import Recipes

struct StepListTests {
    @Test(
        arguments: [
            ("mix, rest 20 min, fry", ["mix", "rest 20 min", "fry"]),
            ("mix flour, eggs and milk, rest 20 min, then fry", ["mix flour, eggs and milk", "rest 20 min", "fry"]),
            ("1. Mix 2. Rest 3. Fry", ["Mix", "Rest", "Fry"]), ("1) mix\n2) fry", ["mix", "fry"]),
            ("- mix\n- fry\n", ["mix", "fry"]), ("mix; and then fry", ["mix", "fry"]),
            ("Mix it all. Rest for an hour. Fry.", ["Mix it all", "Rest for an hour", "Fry"]),
            ("heat 1.5 l water, add salt", ["heat 1.5 l water", "add salt"]), ("just eat", ["just eat"]), (",,;", []),
            ("butter the pan, salt, pepper, bake", ["butter the pan", "salt", "pepper", "bake"]),
        ] as [(String, [String])])
    func splits(_ text: String, _ steps: [String]) throws {
        #expect(try StepList(json: .string(text)).all.map(\.text) == steps)
    }

    @Test(
        arguments: [
            ("rest 20 min", 20), ("rest 20min", 20), ("bake for 1 1/2 hours", 90), ("simmer 20-25 minutes", 25),
            ("half an hour", 30), ("an hour", 60), ("1 h 30 min", 90), ("1.5 h", 90), ("fry 30 seconds", 1),
            ("rest ten minutes", 10), ("add 3 eggs", nil), ("in 2 bowls, minutes matter", nil), ("9999999999 h", nil),
            ("1/0 min", nil), ("90000 h", 10_080), ("fry 2 min, turn, fry 3 min", 5),
        ] as [(String, Int?)])
    func readsTimes(_ text: String, _ minutes: Int?) {
        #expect(StepTime.minutes(in: text) == minutes)
    }
}
