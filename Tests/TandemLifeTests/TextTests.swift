import TandemCore
import Testing

@testable import TandemLife

struct StepSplitterTests {
    @Test(arguments: [
        ("find the old one", ["find the old one"]),
        ("find it, sign it, send it", ["find it", "sign it", "send it"]),
        ("1. find it\n2) sign it\n- send it", ["find it", "sign it", "send it"]),
        ("1. find it 2. sign it 3. send it", ["find it", "sign it", "send it"]),
        ("first find it, then sign it and then send it", ["find it", "sign it", "send it"]),
        ("find it and take a photo", ["find it", "take a photo"]),
        ("call Tom and Anna", ["call Tom and Anna"]),
        ("Open the drawer. Take the form out.", ["Open the drawer", "Take the form out"]),
        ("call Dr. Smith, ask for a date", ["call Dr. Smith", "ask for a date"]),
        ("I'd open the laptop; after that log in", ["open the laptop", "log in"]),
        ("Step 1: buy 2.5 m of cable", ["buy 2.5 m of cable"]),
        ("find it, find it, FIND IT", ["find it"]),
        ("\u{2022} wash\n\u{2022} dry", ["wash", "dry"]),
        ("", []), (" , ; . ", []), ("then then then", ["then"]),
    ])
    func cutsSteps(text: String, steps: [String]) {
        #expect(StepSplitter.split(text) == steps)
    }

    @Test func bounds() {
        let many = (0..<500).map { "step\($0)x" }.joined(separator: ", ")
        #expect(StepSplitter.split(many).count == StepSplitter.mostSteps)
    }

    @Test(arguments: ["I don't know", "idk", "no idea what to do", "Not sure", "dunno"])
    func noticesHelplessness(text: String) { #expect(StepSplitter.isDontKnow(text)) }

    @Test(arguments: ["find out what I don't know", "open it", "know the rules"])
    func doesNotMistakeSteps(text: String) { #expect(!StepSplitter.isDontKnow(text)) }
}

struct TitleMatcherTests {
    private let titles = ["renew passport", "oat milk", "whole milk", "call the dentist", "milk"]

    @Test(arguments: [
        ("passport", TitleMatcher.Match.one(0)), ("milk", .one(4)), ("oat", .one(1)), ("whole milk", .one(2)),
        ("dentist call", .one(3)), ("the dentits one", .one(3)), ("passprt", .one(0)), ("renewal", .one(0)),
        ("bread", .none), ("", .none), ("the", .none), ("???", .none),
    ])
    func finds(words: String, match: TitleMatcher.Match) {
        #expect(TitleMatcher.match(words, among: titles) == match)
    }

    @Test func asksBetweenEquals() {
        #expect(TitleMatcher.match("milk", among: ["oat milk", "whole milk"]) == .several([0, 1]))
        #expect(TitleMatcher.match("call", among: ["call", "call"]) == .several([0, 1]))
    }
}

struct WordingTests {
    @Test func clipsAtWords() {
        #expect(Wording.clip("a b") == "a b")
        let clipped = Wording.clip("one two three four five six seven eight nine ten eleven twelve thirteen", to: 30)
        #expect(clipped == "one two three four five...")
        #expect(Wording.septets(Wording.clip(String(repeating: "\u{1F600}", count: 99), to: 20)) <= 20)
        #expect(Wording.clip("[[[[[[[[[[", to: 10).hasSuffix("..."))
    }

    @Test func oneLineHasNoControlCharacters() {
        #expect(Wording.oneLine(" a\n\tb\u{0}\u{85}c \u{2028}") == "a b c")
    }

    @Test func numberedListsKeepTheFirstLineShort() {
        let items = (1...30).map { "item number \($0) with words" }
        let text = Wording.numbered("Found:", items)
        let lines = text.split(separator: "\n")
        #expect(Wording.septets(lines[0]) <= Wording.firstLineLimit)
        #expect(lines.last == "30 item number 30 with words")
        for number in 1...30 { #expect(text.contains("\(number) item number \(number) with")) }
    }

    @Test(arguments: [
        ("2026-11-21", "today"), ("2026-11-22", "tomorrow"), ("2026-11-20", "yesterday"), ("2026-12-31", "Thu 31 Dec"),
        ("2027-01-01", "Fri 1 Jan 2027"), ("2024-02-29", "Thu 29 Feb 2024"),
    ])
    func saysDays(text: String, said: String) throws {
        let time = PersonTime(now: World.start, offset: { _ in 0 })
        #expect(time.say(try #require(CivilDate(text))) == said)
    }

    @Test func daysBeginOnThePersonsClock() throws {
        // The clocks of Paris go forward on 2027-03-28.
        let time = PersonTime(now: World.start, offset: { ZoneOffsets.seconds("Europe/Paris", at: $0) })
        #expect(time.startOfDay(try #require(CivilDate("2027-03-28"))).description == "2027-03-27T23:00:00.000Z")
        #expect(time.startOfDay(try #require(CivilDate("2027-03-29"))).description == "2027-03-28T22:00:00.000Z")
    }
}
