import Foundation
import TandemApplication
import TandemCore
import TandemJSON
import TandemLanguage

/// `tandem-benchmarks BUILD-FOLDER plan-features`: writes what `Tools/planner/make_model.py` learns from into the current folder.
/// Beside the development set it weighs the lines of the files that TANDEM_SENTENCES names, separated by colons; of `family<TAB>text`
/// the text.
enum PlanFeatures {
    static func run(_ place: Place) async throws -> [Figure] {
        let configuration = try Configuration(environment: ["TANDEM_DATA": try place.fresh("plan")])
        var options = Application.Options()
        options.executableFolder = place.buildFolder
        options.isEphemeral = true
        let tools = try await Pipes.tools(configuration: configuration, options: options)
        try write([JSON.array(tools.map(json)).text], to: "plan-tools.json")
        let planner = EmbeddedPlanner(tools: tools)
        let now = Timestamp("2026-11-21T10:00:00Z") ?? Timestamp(millisecondsSinceEpoch: 0)
        let context = PlannerContext(now: now, timeZone: "Europe/Berlin")
        let texts = try PlanBenchmark.sentences("development").map(\.text) + others()
        try write(
            texts.map { text in
                let found = planner.candidates(text, context: context).map { candidate -> JSON in
                    [
                        "tool": .string(candidate.tool),
                        "features": .array(candidate.features.map { JSON.number(Double($0)) }),
                    ]
                }
                return (["text": .string(text), "candidates": .array(found)] as JSON).text
            }, to: "plan-features.jsonl")
        return [Figure(name: "sentences weighed", unit: "", values: [Double(texts.count)])]
    }

    private static func others() throws -> [String] {
        let paths = ProcessInfo.processInfo.environment["TANDEM_SENTENCES"]?.split(separator: ":") ?? []
        return try paths.flatMap { path in
            try String(contentsOfFile: String(path), encoding: .utf8).split(separator: "\n").compactMap { line in
                line.split(separator: "\t").last.map(String.init)
            }
        }
    }

    private static func json(_ tool: ToolDefinition) -> JSON {
        var slots = JSONObject()
        for (name, slot) in tool.slots {
            var words: [JSON] = []
            var kind = "\(slot.kind)".prefix { $0 != "(" }
            if case .choice(let choices) = slot.kind {
                kind = "choice"
                words = choices.map { choice -> JSON in
                    ["value": .string(choice.value), "words": .array(choice.words.map { JSON.string($0) })]
                }
            }
            slots[name] = ["kind": .string(String(kind)), "choices": .array(words)]
        }
        return [
            "id": .string(tool.id), "slots": .object(slots),
            "utterances": .array(tool.utterances.map { JSON.string($0.text) }),
        ]
    }

    private static func write(_ lines: [String], to name: String) throws {
        try (lines.joined(separator: "\n") + "\n").write(toFile: name, atomically: true, encoding: .utf8)
    }
}
