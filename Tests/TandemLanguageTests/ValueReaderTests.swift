import TandemCore
import TandemJSON
import Testing

@testable import TandemLanguage

/// Reads one thing out of a text, the way the planner does.
enum Reading {
    static func message(_ text: String, today: String = "2026-11-21", minutes: Int = 660, home: String = "EUR")
        -> Message
    {
        let bytes = Array(text.utf8)
        var tokens = Tokenizer.tokens(of: bytes)
        Vocabulary().annotate(&tokens, source: bytes)
        let day = CivilDate(today) ?? CivilDate(daysSinceEpoch: 0)
        return Message(
            source: bytes, tokens: tokens,
            reader: TemporalReader(today: day, nowMinutes: minutes, monthFirst: home == "USD"),
            money: MoneyReader(home: home))
    }
}

struct NumberReaderTests {
    @Test(arguments: [
        ("two and a half", "2.5"), ("1/2", "0.5"), ("a dozen", "12"), ("half a dozen", "6"), ("two dozen", "24"),
        ("1.5k", "1500"), ("twenty one", "21"), ("one hundred and five", "105"), ("two thousand three hundred", "2300"),
        ("1 1/2", "1.5"), ("a couple of", "2"), ("half", "0.5"), ("three quarters", "0.75"), ("2 and a half", "2.5"),
        ("3 million", "3000000"), ("ninety-nine", "99"), ("two point five", "2.5"),
    ])
    func readsNumbers(_ text: String, _ expected: String) {
        let message = Reading.message(text)
        #expect(NumberReader.read(message.tokens, at: 0)?.value.text() == expected)
    }

    @Test(arguments: ["a", "milk", "an apple", "and", "."]) func refusesWhatIsNoNumber(_ text: String) {
        #expect(NumberReader.read(Reading.message(text).tokens, at: 0) == nil)
    }
}

struct MoneyReaderTests {
    @Test(arguments: [
        ("€3.20", "3.20", "EUR"), ("12 euros", "12", "EUR"), ("$5", "5", "USD"), ("5 bucks", "5", "USD"),
        ("20 quid", "20", "GBP"), ("3 euros 20", "3.20", "EUR"), ("3 euros and 20 cents", "3.20", "EUR"),
        ("£1,299.99", "1299.99", "GBP"), ("64,50 €", "64.50", "EUR"), ("EUR 12", "12", "EUR"), ("12eur", "12", "EUR"),
        ("twelve euros", "12", "EUR"), ("2 pounds fifty", "2.50", "GBP"), ("a tenner", "", ""), ("tenner", "10", "GBP"),
        ("$1.5k", "1500", "USD"), ("99p", "0.99", "GBP"),
    ])
    func readsMoney(_ text: String, _ amount: String, _ currency: String) {
        let reading = Reading.message(text).monies.first ?? nil
        if amount.isEmpty {
            #expect(reading?.currency == nil)
        } else {
            #expect(reading.map { $0.amount.text(minimumScale: $0.amount.scale > 0 ? 2 : 0) } == amount)
            #expect(reading?.currency == currency)
        }
    }

    @Test func readsADollarAsThePersonsOwn() {
        #expect(Reading.message("$5", home: "CAD").monies[0]?.currency == "CAD")
        #expect(Reading.message("$5", home: "EUR").monies[0]?.currency == "USD")
    }

    @Test func takesPoundsOfSomethingAsWeight() {
        #expect(Reading.message("2 pounds of apples").monies[0]?.currency == nil)
    }
}

