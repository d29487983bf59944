import TandemCore
import TandemJSON
import TandemPluginHost

/// The checks of one bundle, in order.
struct CheckSession: Sendable {
    let checker: PluginChecker
    let bundle: BundleExamination
    let manifest: PluginManifest
    /// A plain C library, called by its manifest.
    let isForeign: Bool
    let worker: CheckWorker
    /// Settings that differ from their defaults.
    let config: JSONObject

    init(checker: PluginChecker, bundle: BundleExamination, config: JSONObject? = nil) {
        self.checker = checker
        self.config = config ?? checker.transcript?.config ?? [:]
        self.bundle = bundle
        manifest = bundle.manifest
        isForeign = bundle.manifest.foreign != nil
        // A plugin without code is called as the runner calls it, by its bundle.
        worker = CheckWorker(
            executable: checker.worker,
            plugin: isForeign ? bundle.folder : bundle.library?.path ?? bundle.folder)
    }

    /// A test of the worker, its tier, and what it shows.
    private struct Test {
        var tier: Tier
        var name: String
        var title: String
        var limitSeconds = 30
        var needsCalls = true
        var fails: Int32?
    }

    private static let life = Test(
        tier: .bronze, name: "life", title: "makes, activates, ends and frees instances", needsCalls: false)

    private static let tests: [Test] = [
        Test(tier: .silver, name: "no_extensions", title: "bears a host that grants no extension"),
        Test(tier: .silver, name: "small_host", title: "bears a host table shorter than ABI 1.0"),
        Test(tier: .silver, name: "large_host", title: "works with the longer table of a later host"),
        Test(tier: .silver, name: "requests", title: "bears shorter and longer requests and unknown flags"),
        Test(tier: .silver, name: "unknown_tool", title: "refuses tools that it does not have"),
        Test(tier: .silver, name: "failing_host", title: "ends calls when the host's services fail", fails: -62),
        Test(tier: .silver, name: "cancel", title: "ends calls that are cancelled before, during and after"),
        Test(tier: .silver, name: "deadline", title: "ends calls at their deadline"),
        Test(tier: .silver, name: "late_host", title: "bears completions that the host refuses"),
        Test(tier: .silver, name: "in_flight", title: "completes each of 64 calls in flight once"),
        Test(tier: .silver, name: "quiesce", title: "comes to rest under load"),
        Test(tier: .silver, name: "leaks", title: "leaves no threads, descriptors or buffers behind"),
        Test(tier: .silver, name: "growth", title: "keeps no memory per call", limitSeconds: 60),
    ]

    /// Codes of findings after which there is nothing to call.
    private static let fatal: Set<String> = [
        "load_failed", "no_entry", "entry_null", "misaligned", "abi_mismatch", "small_table", "null_function",
        "crashed",
        "hung", "exited",
    ]

    func run(into report: inout CheckReport) async {
        checker.add(manifestCheck(), to: &report)
        checker.add(libraryCheck(), to: &report)
        let entry = await entryCheck(&report)
        checker.add(entry, to: &report)
        // What gives no table cannot be called.
        guard report.numbers.contains(where: { $0.name == "loadMilliseconds" }),
            !entry.findings.contains(where: { Self.fatal.contains($0.code) })
        else { return }
        let life = await perform(Self.life, calls: [], &report)
        checker.add(life, to: &report)
        guard life.state != .failed else {
            skip(&report, "there is no instance to call")
            return
        }
        let planned = planExamples()
        let (calls, outcomes, silent) = await callsCheck(planned, &report)
        checker.add(calls, to: &report)
        let examples = planned.filter { !silent.contains($0.tool.id) }
        for test in Self.tests where checker.wants(test.name) {
            // Each tool once or twice: the tests repeat by themselves.
            checker.add(await perform(test, calls: examples.flatMap { $0.calls.prefix(2) }, &report), to: &report)
        }
        checker.add(exportsCheck(), to: &report)
        checker.add(wordingCheck(outcomes), to: &report)
        if checker.wants("health") { checker.add(await healthCheck(), to: &report) }
        if checker.wants("fuzz") { checker.add(await fuzzCheck(leavingOut: silent), to: &report) }
        if checker.wants("recorded") { checker.add(await recordedCheck(), to: &report) }
        if checker.wants("budget") { checker.add(await budgetCheck(examples, &report), to: &report) }
        if checker.wants("modes") {
            let keepsContract = report.results.allSatisfy { $0.tier > .silver || $0.state != .failed }
            checker.add(await modesCheck(examples, keepsContract: keepsContract), to: &report)
        }
    }

