import TandemCore
import TandemJSON
import TandemMemory
import Testing

struct RecallIndexTests {
    private let start = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)

    private func index(_ texts: [String], apart: Duration = .seconds(86_400)) -> RecallIndex<Int> {
        var index = RecallIndex<Int>()
        var time = start
        for (number, text) in texts.enumerated() {
            index.insert(number, text: text, at: time)
            time = time.advanced(by: apart)
        }
        return index
    }

    @Test(arguments: [
        ("what is my locker code?", 0), ("where did I park", 1), ("when was the dentist apointment", 2),
        ("which book am I reading", 3), ("who renews the passport", 4), ("what is my mother's name", 5),
        ("what am I allergic to", 6),
    ])
    func findsTheRightText(question: String, expected: Int) throws {
        var index = index([
            "my locker code is 4512", "I parked the car on level 3, row B",
            "the dentist appointment is on Tuesday at nine", "I am reading a book called Dune",
            "passport renewal: bring two photos", "mum is called Ada", "I have an allergy to peanuts",
            "the weather was nice",
        ])
        let hit = try #require(index.search(question, limit: 3).first)
        #expect(hit.key == expected)
        #expect(hit.score.total > 0)
    }

    @Test func givesNothingForWordsNobodySaid() {
        func search(_ texts: [String], _ question: String, limit: Int = 5) -> [Int] {
            var index = index(texts)
            return index.search(question, limit: limit).map(\.key)
        }
        #expect(search(["my locker code is 4512"], "zebra crossing").isEmpty)
        #expect(search([], "anything").isEmpty)
        #expect(search(["a b c"], "").isEmpty)
        #expect(search(["locker"], "locker", limit: 0).isEmpty)
    }

    @Test func prefersTheNewerOfTwoEquals() {
        var index = index(["the wifi password is blue", "the wifi password is blue"])
        #expect(index.search("wifi password", limit: 2).map(\.key) == [1, 0])
    }

    @Test func replacesAndRemoves() {
        var index = index(["red house", "blue house", "green house"])
        index.insert(1, text: "yellow boat", at: start)
        #expect(index.search("blue", limit: 5).isEmpty)
        #expect(index.search("boats", limit: 5).map(\.key) == [1])
        index.remove(1)
        index.remove(77)
        #expect(index.search("boat", limit: 5).isEmpty)
        #expect(index.count == 2)
    }

    @Test func staysRightAfterManyRemovals() {
        var index = RecallIndex<Int>()
        for number in 0..<500 { index.insert(number, text: "item number\(number) thing", at: start) }
        for number in 0..<450 { index.remove(number) }
        #expect(index.count == 50)
        #expect(index.search("number470", limit: 5).map(\.key).first == 470)
        #expect(index.search("number3", limit: 5).isEmpty)
        index.insert(3, text: "item number3 thing", at: start)
        #expect(index.search("number3", limit: 5).map(\.key) == [3])
    }

    @Test func findsAnAnswerByItsQuestion() {
        var index = index(
            ["which instrument do you play?", "the clarinet, since I was ten", "nice weather", "we had soup"],
            apart: .seconds(30))
        #expect(index.search("what instrument does she play", limit: 2).map(\.key) == [0, 1])
        let hit = index.search("what instrument does she play", limit: 2).last
        #expect((hit?.score.neighbour ?? 0) > 0 && hit?.score.lexical == 0)
    }

    @Test func prefersTheNamedTime() {
        var index = RecallIndex<Int>()
        index.insert(1, text: "went hiking with Sam", at: Timestamp("2023-05-03T10:00:00Z") ?? start)
        index.insert(2, text: "went hiking with Sam", at: Timestamp("2023-08-03T10:00:00Z") ?? start)
        #expect(index.search("who did I hike with in May 2023?", limit: 2).map(\.key) == [1, 2])
        #expect(index.search("who did I hike with in August", limit: 2).map(\.key) == [2, 1])
        #expect(index.search("what happened on 3 May 2023", limit: 1).map(\.key) == [1])
    }

    @Test func findsWhatIsMeantInOtherWords() {
        var tuning = RecallTuning()
        tuning.leastMeaning = nil
        var index = RecallIndex<Int>(tuning: tuning)
        for (key, text) in [
            "the physician moved my check-up to Friday", "we adopted a kitten from the shelter",
            "the exhaust of the old van is rusty", "grandma's pasta needs plenty of garlic",
        ].enumerated() {
            index.insert(key, text: text, at: start.advanced(by: .seconds(86_400 * key)))
        }
        #expect(index.search("medical appointment", limit: 1).map(\.key) == [0])
        #expect(index.search("did they get a cat?", limit: 1).map(\.key) == [1])
        #expect(index.search("trouble with the car", limit: 1).map(\.key) == [2])
        #expect(index.search("cooking recipe ingredients", limit: 1).map(\.key) == [3])
        #expect(index.search("something else entirely", limit: 10).count == 4)
    }

    @Test func prefersWhoIsNamed() {
        var index = index(
            [
                "Ann: I started to learn the cello", "Ben: I started to learn the cello too",
                "Ann said, \"my cello broke\"",
                "[2023-05-08 13:56] Ben: the cello is fun",
            ], apart: .seconds(7200))
        #expect(index.search("What did Ben say of the cello?", limit: 2).map(\.key).sorted() == [1, 3])
        #expect(index.search("Ann's cello", limit: 2).map(\.key).sorted() == [0, 2])
        #expect((index.search("does Ann play the cello", limit: 1).first?.score.speaker ?? 0) > 0)
    }

    @Test func prefersATimeWhenAskedWhen() {
        var index = index(["I bought the tent in town", "I bought the tent last Tuesday", "did you buy the tent?"])
        #expect(index.search("when did I buy the tent", limit: 3).map(\.key).first == 1)
    }

    @Test func namesThePartsOfAScore() throws {
        var index = index(["my locker code is 4512"])
        let score = try #require(index.search("locker code", limit: 1).first?.score)
        #expect(score.parts.map(\.name).starts(with: ["words", "phrase", "coverage"]))
        #expect(abs(score.parts.reduce(0) { $0 + $1.value } - score.total) < 1e-9)
    }

    @Test func countsItsBytes() {
        var index = RecallIndex<Int>()
        for number in 0..<2000 { index.insert(number, text: "text number \(number) of a few words", at: start) }
        #expect((2000 * 260..<2000 * 1200).contains(index.size))
    }

    @Test func scoresArePositiveAndDescending() {
        var index = index((0..<200).map { "note \($0 % 7) about apples and pears \($0)" })
        let hits = index.search("apples 13 pears note 5", limit: 200)
        #expect(hits.count == 200)
        for (left, right) in zip(hits, hits.dropFirst()) { #expect(left.score.total >= right.score.total - 1e-9) }
    }

    @Test func takesOnlyWhatIsAccepted() {
        var index = index(["red house", "blue house", "green house"])
        #expect(index.search("house", limit: 1, accepts: { $0 == 0 }).map(\.key) == [0])
    }
}

