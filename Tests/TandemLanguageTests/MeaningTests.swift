import TandemCore
import TandemJSON
import Testing

@testable import TandemLanguage

/// What is meant, beside how it is worded, on the fixture's tools.
struct MeaningTests {
    private static let planner = EmbeddedPlanner(tools: FixtureTools.all)

    private func calls(_ text: String, lessons: [PlannerLesson] = []) -> [PlannedCall] {
        var context = CorpusReport.context
        context.lessons = lessons
        guard case .calls(let calls) = Self.planner.plan(text, context: context) else { return [] }
        return calls
    }

    private func tools(_ text: String, lessons: [PlannerLesson] = []) -> [String] {
        calls(text, lessons: lessons).map(\.tool)
    }

    private func belief(_ text: String, _ tool: String, lessons: [PlannerLesson] = []) -> Float {
        var context = CorpusReport.context
        context.lessons = lessons
        return Self.planner.candidates(text, context: context).first { $0.tool == tool }?.belief ?? 0
    }

    @Test func aModelIsLinkedIn() { #expect(PlannerModel.linked != nil) }

    @Test func beliefIsAProbability() {
        for text in ["add milk to my list", "I hate mondays", "x", "what did I spend", "🎉", "a b c d e f g h i j k"] {
            for candidate in Self.planner.candidates(text, context: CorpusReport.context) {
                #expect((0...1.0001).contains(candidate.belief), "\(text): \(candidate)")
                #expect(candidate.features.count == CandidateFeatures.count)
                #expect(!candidate.features.contains { !$0.isFinite })
            }
        }
    }

    @Test func talkIsNotForATool() {
        for text in [
            "my phone is dead", "turn off the lights", "play some jazz", "call mum", "I need a hug",
            "the milk went off", "my boss sent me the weirdest email",
        ] {
            #expect(calls(text).isEmpty, "\(text)")
        }
    }

    @Test func whatWasTakenBackIsLessLikelyAndWhatWasConfirmedMoreSo() {
        let text = "add bananas to my list"
        #expect(tools(text) == ["grocery.add"])
        let wrong = PlannerLesson(text: text, tool: "grocery.add", isWrong: true)
        #expect(belief(text, "grocery.add", lessons: [wrong]) < belief(text, "grocery.add") / 2)
        #expect(tools(text, lessons: [wrong]) != ["grocery.add"])
        let odd = "the usual suspects, you know where"
        let meant = PlannerLesson(text: odd, tool: "grocery.list", isWrong: false)
        #expect(belief(odd, "grocery.list", lessons: [meant]) >= belief(odd, "grocery.list"))
        // Of other words it says nothing.
        #expect(
            belief("show my tasks", "tasks.list", lessons: [wrong, meant]) == belief("show my tasks", "tasks.list"))
    }

    @Test func aSentenceIsNearItsOwnTool() throws {
        let tool = try #require(FixtureTools.all.first { $0.id == "grocery.list" })
        let phrases = PhraseVectors.of(tool)
        #expect(phrases.rows.count > tool.utterances.count)
        let tools = ToolMeanings(FixtureTools.all)
        let model = try #require(PlannerModel.linked)
        let text = "what is on my grocery list"
        let meaning = SentenceMeaning(Array(text.utf8)[...], words: 6, tools: tools, model: model)
        let index = try #require(FixtureTools.all.firstIndex { $0.id == "grocery.list" })
        #expect(meaning.near[index] > 0.9)
        #expect(meaning.near[index] > meaning.otherNear(index))
        #expect(meaning.near[index] > meaning.idle.best)
        #expect(meaning.nearest(3, above: 0.3).contains(index))
    }

    @Test func askingSoundsLikeAsking() throws {
        let model = try #require(PlannerModel.linked)
        func asking(_ text: String) -> Float {
            SentenceMeaning(
                Array(text.utf8)[...], words: 4, tools: ToolMeanings(FixtureTools.all), model: model
            ).asking
        }
        #expect(asking("remind me to pay the rent tomorrow") > asking("I paid my rent yesterday and felt great"))
        #expect(asking("show me my notes") > asking("my notes from last therapy were helpful"))
    }

    private func meaning(_ text: String, _ tools: [ToolDefinition]) throws -> SentenceMeaning {
        SentenceMeaning(
            Array(text.utf8)[...], words: 4, tools: ToolMeanings(tools), model: try #require(PlannerModel.linked))
    }

    @Test(arguments: [
        ("we are out of oat milk", "grocery"), ("how much did I spend on food", "expenses"),
        ("remind me to call the bank at noon", "tasks"), ("what can I cook with lentils", "recipes"),
    ])
    func aSentenceIsOfTheTradeOfWhatItAsksFor(_ text: String, _ namespace: String) throws {
        let meaning = try meaning(text, FixtureTools.all)
        let own = try #require(FixtureTools.all.firstIndex { $0.namespace == namespace })
        let trade = try #require(meaning.trade(own))
        #expect(trade.own > 0.5)
        #expect(trade.own > trade.other)
        #expect(trade.own + trade.none <= 1.0001)
    }

    @Test func whatNothingServesIsOfNoTrade() throws {
        for text in ["turn the lights off", "play some jazz", "what a beautiful day"] {
            let meaning = try meaning(text, FixtureTools.all)
            #expect(meaning.trades[0] > 0.5, "\(text)")
            #expect(abs(meaning.trades.sum() - 1) < 0.001)
        }
    }

    @Test func aToolOfOthersIsChosenByItsOwnSentences() throws {
        let plants = ToolDefinition(
            id: "greenhouse.water", title: "Water the greenhouse", description: "Opens the valves of the greenhouse.",
            parameters: ["type": "object", "properties": ["minutes": ["type": "integer"]]], effect: .write,
            utterances: [
                Utterance("water the greenhouse [for {minutes} minutes]"), Utterance("open the greenhouse valves"),
                Utterance("give the orchids [in the greenhouse] some water"),
            ], slots: ["minutes": SlotDefinition(.number)])
        let tools = FixtureTools.all + [plants]
        #expect(try meaning("water the greenhouse", tools).trade(tools.count - 1) == nil)
        let planner = EmbeddedPlanner(tools: tools)
        for text in ["water the greenhouse for 5 minutes", "could you open the valves of the greenhouse"] {
            guard case .calls(let calls) = planner.plan(text, context: CorpusReport.context) else {
                Issue.record("\(text)")
                continue
            }
            #expect(calls.map(\.tool) == ["greenhouse.water"], "\(text)")
        }
    }

    @Test(arguments: [
        "don't add milk to the shopping list", "please do not remind me to call the bank",
        "no need to add that to my list",
        "you don't need to remind me of the dentist",
    ])
    func whatIsToBeLeftIsNotPlanned(_ text: String) { #expect(calls(text).isEmpty) }

    @Test func aShortAndSeparates() throws {
        let items = try #require(calls("add milk n eggs n bread to my shopping list").first).arguments["items"]
        #expect(items?.arrayValue?.count == 3)
    }
}