    // MARK: Without running

    private func manifestCheck() -> CheckResult {
        var findings: [Finding] = []
        if manifest.license == nil {
            findings.append(
                Finding(.warning, "no_license", "the manifest names no license", hint: "an SPDX expression"))
        }
        if manifest.publisher == nil {
            findings.append(Finding(.warning, "no_publisher", "the manifest names no publisher whom people could ask"))
        }
        if manifest.tools.isEmpty { findings.append(Finding(.error, "no_tools", "the manifest declares no tool")) }
        return CheckResult(.bronze, "manifest", "the bundle is one that a host accepts", findings)
    }

    private func libraryCheck() -> CheckResult {
        var findings: [Finding] = []
        guard let library = bundle.library, !isForeign else {
            return CheckResult(.bronze, "library", "the library is one that a host maps")
        }
        if !library.isNeverDeleted {
            findings.append(
                Finding(
                    .warning, "may_be_unloaded", "the library may be unmapped",
                    hint: "link with -z nodelete: hosts never unload, other tools may"))
        }
        if !library.hasReadOnlyRelocations {
            findings.append(
                Finding(
                    .warning, "no_relro", "its tables of addresses stay writable", hint: "link with -z relro -z now"))
        }
        let foreign = library.undefined.filter { $0.hasPrefix("tandem_") }
        if !foreign.isEmpty {
            findings.append(
                Finding(
                    .error, "needs_host_symbols",
                    "it wants the host to define \(foreign.prefix(3).joined(separator: ", "))",
                    hint: "everything comes through the host's table"))
        }
        return CheckResult(.bronze, "library", "the library is one that a host maps", findings)
    }

    private func exportsCheck() -> CheckResult {
        let stray = isForeign ? [] : bundle.library?.strayExports ?? []
        var findings: [Finding] = []
        if !stray.isEmpty {
            let names = stray.prefix(3).joined(separator: ", ") + (stray.count > 3 ? " …" : "")
            findings.append(
                Finding(
                    .error, "stray_exports", "it exports \(stray.count) symbols besides the entry: \(names)",
                    hint: "link with --version-script=plugin.version"))
        }
        return CheckResult(.silver, "exports", "exports its entry and nothing else", findings)
    }

    // MARK: Through the worker

    /// The settings of every test.
    func settings(inFlight: Int? = nil) -> [(String, String)] {
        var defaults: JSONObject = [:]
        for (name, property) in manifest.config?["properties"]?.objectValue ?? [:] {
            if let value = property["default"] { defaults[name] = value }
        }
        for (name, value) in config { defaults[name] = value }
        let values = JSON.object(defaults)
        let extensions = manifest.extensions.union(["tandem.log/1", "tandem.clock/1"]).sorted()
        return [
            ("extensions", extensions.joined(separator: ",")), ("config", values.text),
            ("configCheck", JSON.object(["values": values, "changed": []]).text),
            ("swift", bundle.library?.isSwift == true ? "1" : "0"),
            // Swift's runtime fills caches during its first thousand tasks.
            ("repeat", bundle.library?.isSwift == true ? "1000" : "300"),
            ("inFlight", String(inFlight ?? manifest.maxInFlight)),
            ("tools", checker.transcript?.tools.isEmpty == false ? "1" : "0"),
        ]
    }

