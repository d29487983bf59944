import PluginCommon
import TandemSDK
import Testing

@testable import Grocery

struct AmountTests {
    private func amount(_ quantity: String?, _ unit: String = "") throws -> Amount {
        Amount(quantity: try quantity.map { try #require(Decimal($0)) }, unit: Unit(unit))
    }

    @Test(arguments: [
        ("2", "l", "500", "ml", "2.5 l"), ("500", "g", "700", "g", "1.2 kg"), ("1", "cup", "1", "tbsp", "17 tbsp"),
        ("1", "tbsp", "3", "tsp", "2 tbsp"), ("1", "lb", "8", "oz", "1.5 lb"), ("3", "", "4", "", "7"),
        ("1", "dozen", "6", "", "18"), ("1", "dozen", "12", "", "2 dozen"), ("1", "pack", "2", "packs", "3 packs"),
        ("250", "g", "1", "kg", "1.25 kg"), ("375", "g", "0.3333", "g", "375.3333 g"),
    ])
    func addsWithinAFamily(a: String, unitA: String, b: String, unitB: String, expected: String) throws {
        guard case .amount(let sum) = try amount(a, unitA).adding(amount(b, unitB)) else {
            Issue.record("no sum")
            return
        }
        #expect(sum.text == expected)
    }

    @Test func keepsFamiliesApart() throws {
        #expect(try amount("1", "kg").adding(amount("2", "l")) == .differentKinds)
        #expect(try amount("1", "cup").adding(amount("2", "l")) == .differentKinds)
        #expect(try amount("3").adding(amount("1", "kg")) == .differentKinds)
        #expect(try amount("1", "bottle").adding(amount("1", "can")) == .differentKinds)
    }

    @Test func anAmountThatWasNotSaidAddsNothing() throws {
        #expect(try Amount.unsaid.adding(amount("2", "l")) == .amount(amount("2", "l")))
        #expect(try amount("2", "l").adding(.unsaid) == .amount(amount("2", "l")))
        #expect(Amount.unsaid.adding(.unsaid) == .amount(.unsaid))
    }

    @Test func tooLargeIsToldNotTrapped() throws {
        let huge = Amount(quantity: Amount.limit, unit: Unit("kg"))
        #expect(huge.adding(huge) == .tooLarge)
        #expect(try huge.adding(amount("1", "g")) == .tooLarge)
    }

    /// Whatever is added in whatever order and unit: the sum in the family's smallest unit is the sum of the parts, and
    /// taking one part away again leaves the other.
    @Test(arguments: [
        ["mg", "g", "kg"], ["ml", "cl", "dl", "l"], ["tsp", "tbsp", "fl oz", "cup", "pint"], ["oz", "lb"],
        ["", "dozen"],
    ])
    func sumsAreExact(units: [String]) throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let parts = (0..<Int.random(in: 2...6, using: &random)).map { _ in
                Amount(
                    quantity: Decimal(Int64.random(in: 1...100_000_000, using: &random), places: 3),
                    unit: Unit(units.randomElement(using: &random) ?? ""))
            }
            func base(_ amount: Amount) -> Decimal {
                (amount.quantity ?? 0) * Decimal(amount.unit.factor, places: 0)
            }
            var total = Amount.unsaid
            for part in parts {
                guard case .amount(let sum) = total.adding(part) else {
                    Issue.record("no sum")
                    return
                }
                total = sum
            }
            #expect(base(total) == parts.map(base).reduce(.zero, +))
            let rest = try #require(total.subtracting(parts[0]))
            #expect(base(rest) == parts.dropFirst().map(base).reduce(.zero, +))
        }
    }
}
