import TandemCore
import TandemJSON
import TandemLanguage

/// How a planner does on a set of phrases.
struct CorpusReport {
    var count = 0
    var rightTool = 0
    var withArguments = 0
    var rightArguments = 0
    /// Planned where nothing may be, or something else than asked.
    var falsePlans = 0
    /// Of those, the ones that would have changed something.
    var falseWrites = 0
    var failures: [String] = []

    static let now = Timestamp(millisecondsSinceEpoch: 1_795_255_200_000)
    static let context = PlannerContext(now: now, timeZone: "Europe/Berlin")

    var toolAccuracy: Double { count == 0 ? 1 : Double(rightTool) / Double(count) }
    var argumentAccuracy: Double { withArguments == 0 ? 1 : Double(rightArguments) / Double(withArguments) }
    var falsePlanRate: Double { count == 0 ? 0 : Double(falsePlans) / Double(count) }

    init(_ phrases: [Phrase], planner: EmbeddedPlanner, effects: [String: Effect]) {
        for phrase in phrases {
            count += 1
            var calls: [PlannedCall] = []
            var note = ""
            switch planner.plan(phrase.text, context: CorpusReport.context) {
            case .calls(let planned): calls = planned
            case .smallTalk: note = "talk"
            case .unclear(let best): note = best.map { "(\($0.tool) \($0.confidence))" } ?? "nothing"
            }
            let isRight =
                calls.count == phrase.tools.count
                && zip(calls, phrase.tools).allSatisfy { $1.contains($0.tool) }
            if isRight { rightTool += 1 }
            let got =
                calls.isEmpty
                ? note : calls.map { "\($0.tool) \($0.arguments.text) \($0.confidence)" }.joined(separator: " + ")
            if !isRight {
                failures.append("\(phrase.text) → \(got)")
                let wrong = calls.filter { call in !phrase.tools.contains { $0.contains(call.tool) } }
                if !wrong.isEmpty || (calls.count > phrase.tools.count) {
                    falsePlans += 1
                    if wrong.contains(where: { effects[$0.tool] != .read }) { falseWrites += 1 }
                }
            }
            if let expected = phrase.arguments {
                withArguments += 1
                if isRight, let first = calls.first, matches(first.arguments, expected) {
                    rightArguments += 1
                } else if isRight {
                    failures.append("\(phrase.text) → args \(got)")
                }
            }
        }
    }

    private func matches(_ arguments: JSON, _ expected: JSONObject) -> Bool {
        expected.allSatisfy { arguments[$0.key] == $0.value }
    }
}
