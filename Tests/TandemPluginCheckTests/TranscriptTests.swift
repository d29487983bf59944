import Foundation
import TandemJSON
import TandemPluginHost
import Testing

@testable import TandemPluginCheck

/// Recorded calls: what is read, what is refused, and that they show that a tool works.
@Suite(.timeLimit(.minutes(8)))
struct TranscriptTests {
    private func shelf(_ shop: Workshop, _ macros: [String] = []) async throws -> String {
        try shop.pack(try await shop.compile("Tests/Fixtures/check/asking.c", macros))
    }

    private func transcript(_ calls: JSON, config: JSON? = nil) throws -> Transcript {
        var document: JSONObject = ["calls": calls]
        if let config { document["config"] = config }
        return try Transcript(.object(document))
    }

    private func messages(_ transcript: Transcript?) -> [String] {
        (transcript?.calls ?? []).map { $0.outcome["message"]?.stringValue ?? $0.outcome.text }
    }

    @Test func nothingStaysOfACallThatFails() async throws {
        let shop = try Workshop()
        let given = try transcript([
            ["tool": "shelf.put", "arguments": ["thing": "a book"]],
            ["tool": "shelf.put", "arguments": ["thing": "glue"]],
            ["tool": "shelf.count", "arguments": [:]],
            ["tool": "shelf.pick", "arguments": [:]],
        ])
        let recorded = try await shop.checker().record(try await shelf(shop), given: given)
        #expect(
            messages(recorded) == [
                "Put there.", "Glue does not stay.", "1 on the shelf.", "Which one: 1 red, 2 blue?",
            ])
        #expect(recorded?.calls.map(\.hasFailed) == [false, true, false, false])
    }

    @Test func aQuestionIsAnsweredByTheSameCallAgain() async throws {
        let shop = try Workshop()
        let bundle = try await shelf(shop)
        let given = try transcript(
            [
                ["tool": "shelf.pick", "arguments": [:]],
                ["tool": "shelf.pick", "arguments": [:], "answers": ["which": "b"]],
            ], config: ["most": 7])
        var checker = shop.checker(only: ["recorded", "modes"])
        let recorded = try #require(try await checker.record(bundle, given: given))
        #expect(messages(recorded).prefix(2) == ["Which one: 1 red, 2 blue?", "Blue."])
        // Tools that the calls leave out get examples; the settings are kept.
        #expect(Set(recorded.calls.map(\.tool)) == ["shelf.pick", "shelf.put", "shelf.count"])
        #expect(recorded.json["config"] == ["most": 7])
        checker.transcript = try Transcript(recorded.json)
        #expect(await checker.check(bundle).errors.isEmpty)

        let tried = await PluginTrial(worker: Workshop.worker)
            .run(try BundleExamination(folder: bundle), calls: given.calls.map(\.planned), config: given.config)
        #expect(
            tried.steps.contains { step in
                if case .ended(let outcome, _) = step { outcome["message"] == "Blue." } else { false }
            }, "\(tried.steps)")
    }

    @Test func aToolThatOnlyFailsIsNotShownToWork() async throws {
        let shop = try Workshop()
        let bundle = try await shelf(shop, ["ALWAYS_FAILS"])
        var checker = shop.checker(only: ["calls", "recorded"])
        checker.transcript = try await checker.record(bundle, given: nil)
        let report = await checker.check(bundle)
        #expect(report.errors == ["recorded/only_errors_recorded"])
        let warnings = report.results.flatMap(\.findings).filter { $0.level == .warning }
        #expect(warnings.map(\.code) == ["only_errors"])
        #expect(warnings.first?.text.contains("shelf.fail") == true)
    }

    @Test func refusesCallsThatNoHostMakes() async throws {
        let shop = try Workshop()
        let bundle = try await shelf(shop)
        for (calls, words) in [
            ([["tool": "shelf.gone", "arguments": [:]]] as JSON, "shelf.gone"),
            ([["tool": "shelf.put", "arguments": ["thing": 1]]] as JSON, "/calls/0"),
        ] {
            let given = try transcript(calls)
            let problem = await #expect(throws: CheckFileProblem.self) {
                try await shop.checker().record(bundle, given: given)
            }
            #expect(problem?.description.contains(words) == true)
            var checker = shop.checker(only: ["recorded"])
            checker.transcript = given
            #expect(await checker.check(bundle).errors.contains("recorded/recorded_invalid"))
        }
    }

    @Test(arguments: [
        #"{"calls":{}}"#, #"{"calls":[{"tool":"a.b"}]}"#, #"{"calls":[],"note":1}"#,
        #"{"calls":[{"tool":"a.b","arguments":{},"answer":{"which":"1"}}]}"#,
        #"{"calls":[{"tool":"a.b","arguments":{},"answers":"1"}]}"#, #"{"calls":[],"http":[{"status":200}]}"#,
        #"{"calls":[],"config":[]}"#, "[]",
    ])
    func refusesWhatItDoesNotUnderstand(text: String) throws {
        let document = try JSON(parsing: Array(text.utf8))
        #expect(throws: CheckFileProblem.self) { try Transcript(document) }
    }
}