    private func start(
        _ test: String, _ calls: [PlannedCall], limitSeconds given: Int, canned: CannedAnswers = CannedAnswers(nil),
        failsWith: Int32? = nil
    ) async -> CheckWorker.Run {
        let limitSeconds = limit(given)
        let services: CheckServices
        do {
            services = try await CheckServices(manifest, canned: canned, failsWith: failsWith)
        } catch {
            return CheckWorker.Run(ending: "its tables cannot be made: \(error)")
        }
        let run = await worker.run(
            test, CheckWorker.Script(settings: settings(), calls: calls), limitSeconds: limitSeconds, services: services
        )
        await services.close()
        return run
    }

    private func limit(_ seconds: Int) -> Int { min(seconds, checker.timeLimitSeconds ?? seconds) }

    /// What the worker found, and what its end says.
    func findings(_ run: CheckWorker.Run, limitSeconds given: Int) -> [Finding] {
        let limitSeconds = limit(given)
        var findings: [Finding] = []
        var place: String?
        for event in run.events {
            switch event["e"]?.stringValue {
            case "stage": place = event["text"]?.stringValue
            case "finding":
                let level: Finding.Level = event["level"]?.stringValue == "warning" ? .warning : .error
                let finding = Finding(
                    level, event["code"]?.stringValue ?? "unknown", event["text"]?.stringValue ?? "",
                    place: event["stage"]?.stringValue ?? place)
                if !findings.contains(where: { $0.code == finding.code && $0.text == finding.text }),
                    findings.count < 12
                {
                    findings.append(finding)
                }
            default: break
            }
        }
        if run.wasKilled {
            findings.append(
                Finding(.error, "hung", "the test did not end within \(limitSeconds) s", place: run.lastStage))
        } else if !run.isComplete, !findings.contains(where: { $0.level == .error }) {
            findings.append(
                Finding(
                    .error, run.ending == nil ? "exited" : "crashed",
                    "the process ended in the middle of the test (\(run.ending ?? "no reason"))", place: run.lastStage))
        }
        if run.wasKilled || !run.isComplete, !run.output.isEmpty {
            let words = String(decoding: run.output.prefix(300), as: UTF8.self)
            findings.append(Finding(.warning, "last_words", "it wrote: \(words)"))
        } else if !run.output.isEmpty {
            findings.append(
                Finding(
                    .warning, "writes_output", "it writes to standard output or error", hint: "use tandem.log/1"))
        }
        return findings
    }

    private func note(_ run: CheckWorker.Run, in report: inout CheckReport) {
        for event in run.events("number") {
            guard let name = event["name"]?.stringValue, let value = event["value"]?.doubleValue else { continue }
            if let index = report.numbers.firstIndex(where: { $0.name == name }) {
                // A loaded machine only ever makes it longer.
                report.numbers[index].value = min(report.numbers[index].value, value)
            } else {
                report.numbers.append((name, value))
            }
        }
    }

    private func entryCheck(_ report: inout CheckReport) async -> CheckResult {
        var findings: [Finding] = []
        var milliseconds = 0
        for _ in 0..<3 {
            let run = await start("load", [], limitSeconds: 10)
            milliseconds += run.milliseconds
            note(run, in: &report)
            findings = self.findings(run, limitSeconds: 10)
            if findings.contains(where: { $0.level == .error }) { break }
        }
        if !findings.contains(where: { $0.level == .error }) {
            let run = await start("entry", [], limitSeconds: 10)
            milliseconds += run.milliseconds
            for finding in self.findings(run, limitSeconds: 10) where !findings.contains(finding) {
                findings.append(finding)
            }
            if let text = run.events("bytes").first(where: { $0["name"]?.stringValue == "manifest" }) {
                do {
                    if let pointer = try bundle.difference(fromCode: Hex.bytes(text["value"]?.stringValue)) {
                        findings.append(
                            Finding(.error, "manifest_differs", "plugin.json and the code differ at \(pointer)"))
                    }
                } catch {
                    findings.append(
                        Finding(.error, "manifest_differs", "the manifest in the code is invalid: \(error)"))
                }
            }
        }
        if let load = report.numbers.first(where: { $0.name == "loadMilliseconds" }), load.value > 100 {
            findings.append(
                Finding(.warning, "slow_load", "the library takes \(Int(load.value)) ms to load; over 100 is felt"))
        }
        return CheckResult(
            .bronze, "load", "loads, and answers for the right versions only", findings, milliseconds: milliseconds)
    }

