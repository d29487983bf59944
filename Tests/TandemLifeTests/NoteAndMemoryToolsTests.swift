import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage
import TestDatabases
import Testing

@testable import TandemLife

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct NoteToolsTests {
    @Test func keepsAndFindsNotes() async throws {
        let world = try await World()
        let saved = try await world.value(
            "notes.add", ["text": "Talk ideas: show the demo first #work\nthen questions"])
        #expect(saved.message == "Noted: Talk ideas (#work).")
        try await world.value("notes.add", ["text": "bread recipe from Lea", "title": "Bread", "tags": ["#Food"]])
        #expect(try await world.value("notes.search", ["query": "demos"]).message == "Found: 1 Talk ideas.")
        #expect(try await world.value("notes.search", ["query": "zebra"]).message == "No note about \"zebra\".")
        #expect(try await world.value("notes.list").message == "2 notes: 1 Bread, 2 Talk ideas.")
        #expect(try await world.value("notes.list", ["tag": "work"]).message == "1 #work note: 1 Talk ideas.")
        #expect(try await world.value("notes.list", ["tag": "none"]).message == "No #none notes yet.")
        #expect(try await world.value("notes.show", ["note": "bread"]).message == "Bread: bread recipe from Lea")
        #expect(
            try await world.value("notes.show", ["note": "talk"]).message
                == "Talk ideas:\nTalk ideas: show the demo first #work\nthen questions")
        #expect(
            try await world.value("notes.append", ["note": "bread", "text": "less salt #food2"]).message
                == "Added to Bread.")
        #expect(
            try await world.value("notes.show", ["note": "bread"]).value["note"]?["content"]
                == "bread recipe from Lea\nless salt #food2")
        let turn = world.ids.next()
        #expect(
            try await world.value("notes.delete", ["note": "bread"], turn: turn).message == "Removed the note: Bread.")
        #expect(try await world.failure("notes.show", ["note": "bread"]).code == "not_found")
        try await world.undo(turn)
        #expect(try await world.value("notes.show", ["note": "Lea"]).value["note"]?["title"] == "Bread")
    }

    @Test func refusesEmptyAndFull() async throws {
        let world = try await World()
        #expect(try await world.failure("notes.add", ["text": "  \n "]).code == "empty")
        #expect(
            try await world.failure("notes.add", ["text": .string(String(repeating: "x", count: 8001))]).code
                == "too_long")
        try await world.value("notes.add", ["text": "log"])
        let long = JSON.string(String(repeating: "y", count: 8000))
        for _ in 0..<8 { try await world.value("notes.append", ["note": "log", "text": long]) }
        #expect(try await world.failure("notes.append", ["note": "log", "text": long]).code == "too_long")
    }

    @Test func asksWhichNote() async throws {
        let world = try await World()
        try await world.value("notes.add", ["text": "Paris hotel"])
        try await world.value("notes.add", ["text": "Paris museum"])
        let question = try await world.question("notes.delete", ["note": "paris"])
        #expect(question.options.count == 2)
        let outcome = await world.answer(question, "the museum one", to: "notes.delete", ["note": "paris"])
        #expect(outcome.message == "Removed the note: Paris museum.")
    }
}

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct MemoryToolsTests {
    @Test func remembersAndRecalls() async throws {
        let world = try await World()
        #expect(
            try await world.value("memory.remember", ["text": "my locker code is 4512."]).message
                == "I'll remember: my locker code is 4512.")
        try await world.value("memory.remember", ["text": "Ada is allergic to peanuts"])
        #expect(
            try await world.value("memory.recall", ["query": "locker code"]).message
                == "You told me: my locker code is 4512.")
        #expect(
            try await world.value("memory.recall", ["query": "what is Ada allergic to"]).message
                == "You told me: Ada is allergic to peanuts.")
        #expect(
            try await world.value("memory.recall", ["query": "zebra"]).message
                == "I have nothing about \"zebra\" yet. Tell me: remember that ...")
        let list = try await world.value("memory.list")
        #expect(list.message == "I remember: 1 Ada is allergic to peanuts, 2 my locker code is 4512.")
        let shown = try await world.value("memory.show", ["memory": .string("#" + (list.shown?.items[1].id ?? ""))])
        #expect(shown.message == "my locker code is 4512 (you told me today)")
    }

    @Test func mergesWhatItKnowsAndClosesWhatIsReplaced() async throws {
        let world = try await World()
        try await world.value("memory.remember", ["text": "my locker code is 4512"])
        #expect(
            try await world.value("memory.remember", ["text": "my locker code is 4512!"]).message.hasPrefix(
                "I know, and keep it"))
        #expect(try await world.value("memory.list").value["memories"]?.arrayValue?.count == 1)
        let turn = world.ids.next()
        #expect(
            try await world.value("memory.remember", ["text": "my locker code is now 7781"], turn: turn).message
                == "Updated: my locker code is now 7781. (Before: my locker code is 4512)")
        #expect(
            try await world.value("memory.recall", ["query": "locker code"]).message
                == "You told me: my locker code is now 7781.")
        try await world.undo(turn)
        #expect(
            try await world.value("memory.recall", ["query": "locker code"]).message
                == "You told me: my locker code is 4512.")
    }

    @Test(arguments: [
        ("my friend is Tom", "my friend is Ann"), ("I like tea", "I don't like coffee"),
        ("my bike lock code is 11", "my gym lock code is 22"), ("his birthday is in May", "her birthday is in May"),
    ])
    func keepsBothOfTwoThings(first: String, second: String) async throws {
        let world = try await World()
        try await world.value("memory.remember", ["text": .string(first)])
        try await world.value("memory.remember", ["text": .string(second)])
        #expect(try await world.value("memory.list").value["memories"]?.arrayValue?.count == 2)
    }

    @Test func forgetsWithOlderVersionsAndGivesBackOnUndo() async throws {
        let world = try await World()
        try await world.value("memory.remember", ["text": "my locker code is 4512"])
        try await world.value("memory.remember", ["text": "my locker code is 7781"])
        let turn = world.ids.next()
        #expect(
            try await world.value("memory.forget", ["memory": "locker code"], turn: turn).message
                == "Forgotten: my locker code is 7781.")
        #expect(try await world.value("memory.list").value["memories"] == [])
        let rows = try await world.database.read(world.ann) { try $0.count("ltm_memories") }
        #expect(rows == 0)
        try await world.undo(turn)
        #expect(
            try await world.value("memory.recall", ["query": "locker"]).message
                == "You told me: my locker code is 7781.")
        #expect(try await world.failure("memory.forget", ["memory": "zebra"]).code == "not_found")
    }

    @Test func asksWhichToForget() async throws {
        let world = try await World()
        try await world.value("memory.remember", ["text": "my bike lock code is 1122"])
        try await world.value("memory.remember", ["text": "my gym lock code is 3344"])
        let question = try await world.question("memory.forget", ["memory": "lock code"])
        #expect(question.options.count == 2)
        let outcome = await world.answer(question, "1", to: "memory.forget", ["memory": "lock code"])
        #expect(outcome.message.hasPrefix("Forgotten: my "))
        #expect(try await world.value("memory.list").value["memories"]?.arrayValue?.count == 1)
    }

    @Test func clearsEverythingAndCountsUse() async throws {
        let world = try await World()
        let saved = try await world.value("memory.remember", ["text": "my locker code is 4512"])
        let turn = world.ids.next()
        try await world.value("memory.remember", ["text": "Ada likes tea"], turn: turn)
        for _ in 0..<3 { try await world.value("memory.recall", ["query": "locker"]) }
        let id = try #require(saved.shown.flatMap { $0.items.first }.flatMap { RecordID($0.id) })
        #expect(try await world.memory.accessCount(id, in: world.ann) == 3)
        // Using a memory is no change that stands in the way of an undo.
        try await world.value("memory.recall", ["query": "tea"])
        try await world.undo(turn)
        #expect(try await world.value("memory.clear").message == "Forgotten: all 1 thing I knew about you.")
        #expect(try await world.value("memory.list").message.hasPrefix("Nothing yet."))
    }

    @Test func refusesEmptyAndLong() async throws {
        let world = try await World()
        #expect(try await world.failure("memory.remember", ["text": " . "]).code == "empty")
        #expect(try await world.failure("memory.remember", ["text": "!!!"]).code == "empty")
        #expect(
            try await world.failure("memory.remember", ["text": .string(String(repeating: "x", count: 2001))]).code
                == "too_long")
    }
}
