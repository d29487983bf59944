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

extension ScaledAmountTests {
    /// Scaling is exact: the kept fraction times the base is the quantity times the servings, what is bought is never
    /// less than that and less than one step more, and scaling back gives the quantity.
    @Test func scalingIsExact() throws {
        var random = SystemRandomNumberGenerator()
        let units = ["", "g", "kg", "ml", "l", "tsp", "cup", "oz", "can", "pinch"]
        for _ in 0..<3000 {
            let quantity = Decimal(Int64.random(in: 1...1_000_000_000, using: &random), places: Int.random(in: 0...4))
            guard quantity <= RecipeLimits.quantity else { continue }
            let base = Int.random(in: 1...500, using: &random)
            let servings = Int.random(in: 1...500, using: &random)
            let unit = Unit(units.randomElement(using: &random) ?? "")
            let amount = try #require(ScaledAmount(quantity, unit, for: servings, of: base))
            #expect(amount.product == quantity * Decimal(servings))
            let bought = amount.forShopping
            #expect(bought * Decimal(base) >= amount.product)
            #expect((bought - 1) * Decimal(base) < amount.product)
            if let exact = amount.exact { #expect(exact * Decimal(base) == amount.product) }
            let rounded = amount.value * Decimal(base) - amount.product
            #expect(rounded.magnitude * 2 <= Decimal(Int64(base), places: 4))
            #expect(ScaledAmount(quantity, unit, for: base, of: base)?.value == quantity)
            #expect(ScaledAmount(amount.product, unit, for: 1, of: servings)?.exact == quantity)
        }
    }

    @Test func nothingFitsNothing() {
        #expect(ScaledAmount(nil, .piece, for: 1, of: 1) == nil)
        #expect(ScaledAmount(.notANumber, .piece, for: 1, of: 1) == nil)
        #expect(ScaledAmount(1, .piece, for: 1, of: 0) == nil)
        #expect(ScaledAmount(999_999_999_999_999_999, .piece, for: 500, of: 1) == nil)
    }
}
