import PluginCommon
import TandemSDK
import Testing

struct UnitTests {
    @Test(arguments: [
        ("litres", "l"), ("Liter", "l"), ("KG", "kg"), ("grams", "g"), ("tablespoons", "tbsp"), ("T", "tbsp"),
        ("t", "tsp"),
        ("cups", "cup"), ("ounces", "oz"), ("lbs", "lb"), ("pounds", "lb"), ("fl oz", "fl oz"), ("tins", "can"),
        ("packets", "pack"), ("loaves", "loaf"), ("piece", ""), ("", ""), ("pcs", ""), ("dozen", "dozen"),
        ("tsp.", "tsp"),
        ("bunches", "bunch"), ("blobs", "blobs"),
    ])
    func readsSpellings(text: String, name: String) {
        #expect(Unit(text).name == name)
    }

    @Test(arguments: [
        ("1", "kg", "g", "1000"), ("250", "ml", "l", "0.25"), ("1", "cup", "tbsp", "16"), ("3", "tsp", "tbsp", "1"),
        ("1", "lb", "oz", "16"), ("1.5", "dozen", "", "18"), ("1", "gallon", "cup", "16"), ("33", "cl", "ml", "330"),
        ("1", "mg", "g", "0.001"),
    ])
    func convertsExactly(amount: String, from: String, to: String, expected: String) throws {
        #expect(Unit(from).convert(try #require(Decimal(amount)), to: Unit(to))?.description == expected)
    }

    @Test func neverConvertsBetweenFamiliesOrInexactly() {
        let one: Decimal = 1
        #expect(Unit("g").convert(one, to: Unit("ml")) == nil)
        #expect(Unit("g").convert(one, to: Unit("oz")) == nil)
        #expect(Unit("cup").convert(one, to: Unit("ml")) == nil)
        #expect(Unit("bottle").convert(one, to: Unit("can")) == nil)
        #expect(Unit("tsp").convert(one, to: Unit("tbsp")) == nil)
        #expect(Unit("kg").convert(Decimal(999_999_999_999_999_999), to: Unit("g")) == nil)
    }

    @Test func ownWordsOfOneStemAreOneFamily() {
        #expect(Unit("blob").family == Unit("Blobs").family)
        #expect(Unit("blob").family != Unit("flop").family)
    }
}

struct CurrencyTests {
    @Test(arguments: ["EUR", "USD", "JPY", "KWD", "XOF"])
    func knowsMoneyInUse(code: Currency) { #expect(code.isInUse) }

    @Test(arguments: ["XXX", "XAU", "ABC", "DEM"])
    func knowsWhatIsNot(code: Currency) { #expect(!code.isInUse) }
}
