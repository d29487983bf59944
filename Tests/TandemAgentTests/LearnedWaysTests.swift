import TandemCore
import TandemJSON
import TandemLanguage
import Testing

@testable import TandemAgent

struct LearnedWaysTests {
    private let start = Timestamp(millisecondsSinceEpoch: 1_795_255_200_000)

    @Test func takingBackAndSayingItOtherwiseTeachesBoth() {
        var ways = LearnedWays()
        ways.planned("put the taxi on the list", tool: "grocery.add", at: start)
        ways.takenBack(at: start.advanced(by: .seconds(20)))
        #expect(ways.lessons == [PlannerLesson(text: "put the taxi on the list", tool: "grocery.add", isWrong: true)])
        ways.planned("put the taxi on my task list", tool: "tasks.add", at: start.advanced(by: .seconds(60)))
        #expect(
            ways.lessons.first == PlannerLesson(text: "put the taxi on the list", tool: "tasks.add", isWrong: false))
        #expect(ways.open == nil)
    }

    @Test func anotherSubjectTeachesNothing() {
        var ways = LearnedWays()
        ways.missed("the thing from before", at: start)
        ways.planned("what did I spend in november", tool: "expenses.total", at: start.advanced(by: .seconds(10)))
        #expect(ways.lessons.isEmpty)
    }

    @Test func whatComesLateTeachesNothing() {
        var ways = LearnedWays()
        ways.planned("add milk", tool: "grocery.add", at: start)
        ways.takenBack(at: start.advanced(by: .seconds(4000)))
        #expect(ways.lessons.isEmpty)
    }

    @Test func agreementTeachesWhatWasAskedFor() {
        var ways = LearnedWays()
        ways.planned("bin the old list", tool: "grocery.clear", at: start)
        ways.confirmed("tasks.clear")
        #expect(ways.lessons.isEmpty)
        ways.planned("bin the old list", tool: "grocery.clear", at: start)
        ways.confirmed("grocery.clear")
        #expect(ways.lessons == [PlannerLesson(text: "bin the old list", tool: "grocery.clear", isWrong: false)])
    }

    @Test func whatIsSaidAgainWasMeantAfterAll() {
        var ways = LearnedWays()
        ways.planned("add milk", tool: "grocery.add", at: start)
        ways.takenBack(at: start)
        ways.missed("add milk", at: start)
        #expect(ways.lessons.isEmpty)
    }

    @Test func isBoundedAndKeptWithTheConversation() {
        var state = ConversationState()
        for number in 0..<(LearnedWays.most + 20) {
            state.learned.planned("words \(number)", tool: "a.b", at: start)
            state.learned.confirmed("a.b")
        }
        #expect(state.learned.lessons.count == LearnedWays.most)
        state.learned.planned("last words", tool: "a.b", at: start)
        #expect(ConversationState(json: state.json) == state)
        state.learned.planned(String(repeating: "x", count: 500), tool: "a.b", at: start)
        #expect(state.learned.last == nil)
    }
}