struct MemoryPipeTests {
    private let pipe = MemoryPipe(
        store: TransientMemories(), clock: ManualClock(Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)))

    @Test func remembersAndRecallsByUser() async {
        for (user, id, text) in [("u1", "a", "my locker code is 4512"), ("u2", "b", "my locker code is 9999")] {
            let answer = await pipe.answer([
                "op": "remember", "user": .string(user), "id": .string(id), "text": .string(text),
                "timestamp": "2023-05-08T13:56:00Z",
            ])
            #expect(answer == ["ok": true])
        }
        #expect(await pipe.answer(["op": "recall", "user": "u1", "query": "locker", "k": 5]) == ["ids": ["a"]])
        #expect(await pipe.answer(["op": "recall", "user": "u2", "query": "locker", "k": 5]) == ["ids": ["b"]])
        #expect(await pipe.answer(["op": "recall", "user": "u3", "query": "locker", "k": 5]) == ["ids": []])
    }

    @Test(arguments: [
        #"{}"#, #"{"op":"drop"}"#, #"{"op":"remember","user":"u"}"#, #"{"op":"recall","user":"u"}"#,
        #"{"op":"recall","user":"u","query":"x","k":-1}"#, #"{"op":"recall","user":"","query":"x"}"#,
        #"{"op":"remember","user":"u","id":"i","text":"x","timestamp":"yesterday"}"#, #"[]"#, #"null"#,
        #"{"op":"remember","user":"u","id":"i","text":7}"#,
        #"{"op":"remember","user":"u","id":"i","text":"x","timestamp":1e300}"#,
    ])
    func refusesWithAReason(line: String) async throws {
        let answer = await pipe.answer(try JSON(parsing: line))
        #expect(answer["ok"] == false)
        #expect(answer["error"]?.stringValue?.isEmpty == false)
    }

    @Test(arguments: ["2023-05-08", "2023-05-08T13:56:00", "2023-05-08 13:56:00+02:00"])
    func takesCommonTimestamps(text: String) async {
        let answer = await pipe.answer([
            "op": "remember", "user": 7, "id": 1, "text": "x y z", "timestamp": .string(text),
        ])
        #expect(answer == ["ok": true])
    }
}
