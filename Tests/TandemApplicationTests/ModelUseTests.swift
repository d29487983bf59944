import Foundation
import ModelSimulators
import TandemAccounts
import TandemCore
import TandemJSON
import TandemLanguage
import TandemModels
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication
@testable import TandemMemory

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct ModelUseTests {
    private func charge(
        _ scope: UserScope, tokens: Int = 1000, micros: Int64 = 500, turn: RecordID? = nil, isSilent: Bool = false
    ) -> ModelCharge {
        ModelCharge(
            account: LanguageAccount(scope: scope, turn: turn, isSilent: isSilent), provider: "gemini",
            model: "gemini-2.5-flash", tokens: tokens, micros: micros)
    }

    private func meter(_ household: Household) -> StoredMeter {
        StoredMeter(database: household.application.database, clock: household.clock, currency: "USD")
    }

    private func granted(_ verdict: BudgetVerdict) -> ModelReservation? {
        if case .granted(let reservation) = verdict { return reservation }
        return nil
    }

    @Test func neverGrantsMoreThanTheBudgetHoweverManyAsk() async throws {
        let household = try await Household.open()
        let meter = meter(household)
        let budget = ModelBudget(requestsPerDay: 10)
        let ann = household.ann
        let count = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 {
                group.addTask { granted(try await meter.reserve(charge(ann), within: budget)) != nil }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(count == 10)
        // Other people have their own.
        #expect(granted(try await meter.reserve(charge(household.bob), within: budget)) != nil)
        #expect(try await meter.reserve(charge(ann), within: budget) == .refused(.dayRequests))
        household.clock.advance(by: .seconds(86_400))
        #expect(granted(try await meter.reserve(charge(ann), within: budget)) != nil)
        await household.application.close()
    }

    @Test func countsWhatWasReallyUsed() async throws {
        let household = try await Household.open()
        let meter = meter(household)
        let ann = household.ann
        let budget = ModelBudget(tokensPerDay: 1500, microsPerDay: 600, totalMicrosPerDay: 700)
        let first = try #require(granted(try await meter.reserve(charge(ann), within: budget)))
        #expect(try await meter.reserve(charge(ann), within: budget) == .refused(.dayTokens))
        await meter.settle(
            first,
            ModelOutcome(
                usage: LanguageUsage(input: 150, output: 50, cached: 100), micros: 90, word: "ok", milliseconds: 812))
        #expect(try await meter.reserve(charge(ann, micros: 511), within: budget) == .refused(.dayMoney))
        // Everybody's together.
        #expect(
            try await meter.reserve(charge(household.bob, micros: 600), within: budget)
                == .granted(
                    ModelReservation(
                        charge: charge(household.bob, micros: 600), day: ModelDays.day(of: household.clock.now))))
        #expect(try await meter.reserve(charge(ann, micros: 400), within: budget) == .refused(.totalMoney))
        let rows = try await household.application.database.read(ann) { try $0.list("llm_usage") }
        #expect(rows.count == 1)
        let row = try #require(rows.first)
        #expect(row["cost"].stringValue == "0.000090")
        #expect(row["input_tokens"].int64Value == 150)
        #expect(row["outcome"] == "ok")
        let days = try await household.application.modelUsage()
        #expect(days.map(\.requests) == [2])
        #expect(days.map(\.people) == [2])
        #expect(days.map(\.tokens) == [1200])
        await household.application.close()
    }

    @Test func leavesConversationsTheirShare() async throws {
        let household = try await Household.open()
        let meter = meter(household)
        let budget = ModelBudget(requestsPerDay: 10, silentShare: 0.2)
        for _ in 0..<2 {
            #expect(granted(try await meter.reserve(charge(household.ann, isSilent: true), within: budget)) != nil)
        }
        #expect(try await meter.reserve(charge(household.ann, isSilent: true), within: budget) == .refused(.silent))
        #expect(granted(try await meter.reserve(charge(household.ann), within: budget)) != nil)
        await household.application.close()
    }

    @Test func forgetsOldDays() async throws {
        let household = try await Household.open()
        let meter = meter(household)
        _ = try await meter.reserve(charge(household.ann), within: ModelBudget())
        household.clock.advance(by: .seconds(401 * 86_400))
        let counts = try await household.application.applyRetention()
        #expect(counts["llm_days"] == 1)
        #expect(try await household.application.modelUsage(days: 1000).isEmpty)
        await household.application.close()
    }

    @Test func erasesAndExportsThem() async throws {
        let household = try await Household.open()
        let meter = meter(household)
        let reservation = try #require(
            granted(try await meter.reserve(charge(household.ann), within: ModelBudget())))
        await meter.settle(
            reservation, ModelOutcome(usage: LanguageUsage(input: 5, output: 5), micros: 3, word: "ok", milliseconds: 1)
        )
        let archive = try await household.application.personalData.export(household.ann, by: .staff(nil))
        let paths = try Archive.read(archive).map(\.path)
        #expect(paths.contains("tables/llm_usage.json"))
        #expect(paths.contains("system/llm_days.json"))
        await household.application.close()
    }

    /// One person's long notes wait for the next day; another's go on, and a question costs its one request.
    @Test func embedsWithinTheBudgets() async throws {
        let gemini = try GeminiSimulator(ModelScript(rule: { _ in .text("-") }))
        defer { gemini.stop() }
        try await Household.run(environment: [
            "GEMINI_API_KEY": "SAMPLE-KEY", "TANDEM_GEMINI_URL": gemini.origin, "TANDEM_EMBEDDINGS": "gemini",
            "TANDEM_EMBEDDING_DIMENSIONS": "16", "TANDEM_MODEL_DAY_REQUESTS": "10",
        ]) { household in
            let application = household.application
            func write(_ count: Int, bytes: Int, of scope: UserScope) async throws {
                try await application.database.write(scope) { transaction in
                    for number in 0..<count {
                        let text = "stone\(number) " + String(repeating: "lies in the field ", count: bytes / 18)
                        try transaction.insert(
                            "notes", ["title": .string("Note \(number)"), "content": .string(text)])
                    }
                }
            }
            func day(_ scope: UserScope) async throws -> (requests: Int, silent: Int, tokens: Int) {
                let today = ModelDays.day(of: household.clock.now)
                let row = try await application.database.read(.system) {
                    try $0.first("SELECT * FROM llm_days WHERE user_id = \(scope.user) AND day = \(today)")
                }
                return (
                    try row?.int("requests") ?? 0, try row?.int("silent_requests") ?? 0, try row?.int("tokens") ?? 0
                )
            }
            // Four in a request of 32 kB, so four requests; three tenths of ten are for what nobody waits for.
            try await write(16, bytes: 9000, of: household.ann)
            try await write(2, bytes: 100, of: household.bob)
            let making = VectorMaking(
                memory: application.memory, accounts: application.accounts, logger: application.logger)
            let first = try await making.goOn()
            #expect(first.embedded >= 14)
            var ann = try await day(household.ann)
            #expect(ann.requests == 3 && ann.silent == 3 && ann.tokens > 30_000)
            #expect(try await day(household.bob).silent == 1)
            let models = application.memory.search.models
            func vector(_ scope: UserScope) async -> [Float]? {
                await models.vector(of: "where is stone1", for: scope, in: application.database)
            }
            // Hers are not all there; his are, and his question is asked within his day.
            #expect(await vector(household.ann) == nil)
            #expect(await vector(household.bob)?.count == 16)
            let bob = try await day(household.bob)
            #expect(bob.requests == 2 && bob.silent == 1)
            #expect(try await making.goOn().embedded == 0)
            household.clock.advance(by: .seconds(86_400))
            #expect(try await making.goOn().embedded > 0)
            ann = try await day(household.ann)
            #expect((1...3).contains(ann.requests) && ann.silent == ann.requests)
            let rows = try await application.database.read(household.ann) { try $0.list("llm_usage") }
            #expect(rows.count == 3 + ann.requests)
            #expect(rows.allSatisfy { $0["purpose"] == "silent" && $0["model"] == "gemini-embedding-001" })
            // Beyond the day questions are searched with the built-in vectors, and nobody else is kept waiting for that.
            for _ in 0..<12 { _ = await vector(household.bob) }
            #expect(await vector(household.bob) == nil)
            #expect(try await day(household.bob).requests == 10)
        }
    }

    // MARK: Configured

    @Test func asksTheConfiguredModelsInOrder() async throws {
        let gemini = try GeminiSimulator(ModelScript([.failure(503, [:]), .failure(503, [:])]))
        defer { gemini.stop() }
        let chat = try ChatSimulator(ModelScript(rule: { _ in .text("One small step: open the letter.") }))
        defer { chat.stop() }
        try await Household.run(environment: [
            "GEMINI_API_KEY": "SAMPLE-KEY", "TANDEM_GEMINI_URL": gemini.origin, "TANDEM_CHAT_URL": chat.base,
            "TANDEM_CHAT_KEY": "SAMPLE-KEY", "TANDEM_CHAT_MODEL": "small",
        ]) { household in
            let language = household.application.language
            #expect(language.models == ["gemini (gemini-2.5-flash)", "chat (small)"])
            let request = LanguageRequest(
                messages: [.person("what would Seneca say of my unopened letters")],
                tools: household.application.catalogue.allTools(),
                context: PlannerContext(now: household.clock.now), account: LanguageAccount(scope: household.ann))
            let response = try await language.provider.respond(to: request)
            #expect(response.text == "One small step: open the letter.")
            #expect(response.handledBy == "chat")
            #expect(response.note == nil)
            #expect(gemini.script.violations == [])
            #expect(chat.script.violations == [])
            // Every tool of the product can be declared to both.
            let tools = household.application.catalogue.allTools().count
            #expect(tools > 50)
            #expect(gemini.script.bodies.first?["tools"]?[0]?["functionDeclarations"]?.arrayValue?.count == tools)
            #expect(chat.script.bodies.first?["tools"]?.arrayValue?.count == tools)
            let rows = try await household.application.database.read(household.ann) { try $0.list("llm_usage") }
            #expect(Set(rows.compactMap { $0["outcome"].stringValue }) == ["unavailable", "ok"])
        }
    }

    @Test func standsNothingBeforeThePlannerWithoutAKey() async throws {
        let household = try await Household.open()
        #expect(household.application.language.models.isEmpty)
        #expect(household.application.language.provider is EmbeddedLanguageProvider)
        await household.application.close()
    }

    @Test func refusesPromptsAndPricesThatCannotBeUsed() async throws {
        for name in ["TANDEM_MODEL_PROMPTS", "TANDEM_MODEL_PRICES"] {
            await #expect(throws: ApplicationError.self) {
                _ = try await Household.open(environment: ["GEMINI_API_KEY": "k", name: "/nowhere"])
            }
        }
    }
}
