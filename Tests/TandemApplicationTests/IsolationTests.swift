import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemLife
import TandemMemory
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// Two people at once: neither sees, changes, undoes or confirms anything of the other. Every tool of the catalogue is
/// driven, so that a new one is covered by itself.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct IsolationTests {
    /// A word that both may use, and one that only this person's rows hold.
    private static let shared = "zanzibar"
    private static let annSecret = "quagga"
    private static let bobSecret = "okapi"

    /// All tools and a way to call each directly, as the agent would after every check of its own.
    private struct Bench: Sendable {
        let household: Household
        let life: LifeTools

        init(_ household: Household) {
            self.household = household
            let application = household.application
            life = LifeTools(
                database: application.database, accounts: application.accounts, memory: application.memory,
                integrations: PluginIntegrations(
                    plugins: application.plugins,
                    steps: ConnectionSteps(plugins: application.plugins, connections: application.connections),
                    lives: PluginLives(late: LateParts(), database: application.database)),
                clock: application.clock)
        }

        var tools: [ToolDefinition] { household.application.catalogue.allTools() }

        func call(
            _ tool: ToolDefinition, _ arguments: JSON, as scope: UserScope, resume: [UInt8] = [], answers: JSON? = nil,
            turn: RecordID? = nil
        ) async -> ToolOutcome {
            let turn = turn ?? household.application.database.store.ids.next()
            let call = ToolCall(
                tool: tool.id, arguments: arguments, origin: WriteOrigin(turn: turn, step: 0),
                deadlineNanoseconds: monotonicNanoseconds() + 10_000_000_000, idempotencyKey: "\(turn)",
                resumeState: resume, answers: answers, allowedEffect: tool.effect)
            return household.application.catalogue.integration(of: tool.id) == nil
                ? await life.call(call, in: scope) : await household.application.plugins.call(call, in: scope)
        }

        /// Fills every tool that writes with this person's words, twice: what needs something that another tool makes
        /// finds it the second time.
        func fill(_ scope: UserScope, _ secret: String) async throws {
            let text = "\(IsolationTests.shared) \(secret)"
            for round in 0..<2 {
                for tool in tools where tool.effect == .write && !tool.id.hasPrefix("integrations.") {
                    for isFull in [true, false] {
                        let words = Arguments(
                            text: "\(text) \(tool.namespace) \(round)", reference: IsolationTests.shared)
                        _ = await call(tool, words.make(for: tool, isFull: isFull), as: scope)
                    }
                }
            }
            for message in [
                "add 2 litres of \(text) milk to my grocery list", "I spent 12 euros on \(text) lunch",
                "save a recipe for \(text) pancakes for 4: 250 g flour, 3 eggs", "remind me to fly to \(text)",
                "remember that my \(text) code is 4417", "note: \(text) is far away",
            ] { try await household.say(message, as: scope) }
        }
    }

    /// Everything of a person except what a conversation of their own moves on.
    private func view(_ household: Household, _ scope: UserScope) async throws -> JSON {
        let export = try await household.export(of: scope)
        let tables = export["tables"]?.arrayValue ?? []
        return .array(tables.filter { $0["rows"]?.arrayValue?.isEmpty == false })
    }

    /// Which rows differ, by table.
    private func changes(_ before: JSON, _ after: JSON) -> [String] {
        var tables: [String: (before: [JSON], after: [JSON])] = [:]
        for table in before.arrayValue ?? [] {
            tables[table["name"]?.stringValue ?? "", default: ([], [])].before = table["rows"]?.arrayValue ?? []
        }
        for table in after.arrayValue ?? [] {
            tables[table["name"]?.stringValue ?? "", default: ([], [])].after = table["rows"]?.arrayValue ?? []
        }
        return tables.sorted { $0.key < $1.key }.filter { $0.value.before != $0.value.after }.map { name, rows in
            let gone = rows.before.filter { !rows.after.contains($0) }
            let new = rows.after.filter { !rows.before.contains($0) }
            return "\(name): \(JSON.array(gone).text) became \(JSON.array(new).text)"
        }
    }

    private func ids(in export: JSON) -> [String] {
        var ids: [String] = []
        for table in export.arrayValue ?? [] where table["owner"]?.stringValue != "host.agent" {
            let rows = table["rows"]?.arrayValue ?? []
            for row in [rows.first, rows.last].compactMap({ $0 }) {
                if let id = row["id"]?.stringValue, !ids.contains(id) { ids.append(id) }
            }
        }
        return ids
    }

    private func texts(of outcome: ToolOutcome) -> String {
        switch outcome {
        case .value(let value): "\(value.value.text) \(value.message) \(value.shown?.json.text ?? "")"
        case .failure(let failure): failure.message
        case .inputRequired(let request):
            "\(request.message) \(request.options.map { $0.value.text + $0.label }) \(request.schema.text)"
        case .authRequired(let grant, let message): "\(grant) \(message)"
        case .accepted(let job, let message): "\(job) \(message)"
        }
    }

    @Test func noToolReachesAnotherPersonsRows() async throws {
        try await Household.run { (household) async throws in
            let bench = Bench(household)
            let tools = bench.tools
            #expect(Set(tools.map(\.namespace)).isSuperset(of: ["tasks", "notes", "memory", "grocery", "expenses"]))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await bench.fill(household.ann, IsolationTests.annSecret) }
                group.addTask { try await bench.fill(household.bob, IsolationTests.bobSecret) }
                try await group.waitForAll()
            }
            let before = try await view(household, household.ann)
            let names = before.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
            #expect(
                Set(names).isSuperset(of: ["tasks", "notes", "ltm_memories", "grocery_items", "expenses", "recipes"]))
            #expect(!before.text.contains(IsolationTests.bobSecret))
            let references = ids(in: before).flatMap { ["#" + $0, $0] } + [IsolationTests.shared]
            #expect(references.count > 12)

            // Bob, with each of Ann's ids and the words of her things, on every tool, all tools at once.
            await withTaskGroup(of: Void.self) { group in
                for tool in tools {
                    group.addTask {
                        for reference in references {
                            for isFull in [true, false] {
                                let arguments = Arguments(text: IsolationTests.shared, reference: reference)
                                    .make(for: tool, isFull: isFull)
                                let outcome = await bench.call(tool, arguments, as: household.bob)
                                let text = self.texts(of: outcome)
                                #expect(!text.contains(IsolationTests.annSecret), "\(tool.id) \(arguments.text)")
                                if case .inputRequired(let question) = outcome {
                                    let value: JSON = question.options.first?.value ?? .string(reference)
                                    let answer = await bench.call(
                                        tool, arguments, as: household.bob, resume: question.resumeState,
                                        answers: .object(JSONObject([(question.field, value)])))
                                    #expect(!self.texts(of: answer).contains(IsolationTests.annSecret), "\(tool.id)")
                                }
                            }
                            guard tool.id != "integrations.list" else { break }
                        }
                    }
                }
            }
            let after = try await view(household, household.ann)
            #expect(changes(before, after) == [])
            #expect(!(try await view(household, household.bob)).text.contains(IsolationTests.annSecret))
            // Nor does anything of his show to her.
            for tool in tools where tool.effect == .read {
                let arguments = Arguments(text: IsolationTests.shared, reference: IsolationTests.shared)
                let outcome = await bench.call(tool, arguments.make(for: tool, isFull: false), as: household.ann)
                #expect(!texts(of: outcome).contains(IsolationTests.bobSecret), "\(tool.id)")
            }
        }
    }

    /// Tools whose reference is no row of a person's.
    private static let ofNobody: Set<String> = [
        "integrations.on", "integrations.off", "integrations.level", "integrations.tool", "integrations.describe",
        "integrations.review", "integrations.restore",
    ]

    /// Finds the thing, and then in it nothing by the words that are made up here.
    private static let ofWords: Set<String> = ["recipes.remove_ingredient"]

    /// What the others prove holds only where an id means something: each tool that takes one finds its owner's. A new tool
    /// whose things nobody has here fails until `Bench.fill`, or this, makes some.
    @Test func everyToolThatTakesAnIdFindsItsOwnersThing() async throws {
        try await Household.run { (household) async throws in
            let bench = Bench(household)
            let application = household.application
            let ann = household.ann
            try await bench.fill(ann, IsolationTests.annSecret)
            for message in [
                "I pay 12 euros for quagga rent every month", "add quagga soap to my grocery list",
                "I bought the quagga soap",
                "plan \(IsolationTests.shared) pancakes for tomorrow", "I have rice and flour at home",
            ] { try await household.say(message, as: ann) }
            let proposals = MemoryProposals(database: application.database, memory: application.memory)
            for text in ["The boat is blue", "The cat is called Ada"] {
                _ = try await proposals.propose(text, type: "fact", plugin: "test.plugin", name: "Test", in: ann)
            }
            _ = try await application.memory.focus(
                on: "the quagga garden", in: ann,
                origin: WriteOrigin(turn: application.database.store.ids.next(), step: 0))
            var missing: [String] = []
            var tried = 0
            for tool in bench.tools
            where Arguments.takesReference(tool)
                && !IsolationTests.ofNobody.union(IsolationTests.ofWords).contains(tool.id)
            {
                tried += 1
                // Rows of the tool's own tables, newest first.
                let tables = try await view(household, ann).arrayValue ?? []
                let isPlugins = application.catalogue.integration(of: tool.id) != nil
                let references = tables.filter { table in
                    let owner = table["owner"]?.stringValue ?? ""
                    return isPlugins ? owner.hasSuffix(".\(tool.namespace)") : owner.hasPrefix("host.")
                }.flatMap { $0["rows"]?.arrayValue ?? [] }.compactMap { $0["id"]?.stringValue }.reversed()
                var hasFound = false
                for reference in references where !hasFound {
                    for isFull in [false, true] where !hasFound {
                        let arguments = Arguments(text: "word", reference: "#" + reference).make(
                            for: tool, isFull: isFull)
                        let turn = application.database.store.ids.next()
                        switch await bench.call(tool, arguments, as: ann, turn: turn) {
                        case .failure(let failure):
                            hasFound = failure.code != "not_found" && !failure.code.hasPrefix("invalid")
                        case .value, .inputRequired, .authRequired, .accepted: hasFound = true
                        }
                        // For the next tool everything is as it was.
                        _ = try? await application.database.write(ann) { try $0.undo(turn: turn) }
                    }
                }
                if !hasFound { missing.append(tool.id) }
            }
            #expect(missing == [], "these find none of their owner's things")
            #expect(tried > 15, "\(tried)")
        }
    }

    /// Questions that one person was asked are of no use to another.
    @Test func anAnswerToAnothersQuestionReachesNothing() async throws {
        try await Household.run { (household) async throws in
            let bench = Bench(household)
            try await bench.fill(household.ann, IsolationTests.annSecret)
            var questions = 0
            let before = try await view(household, household.ann)
            for tool in bench.tools {
                let arguments = Arguments(text: "x", reference: IsolationTests.shared).make(for: tool, isFull: false)
                guard case .inputRequired(let question) = await bench.call(tool, arguments, as: household.ann) else {
                    continue
                }
                questions += 1
                let now = try await view(household, household.ann)
                for value in question.options.map(\.value) + ["1", "yes"] {
                    let outcome = await bench.call(
                        tool, arguments, as: household.bob, resume: question.resumeState,
                        answers: .object(JSONObject([(question.field, value)])))
                    #expect(!texts(of: outcome).contains(IsolationTests.annSecret), "\(tool.id)")
                }
                #expect(try await view(household, household.ann) == now, "\(tool.id)")
            }
            #expect(questions > 0)
            _ = before
        }
    }

    @Test func nobodyUndoesConfirmsOrReadsOnForAnother() async throws {
        try await Household.run { (household) async throws in
            let (ann, bob) = (household.ann, household.bob)
            try await household.say("remember that my locker code is 4417", as: ann)
            try await household.say("add milk and eggs to my grocery list", as: ann)
            let asked = try await household.say("clear my grocery list", as: ann)
            let code = try #require(asked.confirmation?.code)
            let before = try await household.rows("grocery_items", of: ann)
            for word in [
                "\(code)", "yes", "do it", "undo", "undo", "undo", "more", "1", "2", "what is my locker code?",
            ] {
                let answer = try await household.say(word, as: bob)
                #expect(!answer.text.contains("4417"), "\(word)")
                #expect(!answer.text.contains("egg"), "\(word): \(answer.text)")
            }
            #expect(try await household.rows("grocery_items", of: ann) == before)
            #expect(try await household.rows("grocery_items", of: bob).isEmpty)
            #expect(try await household.rows("ltm_memories", of: ann).count == 1)
            // It still works for whom it was meant.
            #expect(try await household.say("\(code)", as: ann).calls.map(\.outcome) == ["value"])
            #expect(try await household.rows("grocery_items", of: ann).allSatisfy { $0["status"] != "open" })
            try await household.say("undo", as: bob)
            try await household.say("undo", as: ann)
            #expect(try await household.rows("grocery_items", of: ann).count { $0["status"] == "open" } == 2)
        }
    }

    /// Somebody who was removed leaves nothing, and the other keeps everything.
    @Test func erasureTakesOnePersonOnly() async throws {
        try await Household.run { (household) async throws in
            let bench = Bench(household)
            try await bench.fill(household.ann, IsolationTests.annSecret)
            try await bench.fill(household.bob, IsolationTests.bobSecret)
            let before = try await view(household, household.bob)
            try await household.application.accounts.delete(household.ann)
            #expect(try await view(household, household.ann) == [])
            #expect(try await view(household, household.bob) == before)
        }
    }
}
