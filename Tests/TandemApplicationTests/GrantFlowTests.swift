import TandemAgent
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// Deciding what integrations may do, by text, with the real agent and the real plugins.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct GrantFlowTests {
    private func outcomes(_ answer: Answer) -> [String] { answer.calls.map(\.outcome) }

    @Test func goesFromReadingToWritingByText() async throws {
        try await Household.run { household in
            #expect(
                try await household.say("expenses read only").text
                    == "Expenses is read only now: it looks things up and changes nothing.")
            let refused = try await household.say("I spent 12 euros on lunch")
            #expect(refused.text.hasPrefix("Expenses is read only, so nothing was changed."), "\(refused.text)")
            #expect(try await household.rows("expenses").isEmpty)
            #expect(outcomes(try await household.say("how much did I spend this month?")) == ["value"])
            // Nobody else's.
            #expect(outcomes(try await household.say("I spent 5 euros on tea", as: household.bob)) == ["value"])

            try await household.say("let expenses write but ask me first")
            let ask = try await household.say("I spent 12 euros on lunch")
            #expect(outcomes(ask) == ["confirmation"], "\(ask.text)")
            #expect(try await household.rows("expenses").isEmpty)
            let code = try #require(ask.confirmation?.code)
            #expect(outcomes(try await household.say("\(code)")) == ["value"])
            #expect(try await household.rows("expenses").count == 1)

            try await household.say("let expenses write without asking")
            #expect(outcomes(try await household.say("I spent 3 euros on coffee")) == ["value"])
            #expect(try await household.rows("expenses").count == 2)
        }
    }

    @Test func takesADecisionBack() async throws {
        try await Household.run { household in
            try await household.say("expenses read only")
            try await household.say("undo")
            #expect(outcomes(try await household.say("I spent 12 euros on lunch")) == ["value"])
            try await household.say("turn expenses off")
            try await household.say("undo")
            #expect(outcomes(try await household.say("I spent 3 euros on coffee")) == ["value"])
            #expect(try await household.rows("expenses").count == 2)
        }
    }

    @Test func saysWhatAnIntegrationMayDoAndSwitchesOneToolOff() async throws {
        try await Household.run { household in
            let described = try await household.say("what can expenses do?")
            #expect(described.calls.map(\.tool) == ["integrations.describe"], "\(described.text)")
            #expect(described.text.hasPrefix("Expenses (on): "), "\(described.text)")
            let grant = try await household.application.plugins.grant(of: "recipes", in: household.ann)
            let deleting = try #require(grant.tools.first { $0.effect == .delete })
            let off = try await household.say("turn off the delete tool of recipes")
            #expect(off.calls.map(\.tool) == ["integrations.tool"], "\(off.text)")
            let after = try await household.application.plugins.grant(of: "recipes", in: household.ann)
            #expect(after.tools.first { $0.id == deleting.id }?.access == .off, "\(off.text)")
            let bobs = try await household.application.plugins.grant(of: "recipes", in: household.bob)
            #expect(bobs.tools.first { $0.id == deleting.id }?.access == .allowed)
        }
    }

    @Test func asksBeforeItSwitchesOnAndGoesStepByStep() async throws {
        try await Household.run { household in
            let plugins = household.application.plugins
            let carol = try await household.newcomer("carol@example.org", "+15555550125")
            let ask = try await household.say("turn on recipes", as: carol)
            #expect(
                ask.text.hasPrefix(
                    "Recipes: may delete things, asking first; may use grocery; keeps your recipes and 5 more. Turn on?"
                ),
                "\(ask.text)")
            #expect(ask.text.contains("Turn on? 1 on, 2 ask first, 3 read only, 4 leave it"), "\(ask.text)")
            #expect(try await plugins.grant(of: "recipes", in: carol).state == .offered)
            #expect(try await household.say("3", as: carol).text == "Recipes is on, read only.")
            #expect(try await plugins.grant(of: "recipes", in: carol).state == .enabled(.readOnly))
            let refused = try await household.say("save a recipe for toast for 2: 4 slices bread", as: carol)
            #expect(refused.text.hasPrefix("Recipes is read only, so nothing was changed."), "\(refused.text)")
            try await household.say("recipes must ask me first", as: carol)
            let asked = try await household.say("save a recipe for toast for 2: 4 slices bread", as: carol)
            #expect(outcomes(asked) == ["confirmation"], "\(asked.text)")
            try await household.say("skip", as: carol)
            try await household.say("let recipes write without asking", as: carol)
            let saved = try await household.say("save a recipe for toast for 2: 4 slices bread", as: carol)
            #expect(outcomes(saved) == ["value"], "\(saved.text)")
            // What it may do is known: off and on again needs no question, and the decision stands.
            try await household.say("recipes read only", as: carol)
            try await household.say("turn recipes off", as: carol)
            #expect(try await household.say("turn recipes on", as: carol).text.hasPrefix("Recipes is on"))
            #expect(try await plugins.grant(of: "recipes", in: carol).state == .enabled(.readOnly))
            // No answer is no consent.
            try await household.say("turn on grocery", as: carol)
            try await household.say("4", as: carol)
            #expect(try await plugins.grant(of: "grocery", in: carol).state == .offered)
        }
    }

    @Test func decidesAboutOneToolByText() async throws {
        try await Household.run { household in
            let plugins = household.application.plugins
            func access(_ tool: String) async throws -> ToolAccess? {
                let plugin = String(tool.prefix { $0 != "." })
                return try await plugins.grant(of: plugin, in: household.ann).tools.first { $0.id == tool }?.access
            }
            try await household.say("grocery must ask me first")
            #expect(try await access("grocery.add") == .confirm)
            #expect(
                try await household.say("let grocery add without asking").text.hasSuffix("works without asking now."))
            #expect(try await access("grocery.add") == .allowed)
            #expect(try await access("grocery.remove") == .confirm)
            #expect(outcomes(try await household.say("add milk to my grocery list")) == ["value"])
            try await household.say("only let expenses read")
            #expect(try await access("expenses.record") == .readOnly)
            try await household.say("don't let grocery remove anything")
            #expect(try await access("grocery.remove") == .off)
            try await household.say("undo")
            #expect(try await access("grocery.remove") == .confirm)
        }
    }

    /// Ann's approval as if the plugin's tools had only read when she gave it.
    private func forgetWrites(_ household: Household, of plugin: String) async throws {
        try await household.application.database.write(household.ann) { transaction in
            let rows = try transaction.list(
                GrantRecord.table.name, where: [RowCondition("plugin", .equal, .string(plugin))])
            guard let row = rows.first, let text = row.string("approved"),
                case .object(var approved) = try JSON(parsing: text), case .object(var tools)? = approved["tools"]
            else { throw Installation.Missing("no approval is stored") }
            for (id, pin) in tools {
                guard case .array(var parts) = pin else { continue }
                parts[2] = "read"
                tools[id] = .array(parts)
            }
            approved["tools"] = .object(tools)
            try transaction.update(
                GrantRecord.table.name, row.id,
                set: ["approved": .string(JSON.object(approved).text), "reach_hash": "earlier"])
        }
    }

    @Test func asksOnceForWhatIsNewAndTakesTheAnswer() async throws {
        try await Household.run { household in
            try await forgetWrites(household, of: "tandem.expenses")
            // Beside the answer to something else, once.
            let told = try await household.say("thanks")
            let question = "Turn it on? 1 turn it on, 2 leave it"
            #expect(told.text.contains("Expenses wants to "), "\(told.text)")
            #expect(told.text.hasSuffix(question), "\(told.text)")
            #expect(try await !household.say("thanks").text.contains(question))
            // Small talk decides nothing: the question is still open.
            #expect(try await household.application.plugins.grant(of: "expenses", in: household.ann).request != nil)
            #expect(try await household.say("hm, whatever").text.hasPrefix("That does not fit the question."))
            #expect(try await !household.say("thanks", as: household.bob).text.contains(question))
            // Who uses the tool learns why it does not work, and can agree.
            let refused = try await household.say("I spent 12 euros on lunch")
            #expect(outcomes(refused) == ["off"])
            #expect(refused.text.hasSuffix(question), "\(refused.text)")
            #expect(try await household.rows("expenses").isEmpty)
            #expect(try await household.say("1").text == "Done: Expenses may do that now.")
            #expect(outcomes(try await household.say("I spent 12 euros on lunch")) == ["value"])
        }
    }

    @Test func leavesItWhenThePersonDoesNotWantIt() async throws {
        try await Household.run { household in
            try await forgetWrites(household, of: "tandem.expenses")
            #expect(try await household.say("thanks").text.contains("Expenses wants to "))
            #expect(
                try await household.say("2").text == "Alright, that stays off. The rest goes on as before.")
            #expect(try await !household.say("thanks").text.contains("Expenses wants to "))
            #expect(outcomes(try await household.say("how much did I spend this month?")) == ["value"])
        }
    }

    @Test func keepsDecisionsOverARestart() async throws {
        let folder = try TestFolder()
        let household = try await Household.open(folder: folder)
        let plugins = household.application.plugins
        try await plugins.setLevel(.readOnly, of: "expenses", in: household.ann)
        try await plugins.setTool("recipes.delete", to: .off, in: household.ann)
        try await forgetWrites(household, of: "tandem.grocery")
        await household.application.close()
        let again = try await Household.open(folder: folder).application
        #expect(try await again.plugins.grant(of: "expenses", in: household.ann).state == .enabled(.readOnly))
        #expect(try await again.plugins.grant(of: "expenses", in: household.bob).state == .enabled(.write))
        let tools = try await again.plugins.tools(for: household.ann).map(\.id)
        #expect(!tools.contains("recipes.delete"))
        #expect(!tools.contains("grocery.add") && tools.contains("grocery.list"))
        #expect(try await again.plugins.unasked(in: household.ann)?.grant.namespace == "grocery")
        await again.close()
    }

    @Test func keepsAGrantOfAnEarlierVersion() async throws {
        let folder = try TestFolder()
        let household = try await Household.open(folder: folder)
        let plugins = household.application.plugins
        try await household.application.database.write(household.ann) { transaction in
            // The columns that an earlier version knew, and nothing else.
            for row in try transaction.list(GrantRecord.table.name) {
                try transaction.update(
                    GrantRecord.table.name, row.id,
                    set: ["approved": .null, "reach_hash": .null, "tools": .null, "asked_hash": .null])
            }
        }
        #expect(try await plugins.states(household.ann).allSatisfy { $0.state == .enabled(.write) })
        #expect(try await plugins.unasked(in: household.ann) == nil)
        await household.application.close()
    }

    @Test func letsNoPluginDecideAboutPermissions() async throws {
        try await Household.run { household in
            let application = household.application
            for tool in ["integrations.on", "integrations.level", "integrations.tool", "integrations.restore"] {
                let outcome = await application.agent.mediator.mediate(
                    ToolCall(
                        tool: tool, arguments: ["integration": "expenses", "enabled": true],
                        origin: WriteOrigin(turn: RecordID(rawValue: 1), step: 0),
                        deadlineNanoseconds: monotonicNanoseconds() + 5_000_000_000, idempotencyKey: "x",
                        allowedEffect: .spend, depth: 1), in: household.ann)
                guard case .failure(let failure) = outcome else {
                    Issue.record("\(tool) was carried out")
                    continue
                }
                #expect(failure.code == "confirmation_denied")
            }
        }
    }

    @Test func speaksNoCarrierWordAndFitsOneMessage() async throws {
        try await Household.run { household in
            for grant in try await household.application.plugins.states(household.ann) {
                #expect(!grant.consent.isEmpty)
                #expect(SMSText.encoding(of: grant.consent) == .gsm7, "\(grant.consent)")
            }
            for text in ["turn grocery off", "turn grocery on", "grocery read only", "let grocery write"] {
                let words = try await household.say(text).text.uppercased().split { !$0.isLetter }.map(String.init)
                #expect(Set(words).isDisjoint(with: ["STOP", "CANCEL", "END", "QUIT", "START", "YES", "HELP", "INFO"]))
            }
        }
    }
}
