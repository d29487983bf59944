import Crypto
import Foundation
import Synchronization
import TandemCore
import TandemJSON
import TandemPluginHost

/// Steady calls of well-behaved plugins while each hostile one of `Tests/Fixtures/hostile` is loaded and called beside them,
/// with the limits of a production host: how much later the slowest in a hundred is answered, and how many fail.
///
/// `TANDEM_BENCH_HOSTILE` in the environment, names with commas: only those.
enum HostileBenchmark {
    private static let hostile = "bench.hostile"
    private static let neighbours = ["good0", "good1"]
    private static let goal = 1.2

    static func run(_ place: Place) async throws -> [Figure] {
        let setting = try await Setting(place)
        defer { setting.host.shutDown() }
        let load = SteadyCalls(setting)
        try await load.begin()
        var ratios: [(name: String, values: [Double])] = []
        // The first one behaves: what loading and calling one more plugin costs anyway.
        for name in ["plugins/echo"] + (try setting.names()) {
            var values = [try await ratio(beside: name, setting, load)]
            // Once more where something else may have disturbed the machine.
            while values.sorted()[values.count / 2] > goal, values.count < 3 {
                values.append(try await ratio(beside: name, setting, load))
            }
            ratios.append((name, values))
            let median = values.sorted()[values.count / 2]
            FileHandle.standardError.write(Data("  \(name): \(Int(median * 100)) %\n".utf8))
        }
        await load.end()
        return figures(ratios, load)
    }

    private static func figures(_ ratios: [(name: String, values: [Double])], _ load: SteadyCalls) -> [Figure] {
        let goal = "<= \(goal)"
        var figures = ratios.map { name, values in
            Figure(name: "neighbours' p99 beside \(name)", unit: "x before", values: values, goal: goal)
        }
        let medians = figures.dropFirst().map(\.median).sorted()
        guard let worst = medians.last else { return figures }
        figures.append(
            Figure(
                name: "neighbours' p99 beside hostile plugins, median plugin", unit: "x before",
                values: [medians[medians.count / 2]], goal: goal))
        figures.append(
            Figure(
                name: "neighbours' p99 beside hostile plugins, worst plugin", unit: "x before", values: [worst],
                goal: goal))
        figures.append(Figure(name: "neighbours' p99 before", unit: "us", values: load.before))
        figures.append(Figure(name: "neighbours' calls", unit: "calls", values: [Double(load.calls)]))
        figures.append(
            Figure(name: "neighbours' calls that failed", unit: "calls", values: [Double(load.failures)], goal: "<= 0"))
        return figures
    }

    private static func ratio(
        beside name: String, _ setting: Setting, _ load: SteadyCalls
    ) async throws -> Double {
        try setting.prepare(name)
        _ = load.take()
        try await Task.sleep(for: .milliseconds(1200))
        var before = load.take()
        try await setting.load()
        try await setting.call(forMilliseconds: 2500)
        let during = load.take()
        try await setting.unload()
        // What has been begun is over by then.
        try await Task.sleep(for: .milliseconds(1500))
        _ = load.take()
        try await Task.sleep(for: .milliseconds(1200))
        before += load.take()
        guard let slow = p99(before), let slower = p99(during) else {
            throw Child.Failure(description: "no calls beside \(name)")
        }
        load.note(before: slow)
        return slower / slow
    }

    private static func p99(_ times: [UInt64]) -> Double? {
        guard !times.isEmpty else { return nil }
        return Double(times.sorted()[times.count * 99 / 100]) / 1000
    }

    // MARK: The host

    private final class Setting: Sendable {
        let host: PluginHost
        private let place: Place
        private let folder: String
        private let ids: IDGenerator

        init(_ place: Place) async throws {
            self.place = place
            folder = try place.fresh("hostile")
            let clock = SystemClock()
            ids = IDGenerator(clock: clock, node: 5)
            try FileManager.default.createDirectory(atPath: folder + "/plugins", withIntermediateDirectories: true)
            host = PluginHost(
                configuration: PluginHostConfiguration(
                    registryPath: folder + "/registry.json", searchPaths: [folder + "/plugins"],
                    buildFolder: folder + "/plugins"),
                services: HostServices(clock: clock, rows: NoRows()), grants: MemoryGrantStore())
            for neighbour in neighbours { try layOut("plugins/echo", namespace: neighbour) }
            try register(with: nil)
            await host.start()
            for status in host.statuses() {
                if let refusal = status.refusal { throw Child.Failure(description: "\(status.id): \(refusal.reason)") }
            }
        }

        func names() throws -> [String] {
            let files = try FileManager.default.contentsOfDirectory(atPath: place.root + "/Tests/Fixtures/hostile")
            let all = files.filter { $0.hasSuffix(".c") && $0 != "swapped.c" }.map { String($0.dropLast(2)) }.sorted()
            let wanted = ProcessInfo.processInfo.environment["TANDEM_BENCH_HOSTILE"]?.split(separator: ",")
            return all.filter { name in wanted?.contains { $0 == name } ?? true }.map { "hostile/" + $0 }
        }

        func person() -> UserScope { UserScope(authenticated: ids.nextUser()) }

        /// Compiles it: that is not the host's work, and not the plugin's.
        func prepare(_ name: String) throws { try layOut(name, namespace: "hostile") }

        func load() async throws {
            try register(with: "hostile")
            await host.reload()
        }

        func unload() async throws {
            try register(with: nil)
            await host.reload()
        }

