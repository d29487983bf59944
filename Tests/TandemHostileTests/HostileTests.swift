import Foundation
import TandemCore
import TandemJSON
import TandemStorage
import Testing

@testable import TandemApplication
@testable import TandemPluginHost

/// What one hostile plugin does and what must be seen of it.
struct HostileCase: Sendable, CustomTestStringConvertible {
    enum Answer: Sendable {
        /// Refused when it is loaded.
        case refused(PluginRefusal.Code)
        /// Calls are answered with this code.
        case failure([String])
        /// Calls are answered with this value.
        case value(JSON)
        /// Calls are answered: nothing that was tried has worked.
        case nothingWorked
        /// Calls are answered with a value whose member is a number up to this.
        case atMost(String, Int64)
        /// Calls are answered, one way or another.
        case answered
    }

    var name: String
    var answer: Answer
    /// What an operator reads about it; empty: nothing in particular.
    var evidence: String
    var manifest: JSONObject = [:]
    var tool: JSONObject = [:]
    var calls = 2

    var testDescription: String { name }

    init(
        _ name: String, _ answer: Answer, _ evidence: String = "", manifest: JSONObject = [:], tool: JSONObject = [:],
        calls: Int = 2
    ) {
        self.name = name
        self.answer = answer
        self.evidence = evidence
        self.manifest = manifest
        self.tool = tool
        self.calls = calls
    }

    private static let rows: JSONObject = [
        "extensions": ["tandem.rows/1"],
        "tables": [["name": "hostile_notes", "purpose": "notes", "columns": [["name": "body", "type": "text"]]]],
    ]

    private static let tools: JSONObject = [
        "extensions": ["tandem.tools/1"],
        "calls": [
            ["tool": "good0.run", "reason": "to see"], ["tool": "good1.run", "reason": "to see"],
            ["tool": "elsewhere.run", "reason": "to see"],
        ],
    ]

    /// With HOSTILE_ONLY in the environment just that one.
    static var chosen: [HostileCase] {
        guard let name = ProcessInfo.processInfo.environment["HOSTILE_ONLY"] else { return all }
        return all.filter { $0.name == name }
    }

    private static let unavailable = ["plugin_unavailable", "unavailable"]