    /// Valid calls of every tool.
    private func planExamples() -> [(tool: ToolDefinition, calls: [PlannedCall])] {
        manifest.tools.map { tool in
            // An answer makes sense after its question only: those are replayed in their order, and nowhere else.
            let recorded = (checker.transcript?.calls ?? []).filter { $0.tool == tool.id && $0.answers == nil }
                .map(\.planned)
            let made = (try? ArgumentGenerator(tool, seed: checker.seed))?.examples() ?? []
            var seen: Set<[UInt8]> = []
            return (tool, (recorded + made).filter { seen.insert($0.arguments).inserted })
        }
    }

    /// The calls of all tools; a tool that crashes or never answers is left out of what follows, so that it hides nothing.
    private func callsCheck(
        _ examples: [(tool: ToolDefinition, calls: [PlannedCall])], _ report: inout CheckReport
    ) async -> (CheckResult, [(PlannedCall, WorkerOutcome)], silent: Set<String>) {
        var result = CheckResult(.bronze, "calls", "answers valid calls of every tool, by its schema")
        for example in examples where example.calls.isEmpty {
            result.findings.append(
                Finding(
                    .warning, "no_example", "no arguments for \(example.tool.id) could be made from its schema",
                    hint: "give `examples` in its parameters, or record calls"))
        }
        var outcomes: [(PlannedCall, WorkerOutcome)] = []
        var silent: Set<String> = []
        var calls = examples.flatMap(\.calls)
        while !calls.isEmpty {
            let run = await start("calls", calls, limitSeconds: 60, canned: CannedAnswers(checker.transcript))
            note(run, in: &report)
            result.milliseconds += run.milliseconds
            for finding in findings(run, limitSeconds: 60)
            where !result.findings.contains(where: { $0.code == finding.code && $0.text == finding.text }) {
                result.findings.append(finding)
            }
            let ended = run.events("outcome").map { WorkerOutcome($0) }
            for outcome in ended where outcome.number < calls.count {
                outcomes.append((calls[outcome.number], outcome))
            }
            guard ended.count < calls.count else { break }
            let culprit = calls[ended.count].tool
            silent.insert(culprit)
            guard silent.count < Self.maxSilentTools else {
                silent.formUnion(calls[ended.count...].map(\.tool))
                result.findings.append(
                    Finding(.error, "given_up", "too many tools crash or never answer; the rest was left out"))
                break
            }
            calls = calls[(ended.count + 1)...].filter { $0.tool != culprit }
        }
        for tool in manifest.tools {
            let own = outcomes.filter { $0.0.tool == tool.id }
            for (call, outcome) in own { result.findings += OutcomeJudge(tool).faults(outcome, of: call) }
            if let first = own.first, own.allSatisfy({ $0.1.isError }) {
                let message = String(decoding: first.1.message.prefix(100), as: UTF8.self)
                result.findings.append(
                    Finding(
                        .warning, "only_errors",
                        "no valid call of \(tool.id) ended with anything but an error: \"\(message)\"",
                        place: "\(tool.id) \(OutcomeJudge.excerpt(first.0.arguments))",
                        hint: "give `examples` in its parameters that work on empty tables, or record calls"))
            }
        }
        return (result, outcomes, silent)
    }

    private static let maxSilentTools = 4

    /// What can no longer be said.
    private func skip(_ report: inout CheckReport, _ reason: String) {
        let rest: [(Tier, String, String)] =
            [(.bronze, "calls", "answers valid calls of every tool, by its schema")]
            + Self.tests.map { ($0.tier, $0.name, $0.title) }
        for (tier, name, title) in rest {
            var result = CheckResult(tier, name, title, [Finding(.warning, "not_run", reason)])
            result.isSkipped = true
            checker.add(result, to: &report)
        }
    }

