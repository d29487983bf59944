import Foundation
import TandemJSON
import TandemPluginCheck
import TandemPluginHost
import Testing

struct PluginCheckerTests {
    /// A fault of Tests/Fixtures/check/faulty.c, and where it is found.
    struct Fault: Sendable, CustomTestStringConvertible {
        var macro: String
        var check: String
        var code: String
        var testDescription: String { macro }
    }

    static let faults: [Fault] = [
        ("WRONG_RESULT", "calls", "result_mismatch"), ("NO_MESSAGE", "wording", "no_message"),
        ("LONG_LINE", "wording", "long_first_line"), ("RELEASES_OWN", "calls", "value_not_json"),
        ("KEEPS_REQUEST", "calls", "used_after_loan"), ("KEEPS_THREAD", "leaks", "leaked_threads"),
        ("USES_HOST_AFTER", "quiesce", "used_after_loan"), ("KEEPS_BUFFER", "calls", "not_released"),
        ("RELEASES_TWICE", "calls", "released_twice"), ("FREES_BUFFER", "calls", "crashed"),
        ("OPENS_SOCKET", "life", "socket"), ("EXITS", "life", "exited"),
        ("READS_PAST_END", "calls", "read_beyond_end"), ("TRUNCATES_ID", "calls", "unknown_call"),
        ("LEAKS_MEMORY", "growth", "leaks_memory"), ("BLOCKS", "budget", "over_budget"),
        ("CRASHES_ON_ESCAPE", "fuzz", "crashed"), ("WRITES_REQUEST", "calls", "wrote_to_loan"),
        ("REFUSES_VALID", "calls", "refuses_valid"), ("IGNORES_CANCEL", "cancel", "never_completed"),
        ("LEAKS_INSTANCE", "leaks", "leaks_instance"), ("EARLY_THREAD", "life", "early_thread"),
        ("READS_ENVIRONMENT", "life", "environment"), ("CLAIMS_EXTENSIONS", "life", "unknown_extension"),
        ("ANY_MAJOR", "load", "wrong_major_accepted"), ("FIRST_MINOR_ONLY", "load", "later_minor_refused"),
        ("MANIFEST_CHANGES", "load", "manifest_changes"), ("FORKS", "life", "process"),
        ("RUNS_COMMANDS", "life", "process"), ("HANDLES_SIGNALS", "life", "signals"),
        ("SETS_LOCALE", "life", "locale"), ("PRINTS", "life", "writes_output"),
        ("ODD_STATUS", "life", "activate_failed"), ("HANGS", "life", "hung"),
        ("QUIESCE_FAILS", "life", "quiesce_status"), ("NOT_JSON", "calls", "value_not_json"),
        ("NOT_UTF8", "calls", "message_not_utf8"), ("SMALL_OUTCOME", "calls", "small_outcome"),
        ("NULL_OUTCOME", "calls", "null_outcome"), ("UNKNOWN_KIND", "calls", "unknown_kind"),
        ("UNKNOWN_TRUST", "calls", "unknown_trust"), ("HUGE_VALUE", "calls", "too_large"),
        ("NULL_BUFFER", "calls", "null_buffer"), ("LENT_AS_OWN", "calls", "lent_as_own"),
        ("COMPLETES_TWICE", "calls", "completed_twice"), ("CALLS_NOBODY", "calls", "unknown_call"),
        ("REFUSES_AND_COMPLETES", "calls", "refused_and_completed"), ("POSITIVE_STATUS", "calls", "positive_status"),
        ("NULL_ID", "calls", "null_id"), ("BAD_PROGRESS", "calls", "bad_progress"), ("NULL_DONE", "calls", "null_done"),
        ("NULL_SLICE", "calls", "null_slice"), ("NEEDS_EXTENSION", "no_extensions", "crashed"),
        ("IGNORES_HOST_SIZE", "small_host", "read_beyond_end"), ("WANTS_EXACT_HOST", "large_host", "create_failed"),
        ("WANTS_EXACT_REQUEST", "requests", "large_request_refused"),
        ("IGNORES_REQUEST_SIZE", "requests", "read_beyond_end"), ("IGNORES_FLAGS", "requests", "flags_ignored"),
        ("KNOWS_EVERY_TOOL", "unknown_tool", "unknown_tool_accepted"),
        ("FORGETS_FAILURES", "failing_host", "never_completed"), ("SLOW_TO_END", "deadline", "ignores_deadline"),
        ("RETRIES", "late_host", "completed_twice"), ("FREES_AFTER_FAILURE", "late_host", "crashed"),
        ("FORGETS_UNDER_LOAD", "in_flight", "never_completed"), ("QUIET_TOO_EARLY", "quiesce", "quiet_too_early"),
        ("IGNORES_CALLBACK", "quiesce", "quiet_while_owed"), ("LEAKS_DESCRIPTOR", "leaks", "leaked_descriptors"),
        ("NO_UTTERANCES", "wording", "no_utterances"), ("BAD_HEALTH", "health", "health_malformed"),
        ("SMALL_HEALTH", "health", "small_table"), ("EXPORTS_MORE", "exports", "stray_exports"),
    ].map { Fault(macro: $0.0, check: $0.1, code: $0.2) }

