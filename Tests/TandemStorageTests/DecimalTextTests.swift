import Testing

@testable import TandemStorage

struct DecimalTextTests {
    @Test(arguments: [
        ("3.20", 2, 320), ("3.2", 2, 320), ("3", 2, 300), ("-0.05", 2, -5), ("0", 0, 0), ("-0", 4, 0),
        ("3.2000", 2, 320),
        ("92233720368547758.07", 2, Int64.max), ("-92233720368547758.08", 2, Int64.min), ("0.000000001", 9, 1),
    ])
    func readsExactly(_ text: String, _ scale: Int, _ value: Int64) {
        #expect(DecimalText.parse(text, scale: scale) == .value(value))
    }

    @Test(arguments: [
        "", "-", ".5", "5.", "+1", "01", "00", "1e3", "1,5", " 1", "1 ", "--1", "1.2.3", "0x1", "NaN", "١",
    ])
    func refusesOtherForms(_ text: String) { #expect(DecimalText.parse(text, scale: 2) == .malformed) }

    @Test func refusesWhatItWouldHaveToRound() {
        #expect(DecimalText.parse("1.005", scale: 2) == .tooPrecise)
        #expect(DecimalText.parse("1.5", scale: 0) == .tooPrecise)
    }

    @Test(arguments: ["92233720368547758.08", "-92233720368547758.09", "99999999999999999999999999"])
    func refusesWhatDoesNotFit(_ text: String) { #expect(DecimalText.parse(text, scale: 2) == .outOfRange) }

    @Test(arguments: [
        (320, 2, "3.20"), (-5, 2, "-0.05"), (0, 4, "0.0000"), (7, 0, "7"), (Int64.min, 2, "-92233720368547758.08"),
    ])
    func writesAllPlaces(_ value: Int64, _ scale: Int, _ text: String) {
        #expect(DecimalText.text(value, scale: scale) == text)
    }
}