    private static let all: [HostileCase] = [
        // Loading.
        HostileCase("crash_constructor", .refused(.loadFailed), "SIGSEGV"),
        HostileCase("exits_constructor", .refused(.loadFailed), "crashed while it was loaded: ended by itself"),
        HostileCase("hang_constructor", .refused(.loadFailed), "does not load within"),
        HostileCase("crash_entry", .refused(.loadFailed), "SIGSEGV"),
        HostileCase("hang_entry", .refused(.loadFailed), "does not load within"),
        HostileCase("null_entry", .refused(.abiMismatch), "cannot work with ABI"),
        HostileCase("wild_entry", .refused(.loadFailed), "SIGSEGV"),
        HostileCase("wild_manifest", .refused(.loadFailed), "crashed while it was loaded"),
        HostileCase("endless_manifest", .refused(.brokenTable), "more than a MiB"),
        HostileCase(
            "lies_in_manifest", .refused(.manifestDiffers), "differ at /tools/0/effect", tool: ["effect": "send"]),
        HostileCase("crash_create", .refused(.createFailed), "SIGSEGV"),
        HostileCase("hang_create", .refused(.createFailed), "create"),
        HostileCase("wild_instance", .refused(.createFailed), "SIGSEGV"),
        HostileCase("empty_instance", .refused(.createFailed), "instance"),
        // Crashes and hangs.
        HostileCase("crash_activate", .failure(unavailable), "SIGSEGV"),
        HostileCase("hang_activate", .failure(unavailable + ["timeout"]), "activate did not return"),
        HostileCase("crash_invoke", .failure(unavailable), "SIGSEGV"),
        HostileCase("crash_stack", .failure(unavailable), "SIGSEGV"),
        HostileCase("crash_thread", .answered, "SIGSEGV"),
        HostileCase("wild_buffers", .failure(unavailable), "SIGSEGV"),
        HostileCase("double_release", .answered, "SIGABRT"),
        HostileCase("exits", .failure(unavailable), "ended by itself"),
        HostileCase("stops", .answered),
        HostileCase("hang_invoke", .failure(["timeout"]), "deadlines="),
        HostileCase("spins", .failure(["timeout"] + unavailable), "yielded="),
        HostileCase("signal_deadlock", .failure(["timeout"] + unavailable), "deadlines="),
        HostileCase("catches_signals", .failure(["timeout"] + unavailable), "yielded="),
        HostileCase("hang_release", .answered),
        HostileCase("hang_destroy", .answered, "destroy did not return"),
        HostileCase("hang_quiesce", .answered, "instances_abandoned="),
        HostileCase("keeps_threads", .answered, "log_lines_dropped="),
        // Answers.
        HostileCase("never_completes", .failure(["timeout"]), "deadlines="),
        HostileCase("ignores_cancel", .failure(["timeout"]), "deadlines="),
        HostileCase("completes_late", .failure(["timeout"]), "stale_completions="),
        HostileCase("completes_twice", .value(["first": true]), "double_completions="),
        HostileCase("wrong_sizes", .answered, "malformed_outcomes=", calls: 11),
        HostileCase("invalid_text", .failure(["bad_outcome"]), "malformed_outcomes="),
        HostileCase(
            "huge_value", .failure(["bad_outcome"]), "malformed_outcomes=", tool: ["timeoutMilliseconds": 20_000]),
        HostileCase("deep_json", .failure(["bad_outcome"]), "malformed_outcomes="),
        HostileCase("deep_json", .answered, "3 calls in a row with something that cannot be read", calls: 4),
        // Floods.
        HostileCase("flood_log", .answered, "log_lines_dropped="),
        HostileCase("flood_output", .answered),
        HostileCase("flood_memory", .atMost("file", 600), "throttled="),
        HostileCase("flood_memory_files", .atMost("megabytes", 600)),
        HostileCase("flood_completions", .answered, "stale_completions="),
        HostileCase("flood_progress", .answered),
        HostileCase("flood_requests", .answered, "throttled=", manifest: rows),
        HostileCase("flood_calls", .answered, "inner_calls=", manifest: tools),
        HostileCase("flood_frames", .failure(["timeout"] + unavailable), "sent", calls: 4),
        HostileCase("flood_notes", .failure(["timeout"] + unavailable), "nobody waits for", calls: 4),
        HostileCase("fills_disk", .nothingWorked),
        HostileCase("threads", .atMost("threads", 100)),
        // Ways out.
        HostileCase("forks", .nothingWorked),
        HostileCase("execs", .nothingWorked),
        HostileCase("opens_sockets", .nothingWorked),
        HostileCase("looks_up_names", .nothingWorked),
        HostileCase("opens_files", .nothingWorked),
        HostileCase("reads_environment", .nothingWorked),
        HostileCase("raises_limits", .nothingWorked),
        HostileCase("kernel_calls", .nothingWorked),
        HostileCase("kills_parent", .nothingWorked),
        HostileCase("other_manner", .failure(unavailable), "SIGS"),
        HostileCase("old_gate", .failure(unavailable), "SIGS"),
        // The channel to the host.
        HostileCase("garbage_on_socket", .failure(unavailable), "sent"),
        HostileCase("forges_frames", .answered, "sent"),
        HostileCase("steals_calls", .failure(["timeout"]), "stale_completions=", calls: 6),
        HostileCase("answers_too_much", .failure(unavailable), "more answers than it was asked for"),
        HostileCase("speaks_for_others", .failure(unavailable), "a frame for an instance that it never had"),
        HostileCase("sends_descriptors", .answered, "sent", calls: 6),
        HostileCase("hoards_descriptors", .answered, "too many descriptors"),
        HostileCase("closes_descriptors", .failure(unavailable), "closed its connection"),
        HostileCase("channel_unblocked", .answered, "closed its connection"),
        HostileCase("channel_stolen", .answered),
        HostileCase("channel_shut", .failure(unavailable), "closed its connection"),
        HostileCase("channel_replaced", .answered, "closed its connection"),
    ]
}

