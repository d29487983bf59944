import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemLife

/// Two people side by side: neither sees, changes or undoes anything of the other's, on every tool.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct IsolationTests {
    private static let secret = "zanzibar"

    /// What both people have, and the ids of Ann's things.
    private struct Things {
        var task: JSON
        var doneTask: JSON
        var note: JSON
        var memory: JSON
    }

    private func fill(_ world: World) async throws -> Things {
        let secret = IsolationTests.secret
        let task = try await world.value("tasks.add", ["title": .string("fly to \(secret)"), "priority": "high"])
        try await world.value("tasks.breakdown", ["task": .string(secret), "steps": [.string("pack for \(secret)")]])
        let done = try await world.value("tasks.add", ["title": .string("read about \(secret) finished")])
        let doneID = try JSON.string(world.id(done))
        try await world.value("tasks.done", ["task": doneID])
        let note = try await world.value("notes.add", ["text": .string("\(secret) note #\(secret)")])
        let memory = try await world.value("memory.remember", ["text": .string("my \(secret) code is 4512")])
        try await world.value("focus.set", ["area": .string(secret)])
        try await world.value("settings.name", ["name": .string(secret)])
        try await world.value("integrations.on", ["integration": "expenses"])
        return try Things(
            task: .string(world.id(task)), doneTask: doneID, note: .string(world.id(note)),
            memory: .string(world.id(memory)))
    }

    /// Everything that Ann sees, to compare before and after.
    private func view(_ world: World) async throws -> [String] {
        var view: [String] = []
        for (tool, arguments): (String, JSON) in [
            ("tasks.list", [:]), ("tasks.list", ["filter": "done"]), ("tasks.next", [:]),
            ("tasks.show", ["task": "fly to zanzibar"]), ("notes.list", [:]), ("notes.show", ["note": "zanzibar"]),
            ("memory.list", [:]), ("focus.list", [:]), ("settings.show", [:]), ("integrations.list", [:]),
        ] {
            view.append(try await world.value(tool, arguments).message)
        }
        return view
    }

    @Test(arguments: LifeTools.definitions.map(\.id))
    func keepsPeopleApart(tool: String) async throws {
        let world = try await World()
        let things = try await fill(world)
        let before = try await view(world)
        let definition = try #require(LifeTools.definitions.first { $0.id == tool })
        let secret: JSON = .string(IsolationTests.secret)
        // Ann's ids, and words that name Ann's things.
        for reference in [things.task, things.doneTask, things.note, things.memory, secret] {
            var arguments: JSONObject = [:]
            for (name, schema) in definition.parameters["properties"]?.objectValue ?? [:] {
                switch name {
                case "task", "note", "memory": arguments[name] = reference
                case "area": arguments[name] = tool == "focus.set" ? "something else" : reference
                case "integration": arguments[name] = "#expenses"
                case "query", "tag": arguments[name] = secret
                case "due", "until": arguments[name] = "2026-12-01"
                case "titles", "tags", "steps": arguments[name] = ["something else"]
                case "title", "text", "name": arguments[name] = "something else"
                case "from", "to": arguments[name] = name == "from" ? "22:00" : "06:00"
                case "place": arguments[name] = "Tokyo"
                case "currency": arguments[name] = "JPY"
                case "which": arguments[name] = "all"
                case "external_source", "external_id": arguments[name] = "elsewhere"
                case "filter": continue
                default:
                    if let first = schema["enum"]?[0] { arguments[name] = first } else { arguments[name] = false }
                }
            }
            let outcome = await world.call(tool, .object(arguments), as: world.bob)
            let isReference = arguments.keys.contains { ["task", "note", "memory"].contains($0) }
            if isReference {
                guard case .failure(let failure) = outcome else {
                    Issue.record("\(tool) reached another person's row: \(outcome)")
                    continue
                }
                #expect(failure.code == "not_found")
            }
            if case .value(let value) = outcome {
                // What Bob asked for may be repeated to him, in quotes or as a tag.
                let rest = value.message.replacing("\"\(IsolationTests.secret)\"", with: "")
                    .replacing("#\(IsolationTests.secret)", with: "")
                #expect(!rest.contains(IsolationTests.secret))
                #expect(!value.value.text.contains(IsolationTests.secret))
                #expect(!(value.shown?.items.contains { $0.label.contains(IsolationTests.secret) } ?? false))
            }
            // A question of Ann's is of no use to Bob.
            if case .inputRequired(let request) = outcome {
                #expect(!request.message.contains(IsolationTests.secret))
            }
        }
        #expect(try await view(world) == before)
    }

    @Test func anAnswerToAnothersQuestionReachesNothing() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "call the dentist"])
        try await world.value("tasks.add", ["title": "call the bank"])
        let question = try await world.question("tasks.delete", ["task": "call"])
        for answer: JSON in ["1", question.options[1].value, "bank"] {
            let outcome = await world.answer(question, answer, to: "tasks.delete", ["task": "call"], as: world.bob)
            guard case .failure(let failure) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(failure.code == "not_found")
        }
        let steps = try await world.question("tasks.breakdown", ["task": "bank"])
        guard case .failure = await world.answer(steps, "dial", to: "tasks.breakdown", as: world.bob) else {
            Issue.record("a step for another person's task")
            return
        }
        #expect(try await world.value("tasks.list").value["tasks"]?.arrayValue?.count == 2)
    }

    @Test func nobodyUndoesAnothersTurn() async throws {
        let world = try await World()
        let turn = world.ids.next()
        try await world.value("tasks.add", ["title": "call mum"], turn: turn)
        await #expect(throws: StorageError.self) { try await world.undo(turn, as: world.bob) }
        #expect(try await world.value("tasks.list").value["tasks"]?.arrayValue?.count == 1)
    }

    @Test func readingToolsWriteNothingAndRefusedEffectsStayRefused() async throws {
        let world = try await World()
        for definition in LifeTools.definitions where definition.effect > .read {
            let outcome = await world.call(definition.id, [:], allowed: .read)
            guard case .failure(let failure) = outcome else {
                Issue.record("\(definition.id) ran")
                continue
            }
            #expect(failure.code == "not_allowed")
        }
    }
}
