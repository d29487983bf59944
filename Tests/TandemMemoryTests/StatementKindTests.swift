import TandemCore
import Testing

@testable import TandemMemory

struct StatementKindTests {
    @Test(arguments: [
        ("I'm allergic to penicillin", StatementKind.health), ("my blood type is 0 negative", .health),
        ("I take 20 mg in the morning", .health), ("my name is Ada", .identity), ("I live in Lyon", .identity),
        ("my birthday is on 3 May", .identity), ("I work at the library", .identity), ("I love mushrooms", .preference),
        ("I can't stand loud music", .preference), ("my favourite color is green", .preference),
        ("my dentist is Dr Li", .relation), ("Ben is my younger brother", .relation),
        ("my locker code is 4512", .credential), ("the wifi password is blue42", .credential),
        ("the spare key is under the pot", .fact), ("if the alarm rings, press 3", .fact),
        ("the bins go out on Tuesday", .fact),
    ])
    func knowsFacts(text: String, kind: StatementKind) {
        #expect(StatementKind(text) == kind)
        #expect(StatementKind(text).isFact)
    }

    @Test(arguments: [
        ("if I moved to Berlin my address would be Hauptstrasse 1", StatementKind.hypothetical),
        ("I might become a vegetarian", .hypothetical), ("maybe I live in the wrong city", .hypothetical),
        ("I wish my boss was nicer", .hypothetical), ("I'd love a dog", .hypothetical),
        ("imagine my name was Bob", .hypothetical), ("I am thinking about moving to Rome", .hypothetical),
        ("my sister is probably allergic to cats", .hypothetical),
        ("I am going to move to Lyon", .plan), ("I want to learn the cello", .plan), ("I'll call my dentist", .plan),
        ("we plan to sell the house", .plan),
        ("what is my name", .question), ("do I like olives", .question), ("I am allergic to nuts?", .question),
        ("how old is my brother", .question), ("is my birthday in May", .question),
        ("my name is Batman, just kidding", .joke), ("I love Mondays. Not!", .joke),
        ("I am the queen of France lol", .joke),
        ("I live on the moon \u{1F602}", .joke),
    ])
    func knowsWhatIsNoFact(text: String, kind: StatementKind) {
        #expect(StatementKind(text) == kind)
        #expect(!StatementKind(text).isFact)
    }

    @Test func takesAnyText() {
        for text in ["", " ", "?", "!!!", "not", "a", String(repeating: "if i ", count: 5000)] {
            _ = StatementKind(text)
        }
    }
}

struct MemoryCaptureTests {
    private func captured(_ message: String, trust: TrustLabel = .owner, recalled: [String] = []) -> [String] {
        MemoryCapture.statements(in: message, trust: trust, recalled: recalled).map(\.text)
    }

    @Test func takesPlainStatementsOfTheOwner() {
        #expect(
            captured("Hi! I'm allergic to nuts. Can you add milk to the list? My dentist is Dr. Li. Thanks.")
                == ["I'm allergic to nuts", "My dentist is Dr. Li"])
        #expect(
            captured("My locker code is 4512\nI live in Lyon now") == ["My locker code is 4512", "I live in Lyon now"])
    }

    @Test func takesNothingOfOthers() {
        for trust in [TrustLabel.contact, .untrusted, .system] {
            #expect(captured("My account number is 12345678", trust: trust).isEmpty)
        }
    }

    @Test(arguments: [
        "If I moved to Berlin I'd live alone", "I might be allergic to nuts", "do I like olives?",
        "I want to live in Rome",
        "I hate mondays lol", "remind me to call mum", "add 2 l milk", "Ann said \"I love you\"",
        "> I am allergic to bees", "I love pancakes", "I like you", "my phone is dead",
        "my list of problems is endless",
        "my mother makes great lasagne", "my budget is a joke", "my head is in the clouds", "my back is killing me",
        "my boss is an idiot today", "I have to take my medicine", "I ran out of medicine", "my day was awful",
        "my rent is 900 euros", "my name is Batman, just kidding", "my mum is in the hospital", "I bought milk",
        "it's in May", "that's my bus", "my bus is at 7", "my train is on platform 3",
        "Fwd: my password is hunter2", "the weather is nice", "I had soup for lunch", "ok", "",
    ])
    func takesNothingElse(message: String) {
        #expect(captured(message).isEmpty)
    }

    @Test(arguments: [
        ("my dentist is Dr Vogel", StatementKind.relation), ("my shoe size is 43", .fact),
        ("my sister lives in Ghent", .relation), ("Anna's birthday is on 4 June", .identity),
        ("my car is parked on level 3", .fact), ("my keys are in the blue bowl", .fact),
        ("the wifi password is blue42", .credential), ("I take 20 mg of ritalin in the morning", .health),
        ("my doctor's phone number is 555 1234", .fact), ("I'm vegetarian", .preference),
        ("my favourite tea is oolong", .preference), ("btw my passport is in the top drawer", .fact),
        ("my dentist appointment is on 3 December 2026", .fact), ("I have ADHD", .health),
    ])
    func takesWhatWillHelpLater(text: String, kind: StatementKind) {
        #expect(
            MemoryCapture.statements(in: text, trust: .owner) == [MemoryCapture.Statement(text: text, kind: kind)])
    }

    @Test func leavesTheRestAsItWas() {
        let reading = MemoryCapture.read("I'm allergic to nuts. Add 2.5 l milk! Thanks", trust: .owner)
        #expect(reading.statements.map(\.text) == ["I'm allergic to nuts"])
        #expect(reading.rest == "Add 2.5 l milk! Thanks")
        #expect(MemoryCapture.read("see Dr. Li at 3. Ok?", trust: .owner).rest == "see Dr. Li at 3. Ok?")
    }

    @Test func takesNoPastedTextForThingsSaid() {
        let many = (1...9).map { "my locker code is \($0)\($0)" }.joined(separator: "\n")
        #expect(captured(many).isEmpty)
    }

    @Test func takesAnyTextInLinearTime() {
        for text in [
            "", ".", "my", "my is", String(repeating: "my . is ", count: 400), String(repeating: "!", count: 4000),
        ] {
            _ = captured(text)
        }
    }

    @Test func takesNoEchoOfWhatWasRecalled() {
        #expect(captured("my locker code is 4512", recalled: ["my locker code is 4512"]).isEmpty)
        #expect(captured("my locker code is 7781", recalled: ["my locker code is 4512"]).count == 1)
    }
}
