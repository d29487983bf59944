import Foundation
import TandemApplication
import TandemCore
import TandemJSON

/// The embedded planner alone, on every tool of the installation: one message after the other on one thread.
enum PlanBenchmark {
    static let messages =
        TurnBenchmark.messages + [
            "Can you pop 6 yoghurts and a cucumber on the shopping list?", "just spent 17 quid at the pub",
            "my neighbour spent 500 euros on sneakers", "good morning", "save a recipe for soup: 2 onions, 1 l broth",
            "what did I spend on eating out in october", "remind me to water the plants tomorrow at 8",
            "I had a terrible day", "put the ingredients for chili on my shopping list",
            "set a budget of 300 euros for groceries", "should I buy milk?", "rename the milk to oat milk",
        ]

    static func run(_ place: Place) async throws -> [Figure] {
        let configuration = try Configuration(environment: ["TANDEM_DATA": try place.fresh("plan")])
        var options = Application.Options()
        options.executableFolder = place.buildFolder
        let plan = try await Pipes.planner(configuration: configuration, options: options)
        let requests = messages.map { JSON.object(["text": .string($0), "now": "2026-11-21T10:00:00Z"]) }
        var times: [Double] = []
        for round in 0..<6 {
            let start = monotonicNanoseconds()
            for _ in 0..<100 { for request in requests { _ = plan(request) } }
            let spent = Double(monotonicNanoseconds() - start) / 1000 / Double(100 * requests.count)
            // The first round warms up.
            if round > 0 { times.append(spent) }
        }
        return [Figure(name: "plan, all tools", unit: "us", values: times, goal: "< 80")]
    }
}
