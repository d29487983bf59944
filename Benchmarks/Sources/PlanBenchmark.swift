import Foundation
import TandemApplication
import TandemCore
import TandemJSON

/// The embedded planner alone, on every tool of the installation: one message after the other on one thread, and how often it
/// finds what is asked for.
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
        let requests = messages.map { request($0) }
        var times: [Double] = []
        for round in 0..<6 {
            let start = monotonicNanoseconds()
            for _ in 0..<20 { for request in requests { _ = plan(request) } }
            let spent = Double(monotonicNanoseconds() - start) / 1000 / Double(20 * requests.count)
            // The first round warms up.
            if round > 0 { times.append(spent) }
        }
        return [Figure(name: "plan, all tools", unit: "us", values: times, goal: "< 300")]
            + (try PlanBenchmark.sets.flatMap { try accuracy($0, plan) })
    }

    /// `development` was learned from, so that its figures are better than those of others' sentences; the held-out sets were
    /// not: `held-out-b` was written when the first work on the planner had ended, `held-out-c` before the trades were learned,
    /// `held-out-d`, in the words of people texting, before messages were cut by what their parts leave unexplained.
    private static let sets = ["development", "held-out-a", "held-out-b", "held-out-c", "held-out-d"]

    static func sentences(_ set: String) throws -> [(family: String, text: String)] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Tests/Fixtures/planner/\(set).tsv").path
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\t", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
    }

    static func request(_ text: String) -> JSON {
        ["text": .string(text), "now": "2026-11-21T10:00:00Z"]
    }

    /// `mail` may be either mailbox's.
    static func isRight(_ tool: String, _ family: String) -> Bool {
        let namespace = tool.prefix { $0 != "." }
        return namespace == family || family == "mail" && (namespace == "gmail" || namespace == "graph")
    }

    private static func accuracy(_ set: String, _ plan: (JSON) -> JSON) throws -> [Figure] {
        var (asked, right, idle, planned) = (0, 0, 0, 0)
        for (family, text) in try sentences(set) {
            let tool = plan(request(text))["tool"]?.stringValue
            if family == "none" {
                idle += 1
                planned += tool == nil ? 0 : 1
            } else {
                asked += 1
                right += tool.map { isRight($0, family) } == true ? 1 : 0
            }
        }
        return [
            Figure(
                name: "plan, \(set), family right of \(asked)", unit: "%",
                values: [100 * Double(right) / Double(max(asked, 1))], goal: ">= 85"),
            Figure(
                name: "plan, \(set), planned of \(idle) idle", unit: "%",
                values: [100 * Double(planned) / Double(max(idle, 1))], goal: "<= 3"),
        ]
    }
}