    private func perform(_ test: Test, calls: [PlannedCall], _ report: inout CheckReport) async -> CheckResult {
        var result = CheckResult(test.tier, test.name, test.title)
        guard !test.needsCalls || !calls.isEmpty else {
            result.isSkipped = true
            result.findings = [Finding(.warning, "not_run", "there are no arguments to call a tool with")]
            return result
        }
        let run = await start(
            test.name == "failing_host" ? "calls" : test.name, calls, limitSeconds: test.limitSeconds,
            canned: CannedAnswers(checker.transcript), failsWith: test.fails)
        note(run, in: &report)
        result.findings = findings(run, limitSeconds: test.limitSeconds)
        result.milliseconds = run.milliseconds
        return result
    }

    // MARK: Gold

    private func wordingCheck(_ outcomes: [(PlannedCall, WorkerOutcome)]) -> CheckResult {
        var findings: [Finding] = []
        // What only the host calls, for undo or to find something out, nobody asks for.
        var hosts = Set(manifest.tools.compactMap(\.lookup))
        for tool in manifest.tools {
            if case .tool(let undo) = tool.undo { hosts.insert(undo) }
        }
        for tool in manifest.tools {
            if tool.utterances.isEmpty, !hosts.contains(tool.id) {
                findings.append(
                    Finding(
                        .error, "no_utterances", "\(tool.id) has no example sentences: people who text cannot reach it",
                        hint: "docs/plugins/utterances.md"))
            }
            if tool.description.utf8.count < 20 {
                findings.append(Finding(.warning, "short_description", "\(tool.id) is described in a word or two"))
            }
        }
        for (call, outcome) in outcomes {
            guard let tool = manifest.tools.first(where: { $0.id == call.tool }) else { continue }
            findings += OutcomeJudge(tool).wording(outcome, of: call)
        }
        return CheckResult(
            .gold, "wording", "can be asked for in words, and answers in one line", Array(findings.prefix(20)))
    }

    private func healthCheck() async -> CheckResult {
        let run = await start("sides", [], limitSeconds: 20)
        var findings = self.findings(run, limitSeconds: 20)
        let offers = run.events("offers").compactMap { $0["name"]?.stringValue }
        if !offers.contains("health"), !isForeign {
            findings.append(
                Finding(
                    .error, "no_health", "it does not offer tandem.health/1: the operator cannot ask how it is",
                    hint: "tandem/ext/health.h"))
        }
        for (name, event) in zip(offers, run.events("outcome")) {
            let outcome = WorkerOutcome(event)
            let value = (try? JSON(parsing: outcome.value)) ?? .null
            let isGood: Bool =
                switch name {
                case "health": ["ok", "degraded", "failing"].contains(value["status"]?.stringValue ?? "")
                case "config-check": value["problems"]?.arrayValue != nil
                default: value.objectValue != nil
                }
            if !outcome.isValue || !isGood {
                findings.append(
                    Finding(.error, "\(name)_malformed", "tandem.\(name)/1 does not answer as its header says"))
            } else if name == "health", value["status"]?.stringValue == "failing" {
                findings.append(Finding(.warning, "failing", "it says of itself that it cannot work"))
            }
        }
        return CheckResult(.gold, "health", "says how it is", findings, milliseconds: run.milliseconds)
    }