/// Each hostile plugin against a host that serves others at the same time: the host lives, the neighbours are answered, the
/// reason can be read, nothing is left behind.
@Suite(.serialized)
struct HostileTests {
    @Test(.timeLimit(.minutes(8)), arguments: HostileCase.chosen)
    func harmsNobodyElse(_ hostile: HostileCase) async throws {
        let test = try await HostileHost(hostile.name, tool: hostile.tool, manifest: hostile.manifest)
        await test.host.start()
        let load = try await SteadyLoad(test)
        try await Task.sleep(for: .milliseconds(120))
        #expect(await eventually { load.hasCalled })
        let before = load.measure()
        var seen = Set(test.processes)

        let status = try test.status()
        if case .refused(let code) = hostile.answer {
            #expect(status.refusal?.code == code, "\(test.evidence())")
        } else if status.refusal != nil {
            Issue.record("refused: \(test.evidence())")
        } else {
            let scope = test.person()
            try await test.switchOn("hostile", for: scope)
            for _ in 0..<hostile.calls {
                // A crash may be followed by a short wait before the next start.
                var outcome = await test.call("hostile.run", ["value": 1], in: scope)
                if case .failure(let failure) = outcome, failure.code == "unavailable" {
                    try await Task.sleep(for: .milliseconds(50))
                    outcome = await test.call("hostile.run", ["value": 1], in: scope)
                }
                // What it does behind the answer has time to happen.
                try await Task.sleep(for: .milliseconds(60))
                seen.formUnion(test.processes)
                try check(outcome, hostile, test)
            }
            // The person switches it off: it has to end.
            _ = try await test.host.switchOff("hostile", in: scope)
        }
        if !hostile.evidence.isEmpty {
            let isSeen = await eventually { test.evidence().contains(hostile.evidence) }
            #expect(isSeen, "\(test.evidence())")
        }
        try await Task.sleep(for: .milliseconds(120))
        #expect(await eventually { load.hasCalled })
        await load.stop()
        let during = load.measure()
        #expect(load.failures.isEmpty, "\(load.failures.prefix(3))")
        #expect(before.calls > 0 && during.calls > 0)
        for neighbour in test.neighbours {
            let status = test.host.statuses().first { $0.id == "test.\(neighbour)" }
            #expect(status?.runner?.crashes == 0)
        }
        print(
            "hostile \(hostile.name): neighbours p50 \(before.p50) -> \(during.p50) us, p99 \(before.p99) -> \(during.p99) us,",
            "\(during.calls) calls; \(test.evidence())")
        seen.formUnion(test.processes)
        await test.end()
        let isGone = await eventually { seen.allSatisfy { kill($0, 0) != 0 } }
        #expect(isGone, "processes are left: \(seen.filter { kill($0, 0) == 0 })")
        let descriptors = Self.processDescriptors(of: seen)
        #expect(descriptors.isEmpty, "descriptors of processes are left: \(descriptors)")
    }

    private func check(_ outcome: ToolOutcome, _ hostile: HostileCase, _ test: HostileHost) throws {
        switch (hostile.answer, outcome) {
        case (.failure(let codes), .failure(let failure)):
            #expect(codes.contains(failure.code), "\(failure); \(test.evidence())")
        case (.value(let expected), .value(let value)): #expect(value.value == expected)
        case (.nothingWorked, .value(let value)): #expect(value.value == ["worked": []], "\(value.value)")
        case (.atMost(let member, let most), .value(let value)):
            #expect(value.value[member]?.int64Value ?? .max <= most, "\(value.value)")
        case (.atMost, .failure(let failure)):
            // It may have died of it, or be at it still.
            #expect(["timeout", "plugin_unavailable", "unavailable"].contains(failure.code), "\(failure)")
        case (.answered, _): break
        default: Issue.record("\(outcome); \(test.evidence())")
        }
    }

