import TandemCore
import TandemJSON
import TandemLanguage
import Testing

struct PlannerBehaviourTests {
    private static let planner = EmbeddedPlanner(tools: FixtureTools.all)

    private func calls(
        _ text: String, _ planner: EmbeddedPlanner = PlannerBehaviourTests.planner,
        _ context: PlannerContext = CorpusReport.context
    ) -> [PlannedCall] {
        guard case .calls(let calls) = planner.plan(text, context: context) else { return [] }
        return calls
    }

    @Test(arguments: [
        (
            "add 2 litres of milk, eggs and some bread to my grocery list", "grocery.add",
            #"{"items":[{"name":"milk","quantity":"2","unit":"l"},{"name":"eggs"},{"name":"bread"}]}"#
        ),
        ("what's on my list?", "grocery.list", "{}"),
        ("I bought the milk for 3.20", "grocery.bought", #"{"item":"milk","price":{"amount":"3.20"}}"#),
        (
            "how much did I spend on groceries this month?", "expenses.total",
            #"{"category":"groceries","period":{"from":"2026-11-01","to":"2026-11-30"}}"#
        ),
        (
            "save a recipe for pancakes for 4: 250 g flour, 3 eggs, 500 ml milk", "recipes.save",
            #"{"title":"pancakes","servings":4,"ingredients":[{"name":"flour","quantity":"250","unit":"g"},{"name":"eggs","quantity":"3"},{"name":"milk","quantity":"500","unit":"ml"}]}"#
        ),
        (
            "I want to make pancakes for 6, put what's missing on the list", "recipes.shop",
            #"{"recipe":"pancakes","servings":6}"#
        ),
        (
            "I need to renew my passport by the end of March", "tasks.add",
            #"{"title":"renew my passport","due":"2027-03-31"}"#
        ),
        ("turn expenses off", "integrations.off", #"{"integration":"expenses"}"#),
        (
            "I spent 12 euros on lunch", "expenses.record",
            #"{"amount":{"amount":"12","currency":"EUR"},"description":"lunch","category":"eating_out"}"#
        ),
        ("undo", "assistant.undo", "{}"),
    ])
    func plansTheDayOfTheIssue(_ text: String, _ tool: String, _ arguments: String) throws {
        let calls = calls(text)
        #expect(calls.map(\.tool) == [tool])
        #expect(calls.first?.arguments == (try JSON(parsing: arguments)))
        #expect(calls.first?.missing == [])
        #expect((0.5...1).contains(calls.first?.confidence ?? 0))
    }

    @Test func plansNothingForAToolThatIsOff() {
        let without = EmbeddedPlanner(tools: FixtureTools.withoutExpenses)
        #expect(calls("I spent 12 euros on lunch", without).isEmpty)
    }

    @Test func reportsWhatIsMissingAndInventsNothing() {
        let call = calls("break it down").first
        #expect(call?.tool == "tasks.breakdown")
        #expect(call?.missing == ["task"])
        #expect(call?.arguments == [:])
    }

    private func listed(_ select: String = "grocery.bought") -> PlannerContext {
        let items = [
            ShownEntities.Item(type: "grocery.item", id: "11", label: "milk"),
            ShownEntities.Item(type: "grocery.item", id: "12", label: "oat milk"),
            ShownEntities.Item(type: "grocery.item", id: "13", label: "eggs"),
        ]
        return PlannerContext(
            now: CorpusReport.now, timeZone: "Europe/Berlin", shown: ShownEntities(items: items, select: select),
            touched: [items[2]], recentTools: ["grocery.add"])
    }

    @Test(arguments: [
        ("2", "grocery.bought", ["#12"]), ("1 and 3", "grocery.bought", ["#11", "#13"]),
        ("#3", "grocery.bought", ["#13"]),
        ("the second one", "grocery.bought", ["#12"]), ("remove that", "grocery.remove", ["#13"]),
        ("remove the first one", "grocery.remove", ["#11"]), ("I bought the eggs", "grocery.bought", ["#13"]),
        ("take the oat milk off my list", "grocery.remove", ["#12"]), ("remove 2", "grocery.remove", ["#12"]),
    ])
    func understandsDigitsAndPointers(_ text: String, _ tool: String, _ ids: [String]) {
        let calls = calls(text, Self.planner, listed())
        #expect(calls.map(\.tool) == ids.map { _ in tool })
        #expect(calls.map { $0.arguments["item"]?.stringValue } == ids)
    }

    @Test func aDigitBeyondTheListSelectsNothing() {
        #expect(calls("9", Self.planner, listed()).isEmpty)
        #expect(calls("2").isEmpty)
    }

    @Test func continuesTheLastAddition() {
        let call = calls("and butter too", Self.planner, listed()).first
        #expect(call?.tool == "grocery.add")
        #expect(call?.arguments == ["items": [["name": "butter"]]])
    }

    @Test func changesWhatWasTouched() {
        let call = calls("make it 3", Self.planner, listed()).first
        #expect(call?.tool == "grocery.update")
        #expect(call?.arguments == ["item": "#13", "amount": 3])
    }

    @Test func keepsTheSpellingOfValues() {
        let call = calls("remind me to e-mail Zoë about the Q3 «Budget»").first
        #expect(call?.arguments["title"]?.stringValue?.contains("Zoë") == true)
    }

    @Test func neverCorrectsAValue() {
        #expect(calls("add mlik to my grocery list").first?.arguments == ["items": [["name": "mlik"]]])
    }

    @Test func readsTimesInThePersonsZone() {
        let berlin = calls("remind me tomorrow at 8am to run").first?.arguments["due"]?.stringValue
        #expect(berlin == "2026-11-22T07:00:00.000Z")
        let york = PlannerContext(now: CorpusReport.now, timeZone: "America/New_York", currency: "USD")
        #expect(
            calls("remind me tomorrow at 8am to run", Self.planner, york).first?.arguments["due"]
                == "2026-11-22T13:00:00.000Z")
    }

    @Test func isDeterministic() {
        let other = EmbeddedPlanner(tools: FixtureTools.all)
        for phrase in CorpusRequests.life.prefix(40) {
            #expect(
                Self.planner.plan(phrase.text, context: CorpusReport.context)
                    == other.plan(phrase.text, context: CorpusReport.context))
        }
    }