struct TemporalReaderTests {
    /// Saturday, 2026-11-21, 11:00.
    @Test(arguments: [
        ("tomorrow", "2026-11-22"), ("today", "2026-11-21"), ("yesterday", "2026-11-20"), ("friday", "2026-11-27"),
        ("next tuesday", "2026-11-24"), ("this friday", "2026-11-27"), ("on monday", "2026-11-23"),
        ("by the end of March", "2027-03-31"), ("in 3 weeks", "2026-12-12"), ("the 5th", "2026-12-05"),
        ("on the 25th", "2026-11-25"), ("3 May", "2027-05-03"), ("may 3rd", "2027-05-03"),
        ("on the 3rd of may", "2027-05-03"),
        ("2026-12-01", "2026-12-01"), ("1.12.2026", "2026-12-01"), ("3/5", "2027-05-03"), ("25/12", "2026-12-25"),
        ("12/25", "2026-12-25"), ("the day after tomorrow", "2026-11-23"), ("end of the month", "2026-11-30"),
        ("in a fortnight", "2026-12-05"), ("in two months", "2027-01-21"), ("next weekend", "2026-11-28"),
        ("tomorow", "2026-11-22"), ("on wednsday", "2026-11-25"), ("december 24th 2027", "2027-12-24"),
        ("friday 27 november", "2026-11-27"), ("3 days from now", "2026-11-24"), ("monday next week", "2026-11-23"),
        ("29 february", "2028-02-29"),
    ])
    func readsDates(_ text: String, _ expected: String) {
        let message = Reading.message(text)
        #expect(message.temporals.first.flatMap { $0 }?.future.from.description == expected)
        #expect(message.temporals.first.flatMap { $0 }?.end == message.tokens.count)
    }

    @Test(arguments: [
        ("this month", "2026-11-01", "2026-11-30"), ("last week", "2026-11-09", "2026-11-15"),
        ("in october", "2026-10-01", "2026-10-31"), ("since monday", "2026-11-16", "2026-11-21"),
        ("this year", "2026-01-01", "2026-12-31"), ("yesterday", "2026-11-20", "2026-11-20"),
        ("last 30 days", "2026-10-23", "2026-11-21"), ("last month", "2026-10-01", "2026-10-31"),
        ("in 2025", "2025-01-01", "2025-12-31"), ("last year", "2025-01-01", "2025-12-31"),
        ("this quarter", "2026-10-01", "2026-12-31"), ("from monday to wednesday", "2026-11-16", "2026-11-18"),
        ("march 2025", "", ""), ("in march 2025", "2025-03-01", "2025-03-31"),
        ("last december", "2025-12-01", "2025-12-31"),
        ("the last two weeks", "2026-11-08", "2026-11-21"),
    ])
    func readsPeriodsOfThePast(_ text: String, _ from: String, _ to: String) {
        let temporal = Reading.message(text).temporals.first.flatMap { $0 }
        if from.isEmpty {
            #expect(temporal == nil || temporal?.isDay == false)
        } else {
            #expect(temporal?.past.from.description == from)
            #expect(temporal?.past.to.description == to)
        }
    }

    @Test(arguments: [
        ("at 5pm", 1020), ("at 17:30", 1050), ("noon", 720), ("tomorrow at 5", 1020), ("on 3 May at 5pm", 1020),
        ("tonight", 1200), ("tomorrow morning", 540), ("half past six", 1110), ("at 9 in the evening", 1260),
        ("at 8 o'clock", 1200), ("5:30 pm", 1050), ("tonight at 9", 1260), ("friday at noon", 720),
    ])
    func readsTimes(_ text: String, _ minutes: Int) {
        #expect(Reading.message(text).temporals.first.flatMap { $0 }?.minutes == minutes)
    }

    @Test(arguments: [
        "may I", "march to the shop", "second helping", "one", "5", "milk", "5th avenue", "every monday", "at home",
        "in the fridge", "by the way",
    ])
    func takesOtherWordsForNoDate(_ text: String) {
        #expect(Reading.message(text).temporals.first.flatMap { $0 } == nil)
    }

    @Test(arguments: [
        ("45 minutes", 45), ("two hours", 120), ("half an hour", 30), ("an hour and a half", 90), ("1h30m", 90),
        ("3 days", 4320), ("1 hour 20 minutes", 80), ("90 min", 90),
    ])
    func readsDurations(_ text: String, _ minutes: Int) {
        #expect(Reading.message(text).durations.first.flatMap { $0 }?.minutes == minutes)
    }

    @Test func readsADateAsMonthFirstForAPersonWithDollars() {
        #expect(Reading.message("3/5", home: "USD").temporals[0]?.future.from.description == "2027-03-05")
    }