    private func fuzzCheck(leavingOut silent: Set<String>) async -> CheckResult {
        var findings: [Finding] = []
        var milliseconds = 0
        for tool in manifest.tools
        where checker.onlyCase.map({ $0.tool == tool.id }) ?? !silent.contains(tool.id) {
            guard var generator = try? ArgumentGenerator(tool, seed: checker.seed) else { continue }
            var numbers = checker.onlyCase.map { [$0.number] } ?? Array(0..<checker.cases)
            var crashes = 0
            let judge = OutcomeJudge(tool)
            while !numbers.isEmpty {
                let calls = numbers.map { generator.strange($0) }
                let run = await start("fuzz", calls, limitSeconds: 90)
                milliseconds += run.milliseconds
                for event in run.events("outcome") {
                    let outcome = WorkerOutcome(event)
                    guard outcome.number < calls.count else { continue }
                    let call = calls[outcome.number]
                    let hint = reproduction(tool.id, numbers[outcome.number])
                    for var finding in judge.faults(outcome, of: call)
                    where !findings.contains(where: { $0.code == finding.code && $0.place?.hasPrefix(tool.id) == true })
                    {
                        finding.hint = hint
                        findings.append(finding)
                    }
                }
                let last = Int(run.events("case").last?["index"]?.int64Value ?? 0)
                for var finding in self.findings(run, limitSeconds: 90)
                where !findings.contains(where: { $0.code == finding.code && $0.text == finding.text }) {
                    if finding.level == .error, last < calls.count {
                        finding.hint = reproduction(tool.id, numbers[last])
                        finding.place = "\(tool.id) \(OutcomeJudge.excerpt(calls[last].arguments))"
                    }
                    findings.append(finding)
                }
                guard !run.isComplete || run.wasKilled else { break }
                crashes += 1
                guard crashes < 3, last + 1 < numbers.count else { break }
                numbers = Array(numbers[(last + 1)...])
            }
        }
        return CheckResult(
            .gold, "fuzz", "bears \(checker.cases) strange arguments per tool", findings, milliseconds: milliseconds)
    }

    private func reproduction(_ tool: String, _ number: Int) -> String {
        "--reproduce \(checker.seed):\(tool):\(number)"
    }

    private func recordedCheck() async -> CheckResult {
        var result = CheckResult(.gold, "recorded", "answers its recorded calls as it did")
        guard let transcript = checker.transcript else {
            result.findings = [
                Finding(
                    .error, "no_transcript", "there are no recorded calls",
                    hint: "tandem plugin check BUNDLE --record, or --transcript FILE for one elsewhere")
            ]
            return result
        }
        for tool in manifest.tools {
            let calls = transcript.calls.filter { $0.tool == tool.id }
            if calls.isEmpty {
                result.findings.append(Finding(.error, "not_recorded", "no call of \(tool.id) is recorded"))
            } else if calls.allSatisfy(\.hasFailed) {
                result.findings.append(
                    Finding(
                        .error, "only_errors_recorded",
                        "every recorded call of \(tool.id) ends with an error: that it works is not shown",
                        hint: "record a call that ends with a value, after those that it needs"))
            }
        }
        do throws(CheckFileProblem) {
            if let problem = try transcript.problem(in: bundle) {
                result.findings.append(Finding(.error, "recorded_invalid", problem.text))
            }
        } catch {
            result.findings.append(Finding(.error, "recorded_invalid", error.description))
        }
        let (outcomes, run) = await replay(transcript, CannedAnswers(transcript))
        result.findings += findings(run, limitSeconds: 60)
        result.milliseconds = run.milliseconds
        for (index, call) in transcript.calls.enumerated()
        where index < outcomes.count && outcomes[index] != call.outcome {
            result.findings.append(
                Finding(
                    .error, "differs",
                    "call \(index + 1) answered \(outcomes[index].text), recorded was \(call.outcome.text)",
                    place: "\(call.tool) \(call.arguments.text)", hint: "--record takes it over"))
        }
        return result
    }

    /// The calls of a transcript on fresh tables, in order.
    func replay(_ transcript: Transcript, _ canned: CannedAnswers) async -> ([JSON], CheckWorker.Run) {
        let run = await start("calls", transcript.calls.map(\.planned), limitSeconds: 60, canned: canned)
        return (run.events("outcome").map { WorkerOutcome($0).transcript }, run)
    }

