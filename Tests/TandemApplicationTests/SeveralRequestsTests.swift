import TandemCore
import TandemJSON
import TandemLanguage
import TestDatabases
import Testing

@testable import TandemApplication

/// Messages of several requests, on every tool of the installation: nothing that was asked for is dropped, whatever the words
/// that nobody wrote down mean to the model.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SeveralRequestsTests {
    /// One request: its wording, the tool, and what one of its arguments must hold.
    private struct Request {
        var text: String
        var tool: String
        var value: String
    }

    private enum Kind: CaseIterable {
        case add, addSome, put, spent, spentOn, paid, task, remind, recipe

        func request(_ random: inout Seeded) -> Request {
            let word = random.word()
            let cents = random.below(5000) + 101
            let amount = "\(cents / 100).\(cents % 100 / 10)\(cents % 10)"
            return switch self {
            case .add: Request(text: "add \(word) to my grocery list", tool: "grocery.add", value: word)
            case .addSome: Request(text: "add 2 \(word) to the shopping list", tool: "grocery.add", value: word)
            case .put: Request(text: "put \(word) on my shopping list", tool: "grocery.add", value: word)
            case .spent: Request(text: "I spent \(amount) euros on lunch", tool: "expenses.record", value: "lunch")
            case .spentOn: Request(text: "I spent \(amount) euros on \(word)", tool: "expenses.record", value: word)
            case .paid: Request(text: "I paid \(amount) euros for \(word)", tool: "expenses.record", value: word)
            case .task: Request(text: "add a task to clean the \(word)", tool: "tasks.add", value: word)
            case .remind: Request(text: "remind me to call \(word) tomorrow", tool: "tasks.add", value: word)
            case .recipe: Request(text: "show me the recipe for \(word)", tool: "recipes.show", value: word)
            }
        }
    }

    private struct Seeded {
        private var state: UInt64

        init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

        mutating func below(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }

        mutating func word() -> String {
            let vowels = Array("aeiou")
            let consonants = Array("bdfgklmnprtvz")
            return "x" + String((0..<8).map { $0 % 2 == 0 ? vowels[below(5)] : consonants[below(13)] })
        }

        mutating func one<T>(of values: [T]) -> T { values[below(values.count)] }
    }

    private static let links = [
        " and ", ", ", ", and ", " then ", ", then ", " and then ", " also ", " and also ", ". ", "; ",
    ]
    private static let context = PlannerContext(now: Household.start, timeZone: "Europe/Paris")

    private static func planner(_ body: (EmbeddedPlanner) -> Void) async throws {
        var tools: [ToolDefinition] = []
        try await Household.run { (household) async throws in
            tools = household.application.catalogue.allTools()
        }
        body(EmbeddedPlanner(tools: tools))
    }

    private static func calls(_ text: String, _ planner: EmbeddedPlanner) -> [PlannedCall] {
        guard case .calls(let calls) = planner.plan(text, context: context) else { return [] }
        return calls
    }

    /// The messages of `count` that are not planned as all of their requests, in order.
    private static func wrong(
        _ count: Int, seed: UInt64, _ planner: EmbeddedPlanner, _ requests: (inout Seeded) -> [Request],
        _ links: [String] = SeveralRequestsTests.links
    ) -> [String] {
        var random = Seeded(seed)
        return (0..<count).compactMap { _ in
            let wanted = requests(&random)
            var text = ""
            for (place, request) in wanted.enumerated() {
                text += (place == 0 ? "" : random.one(of: links)) + request.text
            }
            let planned = calls(text, planner)
            let isRight =
                planned.count == wanted.count
                && zip(planned, wanted).allSatisfy { $0.tool == $1.tool && $0.arguments.text.contains($1.value) }
            return isRight ? nil : "\(text) -> \(planned.map(\.tool))"
        }
    }

    @Test func everyAdditionAndExpenseOfOneMessageIsPlanned() async throws {
        try await Self.planner { planner in
            let first = Self.wrong(
                600, seed: 1, planner, { [Kind.add.request(&$0), Kind.spent.request(&$0)] }, [" and "])
            #expect(first.isEmpty, "\(first.prefix(5))")
            let second = Self.wrong(
                300, seed: 2, planner,
                {
                    [
                        $0.one(of: [Kind.spent, .spentOn, .paid]).request(&$0),
                        $0.one(of: [Kind.add, .addSome, .put]).request(&$0),
                    ]
                })
            #expect(second.isEmpty, "\(second.prefix(5))")
        }
    }

    @Test(arguments: [(requests: 2, messages: 400, seed: 3), (requests: 3, messages: 200, seed: 4)])
    func requestsOfAnyKindsAreAsManyCalls(requests: Int, messages: Int, seed: UInt64) async throws {
        try await Self.planner { planner in
            let wrong = Self.wrong(
                messages, seed: seed, planner,
                { random in
                    (0..<requests).map { _ in random.one(of: Kind.allCases).request(&random) }
                })
            #expect(wrong.count <= 4, "\(wrong.prefix(5))")
        }
    }

    @Test func oneRequestWhoseObjectHoldsAnAndStaysOne() async throws {
        try await Self.planner { planner in
            for (text, tool) in [
                ("add milk and eggs", "grocery.add"), ("remind me to call mum and dad", "tasks.add"),
                ("remind me to call Anna and buy milk", "tasks.add"),
                ("remind me to wash and fold the clothes", "tasks.add"),
                ("remind me to go to the shop and get bread tomorrow", "tasks.add"),
                ("add a task to call the bank and ask about the loan", "tasks.add"),
                ("add mac and cheese and ketchup to my list", "grocery.add"),
                ("I spent 12 euros on lunch and coffee", "expenses.record"),
                ("I paid 20 euros for a taxi and a coffee", "expenses.record"),
                ("spent 10 euros on lunch, paid by card", "expenses.record"),
                ("make a note that anna called and wants the keys", "notes.add"),
                ("what can I cook with rice and beans", "recipes.suggest"),
                ("how much did I spend on food and drinks", "expenses.total"),
                ("I want to make pancakes for 6, put what's missing on the list", "recipes.shop"),
            ] { #expect(Self.calls(text, planner).map(\.tool) == [tool], "\(text)") }
            #expect(Self.calls("email anna that I'm late and bring the keys", planner).count <= 1)
        }
    }

    @Test func whatIsPaidOnceIsNoRegularExpense() async throws {
        try await Self.planner { planner in
            var random = Seeded(5)
            for _ in 0..<200 {
                let request = random.one(of: [Kind.spent, .spentOn, .paid]).request(&random)
                #expect(Self.calls(request.text, planner).map(\.tool) == ["expenses.record"], "\(request.text)")
            }
            for text in [
                "gym is 20 euros monthly", "I pay 20 euros every month for the gym",
                "add recurring expense gym 20 euros",
                "rent costs 900 euros a month",
            ] { #expect(Self.calls(text, planner).map(\.tool) == ["expenses.add_recurring"], "\(text)") }
        }
    }
}