    @Test func isSaneOnEveryDayOfFourYears() throws {
        let start = try #require(CivilDate("2024-01-01"))
        for offset in 0..<1461 {
            let today = start.adding(days: offset)
            let reader = TemporalReader(today: today, nowMinutes: 0, monthFirst: false)
            for text in ["next friday", "the 31st", "in a month", "last month", "end of february", "29 february"] {
                let bytes = Array(text.utf8)
                var tokens = Tokenizer.tokens(of: bytes)
                Vocabulary().annotate(&tokens, source: bytes)
                let found = reader.read(tokens, at: 0) ?? reader.read(tokens, at: 1)
                let temporal = try #require(found, "\(text) on \(today)")
                #expect(temporal.future.from <= temporal.future.to)
                if text != "last month" { #expect(temporal.future.to >= today, "\(text) on \(today)") }
            }
        }
    }
}

struct LocalZoneTests {
    @Test(arguments: [
        // Berlin: clocks go forward 2026-03-29 02:00, back 2026-10-25 03:00.
        ("2026-03-28", 540, "2026-03-28T08:00:00.000Z"), ("2026-03-29", 540, "2026-03-29T07:00:00.000Z"),
        ("2026-10-24", 540, "2026-10-24T07:00:00.000Z"), ("2026-10-25", 540, "2026-10-25T08:00:00.000Z"),
        ("2026-10-25", 150, "2026-10-25T00:30:00.000Z"), ("2026-03-29", 150, "2026-03-29T01:30:00.000Z"),
        ("2026-07-01", 0, "2026-06-30T22:00:00.000Z"),
    ])
    func crossesClockChanges(_ day: String, _ minutes: Int, _ expected: String) throws {
        let date = try #require(CivilDate(day))
        #expect(LocalZone(identifier: "Europe/Berlin").instant(date, minutes: minutes).description == expected)
    }

    @Test func knowsTheLocalDay() throws {
        let instant = try #require(Timestamp("2026-11-21T23:30:00.000Z"))
        #expect(LocalZone(identifier: "Europe/Berlin").local(instant).day.description == "2026-11-22")
        #expect(LocalZone(identifier: "America/New_York").local(instant).day.description == "2026-11-21")
        #expect(LocalZone(identifier: "Nowhere/At_All").local(instant).minutes == 23 * 60 + 30)
    }
}

struct ItemListReaderTests {
    @Test(arguments: [
        ("2 litres of milk, eggs and some bread", "milk 2 l; eggs; bread"), ("250g flour", "flour 250 g"),
        ("a pack of batteries", "batteries 1 pack"), ("half a pound of butter", "butter 0.5 lb"),
        ("3 eggs\n- 500 ml milk\n- salt", "eggs 3; milk 500 ml; salt"), ("1. milk\n2. eggs", "milk; eggs"),
        ("mac and cheese and ketchup", "mac and cheese; ketchup"), ("a dozen eggs", "eggs 12"),
        ("two and a half kilos of potatoes", "potatoes 2.5 kg"), ("eggs x 6", "eggs 6"), ("milk 2l", "milk 2 l"),
        ("3 cans of tomatoes & 1 bunch of parsley", "tomatoes 3 can; parsley 1 bunch"), ("rolls", "rolls"),
        ("3 rolls", "rolls 3"), ("some more coffee", "coffee"), ("2x butter", "butter 2"), ("the milk", "milk"),
        ("Ben and Jerry's", "Ben and Jerry's"), ("1/2 cup sugar", "sugar 0.5 cup"), ("7up", "up 7"),
    ])
    func readsItems(_ text: String, _ expected: String) {
        let message = Reading.message(text)
        let reader = ItemListReader(message: message)
        let items = reader.members(0..<message.tokens.count).compactMap { reader.item($0) }.map { item in
            [message.text(item.name), item.quantity?.text(), item.unit].compactMap { $0 }.joined(separator: " ")
        }
        #expect(items.joined(separator: "; ") == expected)
    }
}