    /// A transcript of these calls, and of examples of every tool that is not called by them.
    ///
    /// Nil when the plugin does not answer them all. Throws when a host would not make one of the calls.
    ///
    /// - Parameter live: answers for services; what it says is recorded instead of what the transcript had of them.
    func record(
        _ given: Transcript?, live: CannedAnswers.Live? = nil
    ) async throws(CheckFileProblem) -> Transcript? {
        var transcript = given ?? Transcript(calls: [])
        if let problem = try transcript.problem(in: bundle) { throw CheckFileProblem(problem.text) }
        for example in planExamples() where !transcript.calls.contains(where: { $0.tool == example.tool.id }) {
            transcript.calls += example.calls.map {
                Transcript.Call(tool: $0.tool, arguments: (try? JSON(parsing: $0.arguments)) ?? [:])
            }
        }
        if live != nil { transcript.http = [] }
        let canned = CannedAnswers(transcript, live: live)
        let (outcomes, run) = await replay(transcript, canned)
        guard run.isComplete, outcomes.count == transcript.calls.count else { return nil }
        for index in outcomes.indices { transcript.calls[index].outcome = outcomes[index] }
        transcript.http += canned.learnt
        return transcript
    }

    // MARK: Platinum

    private func budgetCheck(
        _ examples: [(tool: ToolDefinition, calls: [PlannedCall])], _ report: inout CheckReport
    ) async -> CheckResult {
        let calls = examples.flatMap(\.calls)
        var least = [Int](repeating: .max, count: calls.count)
        var milliseconds = 0
        // The best of some: a loaded machine only ever makes it longer.
        for _ in 0..<4 {
            let run = await start("calls", calls, limitSeconds: 60, canned: CannedAnswers(checker.transcript))
            milliseconds += run.milliseconds
            for event in run.events("outcome") {
                let outcome = WorkerOutcome(event)
                if outcome.number < least.count {
                    least[outcome.number] = min(least[outcome.number], outcome.invokeMicroseconds)
                }
            }
        }
        var findings: [Finding] = []
        for (index, microseconds) in least.enumerated() where microseconds != .max && microseconds > 5000 {
            findings.append(
                Finding(
                    .error, "over_budget", "invoke returns after \(microseconds / 1000) ms; the budget is 5",
                    place: "\(calls[index].tool) \(OutcomeJudge.excerpt(calls[index].arguments))",
                    hint: "work that takes longer belongs to a thread of the plugin's own"))
        }
        if let most = least.filter({ $0 != .max }).max() {
            report.numbers.append(("invokeMicroseconds", Double(most)))
        }
        return CheckResult(
            .platinum, "budget", "returns from invoke within 5 ms", findings, milliseconds: milliseconds)
    }

    /// - Parameter keepsContract: no check up to silver failed; another plugin is let into no host.
    private func modesCheck(
        _ examples: [(tool: ToolDefinition, calls: [PlannedCall])], keepsContract: Bool
    ) async -> CheckResult {
        var result = CheckResult(.platinum, "modes", "answers the same in the host's process and in a runner")
        guard let compare = checker.compareModes else {
            result.isSkipped = true
            result.findings = [Finding(.warning, "no_runner", "this build has no runner to compare with")]
            return result
        }
        guard keepsContract else {
            result.isSkipped = true
            result.findings = [Finding(.warning, "not_run", "it does not keep the contract yet: see above")]
            return result
        }
        let recorded = (checker.transcript?.calls ?? []).map(\.planned)
        let calls = recorded.isEmpty ? examples.flatMap(\.calls) : recorded
        var outcomes: [JSON]?
        if isForeign {
            let run = await start(
                "calls", calls, limitSeconds: 60, canned: CannedAnswers(checker.transcript))
            outcomes = run.events("outcome").map { WorkerOutcome($0).transcript }
        }
        var script = checker.transcript ?? Transcript(calls: [])
        script.config = config
        result.findings = await compare(bundle, calls, script, outcomes)
        return result
    }
}

extension PluginChecker {
    /// Records the outcomes of `given`'s calls, and of examples of the tools that these leave out; nil when the plugin does
    /// not answer them all.
    ///
    /// Throws `PluginRefusal` for a bundle that no host accepts, `CheckFileProblem` for calls that no host makes.
    ///
    /// - Parameter live: answers for services while it records; what it says becomes the transcript's `http`.
    public func record(
        _ folder: String, given: Transcript?, live: CannedAnswers.Live? = nil
    ) async throws -> Transcript? {
        let bundle = try BundleExamination(folder: folder)
        return try await CheckSession(checker: self, bundle: bundle, config: given?.config).record(given, live: live)
    }
}
