import TandemSDK
import Testing

@Suite struct ValueTests {
    @Test func moneyKeepsItsCurrencyAndItsDigits() throws {
        #expect("\(Money(3.2, "EUR"))" == "3.20 EUR")
        #expect("\(Money(1200, "JPY"))" == "1200 JPY")
        #expect("\(Money(1.5, "KWD"))" == "1.500 KWD")
        #expect("\(Money(0.005, "EUR"))" == "0.005 EUR")
        #expect(!Money(0.005, "EUR").isExact)
        #expect(Money(2.345, "EUR").rounded == Money(2.35, "EUR"))
        #expect(!(Money(1, "EUR") + Money(1, "USD")).amount.isNumber)
        #expect(Money(1, "EUR") + Money(2.5, "EUR") == Money(3.5, "EUR"))
        #expect(Money(3.2, "EUR").json == ["amount": "3.20", "currency": "EUR"])
    }

    @Test func moneyTakesThePersonsCurrencyWhereNoneIsSaid() throws {
        let reader = Reader(currency: { "CHF" })
        #expect(try Money(json: ["amount": "4"], reader: reader) == Money(4, "CHF"))
        #expect(try Money(json: ["amount": 4.5, "currency": "usd"], reader: reader) == Money(4.5, "USD"))
        #expect(throws: ShapeError("a currency", path: "currency")) { try Money(json: ["amount": "4"]) }
        #expect(throws: ShapeError("an ISO 4217 code", path: "currency")) {
            try Money(json: ["amount": "4", "currency": "EURO"], reader: reader)
        }
    }

    @Test(arguments: [
        ("2026-11-21", true), ("2024-02-29", true), ("2023-02-29", false), ("1900-02-29", false), ("2000-02-29", true),
        ("2026-13-01", false), ("2026-00-01", false), ("2026-1-01", false), ("0001-01-01", true), ("9999-12-31", true),
        ("0000-01-01", false), ("2026-11-31", false), ("2026/11/21", false),
    ])
    func readsDays(text: String, isDay: Bool) {
        #expect((Day(text) != nil) == isDay)
        if let day = Day(text) { #expect(day.description == text) }
    }

    @Test func daysCountThroughCenturies() throws {
        #expect(Day("1970-01-01")?.number == 0)
        #expect(Day("1970-01-01")?.weekday == 4)
        #expect(Day("2026-11-21")?.weekday == 6)
        #expect(Day("2026-11-22")?.weekday == 7)
        #expect(Day("0001-01-01")?.weekday == 1)
        for number in stride(from: -719_162, through: 2_932_896, by: 997) {
            let day = Day(number: number)
            let (year, month, dayOfMonth) = day.parts
            #expect(Day(year: year, month: month, day: dayOfMonth) == day)
            #expect(Day(day.description) == day)
        }
    }

    @Test func monthsEndWhereTheyEnd() throws {
        let day = try #require(Day("2027-01-31"))
        #expect(day.adding(months: 1).description == "2027-02-28")
        #expect(day.adding(months: 13).description == "2028-02-29")
        #expect(day.adding(months: -2).description == "2026-11-30")
        #expect(day.adding(months: -1_000_000).year == 1)
        #expect(day.adding(days: .max).description == "9999-12-31")
        #expect(day.wholeMonth.json == ["from": "2027-01-01", "to": "2027-01-31"])
        #expect(day.wholeWeek.from.description == "2027-01-25")
        #expect(day.wholeYear.dayCount == 365)
    }

    @Test(arguments: [
        ("2026-11-21T10:00:00.000Z", "2026-11-21T10:00:00.000Z"), ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000Z"),
        ("2026-11-21T11:30:00+01:30", "2026-11-21T10:00:00.000Z"),
        ("2026-11-21t10:00:00.5z", "2026-11-21T10:00:00.500Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("2026-11-21T10:00:00.123456789-00:00", "2026-11-21T10:00:00.123Z"),
    ])
    func readsInstants(text: String, written: String) throws {
        #expect(try #require(Instant(text)).description == written)
    }

    @Test(arguments: [
        "2026-11-21", "2026-11-21T10:00", "2026-11-21T25:00:00Z", "2026-11-21T10:00:00", "2026-02-30T10:00:00Z",
        "2026-11-21T10:00:00.Z", "2026-11-21T10:00:00Zx", "2026-11-21T10:60:00Z", "",
    ])
    func refusesWhatIsNoInstant(text: String) { #expect(Instant(text) == nil) }

    @Test func referencesAreIdsOrWords() throws {
        #expect(try Reference<Thing>(json: "#7123") == .id(RowID(7123)))
        #expect(try Reference<Thing>(json: "oat milk") == .words("oat milk"))
        #expect(try Reference<Thing>(json: "#1 fan") == .words("#1 fan"))
        #expect(try Reference<Thing>(json: "#0") == .words("#0"))
        #expect(throws: ShapeError.self) { try Reference<Thing>(json: "") }
        #expect(RowID("9223372036854775808") == nil)
        #expect(RowID("007") == nil)
    }

    @Test func quantitiesReadTheirParts() throws {
        let milk = try Quantity(json: ["name": "milk", "quantity": "2", "unit": "l"])
        #expect(milk == Quantity("milk", 2, unit: "l"))
        #expect("\(milk), \(Quantity("eggs", 6)), \(Quantity("bread"))" == "milk 2 l, 6 eggs, bread")
        #expect(throws: ShapeError("a decimal number like \"3.20\"", path: "quantity")) {
            try Quantity(json: ["name": "milk", "quantity": "two"])
        }
    }

    @Test func errorsSayWhereButNotWhat() {
        let json: JSON = ["name": "a", "amount": "1", "on": "secret"]
        #expect(throws: ShapeError("a date like 2026-11-21", path: "[1].on")) {
            try [Everything.Inner](json: [["name": "b"], json])
        }
        #expect(throws: ShapeError("a value", path: "name")) { try Everything.Inner(json: [:]) }
    }

    @Test func minutesShowHours() {
        #expect([5, 60, 95].map { "\(Minutes($0))" } == ["5 min", "1 h", "1 h 35 min"])
    }
}
