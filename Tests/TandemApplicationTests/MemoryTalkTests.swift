import TandemAgent
import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// What a person tells, asks, takes back and has explained, as whole conversations.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct MemoryTalkTests {
    private func kept(_ household: Household) async throws -> [Memory] {
        try await household.application.memory.all(limit: 50, in: household.ann)
    }

    @Test func whatIsToldInPassingIsKeptAndFound() async throws {
        try await Household.run { (household) async throws in
            for fact in ["my dentist is Dr Vogel", "my shoe size is 43", "I'm allergic to penicillin"] {
                let answer = try await household.say(fact)
                #expect(answer.calls.map(\.tool) == ["memory.remember"])
                #expect(answer.text == "I'll remember: \(fact).")
            }
            let memory = try #require(try await kept(household).first { $0.content == "my shoe size is 43" })
            #expect(memory.channel == "test" && memory.trust == .owner)
            let said = try await household.rows("messages").filter { $0["direction"] == "in" }
            #expect(said.contains { $0["id"]?.stringValue == memory.sourceID && $0["text"] == "my shoe size is 43" })
            #expect(
                try await household.say("what do you know about my dentist").text.contains("my dentist is Dr Vogel"))
            #expect(try await household.say("what's my shoe size?").text.contains("43"))
            // The same again is no second one; another value closes the first.
            try await household.say("My shoe size is 43!")
            #expect(try await household.say("my shoe size is now 44").text.hasPrefix("Updated: my shoe size is now 44"))
            #expect(try await kept(household).count == 3)
            try await household.say("undo")
            #expect(try await household.say("what's my shoe size?").text.contains("43"))
            #expect(try await household.rows("expenses").isEmpty)
        }
    }

    @Test func whatElseTheMessageAsksIsDoneAsWell() async throws {
        try await Household.run { (household) async throws in
            let answer = try await household.say("I'm allergic to nuts. Add oat milk to my grocery list")
            #expect(answer.calls.map(\.tool) == ["memory.remember", "grocery.add"])
            #expect(try await kept(household).map(\.content) == ["I'm allergic to nuts"])
            let greeted = try await household.say("Hi! My locker code is 4512. Thanks")
            #expect(greeted.calls.map(\.tool) == ["memory.remember"])
            #expect(try await kept(household).first?.content == "My locker code is 4512")
        }
    }

    @Test(arguments: [
        "if I moved to Berlin my address would be Hauptstrasse 1", "my shoe size might be 43", "is my shoe size 43?",
        "Tom wrote \"my locker code is 4512\"", "my name is Ada", "I love pancakes", "my day was awful",
    ])
    func whatIsNoFactToKeepIsNotKept(message: String) async throws {
        try await Household.run { (household) async throws in
            try await household.say(message)
            #expect(try await kept(household).isEmpty)
        }
    }

    @Test func whatIsSaidAfterFixedWordsKeepsItsLetters() async throws {
        try await Household.run { (household) async throws in
            for (message, text) in [
                ("remember that the sky is blue", "the sky is blue"),
                ("Please remember: The bins go out on Tuesday.", "The bins go out on Tuesday"),
                ("keep in mind that a key hangs behind the door", "a key hangs behind the door"),
                ("remember the tap in the bath is loose", "the tap in the bath is loose"),
            ] {
                #expect(try await household.say(message).calls.map(\.tool) == ["memory.remember"], "\(message)")
                #expect(try await kept(household).first?.content == text)
            }
            for (message, text) in [
                ("note: hello", "hello"), ("note: the harbour is calm", "the harbour is calm"),
                ("Note: The sky is blue", "The sky is blue"), ("note to self: a stitch in time", "a stitch in time"),
                ("note that the gate opens at 7", "the gate opens at 7"),
                ("note the harbour is calm", "the harbour is calm"),
                ("take a note: 3 eggs, 2 cups of flour", "3 eggs, 2 cups of flour"),
            ] {
                #expect(try await household.say(message).calls.map(\.tool) == ["notes.add"], "\(message)")
                #expect(try await household.rows("notes").contains { $0["content"]?.stringValue == text }, "\(message)")
            }
            #expect(try await household.say("notes about the harbour").calls.map(\.tool) == ["notes.search"])
        }
    }

    @Test func forgetsWhatWasJustSpokenOf() async throws {
        try await Household.run { (household) async throws in
            try await household.say("my locker code is 4512")
            #expect(try await household.say("forget that").text == "Forgotten: my locker code is 4512.")
            #expect(try await kept(household).isEmpty)
            try await household.say("my dentist is Dr Vogel")
            try await household.say("what's next?")
            try await household.say("what do you know about my dentist")
            #expect(try await household.say("forget that").text == "Forgotten: my dentist is Dr Vogel.")
            #expect(try await kept(household).isEmpty)
        }
    }

    @Test func saysWhyItSaidWhatItSaid() async throws {
        try await Household.run { (household) async throws in
            #expect(try await household.say("why did you say that?").text.contains("not said anything yet"))
            try await household.say("my dentist is Dr Vogel")
            household.clock.advance(by: .seconds(3 * 86_400))
            try await household.say("who is my dentist")
            let why = try await household.say("Why did you say that?")
            #expect(why.calls.map(\.tool) == ["memory.why"])
            #expect(why.text.hasPrefix("Because you told me on Sat 21 Nov: my dentist is Dr Vogel"), "\(why.text)")
            // Asked twice it is about the same answer; the parts of the score follow.
            let again = try await household.say("how do you know that")
            let parts = again.text + (try await household.say("more").text)
            #expect(parts.contains("words ") && parts.contains("by test"), "\(parts)")
            try await household.say("add oat milk to my grocery list")
            #expect(try await household.say("why did you say that").text.contains("grocery add"))
            try await household.say("who is my dentist")
            try await household.say("forget that")
            // Another person has said nothing that could be explained.
            #expect(
                try await household.say("why did you say that", as: household.bob).text.contains(
                    "not said anything yet"))
        }
    }

    @Test func theDailyWorkArchivesWhatHasEnded() async throws {
        try await Household.run { (household) async throws in
            try await household.say("my dentist appointment is on 3 December 2026")
            try await household.say("my dentist is Dr Vogel")
            household.clock.advance(by: .seconds(20 * 86_400))
            let application = household.application
            let keeping = MemoryKeeping(
                memory: application.memory, accounts: application.accounts, logger: application.logger)
            #expect(try await keeping.keep().expired == 1)
            #expect(try await keeping.keep().expired == 0)
            #expect(try await kept(household).map(\.content) == ["my dentist is Dr Vogel"])
            let rows = try await household.rows("ltm_memories")
            #expect(rows.count == 2 && rows.contains { $0["archive_reason"] == "expired" })
        }
    }
}
