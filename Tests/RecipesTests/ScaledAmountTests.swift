import PluginCommon
import TandemSDK
import Testing

@testable import Recipes

struct ScaledAmountTests {
    private func scaled(_ quantity: String, _ unit: String, for servings: Int, of base: Int) throws -> ScaledAmount {
        let decimal: Decimal? = Decimal(quantity)
        return try #require(ScaledAmount(decimal, Unit(unit), for: servings, of: base))
    }

    @Test(arguments: [
        ("250", "g", 6, 4, "375 g", "375"), ("3", "", 6, 4, "5", "5"), ("500", "ml", 6, 4, "750 ml", "750"),
        ("1", "tsp", 6, 4, "1 1/2 tsp", "1.5"), ("1", "cup", 1, 3, "1/3 cup", "0.34"),
        ("250", "g", 3, 4, "187.5 g", "187.5"),
        ("0.5", "", 4, 4, "0.5", "1"), ("1", "can", 6, 4, "1.5 cans", "2"), ("250", "g", 5, 3, "417 g", "417"),
        ("3", "", 1, 4, "1", "1"), ("2", "kg", 500, 1, "1000 kg", "1000"),
        ("100000", "g", 500, 1, "50000000 g", "50000000"),
    ])
    func scales(_ quantity: String, _ unit: String, _ servings: Int, _ base: Int, _ text: String, _ bought: String)
        throws
    {
        let amount = try scaled(quantity, unit, for: servings, of: base)
        #expect(amount.text == text)
        #expect(amount.forShopping.description == bought)
    }
}