    @Test(.timeLimit(.minutes(8)), arguments: faults)
    func findsWhatIsWrong(_ fault: Fault) async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(
            try await shop.compile(
                "Tests/Fixtures/check/faulty.c", [fault.macro, "SALT=\"\(fault.macro)\""],
                exportsAll: fault.macro == "EXPORTS_MORE"))
        var checker = shop.checker(only: ["load", "life", "calls", fault.check])
        if fault.macro == "HANGS" { checker.timeLimitSeconds = 2 }
        let report = await checker.check(bundle)
        let found = report.results.first { $0.name == fault.check }?.findings ?? []
        #expect(found.contains { $0.code == fault.code }, "found \(report.errors)")
        // A fault is no surprise of another check that comes before.
        let isWarning = ["locale", "writes_output"].contains(fault.code)
        #expect(isWarning == (report.results.first { $0.name == fault.check }?.state == .warned))
    }

    @Test(.timeLimit(.minutes(8))) func saysWhatIsWantedFromTheHost() async throws {
        let shop = try Workshop()
        let good = try shop.pack(try await shop.compile("Tests/Fixtures/check/faulty.c", ["SALT=\"wants\""]))
        let bundle = try shop.layOut(
            try await shop.compile("Tests/Fixtures/check/faulty.c", ["NEEDS_HOST", "SALT=\"wants\""]),
            likeBundle: good)
        #expect(await shop.checker().check(bundle).errors == ["library/needs_host_symbols", "load/load_failed"])
    }

    /// No code of its own: its library is called as the runner calls it.
    @Test(.timeLimit(.minutes(8))) func checksPluginsWithoutCode() async throws {
        let shop = try Workshop()
        let source = Workshop.root + "/PluginSDK/Examples/ManifestSums"
        let bundle = shop.folder + "/sums"
        _ = try BundlePacker.pack(manifest: source, into: bundle)
        var checker = shop.checker()
        let text = try Data(contentsOf: URL(fileURLWithPath: source + "/transcript.json"))
        checker.transcript = try Transcript(try JSON(parsing: Array(text)))
        let report = await checker.check(bundle)
        #expect(report.errors.isEmpty)
        #expect(report.tier.map { $0 >= .gold } == true)
        checker.transcript?.calls[0].outcome = ["outcome": "value"]
        #expect(await checker.check(bundle).errors == ["recorded/differs"])
    }

    @Test(.timeLimit(.minutes(8)), arguments: ["NONE", "LATE", "USES_KEYS"])
    func findsNothingWhereNothingIsWrong(_ macro: String) async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(
            try await shop.compile("Tests/Fixtures/check/faulty.c", [macro, "SALT=\"\(macro)\""]))
        let report = await shop.checker().check(bundle)
        #expect(report.errors == ["health/no_health", "recorded/no_transcript"])
        #expect(report.tier == .silver)
    }

    @Test(.timeLimit(.minutes(8))) func holdsInWhatItRuns() async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(
            try await shop.compile("Tests/Fixtures/check/faulty.c", ["REACHES_OUT", "SALT=\"reaches\""]))
        let recorded = try #require(try await shop.checker().record(bundle, given: nil))
        #expect(recorded.calls.first?.outcome["value"]?["ok"] == false)
    }

    /// By the command: the comparison runs the whole host, twice.
    @Test(.timeLimit(.minutes(8)), arguments: [("USES_CLOCK", 0), ("LOOKS_AROUND", 1)])
    func comparesTheHostsProcessWithARunner(_ macro: String, _ expected: Int32) async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(
            try await shop.compile("Tests/Fixtures/check/faulty.c", [macro, "SALT=\"modes-\(macro)\""]))
        let (status, text) = try await shop.run(
            Workshop.tandem,
            ["plugin", "check", bundle, "--json", "--only", "load", "--only", "life", "--only", "modes"])
        #expect(status == expected, "\(text)")
        #expect(text.contains("modes_differ") == (expected == 1), "\(text)")
    }

    /// The loader's fixtures, which this process must not load.
    @Test(
        .timeLimit(.minutes(8)),
        arguments: [
            ("entry_null", "load/entry_null"), ("no_entry", "manifest/no_entry"), ("null_create", "load/null_function"),
            ("null_manifest", "load/no_manifest"), ("other_major", "load/abi_mismatch"),
            ("newer_minor", "load/abi_mismatch"), ("small_table", "load/small_table"),
            ("other_manifest", "load/manifest_differs"), ("failing_create", "life/create_failed"),
            ("hanging_create", "life/slow_create"), ("null_instance", "life/null_instance"),
            ("null_invoke", "life/null_function"), ("small_instance", "life/small_instance"),
            ("failing_activate", "life/activate_failed"), ("never_quiet", "life/never_quiet"),
            ("undefined_symbol", "load/load_failed"), ("embedded_runtime", "manifest/embedded_runtime"),
            ("entry_is_data", "manifest/no_entry"),
        ])
    func refusesBrokenPlugins(_ fixture: String, _ expected: String) async throws {
        let shop = try Workshop()
        let good = try shop.pack(try await shop.compile("Tests/Fixtures/plugins/echo.c"))
        let bundle = try shop.layOut(
            try await shop.compile("Tests/Fixtures/plugins/\(fixture).c"),
            likeBundle: good)
        let report = await shop.checker().check(bundle)
        #expect(report.errors.contains(expected), "found \(report.errors)")
        #expect(report.tier == nil)
    }

    @Test(.timeLimit(.minutes(8))) func goesOnAfterAToolThatNeverAnswers() async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(try await shop.compile("Tests/Fixtures/plugins/misbehaving.c"))
        let report = await shop.checker(only: ["calls"]).check(bundle)
        #expect(report.errors.contains("calls/never_completed"))
        #expect(report.errors.contains("calls/completed_twice"), "the tools after it were not tried: \(report.errors)")
    }

    @Test(.timeLimit(.minutes(8))) func reproducesACaseByItsNumber() async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(
            try await shop.compile("Tests/Fixtures/check/faulty.c", ["CRASHES_ON_ESCAPE", "SALT=\"again\""]))
        let report = await shop.checker(only: ["fuzz"]).check(bundle)
        let finding = try #require(report.results.flatMap(\.findings).first { $0.code == "crashed" })
        let hint = try #require(finding.hint).split(separator: ":")
        var checker = shop.checker(only: ["fuzz"])
        checker.onlyCase = (String(hint[1]), try #require(Int(hint[2])))
        let again = await checker.check(bundle)
        #expect(again.results.flatMap(\.findings).first { $0.code == "crashed" }?.place == finding.place)
    }

    @Test(.timeLimit(.minutes(8))) func comparesRecordedCalls() async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(try await shop.compile("Tests/Fixtures/check/faulty.c", ["SALT=\"recorded\""]))
        var checker = shop.checker(only: ["recorded"])
        var transcript = try #require(try await checker.record(bundle, given: nil))
        checker.transcript = transcript
        #expect(await checker.check(bundle).errors.isEmpty)
        transcript.calls[0].outcome = ["outcome": "value", "message": "Something else."]
        checker.transcript = try Transcript(transcript.json)
        #expect(await checker.check(bundle).errors == ["recorded/differs"])
    }

    @Test(.timeLimit(.minutes(8))) func excusesWhatIsWaived() async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(
            try await shop.compile("Tests/Fixtures/check/faulty.c", ["WRONG_RESULT", "SALT=\"waived\""]))
        var checker = shop.checker(only: ["calls"])
        let file: JSON = ["waivers": [["check": "calls", "code": "result_mismatch", "reason": "known"]]]
        checker.waivers = try Waivers(file, today: "2026-11-21")
        #expect(await checker.check(bundle).errors.isEmpty)
        let old: JSON = ["waivers": [["check": "calls", "reason": "known", "until": "2026-01-01"]]]
        checker.waivers = try Waivers(old, today: "2026-11-21")
        #expect(await checker.check(bundle).errors.contains("calls/result_mismatch"))
        #expect(throws: CheckFileProblem.self) { try Waivers(["waivers": [["check": "calls"]]], today: "2026-11-21") }
    }

    @Test(.timeLimit(.minutes(8))) func triesToolsAndTracesWhatTheyAsk() async throws {
        let shop = try Workshop()
        let bundle = try BundleExamination(
            folder: try shop.pack(
                try await shop.compile("Tests/Fixtures/check/faulty.c", ["USES_KEYS", "SALT=\"traced\""])))
        #expect(try PluginTrial.problem(with: ["text": 1], of: "faulty.run", in: bundle) != nil)
        #expect(throws: CheckFileProblem.self) { try PluginTrial.problem(with: [:], of: "faulty.no", in: bundle) }
        let result = await PluginTrial(worker: Workshop.worker)
            .run(bundle, calls: [PlannedCall(tool: "faulty.run", arguments: [:])])
        #expect(result.isValue)
        #expect(
            result.steps.contains(.asked(function: "kv.get", given: ["key"], status: 0, answer: "value")),
            "\(result.steps)")
    }

    /// Plugins of every released version, compiled with the headers of then, keep working with the hosts of today: the
    /// check's, the one in the same process and the one of the runner. Their structs have the sizes of then.
    @Test(.timeLimit(.minutes(8))) func bearsPluginsOfEveryReleasedVersion() async throws {
        let released = Workshop.root + "/PluginSDK/C/released"
        let versions = try FileManager.default.contentsOfDirectory(atPath: released)
        #expect(versions.contains("1.0"))
        for version in versions.sorted() {
            let shop = try Workshop()
            for plugin in ["units.c", "faulty.c"] {
                let library = try await shop.compile(
                    "PluginSDK/C/released/\(version)/plugins/\(plugin)",
                    ["USES_KEYS", "SALT=\"released-\(version)\""], headers: "\(released)/\(version)/include")
                let bundle = try shop.pack(library)
                let report = await shop.checker().check(bundle)
                #expect(report.tier == .silver, "\(plugin) of \(version): \(report.errors)")
                let (status, text) = try await shop.run(
                    Workshop.tandem, ["plugin", "check", bundle, "--json", "--only", "load", "--only", "modes"])
                #expect(status == 0, "\(plugin) of \(version): \(text)")
            }
        }
    }

    /// `recorded/no_transcript` alone keeps them from gold without their transcripts, which scripts/check-author-kit gives.
    @Test(.timeLimit(.minutes(8))) func findsNothingWrongWithTheExampleInC() async throws {
        let shop = try Workshop()
        let bundle = try shop.pack(try await shop.compile("PluginSDK/Examples/C/units.c"))
        var checker = shop.checker()
        let text = try Data(
            contentsOf: URL(fileURLWithPath: Workshop.root + "/PluginSDK/Examples/C/transcript.json"))
        checker.transcript = try Transcript(try JSON(parsing: Array(text)))
        let report = await checker.check(bundle)
        #expect(report.errors.isEmpty)
        #expect(report.tier.map { $0 >= .gold } == true)
    }

    @Test func examinesWithoutRunning() async throws {
        let shop = try Workshop()
        let library = try await shop.compile("PluginSDK/Examples/C/units.c")
        let examined = try BundleExamination(folder: try shop.pack(library))
        let headers = try #require(examined.library)
        #expect(headers.exported.contains("tandem_plugin_entry"))
        #expect(headers.strayExports.isEmpty)
        #expect(headers.isNeverDeleted)
        #expect(headers.hasReadOnlyRelocations)
        #expect(headers.undefined.contains { $0 == "malloc" })
        #expect(!headers.isSwift)
    }
}
