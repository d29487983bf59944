import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// Taking back the last change, by rows and by tools.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct UndoTests {
    @Test func takesBackTheLastChangeOnly() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.put {\"text\":\"one\"}")
            let second = try await world.say("box.put {\"text\":\"two\"}")
            #expect(second.undo == "Put in: two")
            let undone = try await world.say("undo")
            #expect(undone.text == "Undone: Put in: two")
            #expect(undone.undo == nil)
            #expect(try await world.things() == ["one"])
            try await world.say("undo that")
            #expect(try await world.things().isEmpty)
            #expect(try await world.say("undo").text == "There is nothing to take back.")
        }
    }

    @Test func takesBackAWholeMessage() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.put {\"text\":\"zero\"}")
            try await world.say("box.put {\"text\":\"a\"} | box.put {\"text\":\"b\"} | box.change {\"text\":\"c\"}")
            #expect(try await world.things() == ["c", "c", "c"])
            try await world.say("undo")
            #expect(try await world.things() == ["zero"])
        }
    }

    @Test func restoresWhatAConfirmedDeletionRemoved() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.put {\"text\":\"a\"} | box.put {\"text\":\"b\"}")
            try await world.say("box.empty")
            try await world.say("yes")
            #expect(try await world.things().isEmpty)
            try await world.say("undo")
            #expect(try await world.things() == ["a", "b"])
        }
    }

    @Test func readingAndTalkingLeaveTheLastChangeToBeUndone() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.put {\"text\":\"a\"}")
            let list = try await world.say("box.list")
            #expect(list.undo == nil)
            for text in ["?", "more", "nonsense", "chat Hello.", "9999"] { try await world.say(text) }
            try await world.say("undo")
            #expect(try await world.things().isEmpty)
        }
    }

    @Test func callsTheToolThatTakesBackWhatNoJournalCan() async throws {
        try await AgentWorld.run { (world) async throws in
            let answer = try await world.say("box.lamp")
            #expect(answer.undo == "Lamp on.")
            #expect(world.box.state.withLock { $0.lamp[world.ann] } == true)
            try await world.say("undo")
            #expect(world.box.state.withLock { $0.lamp[world.ann] } == false)
            #expect(world.box.calls(of: "box.relamp") == 1)
            // The lamp's row is gone, and so is what taking it back had written.
            #expect(try await world.things().isEmpty)
            #expect(try await world.say("undo").text == "There is nothing to take back.")
            #expect(world.box.calls(of: "box.relamp") == 1)
        }
    }

    @Test func undoesToolsAndRowsInTheOrderOfTheMessages() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.put {\"text\":\"first\"}")
            try await world.say("box.lamp")
            try await world.say("box.put {\"text\":\"last\"}")
            try await world.say("undo")
            #expect(try await world.things() == ["first", "lamp"])
            #expect(world.box.calls(of: "box.relamp") == 0)
            try await world.say("undo")
            #expect(try await world.things() == ["first"])
            #expect(world.box.state.withLock { $0.lamp[world.ann] } == false)
            try await world.say("undo")
            #expect(try await world.things().isEmpty)
        }
    }

    @Test func aFailedUndoLeavesEverythingAndMayBeTriedAgain() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.lamp")
            world.box.state.withLock { $0.lampFails = true }
            let failed = try await world.say("undo")
            #expect(!failed.text.hasPrefix("Undone"))
            #expect(try await world.things() == ["lamp"])
            #expect(world.box.state.withLock { $0.lamp[world.ann] } == true)
            world.box.state.withLock { $0.lampFails = false }
            try await world.say("undo")
            #expect(try await world.things().isEmpty)
            #expect(world.box.state.withLock { $0.lamp[world.ann] } == false)
        }
    }

    @Test func refusesWhatWasChangedElsewhereSince() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.put {\"text\":\"a\"}")
            // A change that is no message's: another front, another device.
            try await world.database.write(world.ann) { transaction in
                _ = try transaction.update(
                    BoxTools.table.name, where: [], set: ["text": "b"], tables: .owner(BoxTools.owner))
            }
            let answer = try await world.say("undo")
            #expect(answer.text == "That was changed again since, so I cannot take it back.")
            #expect(try await world.things() == ["b"])
        }
    }

    @Test func reachesOneOwnChangesOnly() async throws {
        try await AgentWorld.run { (world) async throws in
            try await world.say("box.put {\"text\":\"a\"}")
            try await world.say("box.lamp")
            for _ in 0..<3 {
                #expect(try await world.say("undo", as: world.bob).text == "There is nothing to take back.")
            }
            #expect(try await world.things() == ["a", "lamp"])
            #expect(world.box.state.withLock { $0.lamp[world.bob] } == nil)
        }
    }

    @Test func aFailedCallLeavesNothingBehind() async throws {
        try await AgentWorld.run { (world) async throws in
            let answer = try await world.say(
                "box.put {\"text\":\"a\"} | box.fail {\"text\":\"half\"} | box.put {\"text\":\"b\"}")
            #expect(answer.calls.map(\.outcome) == ["value", "error:broken", "value"])
            #expect(answer.text.contains("The lid broke."))
            #expect(try await world.things() == ["a", "b"])
            let alone = try await world.say("box.fail {\"text\":\"half\"}")
            #expect(alone.undo == nil)
            #expect(try await world.things() == ["a", "b"])
            try await world.say("undo")
            #expect(try await world.things().isEmpty)
        }
    }
}
