import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage
import TestDatabases
import Testing

@testable import TandemLife

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct FocusToolsTests {
    @Test func changesTheFocusAndComesBack() async throws {
        let world = try await World()
        #expect(try await world.value("focus.list").message == "No focus area yet. Say: my focus is ...")
        #expect(try await world.value("focus.set", ["area": "the tax return"]).message == "Focus: the tax return.")
        #expect(
            try await world.value("focus.set", ["area": "moving house."]).message
                == "Focus: moving house (the tax return stays open).")
        #expect(
            try await world.value("focus.list").message == "Focus areas: 1 moving house (now), 2 the tax return.")
        // The same area, said otherwise, is no second one.
        #expect(
            try await world.value("focus.set", ["area": "tax returns"]).message
                == "Focus: the tax return (moving house stays open).")
        let turn = world.ids.next()
        #expect(try await world.value("focus.end", turn: turn).message == "Closed: the tax return. Well done.")
        #expect(try await world.value("focus.list").message == "Focus areas: 1 moving house.")
        try await world.undo(turn)
        #expect(
            try await world.value("focus.list").message == "Focus areas: 1 the tax return (now), 2 moving house.")
        #expect(try await world.value("focus.end", ["area": "house"]).message == "Closed: moving house. Well done.")
        #expect(try await world.failure("focus.end", ["area": "#12"]).code == "not_found")
        #expect(try await world.failure("focus.set", ["area": " . "]).code == "empty")
    }

    @Test func whatIsRememberedBelongsToTheFocus() async throws {
        let world = try await World()
        try await world.value("memory.remember", ["text": "the office opens at nine"])
        try await world.value("focus.set", ["area": "garden project"])
        try await world.value("memory.remember", ["text": "the shop opens at eight"])
        // Found by the name of the area, and before others while it is current.
        let found = try await world.memory.recall("garden project", limit: 3, in: world.ann)
        #expect(found.map(\.memory.content) == ["the shop opens at eight"])
        let hits = try await world.memory.recall("opens", limit: 3, in: world.ann)
        #expect(hits.first?.memory.content == "the shop opens at eight")
        #expect(hits.first?.score.parts.contains { $0.name == "focus" } == true)
        #expect(hits.last?.score.parts.contains { $0.name == "focus" } == false)
    }

    @Test func saysWhereOneWas() async throws {
        let world = try await World()
        #expect(try await world.value("focus.resume").message == "I see nothing open. What would you like to do now?")
        try await world.value("focus.set", ["area": "the tax return"])
        try await world.value("tasks.add", ["title": "find the receipts"])
        let message = try await world.value("focus.resume").message
        #expect(message.hasPrefix("Your focus: the tax return"))
        #expect(try await world.value("focus.resume").value["focus"] == "the tax return")
    }
}

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SearchEverythingTests {
    @Test func recallAlsoSaysWhatNotesHave() async throws {
        let world = try await World()
        try await world.value("notes.add", ["text": "The plumber's offer\n340 euros, valid until May"])
        let alone = try await world.value("memory.recall", ["query": "plumber"])
        #expect(alone.message == "You told me nothing, but I found: 1 note: The plumber's offer.")
        #expect(alone.value["others"]?[0]?["kind"] == "note")
        try await world.value("memory.remember", ["text": "the plumber is called Max"])
        let both = try await world.value("memory.recall", ["query": "plumber"])
        #expect(both.message.hasPrefix("You told me: the plumber is called Max."))
        #expect(both.message.contains("\nAlso: note: The plumber's offer"))
        let all = try await world.value("memory.search", ["query": "plumber"])
        #expect(all.value["found"]?.arrayValue?.count == 2)
        #expect(
            try await world.value("memory.search", ["query": "zebra"]).message
                == "I found nothing about \"zebra\" anywhere.")
        #expect(try await world.failure("memory.search", ["query": " "]).code == "empty")
    }

    @Test func whatOthersWroteStaysTheirs() async throws {
        let world = try await World()
        try await world.database.register([RowLabels.table], owner: RowLabels.owner)
        let note = try await world.value("notes.add", ["text": "Eve offers gold for free"])
        let id = try #require(note.value["note"]?["id"]?.stringValue.flatMap { RecordID($0) })
        try await world.database.write(world.ann) { try $0.label(id, as: .untrusted) }
        let provenance = CallProvenance(trust: .owner, isVerbatim: true)
        let found = try await CallProvenance.$current.withValue(provenance) {
            try await world.value("memory.search", ["query": "gold offer"])
        }
        #expect(found.value["found"]?[0]?["trust"] == "untrusted")
        #expect(provenance.labelled(found).trust == .untrusted)
    }
}