    /// Descriptors of this process that stand for one of these processes.
    private static func processDescriptors(of processes: Set<Int32>) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fdinfo")) ?? []
        return names.filter { name in
            guard let text = try? String(contentsOfFile: "/proc/self/fdinfo/" + name, encoding: .utf8) else {
                return false
            }
            return processes.contains { text.contains("Pid:\t\($0)\n") }
        }
    }

    @Test(.timeLimit(.minutes(8)))
    func reachesNoOtherPersonsRows() async throws {
        let rows: JSONObject = [
            "extensions": ["tandem.rows/1"],
            "tables": [["name": "hostile_notes", "purpose": "notes", "columns": [["name": "body", "type": "text"]]]],
        ]
        let test = try await HostileHost(
            "names_other_users", tool: ["effect": "write", "timeoutMilliseconds": 5000], manifest: rows)
        await test.host.start()
        #expect(try test.status().refusal == nil, "\(test.evidence())")
        let victim = test.person()
        let attacker = test.person()
        let id = try await test.database.write(victim) { transaction in
            try transaction.insert(
                "hostile_notes", ["body": "private thoughts"], tables: .owner(HostileHost.hostile, allowsWrites: true))
        }
        try await test.switchOn("hostile", for: attacker)
        let outcome = await test.call("hostile.run", ["value": .string("\(id)")], in: attacker)
        guard case .value(let value) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(value.value == ["worked": []])
        // The victim's own instance sees it: the attempts were real.
        try await test.switchOn("hostile", for: victim)
        guard case .value(let own) = await test.call("hostile.run", ["value": .string("\(id)")], in: victim) else {
            Issue.record("no value")
            return
        }
        let real: Set<String> = ["get", "list by id", "list", "update", "delete"]
        #expect(real.isSubset(of: Set((own.value["worked"]?.arrayValue ?? []).compactMap(\.stringValue))))
        await test.end()
    }

    /// Hostile code in one person's call, while another person's call is in flight: their words, rows and answer are in
    /// another process. With `processes: shared`, which code of strangers cannot have, the same attempts succeed.
    @Test(.timeLimit(.minutes(8)), arguments: [false, true])
    func reachesNothingOfAnotherPersonsCall(isShared: Bool) async throws {
        let test = try await HostileHost(
            "cross_person", tool: ["effect": "write", "timeoutMilliseconds": 20_000],
            manifest: [
                "extensions": ["tandem.rows/1"],
                "tables": [
                    ["name": "hostile_notes", "purpose": "notes", "columns": [["name": "body", "type": "text"]]]
                ],
            ], neighbours: 0
        ) { entry in
            if isShared {
                entry["trust"] = "first-party"
                entry["processes"] = "shared"
            }
        }
        await test.host.start()
        #expect(try test.status().refusal == nil, "\(test.evidence())")
        let victim = test.person()
        let attacker = test.person()
        let table = TableAccess.owner(HostileHost.hostile, allowsWrites: true)
        for scope in [victim, attacker] { try await test.switchOn("hostile", for: scope) }
        _ = try await test.database.write(victim) { transaction in
            try transaction.insert("hostile_notes", ["body": "private thoughts"], tables: table)
        }
        let robbed = Task {
            await test.call("hostile.run", ["value": "private words"], in: victim, within: .seconds(20))
        }
        // Their call has reached the plugin.
        #expect(try await eventually { try test.status().counters.calls > 0 })
        try await Task.sleep(for: .milliseconds(100))
        let outcome = await test.call("hostile.run", ["value": "mine"], in: attacker)
        guard case .value(let value) = outcome else {
            Issue.record("\(outcome); \(test.evidence())")
            return
        }
        let worked = Set((value.value["worked"]?.arrayValue ?? []).compactMap(\.stringValue))
        #expect(worked == (isShared ? ["their words", "their rows", "their answer"] : []))
        #expect(try test.status().runner?.starts == (isShared ? 1 : 2))
        let notes = try await test.database.read(victim) { try $0.list("hostile_notes", tables: table) }
        #expect(notes.count == 1)
        robbed.cancel()
        _ = await robbed.value
        await test.end()
    }

    @Test(arguments: ["operator", "developer"])
    func cannotBeConfiguredToShareAProcess(trust: String) async throws {
        let test = try await HostileHost("crash_constructor", neighbours: 0) { entry in
            entry["trust"] = .string(trust)
            entry["processes"] = "shared"
        }
        await test.host.start()
        let problem = try #require(test.host.registryProblem)
        #expect(problem.description.contains("may serve all people in one process"))
        await test.end()
    }

    /// More people than processes: those who rest make room and are served again when they come back.
    @Test(.timeLimit(.minutes(8)))
    func boundsTheProcessesOfManyPeople() async throws {
        var runner = HostileHost.runner
        runner.maxProcessesOfPlugin = 3
        let test = try await HostileHost("plugins/echo", neighbours: 0, runner: runner)
        await test.host.start()
        let people = (0..<8).map { _ in test.person() }
        for scope in people { try await test.switchOn("hostile", for: scope) }
        for round in 0..<2 {
            for scope in people {
                let outcome = await test.call("hostile.run", ["value": .integer(Int64(round))], in: scope)
                guard case .value(let value) = outcome else {
                    Issue.record("\(outcome); \(test.evidence())")
                    continue
                }
                #expect(value.value == ["value": .integer(Int64(round))])
                #expect(test.processes.count <= 3)
            }
        }
        #expect(try test.status().runner?.crashes == 0, "\(test.evidence())")
        // One process each, started once more for each return at most.
        let starts = try test.status().runner?.starts ?? 0
        #expect(starts > 8 && starts <= 17, "\(starts)")
        await test.end()
    }

    /// What a plugin keeps of one person is of no use in a call of another.
    @Test(.timeLimit(.minutes(8)))
    func reachesNoRowsWithTheHostTableOfAnother() async throws {
        let test = try await HostileHost(
            "keeps_host", tool: ["timeoutMilliseconds": 5000],
            manifest: [
                "extensions": ["tandem.rows/1"],
                "tables": [
                    ["name": "hostile_notes", "purpose": "notes", "columns": [["name": "body", "type": "text"]]]
                ],
            ])
        await test.host.start()
        #expect(try test.status().refusal == nil, "\(test.evidence())")
        let victim = test.person()
        let attacker = test.person()
        _ = try await test.database.write(victim) { transaction in
            try transaction.insert(
                "hostile_notes", ["body": "private thoughts"], tables: .owner(HostileHost.hostile, allowsWrites: true))
        }
        for scope in [victim, attacker] {
            try await test.switchOn("hostile", for: scope)
            guard case .value(let value) = await test.call("hostile.run", in: scope) else {
                Issue.record("no value")
                return
            }
            #expect(value.value == ["worked": []])
        }
        // Their own call does reach them: the attempts were real.
        guard case .value(let own) = await test.call("hostile.run", in: victim) else {
            Issue.record("no value")
            return
        }
        #expect(own.value == ["worked": ["their table, my call"]])
        await test.end()
    }

    @Test(.timeLimit(.minutes(8)))
    func runsWhatWasCheckedWhateverLiesThereNow() async throws {
        let test = try await HostileHost("crash_invoke")
        await test.host.start()
        let scope = test.person()
        try await test.switchOn("hostile", for: scope)
        // The file is swapped, in place and by another file, while the host does not look.
        try await HostileHost.layOut(
            "hostile/swapped", id: HostileHost.hostile, namespace: "hostile", in: test.folder + "/plugins/hostile",
            tool: [:], more: [:])
        for _ in 0..<3 {
            let outcome = await test.call("hostile.run", in: scope)
            if case .value(let value) = outcome { Issue.record("the swapped file ran: \(value.value)") }
            try await Task.sleep(for: .milliseconds(50))
        }
        // When the host looks, it refuses the new file.
        await test.host.reload()
        #expect(try test.status().refusal?.code == .wrongChecksum)
        await test.end()
    }

    @Test(.timeLimit(.minutes(8)), arguments: ["spins", "catches_signals"])
    func endsWhoBurnsTimeForNothing(name: String) async throws {
        // Little, since a busy machine gives it little.
        var runner = HostileHost.runner
        runner.processorBurst = 0.2
        runner.processorShare = 0
        let test = try await HostileHost(name, runner: runner)
        await test.host.start()
        let scope = test.person()
        try await test.switchOn("hostile", for: scope)
        _ = await test.call("hostile.run", in: scope)
        #expect(
            await eventually { test.evidence().contains("used up its processor time") }, "\(test.evidence())")
        // It may be used again.
        #expect(try test.status().refusal == nil)
        await test.end()
    }

    @Test(arguments: ["verified", "operator", "developer"])
    func cannotBeConfiguredToRunInTheHost(trust: String) async throws {
        let test = try await HostileHost("crash_constructor") { entry in
            entry["trust"] = .string(trust)
            entry["isolation"] = "in-process"
        }
        await test.host.start()
        let problem = try #require(test.host.registryProblem)
        #expect(problem.description.contains("only a first-party plugin may run inside the host's process"))
        #expect(test.host.statuses().isEmpty)
        await test.end()
    }

    @Test(.timeLimit(.minutes(8)), arguments: ["crash_invoke", "sends_descriptors", "garbage_on_socket"])
    func leavesNothingBehindAfterManyEnds(name: String) async throws {
        let test = try await HostileHost(name, neighbours: 0)
        await test.host.start()
        let scope = test.person()
        try await test.switchOn("hostile", for: scope)
        /// Sockets, memory files and processes; the files of the database come and go.
        func descriptors() -> Int {
            ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).filter { number in
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + number)
                return target.map { !$0.hasPrefix("/") || $0.hasPrefix("/memfd:") } ?? false
            }.count
        }
        var seen = Set(test.processes)
        let before = descriptors()
        for _ in 0..<40 {
            _ = await test.call("hostile.run", in: scope)
            seen.formUnion(test.processes)
            try await Task.sleep(for: .milliseconds(25))
        }
        #expect(try test.status().runner?.crashes ?? 0 > 8)
        // Other suites may open and close some meanwhile.
        #expect(await eventually { descriptors() < before + 8 }, "\(before) -> \(descriptors())")
        await test.end()
        #expect(await eventually { seen.allSatisfy { kill($0, 0) != 0 } })
    }
}