        /// Two people call it, a hundred times a second: what they ask of it is not what disturbs.
        func call(forMilliseconds time: UInt64) async throws {
            let end = monotonicNanoseconds() + time * 1_000_000
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    let scope = person()
                    group.addTask { [self] in
                        _ = try? await host.switchOn("hostile", level: .write, in: scope)
                        while monotonicNanoseconds() < end {
                            _ = await answer("hostile.run", ["value": 1], in: scope, until: end)
                            try? await Task.sleep(for: .milliseconds(20))
                        }
                    }
                }
            }
        }

        func answer(
            _ tool: String, _ arguments: JSON, in scope: UserScope, until deadline: UInt64 = .max
        ) async -> ToolOutcome {
            await host.call(
                ToolCall(
                    tool: tool, arguments: arguments, origin: WriteOrigin(turn: ids.next(), step: 1),
                    deadlineNanoseconds: deadline, idempotencyKey: "bench", allowedEffect: .read), in: scope)
        }

        private func register(with more: String?) throws {
            let bundles = (more.map { [$0] } ?? []) + neighbours
            let entries = bundles.map { bundle -> JSON in
                [
                    "id": .string("bench.\(bundle)"), "bundle": .string(bundle), "trust": "developer",
                    "isolation": "runner",
                ]
            }
            let document: JSON = ["version": 1, "plugins": .array(entries)]
            try Data(document.serialized()).write(to: URL(fileURLWithPath: folder + "/registry.json"))
        }

        /// A bundle of one of the fixtures, none of whose code runs here.
        private func layOut(_ source: String, namespace: String) throws {
            var manifest: JSONObject = [
                "manifest": 1, "id": .string("bench.\(namespace)"), "namespace": .string(namespace), "name": "Fixture",
                "version": "1.0.0", "summary": "A fixture.", "abi": ["major": 1, "minor": 0],
                "tools": [
                    [
                        "id": .string("\(namespace).run"), "title": "Run", "description": "Runs.",
                        "parameters": ["type": "object", "properties": ["value": [:]], "additionalProperties": false],
                        "effect": "read", "timeoutMilliseconds": 1000,
                    ]
                ],
                "limits": ["maxInFlight": 16], "extensions": ["tandem.rows/1", "tandem.tools/1"],
                "calls": [["tool": .string("\(neighbours[0]).run"), "reason": "to see"]],
                "tables": [
                    [
                        "name": .string("\(namespace)_notes"), "purpose": "notes",
                        "columns": [["name": "body", "type": "text"]],
                    ]
                ],
            ]
            if neighbours.contains(namespace) {
                manifest["extensions"] = ["tandem.rows/1"]
                manifest["calls"] = nil
            }
            let text = JSON.object(manifest).text
            let literal = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            let bundle = folder + "/plugins/" + namespace
            let library = folder + "/\(UInt32.random(in: 0 ... .max)).so"
            try place.compile(
                "Tests/Fixtures/\(source).c", to: library,
                [
                    "-w", "-std=gnu11", "-D_GNU_SOURCE", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread",
                    "-I\(place.root)/PluginSDK/C/include", "-DMANIFEST=\"\(literal)\"",
                ])
            let bytes = try Data(contentsOf: URL(fileURLWithPath: library))
            try FileManager.default.removeItem(atPath: library)
            let digest = SHA256.hash(data: bytes).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count < 2 ? "0" + digits : digits
            }
            manifest["library"] = "plugin.so"
            manifest["files"] = ["plugin.so": .string("sha256:" + digest.joined())]
            try? FileManager.default.removeItem(atPath: bundle)
            try FileManager.default.createDirectory(atPath: bundle, withIntermediateDirectories: true)
            try bytes.write(to: URL(fileURLWithPath: bundle + "/plugin.so"))
            try Data(JSON.object(manifest).serialized()).write(to: URL(fileURLWithPath: bundle + "/plugin.json"))
        }
    }

    // MARK: The load

    /// Each neighbour for two people, each with a call every five milliseconds.
    private final class SteadyCalls: Sendable {
        private struct State {
            var times: [UInt64] = []
            var before: [Double] = []
            var calls = 0
            var failures = 0
            var tasks: [Task<Void, Never>] = []
        }

        private let setting: Setting
        private let state = Mutex(State())
        private let isOver = Atomic<Bool>(false)

        init(_ setting: Setting) { self.setting = setting }

        var before: [Double] { state.withLock { $0.before } }
        var calls: Int { state.withLock { $0.calls } }
        var failures: Int { state.withLock { $0.failures } }

        func begin() async throws {
            for neighbour in neighbours {
                for _ in 0..<2 {
                    let scope = setting.person()
                    _ = try await setting.host.switchOn(neighbour, level: .write, in: scope)
                    let task = Task { [self] in
                        var round: Int64 = 0
                        while !isOver.load(ordering: .relaxed) {
                            round += 1
                            let started = monotonicNanoseconds()
                            let value: JSON = ["value": .integer(round)]
                            let outcome = await setting.answer("\(neighbour).run", value, in: scope)
                            note(monotonicNanoseconds() - started, outcome, value)
                            try? await Task.sleep(for: .milliseconds(5))
                        }
                    }
                    state.withLock { $0.tasks.append(task) }
                }
            }
        }

        private func note(_ time: UInt64, _ outcome: ToolOutcome, _ expected: JSON) {
            var isRight = false
            if case .value(let value) = outcome { isRight = value.value == expected }
            state.withLock { state in
                state.times.append(time)
                state.calls += 1
                if !isRight { state.failures += 1 }
            }
        }

        func note(before: Double) { state.withLock { $0.before.append(before) } }

        /// The times since the last time.
        func take() -> [UInt64] {
            state.withLock { state in
                defer { state.times = [] }
                return state.times
            }
        }

        func end() async {
            isOver.store(true, ordering: .relaxed)
            for task in state.withLock({ $0.tasks }) { await task.value }
        }
    }
}