    @Test func worksWithoutTools() {
        let empty = EmbeddedPlanner(tools: [])
        #expect(empty.plan("add milk", context: CorpusReport.context) == .unclear(best: nil))
    }

    @Test func answersTalkKindly() {
        guard case .smallTalk(let reply) = Self.planner.plan("thank you so much!", context: CorpusReport.context) else {
            Issue.record("not small talk")
            return
        }
        #expect(!reply.isEmpty && reply.utf8.allSatisfy { $0 < 128 } && reply.utf8.count <= 150)
    }
}

struct PlannerRobustnessTests {
    private static let planner = EmbeddedPlanner(tools: FixtureTools.all)

    @Test(
        .timeLimit(.minutes(8)),
        arguments: [
            String(repeating: "add milk and ", count: 400), String(repeating: "a ", count: 4000),
            String(repeating: "add milk. ", count: 400), String(repeating: "1 ", count: 3000),
            String(repeating: "in the by on 3 may and ", count: 300), String(repeating: "\"", count: 5000),
            String(repeating: "\n- ", count: 2000), String(repeating: "x", count: 100_000),
            String(repeating: "what list show add remove ", count: 400), String(repeating: "🥛", count: 3000),
            String(repeating: "grocrey ", count: 800), String(repeating: "(", count: 3000),
            "\u{0}\u{1}\u{202E}add\u{0} milk", "99999999999999999999999999 euros for lunch",
            "add 0.0000000000000000001 kg of salt to my list", "on 99/99/9999 remind me at 25:99",
            "in 999999999999 weeks remind me to live", "1/0 of a cake", "add " + String(repeating: "9", count: 500),
        ])
    func staysWithinBoundsForAnyText(_ text: String) {
        let clock = ContinuousClock()
        let took = clock.measure { _ = Self.planner.plan(text, context: CorpusReport.context) }
        // Debug builds are some thirty times slower than release ones; this only catches a blow-up.
        #expect(took < .seconds(50))
    }

    @Test func survivesRandomBytes() {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let pieces = [
            "add", "milk", "2", "€", ",", "\n", "tomorrow", "remind me to", "\"", "and", "3/5", "½", "list", ":", "it",
            "é", "🙂", "#", "'s",
        ]
        for _ in 0..<300 {
            var text = ""
            for _ in 0..<(next() % 14) {
                text += pieces[Int(next() % UInt64(pieces.count))]
                if next() % 3 != 0 { text += " " }
            }
            if case .calls(let calls) = Self.planner.plan(text, context: CorpusReport.context) {
                #expect(!calls.isEmpty && calls.count <= 40)
                #expect(calls.allSatisfy { (0...1).contains($0.confidence) && $0.arguments.objectValue != nil })
            }
        }
    }
}
