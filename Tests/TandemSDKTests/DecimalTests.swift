import TandemSDK
import Testing

@Suite struct DecimalTests {
    @Test(arguments: [
        ("3.20", "3.2"), ("-0.05", "-0.05"), ("0", "0"), ("-0", "0"), ("007", "7"), ("1000", "1000"), (".5", "0.5"),
        ("5.", "5"), ("999999999999999999", "999999999999999999"), ("0.000000000000000001", "0.000000000000000001"),
        ("1.000000000000000000000", "1"), ("0.10", "0.1"),
    ])
    func readsAndWrites(text: String, written: String) throws {
        #expect(try #require(Decimal(text)).description == written)
    }

    @Test(arguments: [
        "", "-", ".", "1e3", "1,5", "+1", " 1", "1 ", "1.2.3", "--1", "1234567890123456789", "0.1234567890123456789",
        "x",
        "٣",
    ])
    func refusesWhatIsNoShortDecimal(text: String) { #expect(Decimal(text) == nil) }

    @Test func literalsAreAsWritten() {
        #expect(Decimal(3.2).description == "3.2")
        #expect((0.1 as Decimal) + 0.2 == 0.3)
        #expect((1_000_000 as Decimal).description == "1000000")
    }

    @Test func arithmeticIsExact() throws {
        let price = try #require(Decimal("19.99"))
        #expect(price * 3 == 59.97)
        #expect(price - 20 == -0.01)
        #expect((1 as Decimal).divided(by: 3, places: 4) == 0.3333)
        #expect((2 as Decimal).divided(by: 3, places: 4) == 0.6667)
        #expect((-2 as Decimal).divided(by: 3, places: 0) == -1)
        #expect((1 as Decimal).divided(by: 0.008, places: 0) == 125)
        #expect((0.5 as Decimal).rounded(places: 0) == 1)
        #expect((-2.345 as Decimal).rounded(places: 2) == -2.35)
    }

    @Test func whatDoesNotFitIsNoNumber() throws {
        let large = try #require(Decimal("999999999999999999"))
        #expect(!(large + 1).isNumber)
        #expect(!(large * large).isNumber)
        #expect(!((large * large) + 1).isNumber)
        #expect(!(1 as Decimal).divided(by: 0, places: 2).isNumber)
        #expect(Decimal.notANumber.json == "NaN")
        #expect(throws: ShapeError.self) { try Decimal(json: "NaN") }
        #expect(Decimal.notANumber < -1)
    }

    @Test func comparesByValue() throws {
        #expect(try #require(Decimal("1.50")) == 1.5)
        #expect((2 as Decimal) < 10)
        #expect((-0.5 as Decimal) < 0)
        #expect([3, 0.5, -1, 2.25].sorted() as [Decimal] == [-1, 0.5, 2.25, 3])
    }

    @Test func showsPlaces() {
        #expect((3 as Decimal).text(places: 2) == "3.00")
        #expect((3.2 as Decimal).text(places: 2) == "3.20")
        #expect((3.205 as Decimal).text(places: 2) == "3.21")
        #expect((-0.005 as Decimal).text(places: 2) == "-0.01")
        #expect((12 as Decimal).text(places: 0) == "12")
    }

    @Test func agreesWithWideIntegers() {
        // Random cents against Int arithmetic.
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let a = Int64.random(in: -1_000_000...1_000_000, using: &generator)
            let b = Int64.random(in: -1_000_000...1_000_000, using: &generator)
            #expect(Decimal(a, places: 2) + Decimal(b, places: 2) == Decimal(a + b, places: 2))
            #expect(Decimal(a, places: 2) * Decimal(b, places: 3) == Decimal(a * b, places: 5))
            #expect((Decimal(a, places: 2) < Decimal(b, places: 2)) == (a < b))
            #expect(Decimal(Decimal(a, places: 4).description) == Decimal(a, places: 4))
        }
    }
}
